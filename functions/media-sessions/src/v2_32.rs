//! Sessions and connections of `/openvidu/api` (`docs/apis/openvidu-2.32.md`).

use axum::{Json, extract::State, http::StatusCode};
use greenroom_core::{
    id::{ConnectionId, MediaSessionId},
    model::connection::{GrantChange, Role},
};
use greenroom_http::{
    auth::Backend,
    dialect::openvidu::{Body, BodyRefusals, Error, Refusals, Refused, Sent},
};
use greenroom_media::Services;
use greenroom_openvidu::{Connection, Fields, Given, List, Query, Session, SessionPath, value};
use utoipa::ToSchema;

use crate::{asked_for, deliver, refused, shown, unknown_part};

/// The changes of a connection. What is absent stays.
#[derive(ToSchema)]
#[schema(as = OpenViduConnectionChange)]
#[expect(dead_code, reason = "describes the body to the OpenAPI document")]
pub(crate) struct ConnectionChange {
    /// The new rights of the participant.
    role: Option<Role>,
    /// Whether the participant's streams are recorded from now on.
    #[schema(example = false)]
    record: Option<bool>,
}

/// A signal.
#[derive(ToSchema)]
#[schema(as = OpenViduSignal)]
#[expect(dead_code, reason = "describes the body to the OpenAPI document")]
pub(crate) struct Signal {
    /// The session whose participants it is for.
    #[schema(example = "daily")]
    session: String,
    /// The connections that it is for; all of the session by default.
    #[schema(example = json!(["con_0a1b2c3d4e5f60718293a4b5c6d7e8f9"]))]
    to: Option<Vec<String>>,
    /// Its type.
    #[schema(rename = "type", example = "chat")]
    kind: Option<String>,
    /// Its data.
    #[schema(example = "hello")]
    data: Option<String>,
}

/// List the live sessions.
///
/// The list includes those of `/api/sessions`, and sessions that nobody has joined.
#[utoipa::path(
    get,
    path = "/openvidu/api/sessions",
    operation_id = "listOpenViduSessions",
    tag = "OpenVidu 2.32",
    params(Query),
    responses(
        (status = 200, description = "The sessions, in the order in which they were opened", body = List<Session>),
        (status = 400, description = "A parameter of the query is no boolean", body = Body),
        Refusals,
    ),
)]
pub(crate) async fn list_openvidu_sessions(
    _: Backend,
    query: Query,
    State(services): State<Services>,
) -> Result<Json<List<Session>>, Error> {
    let sessions = services.store.media_sessions(services.clock.now()).await?;
    let pending = query.pending_connections == Some(true);
    let sessions = sessions
        .into_iter()
        .map(|(session, connections)| Ok(Session::of(session, asked_for(&services, connections, pending)?)));
    Ok(Json(sessions.collect::<Result<_, Error>>()?))
}

/// Read a session.
#[utoipa::path(
    get,
    path = "/openvidu/api/sessions/{sessionId}",
    operation_id = "getOpenViduSession",
    tag = "OpenVidu 2.32",
    params(("sessionId" = MediaSessionId, Path, description = "The session", example = "daily"), Query),
    responses(
        (status = 200, description = "The session", body = Session),
        (status = 400, description = "A parameter of the query is no boolean", body = Body),
        (status = 404, description = "There is no such live session"),
        Refusals,
    ),
)]
pub(crate) async fn get_openvidu_session(
    _: Backend,
    named: SessionPath,
    query: Query,
    State(services): State<Services>,
) -> Result<Json<Session>, Error> {
    let id = named.session.ok_or(Error::NotFound)?;
    let found = services.store.media_session(&id, services.clock.now()).await?;
    let (session, connections) = found.ok_or(Error::NotFound)?;
    let connections = asked_for(&services, connections, query.pending_connections == Some(true))?;
    Ok(Json(Session::of(session, connections)))
}

