//! `/api/sse`: a stream of the events in a participant's conversations (`docs/apis/mongooseim.md`).

mod stream;

use std::borrow::Cow;

use axum::{
    Extension,
    extract::{FromRequestParts, State},
    http::{HeaderName, request::Parts},
};
use greenroom_core::{config::Setting, model::Position};
use greenroom_http::{
    App, Deadline, accepts,
    auth::Account,
    dialect::conversation::{Error, Refusals},
};

use self::stream::{EVENT_STREAM, EventStream};

/// The settings of this function.
pub const SETTINGS: &[Setting] =
    &[Setting::TableName, Setting::SigningKeys, Setting::XmppDomain, Setting::CorsOrigins, Setting::Log];

greenroom_http::routes!(stream_events);

/// Receive messages as they arrive.
///
/// Each event has its position as `id`, its kind as `event`, and one line of JSON as `data`. The data of a `message` is
/// the message in the archive. The data of a `room.message` is an entry of a room's archive, with the room as `room`.
///
/// The server sends a comment every 15 seconds, which keeps the connection open. The stream ends when the account is
/// blocked, deleted or renamed, when the password or token that opened the stream is no longer valid, and when the
/// server stops.
#[utoipa::path(
    get,
    path = "/api/sse",
    operation_id = "streamEvents",
    tag = "Conversations",
    params(
        (
            "Last-Event-ID" = Option<String>, Header,
            description = "The `id` of the last event that arrived; the stream begins with the event after it",
            example = "AeCLp9a8MZ0"
        ),
        (
            "lastEventId" = Option<String>, Query,
            description = "`Last-Event-ID` for clients that cannot send headers; if both are sent, the header wins",
            example = "AeCLp9a8MZ0"
        ),
    ),
    responses((status = 200, description = "The events", body = String, content_type = "text/event-stream", example = json!("id: AeCLp9a8MZ0\nevent: message\ndata: {\"from\":\"alice@localhost\",\"to\":\"bob@localhost\",\"id\":\"8c1e6f0a-2b7d-4c35-9f10-5d3e8a7b6c42\",\"body\":\"Hi\",\"timestamp\":1795344000000}\n\n")), Refusals),
)]
async fn stream_events(
    State(app): State<App>,
    account: Account,
    _: TakesEvents,
    Last(position): Last,
    deadline: Option<Extension<Deadline>>,
) -> Result<EventStream, Error> {
    let feed = app.store.feed(account.listener(), position, app.clock.now()).await?;
    let deadline = deadline.map(|Extension(Deadline(at))| at);
    Ok(EventStream::new(app, feed, deadline))
}

/// A caller that accepts a stream of events.
struct TakesEvents;

impl FromRequestParts<App> for TakesEvents {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Error> {
        if accepts(&parts.headers, EVENT_STREAM) { Ok(Self) } else { Err(Error::NotAcceptable) }
    }
}

/// The last position that the client received. A text that is no position counts as none.
struct Last(Option<Position>);

/// Browsers send this header by themselves when they reconnect.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// The parameter in which clients that imitate the browser's own send it, so that no preflight is needed.
const LAST_EVENT_ID_PARAMETER: &str = "lastEventId";

impl FromRequestParts<App> for Last {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Error> {
        let header = parts.headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok()).map(Cow::Borrowed);
        let mut query = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        let parameter = || query.find(|(name, _)| name == LAST_EVENT_ID_PARAMETER).map(|(_, id)| id);
        Ok(Self(header.or_else(parameter).and_then(|id| Position::decode(id.trim()))))
    }
}
