//! `POST /api/v2/rtcsessions`: a participant joins an event (`docs/apis/events-api.md`).

mod reply;

use std::{sync::Arc, time::Duration};

use axum::{Json, extract::State, http::StatusCode};
use greenroom_core::{
    clock::Timestamp,
    config::Setting,
    id::ConnectionName,
    model::{
        Event, EventSession, LoginToken,
        guesses::{self, TokenGuesses},
        live::{LiveConnection, Source, Stream},
        login_token::{StreamRole, TokenType},
    },
};
use greenroom_http::{
    App,
    auth::Participant,
    dialect::events::{BodyRefusals, Error, Forbidden, NotFound, Refusals, Throttled},
    form::{Need, Payload, text, texts},
};
use greenroom_media::{
    audit::{self, Decision, Party},
    provider::{
        Grant, LiveKitGrant, LiveKitProvider, LiveKitRights, Maker, ProviderError, ProviderToken, T1_TTL, T1Error,
        T1Role,
    },
};
use greenroom_store::{Parent, StoreError, Unique};
use utoipa::ToSchema;

use reply::{Access, JoinedEvent, JoinedSession, Reply};

/// The settings of this function.
pub const SETTINGS: &[Setting] = &[
    Setting::TableName,
    Setting::SigningKeys,
    Setting::VideoProvider,
    Setting::OpentokApiKey,
    Setting::OpentokApiSecret,
    Setting::VonageApplicationId,
    Setting::VonagePrivateKey,
    Setting::LivekitUrl,
    Setting::LivekitApiKey,
    Setting::LivekitApiSecret,
    Setting::LivekitTokenTtl,
    Setting::LivekitRooms,
    Setting::CorsOrigins,
    Setting::Log,
];

/// The access flag with which a participant sees the floor of any event.
const VIEW_FLOOR: &str = "view_floor";

greenroom_http::routes!(join);

/// The data with which a participant joins.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only the document is made of it")]
struct Joining {
    /// The text that the participant typed in.
    #[schema(pattern = r"\S", example = "meeting-guest-1")]
    login_token: String,
    /// `view_floor` shows the floor session; other flags are ignored.
    #[schema(required = false, example = json!(["view_floor"]))]
    additional_access: Vec<String>,
}

/// Join an event.
#[utoipa::path(
    post,
    path = "/api/v2/rtcsessions",
    operation_id = "joinEvent",
    tag = "Session management",
    request_body = Joining,
    responses((status = 201, description = "The event, and its sessions with their tokens", body = Reply), Refusals, Forbidden, NotFound, BodyRefusals, Throttled),
)]
async fn join(
    State(app): State<App>,
    participant: Participant,
    address: guesses::SourceAddress,
    payload: Payload,
) -> Result<(StatusCode, Json<Reply>), Error> {
    let mut form = payload.form(Need::All)?;
    let given = form.required("loginToken", text(usize::MAX));
    let flags = form.optional("additionalAccess", texts);
    form.finish()?;
    let (given, flags) = (given.unwrap_or_default(), flags.unwrap_or_default());
    let (login_token, guesses) = find_login_token(&app, given, address).await?;
    let actor = Party::LoginToken(login_token.id);
    let Some(event) = find_event(&app, &login_token).await? else {
        return refused(&app, actor, "event_gone", Error::Forbidden).await;
    };
    let (event, sessions) = &*event;
    if event.disabled {
        return refused(&app, actor, "event_disabled", Error::NotFound).await;
    }
    if participant.mobile && event.mobile_disallow {
        return refused(&app, actor, "no_mobile_clients", Error::Forbidden).await;
    }
    let sees_floor = event.subscribers_see_floor || flags.iter().any(|flag| flag == VIEW_FLOOR);
    let joined = app.note_joined(&login_token, address, guesses);
    let (sessions, ()) = tokio::join!(admit(&app, &login_token, sessions, sees_floor), joined);
    let sessions = sessions?;
    Decision::new(audit::Event::Join).by(actor).of(Party::Event(event.id)).record(&app.services).await;
    let event = JoinedEvent::from(event.clone());
    Ok((StatusCode::CREATED, Json(Reply { event, login_token: login_token.token_type.into(), sessions })))
}

async fn refused<T>(app: &App, actor: Party<'_>, reason: &'static str, error: Error) -> Result<T, Error> {
    Decision::new(audit::Event::JoinRefused).by(actor).because(reason).record(&app.services).await;
    Err(error)
}

type EventWithSessions = Arc<(Event, Vec<EventSession>)>;

/// The login token as it was at most 5 seconds ago, and the wrong ones from the same address, both read at once. A
/// token that does not exist is counted as wrong (`docs/apis/access.md`).
async fn find_login_token(
    app: &App,
    given: String,
    address: guesses::SourceAddress,
) -> Result<(Arc<LoginToken>, TokenGuesses), Error> {
    let read = async || {
        let found = app.store.record_with::<LoginToken>(Unique::LoginToken, &given).await?;
        Ok::<_, StoreError>(found.map(|stored| stored.record))
    };
    let found = app.caches.login_tokens.get(&given, app.clock.now(), read);
    let (guesses, found) = tokio::join!(app.ask_about_login_tokens(address), found);
    let guesses = guesses?;
    if let Some(token) = found? {
        return Ok((token, guesses));
    }
    app.count_wrong_login_token(&given, address, guesses).await?;
    refused(app, Party::UnknownLoginToken(&given), "unknown_login_token", Error::Forbidden).await
}

