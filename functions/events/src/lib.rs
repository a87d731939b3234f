//! `/api/v2/events`: events and the archives of their sessions (`docs/apis/events-api.md`).

mod archives;
mod fields;

use axum::{Json, extract::State, http::StatusCode};
use greenroom_core::{
    config::Setting,
    model::{Event, User, event::EventFields, permission::Action},
};
use greenroom_http::{
    App, Envelope, Id, ListQuery, Listing,
    auth::Organiser,
    dialect::events::{BodyRefusals, Error, Forbidden, NotFound, Refusals},
    form::{Need, Payload},
};
use greenroom_media::jobs;
use greenroom_store::{Parent, Selection, Stored, Unique};

use archives::{__path_list_event_archives, list_event_archives};

/// The settings of this function.
pub const SETTINGS: &[Setting] = &[
    Setting::TableName,
    Setting::SigningKeys,
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

greenroom_http::routes!(
    list_events,
    create_event,
    get_event,
    put_event,
    patch_event,
    delete_event,
    list_event_archives
);

/// List the events that the caller can see.
#[utoipa::path(
    get,
    path = "/api/v2/events",
    operation_id = "listEvents",
    tag = "Session management",
    params(ListQuery<Event>),
    responses((status = 200, description = "A page of events", body = Envelope<Event>), Refusals),
)]
async fn list_events(
    State(app): State<App>,
    Organiser(caller): Organiser,
    query: ListQuery<Event>,
) -> Result<Listing<Event>, Error> {
    let mut filters = query.filters();
    let selection = if filters.get("id").is_some() || filters.get("name").is_some() {
        let found = match (filters.get("id"), filters.get("name")) {
            (Some(id), _) => app.store.record::<Event>(id.parse().unwrap_or(0)).await?,
            (None, name) => app.store.record_with(Unique::EventName, name.unwrap_or_default()).await?,
        };
        let seen = found.map(|stored| stored.record).filter(|event| caller.sees_event(event));
        Selection::only(seen.into_iter().collect())
    } else if caller.may_reassign()
        && let Some(owner) = filters.take("owner")
    {
        Selection::of(owner.parse().ok().map(Parent::User))
    } else {
        app.store.events_seen_by(&caller).await?
    };
    query.read(&app, selection, &filters).await
}

/// Make an event.
#[utoipa::path(
    post,
    path = "/api/v2/events",
    operation_id = "createEvent",
    tag = "Session management",
    request_body = EventFields,
    responses((status = 201, description = "The event", body = Event), Refusals, Forbidden, BodyRefusals),
)]
async fn create_event(
    State(app): State<App>,
    Organiser(caller): Organiser,
    payload: Payload,
) -> Result<(StatusCode, Json<Event>), Error> {
    if !caller.may(Action::CreateEvent) {
        return Err(Error::Forbidden);
    }
    let given = fields::read(&app, &caller, None, payload.form(Need::All)?).await?;
    let event = fields::make(&given, app.store.new_id::<Event>().await?, &caller);
    app.store.insert_record(&event).await??;
    Ok((StatusCode::CREATED, Json(event)))
}

/// Read an event.
#[utoipa::path(
    get,
    path = "/api/v2/events/{id}",
    operation_id = "getEvent",
    tag = "Session management",
    params(("id" = u64, Path, description = "The event", example = 7)),
    responses((status = 200, description = "The event", body = Event), Refusals, NotFound),
)]
async fn get_event(State(app): State<App>, Organiser(caller): Organiser, Id(id): Id) -> Result<Json<Event>, Error> {
    Ok(Json(find(&app, &caller, id).await?.record))
}

/// Change an event.
///
/// Optional fields that the request leaves out keep their values.
#[utoipa::path(
    put,
    path = "/api/v2/events/{id}",
    operation_id = "putEvent",
    tag = "Session management",
    params(("id" = u64, Path, description = "The event", example = 7)),
    request_body = EventFields,
    responses((status = 200, description = "The event", body = Event), Refusals, Forbidden, NotFound, BodyRefusals),
)]
async fn put_event(
    State(app): State<App>,
    Organiser(caller): Organiser,
    Id(id): Id,
    payload: Payload,
) -> Result<Json<Event>, Error> {
    change(&app, &caller, id, payload, Need::All).await
}

/// Change some of an event's fields.
#[utoipa::path(
    patch,
    path = "/api/v2/events/{id}",
    operation_id = "patchEvent",
    tag = "Session management",
    params(("id" = u64, Path, description = "The event", example = 7)),
    request_body = EventFields,
    responses((status = 200, description = "The event", body = Event), Refusals, Forbidden, NotFound, BodyRefusals),
)]
async fn patch_event(
    State(app): State<App>,
    Organiser(caller): Organiser,
    Id(id): Id,
    payload: Payload,
) -> Result<Json<Event>, Error> {
    change(&app, &caller, id, payload, Need::Some).await
}

/// Delete an event with its sessions and login tokens.
///
/// The event is gone for everybody at once. If it has many sessions and login tokens, Greenroom deletes them after it
/// has answered.
#[utoipa::path(
    delete,
    path = "/api/v2/events/{id}",
    operation_id = "deleteEvent",
    tag = "Session management",
    params(("id" = u64, Path, description = "The event", example = 7)),
    responses((status = 204, description = "The event is gone"), Refusals, Forbidden, NotFound),
)]
async fn delete_event(State(app): State<App>, Organiser(caller): Organiser, Id(id): Id) -> Result<StatusCode, Error> {
    let event = find(&app, &caller, id).await?;
    if !caller.may_to_event(Action::DeleteEvent, &event.record) {
        return Err(Error::Forbidden);
    }
    let begun = app.store.end_event(event, app.clock.now()).await??;
    jobs::go_on_and_deliver(&app.services, begun).await;
    Ok(StatusCode::NO_CONTENT)
}

async fn change(app: &App, caller: &User, id: u64, payload: Payload, need: Need) -> Result<Json<Event>, Error> {
    let event = find(app, caller, id).await?;
    if !caller.may_to_event(Action::ChangeEvent, &event.record) {
        return Err(Error::Forbidden);
    }
    let given = fields::read(app, caller, Some(&event.record), payload.form(need)?).await?;
    Ok(Json(app.store.change_record(event, |event| fields::change(&given, event, caller)).await?))
}

/// The event, if the caller may see it.
async fn find(app: &App, caller: &User, id: u64) -> Result<Stored<Event>, Error> {
    let event = app.store.record::<Event>(id).await?;
    event.filter(|event| caller.sees_event(&event.record)).ok_or(Error::NotFound)
}
