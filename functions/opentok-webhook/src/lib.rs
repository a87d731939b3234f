//! `POST /webhooks/opentok`: OpenTok or Vonage reports who joined a session and who left it (`docs/apis/opentok.md`,
//! `docs/apis/vonage.md`).

use std::convert::Infallible;

use axum::{
    Json,
    body::Body,
    extract::{FromRequest, Request, State},
    http::request::Parts,
};
use greenroom_core::{
    clock::Timestamp,
    config::Setting,
    id::{CallbackId, ConnectionName},
    model::{
        EventSession,
        live::{EndReason, ProviderEvent, Stream},
    },
};
use greenroom_http::{
    App,
    auth::{Caller, Scheme, Schemes, Signed, callback_key, callback_signer, credentials},
    dialect::events::{Detail, Error, Faults},
    read_body, without_bom,
};
use greenroom_media::{
    audit::{Decision, Event, Party},
    delivery::{deliver, is_wanted},
};
use greenroom_store::{StoreError, Told, Unique};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// The settings of this function.
pub const SETTINGS: &[Setting] = &[
    Setting::TableName,
    Setting::VideoProvider,
    Setting::OpentokApiKey,
    Setting::OpentokApiSecret,
    Setting::OpentokApiUrl,
    Setting::VonageApplicationId,
    Setting::VonagePrivateKey,
    Setting::VonageApiUrl,
    Setting::OpentokWebhookSecret,
    Setting::VonageSignatureSecret,
    Setting::StreamsApiUrl,
    Setting::StreamsApiToken,
    Setting::CorsOrigins,
    Setting::Log,
];

/// The longest id of a client's connection, in bytes.
const ID_MAX: usize = 128;

greenroom_http::routes!(monitor_session);

/// An event of session monitoring. Other fields are ignored.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ProviderEvent)]
struct SessionEvent {
    /// The provider's id of the session.
    #[schema(example = "2_MX4xMzExMjU3MX5-MTQ3MDI1NzY3OTkxOH45QXRr")]
    session_id: String,
    /// The project or application of the session. Events of others are ignored.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "45828062")]
    project_id: Value,
    /// `connectionCreated` or `connectionDestroyed`; others are ignored.
    #[schema(example = "connectionDestroyed")]
    event: String,
    /// When it happened, in milliseconds since the Unix epoch.
    #[serde(default)]
    #[schema(value_type = Option<i64>, example = 1_470_257_688_309_i64)]
    timestamp: Value,
    /// Why the connection ended.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "clientDisconnected")]
    reason: Value,
    /// The client's connection.
    connection: ReportedConnection,
}

/// The client's connection.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ProviderConnection)]
struct ReportedConnection {
    /// The provider's id of the connection.
    #[schema(example = "c053fcc8-c681-41d5-8ec2-7a9e1434a21e")]
    id: String,
    /// When it began, in milliseconds since the Unix epoch.
    #[serde(default)]
    #[schema(value_type = Option<i64>, example = 1_470_257_688_143_i64)]
    created_at: Value,
    /// The data of the client's token, which is the connection's name in the list of live sessions.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "0c2b5c1e-6c1f-4b5a-9a43-1f6f3f0f8a11")]
    data: Value,
}

/// An empty answer.
#[derive(Serialize, ToSchema)]
#[schema(as = ProviderEventNoted)]
struct Noted {}

/// Record who joined a session of the media provider, and who left it.
#[utoipa::path(
    post,
    path = "/webhooks/opentok",
    operation_id = "monitorSession",
    tag = "Live sessions",
    request_body = SessionEvent,
    responses(
        (status = 200, description = "Greenroom has recorded the event, or ignored it because it does not concern Greenroom", body = Noted),
        (status = 400, description = "The body is not JSON", body = Detail, example = json!({
            "detail": "JSON parse error - expected value at line 1 column 1",
        })),
        (status = 401, description = "No secret is configured; or the callback is not signed with the configured secret, and its URL does not end in the secret", body = Detail, example = json!({
            "detail": "Invalid signature.",
        })),
        (status = 413, description = "The body has 1 MiB or more", body = Detail, example = json!({
            "detail": "The body must be smaller than 1 MiB.",
        })),
        Faults,
    ),
)]
async fn monitor_session(State(app): State<App>, Unverified(request): Unverified) -> Result<Json<Noted>, Error> {
    let tasks = app.tasks.clone();
    tasks.run(take_note(app, request)).await.map(Json)
}

/// A request that may come from the media provider. Whether it is signed is known only when its whole body has been
/// read.
struct Unverified(Request<Body>);

impl Caller for Unverified {
    const SCHEMES: Schemes = &[Some(Scheme::MediaProvider)];
}

