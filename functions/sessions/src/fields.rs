//! Checks of the fields of a session in a request.

use greenroom_core::model::{EventSession, SessionMode, entity::Entity, event_session::EventSessionFields};
use greenroom_http::{
    App,
    dialect::events::{Error, FieldErrors, Problem},
    form::Form,
};
use greenroom_store::Unique;

/// Checks the fields of a change of this session, or of a new one with its defaults.
pub(crate) async fn check(
    fields: &EventSessionFields,
    app: &App,
    session: &EventSession,
    mut form: Form,
) -> Result<(), Error> {
    if !is_archivable(&session.with(fields)) && form.is_fine() {
        form.refuse("archive", &Problem::RelayedArchive);
    }
    // This is checked before the media provider is asked for a session. The write itself would report it too. A new
    // session whose event was refused has the event 0.
    if fields.is_floor == Some(true)
        && session.event > 0
        && let Some(floor) = app.store.record_with::<EventSession>(Unique::Floor, &session.event.to_string()).await?
        && session.id != floor.record.id
    {
        form.refuse("isFloor", &Problem::FloorTaken);
    }
    form.finish()
}

/// Whether mode and archiving are possible together.
fn is_archivable(session: &EventSession) -> bool {
    !(session.archive && session.mode == SessionMode::Relayed)
}

/// The session with these fields.
///
/// # Errors
/// Mode and archiving are not possible together any more.
pub(crate) fn change(fields: &EventSessionFields, session: &EventSession) -> Result<EventSession, Error> {
    let changed = session.with(fields);
    let refused = || FieldErrors::one("archive", &Problem::RelayedArchive).into();
    if is_archivable(&changed) { Ok(changed) } else { Err(refused()) }
}