/// The event of a login token with its sessions, as they were at most 5 seconds ago; `None` if it was deleted.
async fn find_event(app: &App, token: &LoginToken) -> Result<Option<EventWithSessions>, Error> {
    let now = app.clock.now();
    let read = async || {
        let sessions = app.store.records_of::<EventSession>(Parent::Event(token.event));
        let (event, sessions) = tokio::try_join!(app.store.record::<Event>(token.event), sessions)?;
        Ok::<_, StoreError>(event.map(|stored| (stored.record, sessions)))
    };
    Ok(app.caches.events.get(&token.event, now, read).await?)
}

/// Makes a token for each session that the login token opens, and stores the connections.
async fn admit(
    app: &App,
    login_token: &LoginToken,
    sessions: &[EventSession],
    sees_floor: bool,
) -> Result<Vec<JoinedSession>, Error> {
    let now = app.clock.now();
    let mut connections = Vec::new();
    let mut joined = Vec::new();
    let mut foreign = None;
    for session in sessions {
        let Some(role) = login_token.token_type.role_in(session, sees_floor) else { continue };
        let Some(maker) = app.services.media().maker_of(&session.session_id) else {
            // The session was made in another project, or by a provider that is configured no more. The next PUT or
            // PATCH of it makes a new one.
            tracing::warn!(session = session.id, "a session of another project is left out of a join");
            foreign = Some(ProviderError::ForeignSession);
            continue;
        };
        let name = ConnectionName::random();
        let (access, expires_at) = match maker {
            Maker::OpenTok(signer) => {
                open_tok(session, &name, role, now, |grant| Ok(signer.token(grant, now)?.into()))?
            }
            Maker::Vonage(vonage) => open_tok(session, &name, role, now, |grant| vonage.token(grant, now))?,
            Maker::LiveKit(server) => {
                let ttl = app.config.livekit.as_ref().map_or(Duration::ZERO, |livekit| livekit.token_ttl);
                live_kit(server, session, &name, rights(login_token.token_type, role), now + ttl)?
            }
        };
        joined.push(JoinedSession::of(session, access));
        let stream = Stream::of_session(session.event, session.id);
        let source = Source::Event { provider_session: session.session_id.clone() };
        let connection = LiveConnection::begin(stream, name, role, source, now, expires_at);
        connections.push(LiveConnection { login_token: Some(login_token.id), ..connection });
    }
    if let Some(error) = foreign.filter(|_| joined.is_empty()) {
        return Err(error.into());
    }
    if let Some(server) = app.services.media().livekit() {
        let rooms: Vec<_> = connections.iter().filter(|connection| connection.room().is_some()).collect();
        let rooms: Vec<_> = rooms.into_iter().filter_map(LiveConnection::provider_session).collect();
        server.make_rooms(&rooms).await?;
    }
    app.store.insert_live_connections(&connections).await?;
    Ok(joined)
}

/// The access to a session of `OpenTok` or Vonage, and when its token ends.
fn open_tok(
    session: &EventSession,
    name: &ConnectionName,
    role: StreamRole,
    now: Timestamp,
    sign: impl Fn(&Grant<'_>) -> Result<ProviderToken, T1Error>,
) -> Result<(Access, Timestamp), Error> {
    let expires_at = (now + T1_TTL).whole_second();
    let role = match role {
        StreamRole::Subscriber => T1Role::Subscriber,
        StreamRole::Publisher => T1Role::Publisher,
        StreamRole::Moderator => T1Role::Moderator,
    };
    // The other participants see the connection data.
    let grant = Grant { session: &session.session_id, role, expires_at, connection_data: name.as_str() };
    Ok((Access::OpenTok(sign(&grant)?), expires_at))
}

/// The access to a room of `LiveKit`, and when its token ends.
fn live_kit(
    server: &LiveKitProvider,
    session: &EventSession,
    name: &ConnectionName,
    rights: LiveKitRights,
    expires_at: Timestamp,
) -> Result<(Access, Timestamp), Error> {
    let expires_at = expires_at.whole_second();
    let grant = LiveKitGrant { room: &session.session_id, name, rights, expires_at };
    Ok((Access::LiveKit(server.access(&grant)?), expires_at))
}

/// The rights in a room. An interpreter sends nothing but their voice.
fn rights(token: TokenType, role: StreamRole) -> LiveKitRights {
    match role {
        StreamRole::Subscriber => LiveKitRights::Subscribe,
        StreamRole::Publisher if token == TokenType::Interpreter => LiveKitRights::Speak,
        StreamRole::Publisher => LiveKitRights::Publish,
        StreamRole::Moderator => LiveKitRights::Moderate,
    }
}