/// Close a session.
///
/// The session's tokens become invalid, and its custom id may be used again.
#[utoipa::path(
    delete,
    path = "/openvidu/api/sessions/{sessionId}",
    operation_id = "closeOpenViduSession",
    tag = "OpenVidu 2.32",
    params(("sessionId" = MediaSessionId, Path, description = "The session", example = "daily")),
    responses(
        (status = 204, description = "The session is closed"),
        (status = 404, description = "There is no such live session"),
        Refusals,
    ),
)]
pub(crate) async fn close_openvidu_session(
    _: Backend,
    named: SessionPath,
    State(services): State<Services>,
) -> Result<StatusCode, Error> {
    crate::close(&services, named).await
}

/// List the connections of a session.
#[utoipa::path(
    get,
    path = "/openvidu/api/sessions/{sessionId}/connection",
    operation_id = "listConnections",
    tag = "OpenVidu 2.32",
    params(("sessionId" = MediaSessionId, Path, description = "The session", example = "daily"), Query),
    responses(
        (status = 200, description = "The connections, in the order in which they were made", body = List<Connection>),
        (status = 400, description = "A parameter of the query is no boolean", body = Body),
        (status = 404, description = "There is no such live session"),
        Refusals,
    ),
)]
pub(crate) async fn list_connections(
    _: Backend,
    named: SessionPath,
    query: Query,
    State(services): State<Services>,
) -> Result<Json<List<Connection>>, Error> {
    let id = named.session.ok_or(Error::NotFound)?;
    let found = services.store.media_session(&id, services.clock.now()).await?;
    let (_, connections) = found.ok_or(Error::NotFound)?;
    let connections = asked_for(&services, connections, query.pending_connections != Some(false))?;
    Ok(Json(connections.into_iter().collect()))
}

/// Read a connection.
#[utoipa::path(
    get,
    path = "/openvidu/api/sessions/{sessionId}/connection/{connectionId}",
    operation_id = "getConnection",
    tag = "OpenVidu 2.32",
    params(("sessionId" = MediaSessionId, Path, description = "The session", example = "daily"), ("connectionId" = ConnectionId, Path, description = "The connection", example = "con_0a1b2c3d4e5f60718293a4b5c6d7e8f9")),
    responses(
        (status = 200, description = "The connection", body = Connection),
        (status = 400, description = "There is no such live session"),
        (status = 404, description = "The session has no such live connection"),
        Refusals,
    ),
)]
pub(crate) async fn get_connection(
    _: Backend,
    named: SessionPath,
    State(services): State<Services>,
) -> Result<Json<Connection>, Error> {
    let session = named.session.ok_or(Error::UnknownSession)?;
    let Some(connection) = named.connection else { return Err(unknown_part(&services, &session).await?) };
    let found = services.store.media_connection(&session, &connection, services.clock.now()).await?;
    Ok(Json(shown(&services, found.map_err(refused)?)?))
}

/// Change the rights of a connection.
///
/// Its id stays, and so does its token, unless it opens a room. A participant who is in the room has the new rights there.
#[utoipa::path(
    patch,
    path = "/openvidu/api/sessions/{sessionId}/connection/{connectionId}",
    operation_id = "changeConnection",
    tag = "OpenVidu 2.32",
    params(("sessionId" = MediaSessionId, Path, description = "The session", example = "daily"), ("connectionId" = ConnectionId, Path, description = "The connection", example = "con_0a1b2c3d4e5f60718293a4b5c6d7e8f9")),
    request_body = ConnectionChange,
    responses(
        (status = 200, description = "The connection", body = Connection),
        (status = 400, description = "A parameter is not valid, or the body is no JSON object", body = Body),
        (status = 404, description = "There is no such live session, or it has no such live connection"),
        BodyRefusals,
        Refusals,
    ),
)]
pub(crate) async fn change_connection(
    State(services): State<Services>,
    given: Given,
) -> Result<Json<Connection>, Error> {
    let fields = given.required()?;
    let (session, connection) = (given.path.session.as_ref(), given.path.connection.as_ref());
    let session = session.ok_or(Error::NotFound)?;
    let now = services.clock.now();
    let change = match change(&fields) {
        Ok(change) => change,
        // A missing session is reported before problems of the body.
        Err(_) if !services.store.is_media_session_live(session, now).await? => return Err(Error::NotFound),
        Err(error) => return Err(error),
    };
    let connection = connection.ok_or(Error::NotFound)?;
    let changed = services.store.change_grant(session, connection, change, now).await?;
    let (connection, message) = changed.map_err(|_| Error::NotFound)?;
    deliver(&services, message).await;
    Ok(Json(shown(&services, connection)?))
}

