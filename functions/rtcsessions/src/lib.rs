//! `POST /api/v2/rtcsessions`: a participant joins an event (`events-api.md`).
//!
//! Requests to the table on a warm instance: 1, a batch that adds a live connection for each session, for what was read
//! within the last 5 seconds; else 1 more each for the client, the login token, the event and its sessions. An event of
//! more than 25 sessions takes a batch for every 25 of them.

mod reply;

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use shared::{
    App,
    auth::Participant,
    config::Setting,
    dialect::events::{BodyRefusals, Error, Forbidden, NotFound, Refusals},
    http::form::{Need, Payload, text, texts},
    id::ConnectionName,
    model::{
        Event, EventSession, LoginToken,
        live::{LiveConnection, Source, Stream},
        login_token::StreamRole,
    },
    provider::{Grant, T1_TTL, T1Role},
    store::{Parent, StoreError, Unique},
};
use utoipa::ToSchema;

use reply::{JoinedEvent, JoinedSession, Reply};

/// What this function reads from its environment.
pub const SETTINGS: &[Setting] = &[
    Setting::TableName,
    Setting::SigningKeys,
    Setting::OpentokApiKey,
    Setting::OpentokApiSecret,
    Setting::CorsOrigins,
    Setting::Log,
];

/// The access flag that lets a participant see the floor of any event.
const VIEW_FLOOR: &str = "view_floor";

shared::routes!(join);

/// What a participant joins with.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only the document is made of it")]
struct Joining {
    /// What its bearer typed in.
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
    responses((status = 201, description = "The event, and its sessions with their tokens", body = Reply), Refusals, Forbidden, NotFound, BodyRefusals),
    security(("apiToken" = []), ("deviceToken" = [])),
)]
async fn join(
    State(app): State<App>,
    participant: Participant,
    payload: Payload,
) -> Result<(StatusCode, Json<Reply>), Error> {
    let mut form = payload.form(Need::All)?;
    let given = form.required("loginToken", text(usize::MAX));
    let flags = form.optional("additionalAccess", texts);
    form.finish()?;
    let (given, flags) = (given.unwrap_or_default(), flags.unwrap_or_default());
    let (login_token, event) = find(&app, given).await?.ok_or(Error::Forbidden)?;
    let (event, sessions) = &*event;
    if event.disabled {
        return Err(Error::NotFound);
    }
    if participant.mobile && event.mobile_disallow {
        return Err(Error::Forbidden);
    }
    let sees_floor = event.subscribers_see_floor || flags.iter().any(|flag| flag == VIEW_FLOOR);
    let sessions = admit(&app, &login_token, sessions, sees_floor).await?;
    let event = JoinedEvent::from(event.clone());
    Ok((StatusCode::CREATED, Json(Reply { event, login_token: login_token.token_type.into(), sessions })))
}

type EventWithSessions = Arc<(Event, Vec<EventSession>)>;

/// The login token and its event, as they were at most 5 seconds ago; `None` where there is no such token.
async fn find(app: &App, given: String) -> Result<Option<(Arc<LoginToken>, EventWithSessions)>, Error> {
    let now = app.clock.now();
    let read = async || {
        let found = app.store.record_with::<LoginToken>(Unique::LoginToken, &given).await?;
        Ok::<_, StoreError>(found.map(|stored| stored.record))
    };
    let Some(token) = app.recent.login_tokens.get(&given, now, read).await? else { return Ok(None) };
    let read = async || {
        let sessions = app.store.records_of::<EventSession>(Parent::Event(token.event));
        let (event, sessions) = tokio::try_join!(app.store.record::<Event>(token.event), sessions)?;
        Ok::<_, StoreError>(event.map(|stored| (stored.record, sessions)))
    };
    let event = app.recent.events.get(&token.event, now, read).await?;
    Ok(event.map(|event| (token, event)))
}

/// Makes a token for each session that the login token opens, and records the connections.
async fn admit(
    app: &App,
    login_token: &LoginToken,
    sessions: &[EventSession],
    sees_floor: bool,
) -> Result<Vec<JoinedSession>, Error> {
    let now = app.clock.now();
    let expires_at = (now + T1_TTL).whole_second();
    let mut connections = Vec::new();
    let mut joined = Vec::new();
    for session in sessions {
        let Some(role) = login_token.token_type.role_in(session, sees_floor) else { continue };
        let name = ConnectionName::random();
        let grant = Grant {
            session: &session.session_id,
            role: t1_role(role),
            expires_at,
            // The other participants are shown this.
            connection_data: name.as_str(),
        };
        joined.push(JoinedSession::of(session, app.media().signer.token(&grant, now)?));
        let stream = Stream::of_session(session.event, session.id);
        let source = Source::Event { provider_session: session.session_id.clone() };
        let connection = LiveConnection::begin(stream, name, role, source, now, expires_at);
        connections.push(LiveConnection { login_token: Some(login_token.id), ..connection });
    }
    app.store.insert_live_connections(&connections).await?;
    Ok(joined)
}

fn t1_role(role: StreamRole) -> T1Role {
    match role {
        StreamRole::Subscriber => T1Role::Subscriber,
        StreamRole::Publisher => T1Role::Publisher,
        StreamRole::Moderator => T1Role::Moderator,
    }
}
