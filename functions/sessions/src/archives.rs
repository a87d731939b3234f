//! The archives of a session.

use axum::extract::State;
use greenroom_http::{
    App, Archive, Envelope, Id, ListQuery, Listing,
    auth::Organiser,
    dialect::events::{Error, NotFound, Refusals},
    read_archives,
};

use crate::find;

/// List a session's archives, newest first.
///
/// The list includes the archives from before the session's mode changed.
#[utoipa::path(
    get,
    path = "/api/v2/sessions/{id}/archives",
    operation_id = "listSessionArchives",
    tag = "Session management",
    params(("id" = u64, Path, description = "The session", example = 7), ListQuery<Archive>),
    responses((status = 200, description = "A page of archives", body = Envelope<Archive>), Refusals, NotFound),
)]
pub(crate) async fn list_session_archives(
    State(app): State<App>,
    Organiser(caller): Organiser,
    Id(id): Id,
    query: ListQuery<Archive>,
) -> Result<Listing<Archive>, Error> {
    let (session, event) = find(&app, &caller, id).await?;
    let former = app.store.former_session_ids(event.id, Some(id)).await?;
    let ids = [session.record.session_id].into_iter().chain(former.into_iter().map(|(_, id)| id)).collect();
    read_archives(&app, &query, ids).await
}
