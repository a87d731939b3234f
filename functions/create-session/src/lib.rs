//! Beginning a session. At `POST /api/sessions` a device registers (`docs/apis/device-sessions.md`), or a back-end opens
//! a media session (`docs/apis/openvidu.md`). At `POST /openvidu/api/sessions` a back-end opens one
//! (`docs/apis/openvidu-2.32.md`).

use axum::{Json, extract::State};
use greenroom_core::{
    clock::Timestamp,
    config::{OpenviduMedia, Setting},
    id::{DeviceId, DeviceSessionId, MediaSessionId},
    model::{DeviceSession, MediaSession, device::Identifier, media_session::SessionProperties},
};
use greenroom_http::{
    App,
    auth::DeviceClaims,
    dialect::{
        device,
        openvidu::{self, Refusals},
    },
    error,
};
use greenroom_media::audit::{Decision, Event, Party};
use greenroom_openvidu::{Given, Session};
use serde::Serialize;
use utoipa::ToSchema;

mod request;
mod v2_15;
mod v2_32;

use request::{SessionError, SessionRequest};

/// The settings of this function.
pub const SETTINGS: &[Setting] = &[
    Setting::TableName,
    Setting::OpenviduSecret,
    Setting::SigningKeys,
    Setting::DeviceRegistration,
    Setting::DeviceSessionTtl,
    Setting::DeviceSessionsMax,
    Setting::MediaSessionGrace,
    Setting::OpenviduMedia,
    Setting::CorsOrigins,
    Setting::Log,
];

greenroom_http::routes!(create_session, open_media_session);

/// A request for a media session, of either family of paths.
struct OpenSession {
    custom_id: Option<MediaSessionId>,
    properties: SessionProperties,
}

/// A new session, in the form for the caller.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum NewSession {
    /// A device's session.
    Device {
        /// The data for the device.
        data: DeviceData,
    },
    /// A back-end's session.
    #[serde(rename_all = "camelCase")]
    Media {
        /// The session's id.
        #[schema(example = "ses_0a1b2c3d4e5f60718293a4b5c6d7e8f9")]
        id: MediaSessionId,
        /// When it was opened, in milliseconds since the Unix epoch.
        created_at: Timestamp,
    },
}

/// The data for a new device.
#[derive(Serialize, ToSchema)]
#[schema(as = NewDeviceSession)]
struct DeviceData {
    /// The token that authenticates the device's further requests, as `Authorization: Bearer`.
    #[schema(example = "eyJ0eXAiOiJncitkZXZpY2UiLCJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl")]
    token: String,
}

/// Register a device, or open a media session.
///
/// The request decides which API it belongs to. A request with `Basic` credentials counts as a back-end's. So does a
/// request without credentials whose body only a back-end would send. Every other request counts as a device's.
#[utoipa::path(
    post,
    path = "/api/sessions",
    operation_id = "createSession",
    tag = "Device and media sessions",
    request_body(
        content = request::Body,
        description = "A device sends its identifier. A back-end may send the media session's properties",
        examples(
            ("Device" = (summary = "A device's", value = json!({ "identifier": "device_unique_id_here" }))),
            ("MediaSession" = (summary = "A back-end's", value = json!({ "customSessionId": "daily", "mediaMode": "ROUTED" }))),
        ),
    ),
    responses(
        (status = 200, description = "The session", body = NewSession, examples(
            ("Device" = (summary = "A device's", value = json!({ "data": { "token": "eyJ0eXAiOiJncitkZXZpY2UiLCJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl" } }))),
            ("MediaSession" = (summary = "A back-end's", value = json!({ "id": "daily", "createdAt": 1_795_344_000_000_u64 }))),
        )),
        request::Refusals,
    ),
)]
async fn create_session(State(app): State<App>, request: SessionRequest) -> Result<Json<NewSession>, SessionError> {
    Ok(Json(match request {
        SessionRequest::Device(identifier) => register(&app, &identifier).await?,
        SessionRequest::Media(open) => {
            let session = open_session(&app, open).await?.ok_or(openvidu::Error::SessionExists)?;
            NewSession::Media { id: session.session_id, created_at: session.created_at }
        }
    }))
}

/// Open a media session.
///
/// The session is listed at once, and in `/api/sessions` too. A custom id is taken while its session is live.
#[utoipa::path(
    post,
    path = "/openvidu/api/sessions",
    operation_id = "openMediaSession",
    tag = "OpenVidu 2.32",
    request_body = Option<v2_32::Properties>,
    responses(
        (status = 200, description = "The session", body = Session),
        (status = 400, description = "A property is not valid, or the body is no JSON object", body = openvidu::Body),
        (status = 409, description = "A live session has this `customSessionId`"),
        openvidu::BodyRefusals,
        Refusals,
    ),
)]
async fn open_media_session(State(app): State<App>, given: Given) -> Result<Json<Session>, openvidu::Error> {
    let open = v2_32::read(&given.optional()?)?;
    let session = open_session(&app, open).await?.ok_or(openvidu::Error::SessionLive)?;
    Ok(Json(Session::of(session, Vec::new())))
}

async fn register(app: &App, identifier: &Identifier) -> Result<NewSession, device::Error> {
    let kid = app.keys.signing().ok_or(error::Error::Fault)?;
    let device = DeviceId::of(identifier.expose(), app.store.device_key().await?);
    let id = DeviceSessionId::random();
    let session = DeviceSession::begin(app.clock.now(), app.config.device_session_ttl, kid.to_owned());
    let max = app.config.device_sessions_max;
    app.store.begin_device_session(&device, identifier, (&id, &session), max).await?;
    Decision::new(Event::DeviceRegistered).of(Party::Device(&device)).record(&app.services).await;
    let token = app.keys.sign(&DeviceClaims::of(device, id, &session), kid);
    Ok(NewSession::Device { data: DeviceData { token: token.ok_or(error::Error::Fault)? } })
}

/// Opens a media session. `None` if a live one has its id.
async fn open_session(app: &App, open: OpenSession) -> Result<Option<MediaSession>, openvidu::Error> {
    let session = MediaSession::open(open.custom_id, open.properties, app.clock.now(), app.config.media_session_grace);
    let session = match app.config.openvidu_media {
        OpenviduMedia::None => session,
        OpenviduMedia::LiveKit => session.with_room(),
    };
    let opened = app.store.open_media_session(&session).await?;
    Ok(opened.then_some(session))
}
