//! `POST /v1/admission`: a media server asks whether a client may come, and says that one has gone (`ovenmediaengine.md`).
//!
//! Requests to the table on a warm instance: an opening 1, a transaction; one more where its name was known before, and
//! once an hour one that keeps the application's name. A closing 2.

mod request;

use std::time::Duration;

use axum::{
    Json,
    body::Body,
    extract::{Request, State},
    http::HeaderValue,
};
use serde::Serialize;
use shared::{
    App,
    auth::admission_signer,
    config::Setting,
    dialect::streams::{Error, Refusal},
    http::read_body,
    model::live::{self, REMEMBERED, Webhook},
    store::{Store, StoreError},
};
use tokio::time::timeout;
use utoipa::ToSchema;

use request::{Admission, Status};

/// What this function reads from its environment.
pub const SETTINGS: &[Setting] = &[
    Setting::TableName,
    Setting::StreamsWebhookSecret,
    Setting::StreamsVhosts,
    Setting::StreamsSessionTtl,
    Setting::CorsOrigins,
    Setting::Log,
];

/// Where a webhook says what it is signed with.
const SIGNATURE: &str = "x-ome-signature";
/// How long an opening may take: the media server waits 3 seconds, and then lets nobody in.
const OPENING: Duration = Duration::from_millis(2500);
/// How much longer an application is known than a connection in it can be.
const APP_KEPT: Duration = Duration::from_hours(3);

shared::routes!(admit);

/// What a media server is answered.
#[derive(Serialize, ToSchema)]
#[schema(as = AdmissionAnswer)]
struct Answer {
    /// Whether the client may come; nothing is said where it has gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed: Option<bool>,
    /// Why it may not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "The session was terminated")]
    reason: Option<&'static str>,
}

impl Answer {
    const ALLOWED: Self = Self { allowed: Some(true), reason: None };
    const NOTED: Self = Self { allowed: None, reason: None };

    fn refused(reason: &'static str) -> Self {
        Self { allowed: Some(false), reason: Some(reason) }
    }
}

/// Say whether a client may come, or take note that it has gone.
#[utoipa::path(
    post,
    path = "/v1/admission",
    operation_id = "admit",
    tag = "Live sessions",
    request_body = Admission,
    responses(
        (status = 200, description = "What the media server is to do", body = Answer, examples(
            ("Allowed" = (summary = "The client may come", value = json!({ "allowed": true }))),
            ("Refused" = (summary = "It may not", value = json!({ "allowed": false, "reason": "The session was terminated" }))),
            ("Noted" = (summary = "It has gone", value = json!({}))),
        )),
        (status = 400, description = "The body did not arrive", body = Refusal, example = json!({
            "message": "[HTTP] The body did not arrive in time (400)",
            "statusCode": 400,
        })),
        (status = 401, description = "The signature is missing or wrong", body = Refusal, example = json!({
            "message": "[HTTP] Invalid signature (401)",
            "statusCode": 401,
        })),
        (status = 413, description = "The body has 1 MiB or more", body = Refusal, example = json!({
            "message": "[HTTP] The body must be smaller than 1 MiB (413)",
            "statusCode": 413,
        })),
        (status = 500, description = "A fault of ours", body = Refusal, example = json!({
            "message": "[HTTP] Something went wrong on our side (500)",
            "statusCode": 500,
        })),
        (status = 503, description = "The request took too long", body = Refusal, headers(("Retry-After" = u64, description = "In how many seconds to try again")), example = json!({
            "message": "[HTTP] The service is busy; try again (503)",
            "statusCode": 503,
        })),
    ),
    security(("mediaServer" = [])),
)]
async fn admit(State(app): State<App>, request: Request<Body>) -> Result<Json<Answer>, Error> {
    let (parts, body) = request.into_parts();
    let body = read_body(&parts.headers, body).await?;
    let signature = parts.headers.get(SIGNATURE).map(HeaderValue::as_bytes).unwrap_or_default();
    let signer = admission_signer(signature, &body, &app.config.streams.webhook_secrets);
    app.uses.mark(Setting::StreamsWebhookSecret, signer.ok_or(Error::InvalidSignature)?);
    // From here on the answer is always 200: anything else means to the media server that we are out of order.
    let Some((webhook, status)) = Admission::read(&body, &app) else {
        return Ok(Json(Answer::refused("This is no admission request")));
    };
    Ok(Json(match status {
        Status::Opening if !Store::takes_names(&webhook.stream, &webhook.name) => {
            Answer::refused("The names in the URL are too long")
        }
        Status::Opening if !request::has_path(&webhook) => Answer::refused("A name in the URL is . or .."),
        Status::Opening => open(&app, &webhook).await,
        Status::Closing => close(&app, &webhook).await,
    }))
}

async fn open(app: &App, webhook: &Webhook) -> Answer {
    let (now, ttl) = (app.clock.now(), app.config.streams.session_ttl);
    let opened = async {
        // First, so that no stream is known of an application that is not.
        remember_app(app, webhook, ttl).await?;
        app.store.open_live_connection(webhook, now, now + ttl).await
    };
    match timeout(OPENING, opened).await {
        Ok(Ok(Ok(()))) => Answer::ALLOWED,
        Ok(Ok(Err(live::Refusal::Held))) => Answer::refused("The session was terminated"),
        Ok(Ok(Err(live::Refusal::Taken))) => Answer::refused("The session's name is taken"),
        Ok(Ok(Err(live::Refusal::Closed))) => Answer::refused("The session has closed since"),
        Ok(Err(error)) => {
            tracing::error!(%error, "an opening was not written down, and refused");
            Answer::refused("The service is busy; try again")
        }
        Err(_) => {
            tracing::error!("an opening was not written down in time, and refused");
            Answer::refused("The service is busy; try again")
        }
    }
}

async fn close(app: &App, webhook: &Webhook) -> Answer {
    if let Err(error) = app.store.close_live_connection(webhook, app.clock.now()).await {
        // The media server does not ask again; the connection ends by itself.
        tracing::error!(%error, "a closing was not written down");
    }
    Answer::NOTED
}

/// Keeps the application's name, once an hour.
async fn remember_app(app: &App, webhook: &Webhook, ttl: Duration) -> Result<(), StoreError> {
    let (vhost, name, now) = (&webhook.stream.vhost, &webhook.stream.app, app.clock.now());
    let remember = async || {
        app.store.remember_app(vhost, name, now, ttl + REMEMBERED + APP_KEPT).await?;
        Ok::<_, StoreError>(Some(()))
    };
    app.recent.apps.get(&(vhost.clone(), name.clone()), now, remember).await.map(drop)
}
