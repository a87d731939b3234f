//! `POST /webhooks/livekit`: a LiveKit server reports who joined a room and who left it (`docs/apis/livekit.md`).

mod webhook;

use std::convert::Infallible;

use axum::{
    Json,
    body::Body,
    extract::{FromRequest, Request, State},
    http::{header, request::Parts},
};
use greenroom_core::{
    config::Setting,
    id::{CallbackId, ProviderSessionId},
};
use greenroom_http::{
    App,
    auth::{Caller, Scheme, Schemes, livekit_signer},
    dialect::events::{Detail, Error, Faults},
    read_body_up_to,
};
use greenroom_media::{
    audit::{Decision, Event, Party},
    rooms::{self, Effect, RoomReport},
};
use greenroom_telemetry::meter;
use serde::Serialize;
use utoipa::ToSchema;

use webhook::{Told, Webhook};

/// The settings of this function.
pub const SETTINGS: &[Setting] = &[
    Setting::TableName,
    Setting::VideoProvider,
    Setting::LivekitUrl,
    Setting::LivekitApiKey,
    Setting::LivekitApiSecret,
    Setting::CorsOrigins,
    Setting::Log,
];

/// The longest webhook that is read, in bytes.
const BODY_MAX: usize = 1 << 20;

greenroom_http::routes!(note_room_event);

/// An empty answer.
#[derive(Serialize, ToSchema)]
#[schema(as = LiveKitEventNoted)]
struct Noted {}

/// Record who joined a room of a LiveKit server, and who left it.
#[utoipa::path(
    post,
    path = "/webhooks/livekit",
    operation_id = "noteRoomEvent",
    tag = "Live sessions",
    request_body(content = Webhook, content_type = "application/webhook+json"),
    responses(
        (status = 200, description = "Greenroom has recorded the event, or ignored it because it does not concern Greenroom", body = Noted),
        (status = 400, description = "The body breaks off", body = Detail, example = json!({
            "detail": "JSON parse error - The body breaks off",
        })),
        (status = 401, description = "No key is configured, or the webhook is not signed with one", body = Detail, example = json!({
            "detail": "Invalid signature.",
        })),
        (status = 413, description = "The body has more than 1 MiB", body = Detail, example = json!({
            "detail": "The body must be smaller than 1 MiB.",
        })),
        Faults,
    ),
)]
async fn note_room_event(State(app): State<App>, Unverified(request): Unverified) -> Result<Json<Noted>, Error> {
    let tasks = app.tasks.clone();
    tasks.run(take_note(app, request)).await.map(Json)
}

/// A request that may come from a LiveKit server. Whether it is signed is known only when its whole body has been read.
struct Unverified(Request<Body>);

impl Caller for Unverified {
    const SCHEMES: Schemes = &[Some(Scheme::LiveKit)];
}

impl FromRequest<App> for Unverified {
    type Rejection = Infallible;

    async fn from_request(request: Request<Body>, _: &App) -> Result<Self, Infallible> {
        Ok(Self(request))
    }
}

async fn take_note(app: App, request: Request<Body>) -> Result<Noted, Error> {
    let (parts, body) = request.into_parts();
    let body = read_body_up_to(BODY_MAX, &parts.headers, body).await?;
    if !is_signed(&app, &parts, &body) {
        let decision = Decision::new(Event::WebhookRefused).by(Party::MediaServer);
        decision.because("signature").record(&app.services).await;
        return Err(Error::InvalidSignature);
    }
    // What a later version sends may have another form. The server would only repeat it.
    let Ok(webhook) = serde_json::from_slice::<Webhook>(&body) else {
        tracing::warn!("a signed webhook of LiveKit cannot be read");
        return Ok(Noted {});
    };
    if let Some((room, told)) = webhook.told(app.clock.now()) {
        apply(&app, &room, told, &webhook.callback(&body)).await?;
    }
    Ok(Noted {})
}

/// Whether a webhook is signed with one of the server's keys.
fn is_signed(app: &App, parts: &Parts, body: &[u8]) -> bool {
    let keys = app.config.livekit.as_ref().map_or(&[][..], |livekit| &livekit.keys);
    let token = parts.headers.get(header::AUTHORIZATION).and_then(|token| token.to_str().ok());
    let Some(by) = token.and_then(|token| livekit_signer(token.trim(), body, keys, app.clock.now())) else {
        return false;
    };
    app.last_used.mark(Setting::LivekitApiSecret, by);
    true
}

async fn apply(app: &App, room: &ProviderSessionId, told: Told<'_>, callback: &CallbackId) -> Result<(), Error> {
    let effect = match told {
        Told::Opened(sid) => rooms::opened(&app.services, room, sid).await?,
        Told::Closed(sid, report) => rooms::closed(&app.services, room, sid, &report).await?,
        Told::Participant(identity, report) => {
            let told = RoomReport { room, identity, report: &report, callback: Some(callback) };
            let effect = rooms::take_note(&app.services, told).await?;
            if effect == Effect::Changed && report.reported.is_connected() {
                remember(app, room, &report.room_sid).await?;
            }
            effect
        }
    };
    if effect == Effect::NotOurs {
        meter::count(|usage| usage.foreign_reports += 1);
    }
    Ok(())
}

/// Remembers that a room is open, in case the report of its opening was lost. One request an hour for each room.
async fn remember(app: &App, room: &ProviderSessionId, sid: &str) -> Result<(), Error> {
    let now = app.clock.now();
    let write = async || app.store.remember_open_room(room, sid, now).await.map(Some);
    app.caches.open_rooms.get(&(room.clone(), sid.to_owned()), now, write).await?;
    Ok(())
}
