//! Letting participants join: a token with its connection at `POST /api/tokens` (`docs/apis/openvidu.md`), and a
//! connection with its token below `/openvidu/api` (`docs/apis/openvidu-2.32.md`).

use std::time::Duration;

use axum::{Json, extract::State};
use greenroom_core::{
    clock::Timestamp,
    config::{LiveKitRooms, OpenviduMedia, Setting},
    id::{MediaSessionId, ProviderSessionId},
    model::{
        self, RoomName,
        connection::{Grant, MediaToken, Ticket},
    },
};
use greenroom_http::dialect::openvidu::{Body, BodyRefusals, Error, Refusals, Sent};
use greenroom_media::{Services, media_token::media_token};
use greenroom_openvidu::{Connection, Given};
use greenroom_store::{Inserted, StoreError, Unknown};

mod options;
mod v2_15;
mod v2_32;

use v2_32::Participant;

/// The settings of this function.
pub const SETTINGS: &[Setting] = &[
    Setting::TableName,
    Setting::OpenviduSecret,
    Setting::MediaTokenTtl,
    Setting::MediaSessionGrace,
    Setting::OpenviduMedia,
    Setting::LivekitUrl,
    Setting::LivekitApiKey,
    Setting::LivekitApiSecret,
    Setting::LivekitTokenTtl,
    Setting::LivekitRooms,
    Setting::CorsOrigins,
    Setting::Log,
];

greenroom_http::routes!(issue_token, issue_openvidu_token, create_connection);

/// Issue a token.
#[utoipa::path(
    post,
    path = "/api/tokens",
    operation_id = "issueToken",
    tag = "Media sessions",
    request_body = v2_15::TokenOptions,
    responses(
        (status = 200, description = "The token", body = v2_15::IssuedToken),
        (status = 400, description = "A parameter is missing or not valid, or the body is no JSON object", body = Body),
        (status = 404, description = "There is no such live session", body = Body),
        BodyRefusals,
        Refusals,
    ),
)]
async fn issue_token(State(services): State<Services>, given: Given) -> Result<Json<v2_15::IssuedToken>, Error> {
    let fields = given.optional()?;
    let request = v2_15::Request::read(&fields)?;
    let unknown = Error::SessionNotFound(Sent::new(&request.session));
    let Some(session) = MediaSessionId::parse(&request.session) else { return Err(unknown) };
    let grant = request.grant();
    let token = |host: &str, grant: &Grant| MediaToken::with_role(host, &session, grant.role);
    let (connection, token) = connect(&services, &given, &session, grant, token).await?.ok_or(unknown)?;
    Ok(Json(v2_15::IssuedToken::of(connection, token, &fields)))
}

/// Issue a token.
///
/// OpenVidu has deprecated it since 2.16 in favour of connections. The token is that of a new connection.
#[utoipa::path(
    post,
    path = "/openvidu/api/tokens",
    operation_id = "issueOpenViduToken",
    tag = "OpenVidu 2.32",
    request_body = v2_32::TokenOptions,
    responses(
        (status = 200, description = "The token", body = v2_32::Token),
        (status = 400, description = "A parameter is missing or not valid, or the body is no JSON object", body = Body),
        (status = 404, description = "There is no such live session", body = Body),
        BodyRefusals,
        Refusals,
    ),
)]
async fn issue_openvidu_token(State(services): State<Services>, given: Given) -> Result<Json<v2_32::Token>, Error> {
    let fields = given.required()?;
    let sent = fields.text("session").map_err(|_| Error::WrongType)?.filter(|session| !session.is_empty());
    let sent = sent.ok_or(Error::SessionMissing)?;
    let unknown = Error::SessionNotFound(Sent::new(&sent));
    let Some(session) = MediaSessionId::parse(&sent) else { return Err(unknown) };
    let grant = Participant::read(&fields, services.clock.now()).and_then(Participant::bearer);
    let token = |host: &str, _: &Grant| MediaToken::new(host, &session);
    let (connection, token) = connect(&services, &given, &session, grant, token).await?.ok_or(unknown)?;
    Ok(Json(v2_32::Token::of(connection, token)))
}

