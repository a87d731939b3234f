//! `POST /v1/admission`: a media server asks whether a client may come, or reports that one has gone
//! (`docs/apis/ovenmediaengine.md`).

mod opening;
mod request;

use std::{convert::Infallible, time::Duration};

use axum::{
    Json,
    body::Body,
    extract::{FromRequest, Request, State},
    http::HeaderValue,
};
use greenroom_core::{config::Setting, model::live::Webhook};
use greenroom_http::{
    App,
    auth::{Caller, Scheme, Schemes, admission_signer},
    dialect::streams::{Error, StreamsError},
    read_body,
};
use greenroom_media::audit::{Decision, Event, Party};
use greenroom_store::Store;
use serde::Serialize;
use tokio::time::Instant;
use utoipa::ToSchema;

use opening::{close, is_picture, open};
use request::{Admission, Read, Status};

/// The settings of this function.
pub const SETTINGS: &[Setting] = &[
    Setting::TableName,
    Setting::StreamsWebhookSecret,
    Setting::StreamsVhosts,
    Setting::StreamsSessionTtl,
    Setting::StreamsLifetime,
    Setting::StreamsKeepViewers,
    Setting::CorsOrigins,
    Setting::Log,
];

/// The header with a webhook's signature.
const SIGNATURE: &str = "x-ome-signature";

greenroom_http::routes!(admit);

/// The answer to a media server.
#[derive(Serialize, ToSchema)]
#[schema(as = AdmissionAnswer)]
struct Answer {
    /// Whether the client may connect. It is missing if the client has left.
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed: Option<bool>,
    /// The number of milliseconds after which the media server cuts the client off.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 3_600_000)]
    lifetime: Option<u64>,
    /// Why the client may not connect.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "The session was terminated")]
    reason: Option<&'static str>,
    /// The reason in the log.
    #[serde(skip)]
    #[schema(ignore)]
    code: Option<&'static str>,
}

impl Answer {
    const NOTED: Self = Self { allowed: None, lifetime: None, reason: None, code: None };

    fn allowed(lifetime: Option<Duration>) -> Self {
        let lifetime = lifetime.map(|lifetime| u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX));
        Self { allowed: Some(true), lifetime, reason: None, code: None }
    }

    fn refused(code: &'static str, reason: &'static str) -> Self {
        Self { allowed: Some(false), lifetime: None, reason: Some(reason), code: Some(code) }
    }
}

/// Decide whether a client may connect, or record that it has left.
#[utoipa::path(
    post,
    path = "/v1/admission",
    operation_id = "admit",
    tag = "Live sessions",
    request_body = Admission,
    responses(
        (status = 200, description = "The answer to the media server", body = Answer, examples(
            ("Allowed" = (summary = "The client may come", value = json!({ "allowed": true }))),
            ("AllowedForAWhile" = (summary = "It may come, and has to ask again later", value = json!({ "allowed": true, "lifetime": 3_600_000 }))),
            ("Refused" = (summary = "It may not", value = json!({ "allowed": false, "reason": "The session was terminated" }))),
            ("Noted" = (summary = "It has gone", value = json!({}))),
        )),
        (status = 400, description = "The body did not arrive", body = StreamsError, example = json!({
            "message": "[HTTP] The body did not arrive in time (400)",
            "statusCode": 400,
        })),
        (status = 401, description = "The signature is missing or wrong", body = StreamsError, example = json!({
            "message": "[HTTP] Invalid signature (401)",
            "statusCode": 401,
        })),
        (status = 413, description = "The body has 1 MiB or more", body = StreamsError, example = json!({
            "message": "[HTTP] The body must be smaller than 1 MiB (413)",
            "statusCode": 413,
        })),
        (status = 500, description = "An internal error", body = StreamsError, example = json!({
            "message": "[HTTP] Something went wrong on our side (500)",
            "statusCode": 500,
        })),
        (status = 503, description = "The request took too long", body = StreamsError, headers(("Retry-After" = u64, description = "The number of seconds after which to try again")), example = json!({
            "message": "[HTTP] The service is busy; try again (503)",
            "statusCode": 503,
        })),
    ),
)]
async fn admit(State(app): State<App>, Unverified(request): Unverified) -> Result<Json<Answer>, Error> {
    let (tasks, arrived) = (app.tasks.clone(), Instant::now());
    // The task begins with the first byte, because a media server may have hung up by the time the body is read.
    tasks.run(Box::pin(take(app, request, arrived))).await.map(Json)
}

/// A request that may come from a media server. Whether it is signed is known only when its whole body has been read.
struct Unverified(Request<Body>);

impl Caller for Unverified {
    const SCHEMES: Schemes = &[Some(Scheme::MediaServer)];
}

impl FromRequest<App> for Unverified {
    type Rejection = Infallible;

    async fn from_request(request: Request<Body>, _: &App) -> Result<Self, Infallible> {
        Ok(Self(request))
    }
}

async fn take(app: App, request: Request<Body>, arrived: Instant) -> Result<Answer, Error> {
    let (parts, body) = request.into_parts();
    let body = read_body(&parts.headers, body).await?;
    let signature = parts.headers.get(SIGNATURE).map(HeaderValue::as_bytes).unwrap_or_default();
    let signer = admission_signer(signature, &body, &app.config.streams.webhook_secrets);
    let Some(signer) = signer else {
        Decision::new(Event::WebhookRefused).by(Party::MediaServer).because("signature").record(&app.services).await;
        return Err(Error::InvalidSignature);
    };
    app.last_used.mark(Setting::StreamsWebhookSecret, signer);
    // From here on the answer is always 200. The media server would take any other status for a failure of this
    // service.
    let (webhook, status) = match Admission::read(&body, &app) {
        Read::Webhook(webhook, status) => (webhook, status),
        Read::NoWebhook => return Ok(not_taken(&app, "no_admission_request", "This is no admission request").await),
        Read::OutOfTime => {
            return Ok(not_taken(&app, "out_of_time", "The request is dated more than 24 hours away").await);
        }
    };
    if status == Status::Closing {
        return Ok(close(&app, &webhook).await);
    }
    let answer = if !Store::takes_names(&webhook.stream, &webhook.name) {
        Answer::refused("names_too_long", "The names in the URL are too long")
    } else if !request::has_path(&webhook) {
        Answer::refused("names_of_no_path", "A name in the URL is . or ..")
    } else {
        open(&app, &webhook, arrived).await
    };
    // A player asks for pictures every few seconds, and nobody joins by that.
    if !is_picture(&webhook) {
        record(&app, &webhook, &answer).await;
    }
    Ok(answer)
}

/// Refuses a signed request that is no webhook of the present, and logs that.
async fn not_taken(app: &App, code: &'static str, reason: &'static str) -> Answer {
    Decision::new(Event::WebhookRefused).by(Party::MediaServer).because(code).record(&app.services).await;
    Answer::refused(code, reason)
}

/// Logs who joined a stream or was refused there.
async fn record(app: &App, webhook: &Webhook, answer: &Answer) {
    let decision = match answer.code {
        None => Decision::new(Event::Join),
        Some(code) => Decision::new(Event::JoinRefused).because(code),
    };
    decision.by(Party::Guest(webhook.name.as_str())).of(Party::Stream(&webhook.stream)).record(&app.services).await;
}
