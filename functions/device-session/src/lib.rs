//! A device's session: reading it, replacing its token, ending it, and listing the device's sessions
//! (`docs/apis/device-sessions.md`).

use axum::{Json, extract::State, http::StatusCode};
use greenroom_core::{
    config::Setting,
    id::DeviceSessionId,
    model::{DeviceSession, device::Identifier},
};
use greenroom_http::{
    App,
    auth::{Device, DeviceClaims, DeviceToken},
    dialect::device::{Error, Refusals},
    error::{self, Unauthenticated},
};
use greenroom_media::Services;
use greenroom_media::audit::{Decision, Event, Party};
use greenroom_store::{Refreshed, Store, StoreError};
use serde::Serialize;
use utoipa::ToSchema;

/// The settings of this function.
pub const SETTINGS: &[Setting] =
    &[Setting::TableName, Setting::SigningKeys, Setting::DeviceSessionTtl, Setting::CorsOrigins, Setting::Log];

greenroom_http::routes!(get_session, end_session, refresh_session, list_sessions);

/// An answer.
#[derive(Serialize, ToSchema)]
struct Data<T> {
    /// The requested data.
    data: T,
}

/// A device's sessions.
#[derive(ToSchema)]
#[schema(as = DeviceSessions)]
#[expect(dead_code, reason = "only the document is made of it")]
struct SessionList {
    /// The sessions, the oldest first.
    data: Vec<SessionData>,
}

/// A device's session.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DeviceSession)]
struct SessionData {
    /// The session's id.
    session: DeviceSessionId,
    /// The identifier that the device gives itself.
    identifier: Identifier,
    /// When the session began (RFC 3339).
    #[schema(format = DateTime, example = "2026-11-22T10:00:00Z")]
    created_at: String,
    /// When the session expires (RFC 3339).
    #[schema(format = DateTime, example = "2026-12-22T10:00:00Z")]
    expires_at: String,
}

impl SessionData {
    fn of(identifier: &Identifier, id: &DeviceSessionId, session: &DeviceSession) -> Self {
        Self {
            session: id.clone(),
            identifier: identifier.clone(),
            created_at: session.created_at.to_string(),
            expires_at: session.expires_at.to_string(),
        }
    }
}

/// A device's new token.
#[derive(Serialize, ToSchema)]
#[schema(as = DeviceToken)]
struct Token {
    /// The token that authenticates the device's further requests, as `Authorization: Bearer`.
    #[schema(example = "eyJ0eXAiOiJncitkZXZpY2UiLCJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl")]
    token: String,
}

/// Read the session that the token belongs to.
#[utoipa::path(
    get,
    path = "/api/session",
    operation_id = "getDeviceSession",
    tag = "Device sessions",
    responses(
        (status = 200, description = "The session", body = Data<SessionData>),
        Refusals,
    ),
)]
async fn get_session(caller: Device) -> Json<Data<SessionData>> {
    Json(Data { data: SessionData::of(&caller.device.identifier, &caller.session_id, &caller.session) })
}

/// End the session that the token belongs to.
///
/// From then on, every instance of the server refuses the token.
#[utoipa::path(
    delete,
    path = "/api/session",
    operation_id = "endDeviceSession",
    tag = "Device sessions",
    responses(
        (status = 204, description = "The session has ended"),
        Refusals,
    ),
)]
async fn end_session(State(store): State<Store>, caller: Device) -> Result<StatusCode, Error> {
    let alone = caller.device.sessions.len() == 1;
    store.end_device_session(&caller.id, &caller.session_id, alone).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Replace the device's token.
///
/// The old token stops working. If it is presented for refresh again within 10 seconds, the answer is the same new
/// token. If it is presented later, Greenroom takes it for stolen and ends the session.
#[utoipa::path(
    post,
    path = "/api/session/refresh",
    operation_id = "refreshDeviceSession",
    tag = "Device sessions",
    responses(
        (status = 200, description = "The new token", body = Data<Token>),
        Refusals,
    ),
)]
async fn refresh_session(State(app): State<App>, DeviceToken(claims): DeviceToken) -> Result<Json<Data<Token>>, Error> {
    let kid = app.keys.signing().ok_or(error::Error::Fault)?;
    let next = DeviceSession::begin(app.clock.now(), app.config.device_session_ttl, kid.to_owned());
    let (device, id) = (claims.sub, claims.session);
    let session = match app.store.refresh_device_session(&device, &id, claims.generation, &next).await? {
        Refreshed::Now(session) => session,
        Refreshed::Ended => return Err(Unauthenticated::Wrong.into()),
        Refreshed::Stolen => {
            Decision::new(Event::DeviceTokenStolen).of(Party::Device(&device)).record(&app.services).await;
            return Err(Unauthenticated::Wrong.into());
        }
    };
    let token = app.keys.sign(&DeviceClaims::of(device, id, &session), &session.kid);
    // Another instance was faster, and signed with a key that this one will have after its next start.
    Ok(Json(Data { data: Token { token: token.ok_or(StoreError::Contended)? } }))
}

/// List the device's live sessions, oldest first.
#[utoipa::path(
    get,
    path = "/api/devices/current/sessions",
    operation_id = "listDeviceSessions",
    tag = "Device sessions",
    responses(
        (status = 200, description = "The sessions", body = SessionList),
        Refusals,
    ),
)]
async fn list_sessions(State(services): State<Services>, caller: Device) -> Json<Data<Vec<SessionData>>> {
    let live = caller.device.live_sessions(services.clock.now());
    let sessions = live.into_iter().map(|(id, session)| SessionData::of(&caller.device.identifier, id, session));
    Json(Data { data: sessions.collect() })
}