impl FromRequest<App> for Unverified {
    type Rejection = Infallible;

    async fn from_request(request: Request<Body>, _: &App) -> Result<Self, Infallible> {
        Ok(Self(request))
    }
}

async fn take_note(app: App, request: Request<Body>) -> Result<Noted, Error> {
    let (parts, body) = request.into_parts();
    let body = read_body(&parts.headers, body).await?;
    let Some(callback) = recognise(&app, &parts, &body) else {
        let decision = Decision::new(Event::WebhookRefused).by(Party::MediaProvider);
        decision.because("signature").record(&app.services).await;
        return Err(Error::InvalidSignature);
    };
    let body: Value = serde_json::from_slice(without_bom(&body)).map_err(|error| Error::NoJson(error.to_string()))?;
    // Other events of the provider's monitoring are ignored.
    let Ok(told) = serde_json::from_value::<SessionEvent>(body) else { return Ok(Noted {}) };
    let Some(event) = told.event(app.clock.now()) else { return Ok(Noted {}) };
    if !is_ours(&app, &told.project_id) || !(1..=ID_MAX).contains(&told.connection.id.len()) {
        return Ok(Noted {});
    }
    let name = told.connection.data.as_str().and_then(ConnectionName::parse);
    let (Some(name), Some(stream)) = (name, find(&app, &told.session_id).await?) else { return Ok(Noted {}) };
    let wanted = |message: &_| is_wanted(&app.config, message);
    let (client, event) = (&*told.connection.id, &event);
    let told = Told { stream: &stream, name: &name, client, event, callback: &callback };
    let message = app.store.record_provider_event(told, app.clock.now(), wanted).await?;
    if let Some(message) = &message {
        deliver(&app.services, message).await;
    }
    Ok(Noted {})
}

impl SessionEvent {
    /// The event of the client's connection; `None` if it is another kind of event.
    fn event(&self, now: Timestamp) -> Option<ProviderEvent> {
        let when = |time: &Value| time.as_i64().map(Timestamp::from_millis);
        let (created_at, at) = (when(&self.connection.created_at), when(&self.timestamp).unwrap_or(now));
        match self.event.as_str() {
            "connectionCreated" => Some(ProviderEvent::Created(created_at.unwrap_or(at))),
            "connectionDestroyed" => {
                let reason = EndReason::of_provider(self.reason.as_str().unwrap_or_default());
                Some(ProviderEvent::Destroyed { created_at, at, reason })
            }
            _ => None,
        }
    }
}

/// The id of a callback, if it is from a provider: signed with a configured secret, or sent to a URL that ends in one of
/// OpenTok's. Vonage signs every callback. Without a configured secret, no callback is accepted.
fn recognise(app: &App, parts: &Parts, body: &[u8]) -> Option<CallbackId> {
    let opentok = &app.config.opentok_webhook_secrets;
    let token = credentials(&parts.headers, "bearer").ok();
    let signed_by = |setting, secrets| {
        token.and_then(|token| callback_signer(token, body, secrets, app.clock.now())).map(|signed| (setting, signed))
    };
    let by_opentok = signed_by(Setting::OpentokWebhookSecret, opentok);
    let by_vonage = signed_by(Setting::VonageSignatureSecret, &app.config.vonage_signature_secrets);
    let by_key = || {
        let by = callback_key(parts.uri.query()?, opentok)?;
        Some((Setting::OpentokWebhookSecret, Signed { by, id: None }))
    };
    let (setting, Signed { by, id }) = by_opentok.or(by_vonage).or_else(by_key)?;
    app.last_used.mark(setting, by);
    Some(id.map_or_else(|| CallbackId::of_body(body), |id| CallbackId::of_sender(&id)))
}

/// Whether it is about the configured project or application.
fn is_ours(app: &App, project: &Value) -> bool {
    match project {
        Value::String(project) => {
            let mut application = app.config.vonage.iter().map(|vonage| vonage.application.to_string());
            *project == app.config.opentok.api_key || application.any(|id| project.eq_ignore_ascii_case(&id))
        }
        Value::Number(project) => project.to_string() == app.config.opentok.api_key,
        _ => true,
    }
}

/// The stream of a provider's session, as it was at most 5 seconds ago.
async fn find(app: &App, provider_session: &str) -> Result<Option<Stream>, Error> {
    let read = async || {
        let found = app.store.record_with::<EventSession>(Unique::ProviderSession, provider_session).await?;
        Ok::<_, StoreError>(found.map(|stored| (stored.record.event, stored.record.id)))
    };
    let found: Option<(u64, u64)> =
        app.caches.provider_sessions.get(&provider_session.to_owned(), app.clock.now(), read).await?;
    Ok(found.map(|(event, session)| Stream::of_session(event, session)))
}
