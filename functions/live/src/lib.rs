//! Live and ended connections, for people: listing them, and cutting somebody off.

mod entry;
mod paging;
mod query;

use std::time::Duration;

use axum::{
    Json,
    extract::{FromRequestParts, RawPathParams, State},
    http::{StatusCode, request::Parts},
};
use greenroom_core::{
    config::Setting,
    model::{Event, User, live::EndedBy, permission::Action, user::Role},
};
use greenroom_http::{
    App,
    auth::Organiser,
    dialect::events::{BodyRefusals, Detail, Error, FieldErrors, Forbidden, NotFound, Problem, Refusals},
    form::{Need, Payload},
};
use greenroom_media::{
    audit::Party,
    termination::{Outcome, terminate},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use entry::{Entry, Place};
use query::Query;

/// The settings of this function.
pub const SETTINGS: &[Setting] = &[
    Setting::TableName,
    Setting::SigningKeys,
    Setting::StreamsHold,
    Setting::StreamsLifetime,
    Setting::StreamsApiUrl,
    Setting::StreamsApiToken,
    Setting::MediaSessionGrace,
    Setting::VideoProvider,
    Setting::OpentokApiKey,
    Setting::OpentokApiSecret,
    Setting::OpentokApiUrl,
    Setting::VonageApplicationId,
    Setting::VonagePrivateKey,
    Setting::VonageApiUrl,
    Setting::LivekitUrl,
    Setting::LivekitApiKey,
    Setting::LivekitApiSecret,
    Setting::CorsOrigins,
    Setting::Log,
];

/// The longest hold of a name, in seconds: 30 days.
const HOLD_MAX: u64 = 30 * 24 * 3600;

greenroom_http::routes!(list_live_connections, terminate_live_connection);

/// A page of connections.
#[derive(Serialize, ToSchema)]
#[schema(as = LivePage)]
struct Page {
    /// URL of the next page. A page may have fewer connections than asked for, or none, although more follow.
    #[schema(example = "https://greenroom.example/api/live/?cursor=ZGVmYXVsdA")]
    next: Option<String>,
    /// The connections.
    results: Vec<Entry>,
}

/// Options for ending a live connection.
#[derive(ToSchema)]
#[schema(as = Termination, rename_all = "camelCase")]
#[expect(dead_code, reason = "only the document is made of it")]
struct Termination {
    /// The number of seconds for which nobody is let in under the connection's name. The default is the same as in the
    /// operators' API.
    #[schema(minimum = 0, maximum = 2_592_000, example = 60)]
    hold_for: Option<u64>,
}

/// List live or ended connections.
///
/// The list has the live connections of the events that the caller can see, or the ended ones.
#[utoipa::path(
    get,
    path = "/api/live",
    operation_id = "listLiveConnections",
    tag = "Live sessions",
    params(
        ("state" = Option<String>, Query, pattern = "^(issued|connected|ending|ended)?$", description = "`ended` lists the ended connections, the newest first within each application; `issued`, `connected` or `ending` lists the live connections in this state", example = "connected"),
        ("event" = Option<u64>, Query, description = "Only those of this event", example = 7),
        ("vhost" = Option<String>, Query, description = "Only those of this virtual host", example = "default"),
        ("app" = Option<String>, Query, description = "Only those of this application; without `vhost`, the application is of the virtual host `default`", example = "7"),
        ("stream" = Option<String>, Query, description = "Only those of this stream", example = "9"),
        ("limit" = Option<u64>, Query, description = "Connections on a page, 100 by default and 1,000 at most", example = 50),
        ("cursor" = Option<String>, Query, description = "Where the previous page ended", example = "ZGVmYXVsdA"),
    ),
    responses(
        (status = 200, description = "A page of connections", body = Page),
        (status = 400, description = "The state does not exist, or the cursor does not belong to this list", body = FieldErrors, example = json!({ "state": ["\"over\" is not a valid choice."] })),
        Refusals,
    ),
)]
async fn list_live_connections(
    State(app): State<App>,
    Organiser(caller): Organiser,
    query: Query,
) -> Result<Json<Page>, Error> {
    let (results, next) = paging::paginate(&app, &caller, &query).await?;
    let next = next.and_then(|position| query.link(&app, position));
    Ok(Json(Page { next, results }))
}

