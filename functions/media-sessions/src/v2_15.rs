//! Sessions and connections of `/api/sessions` (`docs/apis/openvidu.md`).

use axum::{Json, extract::State, http::StatusCode};
use greenroom_core::id::{ConnectionId, MediaSessionId};
use greenroom_http::{
    auth::Backend,
    dialect::openvidu::{Error, Refusals},
};
use greenroom_media::Services;
use greenroom_openvidu::{List, SessionPath};

mod session;

use session::Session;

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
pub(crate) async fn list_sessions(_: Backend, State(services): State<Services>) -> Result<Json<List<Session>>, Error> {
    let sessions = services.store.media_sessions(services.clock.now()).await?;
    let sessions = sessions.into_iter().map(|(session, connections)| Session::of(&services, session, connections));
    Ok(Json(sessions.collect::<Result<_, _>>()?))
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
pub(crate) async fn get_session(
    _: Backend,
    named: SessionPath,
    State(services): State<Services>,
) -> Result<Json<Session>, Error> {
    let id = named.session.ok_or(Error::NotFound)?;
    let session = services.store.media_session(&id, services.clock.now()).await?;
    let (session, connections) = session.ok_or(Error::NotFound)?;
    Ok(Json(Session::of(&services, session, connections)?))
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
pub(crate) async fn close_session(
    _: Backend,
    named: SessionPath,
    State(services): State<Services>,
) -> Result<StatusCode, Error> {
    crate::close(&services, named).await
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
pub(crate) async fn disconnect(
    _: Backend,
    named: SessionPath,
    State(services): State<Services>,
) -> Result<StatusCode, Error> {
    crate::end_connection(&services, named).await
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
pub(crate) async fn unpublish(
    _: Backend,
    named: SessionPath,
    State(services): State<Services>,
) -> Result<StatusCode, Error> {
    crate::end_stream(&services, named).await
}