/// Make a connection.
///
/// It is one participant's right to join the session, with its token. It is in the list of live sessions too.
#[utoipa::path(
    post,
    path = "/openvidu/api/sessions/{sessionId}/connection",
    operation_id = "createConnection",
    tag = "OpenVidu 2.32",
    params(("sessionId" = MediaSessionId, Path, description = "The session", example = "daily")),
    request_body = Option<v2_32::ConnectionOptions>,
    responses(
        (status = 200, description = "The connection", body = Connection),
        (status = 400, description = "A parameter is not valid, or the body is no JSON object", body = Body),
        (status = 404, description = "There is no such live session"),
        (status = 501, description = "The connection is for an IP camera", body = Body),
        BodyRefusals,
        Refusals,
    ),
)]
async fn create_connection(State(services): State<Services>, given: Given) -> Result<Json<Connection>, Error> {
    let fields = given.optional()?;
    let session = given.path.session.clone().ok_or(Error::NotFound)?;
    let grant = Participant::read(&fields, services.clock.now()).and_then(|participant| participant.grant(&fields));
    let token = |host: &str, _: &Grant| MediaToken::new(host, &session);
    let (connection, token) = connect(&services, &given, &session, grant, token).await?.ok_or(Error::NotFound)?;
    Ok(Json(Connection::of(connection, token, services.clock.now())))
}

/// Makes a connection with these rights, and its token. `None` if its session is not live.
///
/// One request, a transaction. An unknown session is reported before invalid options, so invalid options cost a read of
/// the session instead. If tokens open rooms, a session with an id of the back-end's own is read first.
async fn connect(
    services: &Services,
    given: &Given,
    session: &MediaSessionId,
    grant: Result<Grant, Error>,
    token: impl Fn(&str, &Grant) -> MediaToken,
) -> Result<Option<(model::Connection, MediaToken)>, Error> {
    let now = services.clock.now();
    let grant = match grant {
        Ok(grant) => grant,
        Err(_) if !services.store.is_media_session_live(session, now).await? => return Ok(None),
        Err(error) => return Err(error),
    };
    let Ok(mut room) = expected_room(services, session, now).await? else { return Ok(None) };
    loop {
        if let (Some(server), Some(room)) = (services.media().livekit(), &room) {
            server.make_rooms(&[room]).await?;
        }
        let (ticket, ttl) = match room {
            Some(room) => (Ticket::Room { room }, room_ttl(services)),
            None => (Ticket::Token { token: token(&given.host, &grant) }, services.config.media_token_ttl),
        };
        let connection = model::Connection::issue(session.clone(), ticket, grant.clone(), now, ttl);
        match services.store.insert_connection(&connection, services.config.media_session_grace).await? {
            Inserted::Yes => {
                let token = media_token(services, &connection)?;
                return Ok(Some((connection, token)));
            }
            Inserted::NoSession => return Ok(None),
            // The session was opened before tokens opened rooms, or has been opened again since it was read.
            Inserted::OtherRoom(other) => room = other,
        }
    }
}

/// The room that a session probably has; `None` if it has none. An error if the session was read and is not live.
///
/// The room of an id that Greenroom made up is made from the id. A back-end's own id may be used again, each time for
/// another room, which only the session's item has. A transaction does not return what it has written, so that item has
/// to be read. So it is where rooms are made beforehand. The transaction has the condition that the room is the
/// session's.
async fn expected_room(
    services: &Services,
    session: &MediaSessionId,
    now: Timestamp,
) -> Result<Result<Option<ProviderSessionId>, Unknown>, StoreError> {
    match (services.config.openvidu_media, RoomName::room_of_made_up(session)) {
        (OpenviduMedia::None, _) => Ok(Ok(None)),
        // Nobody makes the room of a session that may be closed, in which the tokens of before would be good again.
        (OpenviduMedia::LiveKit, Some(room)) if !makes_rooms(services) => Ok(Ok(Some(room))),
        (OpenviduMedia::LiveKit, _) => services.store.media_room(session, now).await,
    }
}

/// Whether rooms are made before tokens for them are handed out.
fn makes_rooms(services: &Services) -> bool {
    services.config.livekit.as_ref().is_some_and(|livekit| livekit.rooms == LiveKitRooms::Made)
}

/// How long a token for a room lives.
fn room_ttl(services: &Services) -> Duration {
    services.config.livekit.as_ref().map_or(services.config.media_token_ttl, |livekit| livekit.token_ttl)
}
