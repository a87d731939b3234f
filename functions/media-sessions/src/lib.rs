//! Reading and closing media sessions and their connections (`docs/apis/openvidu.md`).

use axum::{
    Json,
    extract::{FromRequestParts, RawPathParams, State},
    http::{StatusCode, request::Parts},
};
use greenroom_core::{
    config::Setting,
    id::{ConnectionId, MediaSessionId},
};
use greenroom_http::{
    App,
    auth::Backend,
    dialect::openvidu::{Error, Refusals},
};
use greenroom_media::{
    Services,
    audit::{Decision, Event, Party},
    jobs,
};
use greenroom_store::{Closed, Disconnected};
use serde::Serialize;
use utoipa::ToSchema;

mod session;

use session::Session;

/// The settings of this function.
pub const SETTINGS: &[Setting] =
    &[Setting::TableName, Setting::OpenviduSecret, Setting::MediaSessionGrace, Setting::CorsOrigins, Setting::Log];

greenroom_http::routes!(list_sessions, get_session, close_session, disconnect, unpublish);

/// A list, in OpenVidu's form.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct List<T> {
    /// The number of elements.
    #[schema(example = 1)]
    number_of_elements: usize,
    /// The elements.
    content: Vec<T>,
}

impl<T> FromIterator<T> for List<T> {
    fn from_iter<I: IntoIterator<Item = T>>(content: I) -> Self {
        let content: Vec<T> = content.into_iter().collect();
        Self { number_of_elements: content.len(), content }
    }
}

/// The session that the path names, and the thing in it. A text that cannot be an id names nothing.
struct SessionPath {
    session: Option<MediaSessionId>,
    connection: Option<ConnectionId>,
}

impl FromRequestParts<App> for SessionPath {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let Ok(params) = RawPathParams::from_request_parts(parts, app).await else {
            // A part of the path is not UTF-8, so it is no id. The answer depends on whether that part is the
            // session's.
            let session = parts.uri.path().split('/').nth(3).and_then(MediaSessionId::parse);
            return Ok(Self { session, connection: None });
        };
        let named = |name| params.iter().find(|(key, _)| *key == name).map(|(_, value)| value);
        Ok(Self {
            session: named("sessionId").and_then(MediaSessionId::parse),
            connection: named("connectionId").and_then(ConnectionId::parse),
        })
    }
}

/// List the live sessions.
///
/// The list includes sessions that nobody has joined.
#[utoipa::path(
    get,
    path = "/api/sessions",
    operation_id = "listMediaSessions",
    tag = "Media sessions",
    responses(
        (status = 200, description = "The sessions, in the order in which they were opened", body = List<Session>),
        Refusals,
    ),
)]
async fn list_sessions(_: Backend, State(services): State<Services>) -> Result<Json<List<Session>>, Error> {
    let sessions = services.store.media_sessions(services.clock.now()).await?;
    Ok(Json(sessions.into_iter().map(Session::from).collect()))
}

/// Read a session.
#[utoipa::path(
    get,
    path = "/api/sessions/{sessionId}",
    operation_id = "getMediaSession",
    tag = "Media sessions",
    params(("sessionId" = MediaSessionId, Path, description = "The session", example = "daily")),
    responses(
        (status = 200, description = "The session", body = Session),
        (status = 404, description = "There is no such live session"),
        Refusals,
    ),
)]
async fn get_session(_: Backend, named: SessionPath, State(services): State<Services>) -> Result<Json<Session>, Error> {
    let id = named.session.ok_or(Error::NotFound)?;
    let session = services.store.media_session(&id, services.clock.now()).await?;
    Ok(Json(session.ok_or(Error::NotFound)?.into()))
}

/// Close a session.
///
/// The session's tokens become invalid, and its custom id may be used again.
#[utoipa::path(
    delete,
    path = "/api/sessions/{sessionId}",
    operation_id = "closeMediaSession",
    tag = "Media sessions",
    params(("sessionId" = MediaSessionId, Path, description = "The session", example = "daily")),
    responses(
        (status = 204, description = "The session is closed"),
        (status = 404, description = "There is no such live session"),
        Refusals,
    ),
)]
async fn close_session(_: Backend, named: SessionPath, State(services): State<Services>) -> Result<StatusCode, Error> {
    let id = named.session.ok_or(Error::NotFound)?;
    match services.store.close_media_session(&id, services.clock.now()).await? {
        Closed::Now(begun) => {
            if let Some(begun) = begun {
                jobs::go_on(&services, *begun).await;
            }
            Ok(StatusCode::NO_CONTENT)
        }
        Closed::Before => Err(Error::NotFound),
    }
}

/// Disconnect a participant.
///
/// The participant's token becomes invalid.
#[utoipa::path(
    delete,
    path = "/api/sessions/{sessionId}/connection/{connectionId}",
    operation_id = "disconnect",
    tag = "Media sessions",
    params(("sessionId" = MediaSessionId, Path, description = "The session", example = "daily"), ("connectionId" = ConnectionId, Path, description = "The connection", example = "con_0a1b2c3d4e5f60718293a4b5c6d7e8f9")),
    responses(
        (status = 204, description = "The participant is disconnected"),
        (status = 400, description = "There is no such live session"),
        (status = 404, description = "The session has no such live connection"),
        Refusals,
    ),
)]
async fn disconnect(_: Backend, named: SessionPath, State(services): State<Services>) -> Result<StatusCode, Error> {
    let session = named.session.ok_or(Error::UnknownSession)?;
    let now = services.clock.now();
    let Some(connection) = named.connection else {
        let live = services.store.is_media_session_live(&session, now).await?;
        return Err(if live { Error::NotFound } else { Error::UnknownSession });
    };
    match services.store.disconnect(&session, &connection, now, services.config.media_session_grace).await? {
        Disconnected::Now => {
            let decision = Decision::new(Event::ConnectionTerminated).by(Party::Backend);
            decision.of(Party::MediaConnection(&connection)).record(&services).await;
            Ok(StatusCode::NO_CONTENT)
        }
        Disconnected::UnknownConnection => Err(Error::NotFound),
        Disconnected::UnknownSession => Err(Error::UnknownSession),
    }
}

/// Stop a stream.
///
/// Greenroom carries no streams, so it never finds one to stop.
#[utoipa::path(
    delete,
    path = "/api/sessions/{sessionId}/stream/{streamId}",
    operation_id = "unpublish",
    tag = "Media sessions",
    params(("sessionId" = MediaSessionId, Path, description = "The session", example = "daily"), ("streamId" = String, Path, description = "The stream; Greenroom carries no streams, so it never finds one", example = "str_0a1b")),
    responses(
        (status = 400, description = "There is no such live session"),
        (status = 404, description = "The session has no such stream"),
        Refusals,
    ),
)]
async fn unpublish(_: Backend, named: SessionPath, State(services): State<Services>) -> Result<StatusCode, Error> {
    let session = named.session.ok_or(Error::UnknownSession)?;
    let live = services.store.is_media_session_live(&session, services.clock.now()).await?;
    Err(if live { Error::NotFound } else { Error::UnknownSession })
}