fn change(fields: &Fields<'_>) -> Result<GrantChange, Error> {
    let record = fields.boolean("record").map_err(Refused::RecordType)?;
    let sent = fields.text("role").map_err(Refused::RoleType)?;
    let role = sent.as_deref().map(|name| value(Some(name)).map_err(|name| Error::UnknownRole(Sent::new(name))));
    Ok(GrantChange { role: role.transpose()?, record })
}

/// Disconnect a participant.
///
/// The participant's token becomes invalid.
#[utoipa::path(
    delete,
    path = "/openvidu/api/sessions/{sessionId}/connection/{connectionId}",
    operation_id = "deleteConnection",
    tag = "OpenVidu 2.32",
    params(("sessionId" = MediaSessionId, Path, description = "The session", example = "daily"), ("connectionId" = ConnectionId, Path, description = "The connection", example = "con_0a1b2c3d4e5f60718293a4b5c6d7e8f9")),
    responses(
        (status = 204, description = "The participant is disconnected"),
        (status = 400, description = "There is no such live session"),
        (status = 404, description = "The session has no such live connection"),
        Refusals,
    ),
)]
pub(crate) async fn delete_connection(
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
    path = "/openvidu/api/sessions/{sessionId}/stream/{streamId}",
    operation_id = "deleteStream",
    tag = "OpenVidu 2.32",
    params(("sessionId" = MediaSessionId, Path, description = "The session", example = "daily"), ("streamId" = String, Path, description = "The stream; Greenroom carries no streams, so it never finds one", example = "str_0a1b")),
    responses(
        (status = 400, description = "There is no such live session"),
        (status = 404, description = "The session has no such stream"),
        Refusals,
    ),
)]
pub(crate) async fn delete_stream(
    _: Backend,
    named: SessionPath,
    State(services): State<Services>,
) -> Result<StatusCode, Error> {
    crate::end_stream(&services, named).await
}

/// Send a signal.
///
/// Greenroom carries no signals, so a signal never has anybody to go to.
#[utoipa::path(
    post,
    path = "/openvidu/api/signal",
    operation_id = "sendSignal",
    tag = "OpenVidu 2.32",
    request_body = Signal,
    responses(
        (status = 400, description = "A parameter is missing or not valid, or the body is no JSON object", body = Body),
        (status = 404, description = "There is no such live session"),
        (status = 406, description = "No participant is connected"),
        BodyRefusals,
        Refusals,
    ),
)]
pub(crate) async fn send_signal(State(services): State<Services>, given: Given) -> Result<StatusCode, Error> {
    let fields = given.required()?;
    let session = fields.text("session").map_err(|_| Error::WrongType)?;
    fields.texts("to").map_err(|_| Error::WrongType)?;
    for name in ["type", "data"] {
        fields.text(name).map_err(|_| Error::WrongType)?;
    }
    let session = session.filter(|session| !session.is_empty()).ok_or(Error::SessionMissing)?;
    let session = MediaSessionId::parse(&session).ok_or(Error::NotFound)?;
    let live = services.store.is_media_session_live(&session, services.clock.now()).await?;
    Err(if live { Error::NobodyConnected } else { Error::NotFound })
}
