//! The archives of an event's sessions.

use axum::extract::State;
use greenroom_core::model::EventSession;
use greenroom_http::{
    App, Archive, Envelope, Id, ListQuery, Listing,
    auth::Organiser,
    dialect::events::{Error, NotFound, Refusals},
    read_archives,
};
use greenroom_store::Parent;

use crate::find;

/// List the archives of an event's sessions, newest first.
#[utoipa::path(
    get,
    path = "/api/v2/events/{id}/archives",
    operation_id = "listEventArchives",
    tag = "Session management",
    params(("id" = u64, Path, description = "The event", example = 7), ListQuery<Archive>),
    responses((status = 200, description = "A page of archives", body = Envelope<Archive>), Refusals, NotFound),
)]
pub(crate) async fn list_event_archives(
    State(app): State<App>,
    Organiser(caller): Organiser,
    Id(id): Id,
    query: ListQuery<Archive>,
) -> Result<Listing<Archive>, Error> {
    find(&app, &caller, id).await?;
    let sessions = app.store.records_of::<EventSession>(Parent::Event(id));
    let (sessions, former) = tokio::try_join!(sessions, app.store.former_session_ids(id, None))?;
    let former = former.into_iter().filter(|(former, _)| sessions.iter().any(|session| session.id == *former));
    let present = sessions.iter().map(|session| session.session_id.clone());
    let ids = present.chain(former.map(|(_, id)| id)).collect();
    read_archives(&app, &query, ids).await
}
