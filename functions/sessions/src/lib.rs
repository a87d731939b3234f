//! `/api/v2/sessions`: an event's audio in each language, and its floor (`docs/apis/events-api.md`).

mod archives;
mod fields;

use axum::{Json, extract::State, http::StatusCode};
use greenroom_core::{
    config::Setting,
    id::ProviderSessionId,
    model::{Event, EventSession, RoomName, User, entity::Entity, event_session::EventSessionFields, live::EndedBy},
};
use greenroom_http::{
    App, Envelope, Id, ListQuery, Listing,
    auth::Organiser,
    dialect::events::{BodyRefusals, Error, NotFound, Refusals},
    error,
    form::{Need, NewPart, Payload},
};
use greenroom_media::{jobs, provider::NewSession as NewProviderSession};
use greenroom_store::{StoreError, Stored};

use archives::{__path_list_session_archives, list_session_archives};

type NewEventSession = NewPart<EventSession>;

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

/// The attempts of a change while others keep changing mode or archiving.
const ROUNDS: usize = 5;

greenroom_http::routes!(
    list_event_sessions,
    create_event_session,
    get_event_session,
    put_event_session,
    patch_event_session,
    delete_event_session,
    list_session_archives,
);

/// List the sessions of the events that the caller can see.
#[utoipa::path(
    get,
    path = "/api/v2/sessions",
    operation_id = "listEventSessions",
    tag = "Session management",
    params(ListQuery<EventSession>),
    responses((status = 200, description = "A page of sessions", body = Envelope<EventSession>), Refusals),
)]
async fn list_event_sessions(
    State(app): State<App>,
    Organiser(caller): Organiser,
    query: ListQuery<EventSession>,
) -> Result<Listing<EventSession>, Error> {
    let mut filters = query.filters();
    let selection = if let Some(id) = filters.get("id") {
        app.store.only_part_seen_by(&caller, id.parse().unwrap_or(0)).await?
    } else if let Some(event) = filters.take("event") {
        app.store.parts_of(&caller, event.parse().unwrap_or(0)).await?
    } else {
        app.store.parts_seen_by(&caller).await?
    };
    query.read(&app, selection, &filters).await
}

/// Make a session.
#[utoipa::path(
    post,
    path = "/api/v2/sessions",
    operation_id = "createEventSession",
    tag = "Session management",
    request_body = NewEventSession,
    responses((status = 201, description = "The session", body = EventSession), Refusals, BodyRefusals),
)]
async fn create_event_session(
    State(app): State<App>,
    Organiser(caller): Organiser,
    payload: Payload,
) -> Result<(StatusCode, Json<EventSession>), Error> {
    let mut form = payload.form(Need::All)?;
    let NewEventSession { event, fields } = NewEventSession::read(&app, &caller, &mut form).await?;
    let defaults = EventSession::new(event.as_ref().map_or(0, |event| event.id));
    fields::check(&fields, &app, &defaults, form).await?;
    // Without an event the form was refused.
    let event = event.ok_or(error::Error::Fault)?;
    let mut session = defaults.with(&fields);
    // A provider that may fail is asked before a number is taken. A room has the number in its name.
    if app.services.media().makes_rooms() {
        session.id = app.store.new_id::<EventSession>().await?;
        session.session_id = make_at_provider(&app, &event, &session).await?;
    } else {
        session.session_id = make_at_provider(&app, &event, &session).await?;
        session.id = app.store.new_id::<EventSession>().await?;
    }
    app.store.insert_in_event(&session).await??;
    Ok((StatusCode::CREATED, Json(session)))
}

/// Read a session.
#[utoipa::path(
    get,
    path = "/api/v2/sessions/{id}",
    operation_id = "getEventSession",
    tag = "Session management",
    params(("id" = u64, Path, description = "The session", example = 7)),
    responses((status = 200, description = "The session", body = EventSession), Refusals, NotFound),
)]
async fn get_event_session(
    State(app): State<App>,
    Organiser(caller): Organiser,
    Id(id): Id,
) -> Result<Json<EventSession>, Error> {
    Ok(Json(find(&app, &caller, id).await?.0.record))
}

/// Change a session.
///
/// Optional fields that the request leaves out keep their values. If the mode or the archiving changes, the media
/// provider makes a new session. It also makes a new session if the present one belongs to another project.
#[utoipa::path(
    put,
    path = "/api/v2/sessions/{id}",
    operation_id = "putEventSession",
    tag = "Session management",
    params(("id" = u64, Path, description = "The session", example = 7)),
    request_body = EventSessionFields,
    responses((status = 200, description = "The session", body = EventSession), Refusals, NotFound, BodyRefusals),
)]
async fn put_event_session(
    State(app): State<App>,
    Organiser(caller): Organiser,
    Id(id): Id,
    payload: Payload,
) -> Result<Json<EventSession>, Error> {
    change(&app, &caller, id, payload, Need::All).await
}

