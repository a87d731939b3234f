//! Reading, changing and closing media sessions and their connections, below `/api/sessions` (`docs/apis/openvidu.md`)
//! and below `/openvidu/api` (`docs/apis/openvidu-2.32.md`).

use axum::http::StatusCode;
use greenroom_core::{config::Setting, id::MediaSessionId, model};
use greenroom_http::dialect::openvidu::Error;
use greenroom_media::{
    Services,
    audit::{Decision, Event, Party},
    delivery::deliver_claimed,
    jobs,
    media_token::media_token,
};
use greenroom_openvidu::{Connection, SessionPath};
use greenroom_store::{ClaimedJob, Closed, Unknown};

mod v2_15;
mod v2_32;

use v2_15::{
    __path_close_session, __path_disconnect, __path_get_session, __path_list_sessions, __path_unpublish, close_session,
    disconnect, get_session, list_sessions, unpublish,
};
use v2_32::{
    __path_change_connection, __path_close_openvidu_session, __path_delete_connection, __path_delete_stream,
    __path_get_connection, __path_get_openvidu_session, __path_list_connections, __path_list_openvidu_sessions,
    __path_send_signal, change_connection, close_openvidu_session, delete_connection, delete_stream, get_connection,
    get_openvidu_session, list_connections, list_openvidu_sessions, send_signal,
};

/// The settings of this function.
pub const SETTINGS: &[Setting] = &[
    Setting::TableName,
    Setting::OpenviduSecret,
    Setting::MediaSessionGrace,
    Setting::OpenviduMedia,
    Setting::LivekitUrl,
    Setting::LivekitApiKey,
    Setting::LivekitApiSecret,
    Setting::CorsOrigins,
    Setting::Log,
];

greenroom_http::routes!(
    list_sessions,
    get_session,
    close_session,
    disconnect,
    unpublish,
    list_openvidu_sessions,
    get_openvidu_session,
    close_openvidu_session,
    list_connections,
    get_connection,
    change_connection,
    delete_connection,
    delete_stream,
    send_signal,
);

/// A connection in the form of 2.32, with its token.
fn shown(services: &Services, connection: model::Connection) -> Result<Connection, Error> {
    let token = media_token(services, &connection)?;
    Ok(Connection::of(connection, token, services.clock.now()))
}

/// The active connections, and with `pending` the others too.
fn asked_for(
    services: &Services,
    connections: Vec<model::Connection>,
    pending: bool,
) -> Result<Vec<Connection>, Error> {
    let now = services.clock.now();
    let asked_for = connections.into_iter().filter(|connection| pending || Connection::is_active(connection, now));
    asked_for.map(|connection| shown(services, connection)).collect()
}

/// Closes a session. Who is in its room is put out.
async fn close(services: &Services, named: SessionPath) -> Result<StatusCode, Error> {
    let id = named.session.ok_or(Error::NotFound)?;
    match services.store.close_media_session(&id, services.clock.now()).await? {
        Closed::Now(begun) => {
            if let Some(begun) = begun {
                jobs::go_on_and_deliver(services, *begun).await;
            }
            Ok(StatusCode::NO_CONTENT)
        }
        Closed::Before => Err(Error::NotFound),
    }
}

/// Ends a connection and its token. Its participant is put out.
async fn end_connection(services: &Services, named: SessionPath) -> Result<StatusCode, Error> {
    let session = named.session.ok_or(Error::UnknownSession)?;
    let Some(connection) = named.connection else { return Err(unknown_part(services, &session).await?) };
    let (now, grace) = (services.clock.now(), services.config.media_session_grace);
    let message = services.store.disconnect(&session, &connection, now, grace).await?.map_err(refused)?;
    deliver(services, message).await;
    let decision = Decision::new(Event::ConnectionTerminated).by(Party::Backend);
    decision.of(Party::MediaConnection(&connection)).record(services).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Delivers an outbox message, if there is one. If the media server is away, the message stays, and what Greenroom has
/// decided holds all the same.
async fn deliver(services: &Services, message: Option<ClaimedJob>) {
    if let Some(message) = message {
        deliver_claimed(services, &message).await;
    }
}

/// Ends a stream. Greenroom carries no streams, so there is none.
async fn end_stream(services: &Services, named: SessionPath) -> Result<StatusCode, Error> {
    let session = named.session.ok_or(Error::UnknownSession)?;
    Err(unknown_part(services, &session).await?)
}

/// The refusal of a request for something that no session has.
async fn unknown_part(services: &Services, session: &MediaSessionId) -> Result<Error, Error> {
    let live = services.store.is_media_session_live(session, services.clock.now()).await?;
    Ok(if live { Error::NotFound } else { Error::UnknownSession })
}

/// The refusal of a request for a part of a session, where DELETE and GET tell the two apart.
fn refused(unknown: Unknown) -> Error {
    match unknown {
        Unknown::Session => Error::UnknownSession,
        Unknown::Connection => Error::NotFound,
    }
}