/// End a live connection.
///
/// The connection's token becomes invalid. For a while, Greenroom lets nobody in under the connection's name.
#[utoipa::path(
    post,
    path = "/api/live/{id}/terminate",
    operation_id = "terminateLiveConnection",
    tag = "Live sessions",
    params(("id" = String, Path, description = "The connection", example = "ZGVmYXVsdC83LzkvY29u")),
    request_body = Termination,
    responses(
        (status = 200, description = "The ended connection", body = Entry),
        (status = 202, description = "The connection ends when Greenroom can tell the media server, or when the media server cuts it off by itself. Until then its state is `ending`; at a LiveKit server it is `ended` at once, and Greenroom lets nobody stay under its name", body = Entry),
        (status = 409, description = "The media server cannot end a single session; the viewer is still connected", body = Detail, example = json!({ "detail": "The media server cannot end a single session." })),
        Refusals,
        Forbidden,
        NotFound,
        BodyRefusals,
    ),
)]
async fn terminate_live_connection(
    State(app): State<App>,
    Organiser(caller): Organiser,
    ConnectionPath(place): ConnectionPath,
    payload: Payload,
) -> Result<(StatusCode, Json<Entry>), Error> {
    let place = place.ok_or(Error::NotFound)?;
    may_end(&app, &caller, &place).await?;
    let mut form = payload.form(Need::Some)?;
    let hold = form.optional("holdFor", seconds);
    form.finish()?;
    let hold = hold.flatten().unwrap_or(app.config.streams.hold);
    let by = EndedBy::user(caller.id);
    let outcome = terminate(&app.services, &place.stream, &place.name, hold, by).await?.ok_or(Error::NotFound)?;
    outcome.decision(Party::User(caller.id)).record(&app.services).await;
    let status = match &outcome {
        Outcome::Ended(_) => StatusCode::OK,
        Outcome::Untold(_) | Outcome::Ending(_) => StatusCode::ACCEPTED,
        Outcome::Impossible(_) => return Err(Error::CannotEnd),
    };
    Ok((status, Json(Entry::of_live(outcome.connection(), app.clock.now()))))
}

/// The connection that the path names.
struct ConnectionPath(Option<Place>);

impl FromRequestParts<App> for ConnectionPath {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let params = RawPathParams::from_request_parts(parts, app).await.map_err(|_| Error::NotFound)?;
        Ok(Self(params.iter().next().and_then(|(_, id)| Place::parse(id))))
    }
}

/// Refuses a caller who may not end connections there. Those of an event need permission for the event, and all others
/// an admin.
async fn may_end(app: &App, caller: &User, place: &Place) -> Result<(), Error> {
    match visible_event(app, caller, place.stream.event()).await? {
        Some(event) if caller.may_to_event(Action::ChangeEventParts, &event) => Ok(()),
        Some(_) => Err(Error::Forbidden),
        None if caller.role == Role::Admin => Ok(()),
        None => Err(Error::NotFound),
    }
}

/// The event with this number, if the caller may see it.
async fn visible_event(app: &App, caller: &User, event: Option<u64>) -> Result<Option<Event>, Error> {
    match event {
        Some(event) => Ok(app.store.event_seen_by(caller, event).await?),
        None => Ok(None),
    }
}

fn seconds(value: &Value) -> Result<Option<Duration>, Problem> {
    if value.is_null() {
        return Ok(None);
    }
    // In JSON, 5.0 is as whole a number as 5.
    let number = value.as_number().map(ToString::to_string).unwrap_or_default();
    let seconds = number.strip_suffix(".0").unwrap_or(&number).parse().ok().filter(|seconds| *seconds <= HOLD_MAX);
    seconds.map(|seconds| Some(Duration::from_secs(seconds))).ok_or(Problem::NoSeconds(HOLD_MAX))
}