/// Change some of a session's fields.
#[utoipa::path(
    patch,
    path = "/api/v2/sessions/{id}",
    operation_id = "patchEventSession",
    tag = "Session management",
    params(("id" = u64, Path, description = "The session", example = 7)),
    request_body = EventSessionFields,
    responses((status = 200, description = "The session", body = EventSession), Refusals, NotFound, BodyRefusals),
)]
async fn patch_event_session(
    State(app): State<App>,
    Organiser(caller): Organiser,
    Id(id): Id,
    payload: Payload,
) -> Result<Json<EventSession>, Error> {
    change(&app, &caller, id, payload, Need::Some).await
}

/// Delete a session, and cut off its live connections.
#[utoipa::path(
    delete,
    path = "/api/v2/sessions/{id}",
    operation_id = "deleteEventSession",
    tag = "Session management",
    params(("id" = u64, Path, description = "The session", example = 7)),
    responses((status = 204, description = "The session is gone"), Refusals, NotFound),
)]
async fn delete_event_session(
    State(app): State<App>,
    Organiser(caller): Organiser,
    Id(id): Id,
) -> Result<StatusCode, Error> {
    let (session, _) = find(&app, &caller, id).await?;
    let begun = app.store.remove_event_session(session, EndedBy::user(caller.id), app.clock.now()).await??;
    jobs::go_on_and_deliver(&app.services, begun).await;
    Ok(StatusCode::NO_CONTENT)
}

async fn change(app: &App, caller: &User, id: u64, payload: Payload, need: Need) -> Result<Json<EventSession>, Error> {
    let (session, event) = find(app, caller, id).await?;
    let mut form = payload.form(need)?;
    let fields = EventSession::read(&mut form);
    fields::check(&fields, app, &session.record, form).await?;
    let wanted = fields::change(&fields, &session.record)?;
    let is_kept = |present: &EventSession, changed: &EventSession| {
        is_alike(present, changed) && app.services.media().maker_of(&present.session_id).is_some()
    };
    let mut needed = (!is_kept(&session.record, &wanted)).then_some(wanted);
    let mut made: Option<EventSession> = None;
    for _ in 0..ROUNDS {
        if let Some(mut wanted) = needed.take() {
            wanted.session_id = make_at_provider(app, &event, &wanted).await?;
            made = Some(wanted);
        }
        let attempt = |present: &EventSession| {
            let changed = fields::change(&fields, present)?;
            match &made {
                _ if is_kept(present, &changed) => Ok(changed),
                Some(made) if is_alike(made, &changed) => {
                    Ok(EventSession { session_id: made.session_id.clone(), ..changed })
                }
                _ => Err(ChangeError::NeedsAnother(Box::new(changed))),
            }
        };
        match app.store.change_record(session.clone(), attempt).await {
            Ok(session) => return Ok(Json(session)),
            Err(ChangeError::Refused(error)) => return Err(error),
            // Another request changed mode or archiving in between.
            Err(ChangeError::NeedsAnother(session)) => needed = Some(*session),
        }
    }
    Err(StoreError::Contended.into())
}

/// Why a session was not changed.
enum ChangeError {
    Refused(Error),
    /// With these values it needs a new session at the media provider.
    NeedsAnother(Box<EventSession>),
}

impl<E: Into<Error>> From<E> for ChangeError {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

/// Whether both can have the same session at the media provider.
fn is_alike(a: &EventSession, b: &EventSession) -> bool {
    (a.mode, a.archive) == (b.mode, b.archive)
}

async fn make_at_provider(app: &App, event: &Event, session: &EventSession) -> Result<ProviderSessionId, Error> {
    let EventSession { id, mode, archive, .. } = *session;
    let purpose = RoomName::EventSession { event: event.id, session: id };
    let session = NewProviderSession { purpose, mode, archive, location: event.location() };
    Ok(app.services.media().create_session(&session).await?)
}

/// A session and its event, if the caller may see the event.
async fn find(app: &App, caller: &User, id: u64) -> Result<(Stored<EventSession>, Event), Error> {
    app.store.part_seen_by(caller, id).await?.ok_or(Error::NotFound)
}
