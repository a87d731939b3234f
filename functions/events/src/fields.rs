//! Checks of the fields of an event in a request.

use greenroom_core::model::{Event, User, entity::Entity, event::EventFields, permission::Action, user::Role};
use greenroom_http::{
    App,
    dialect::events::{Error, Problem},
    form::Form,
};
use greenroom_store::Unique;

/// Reads the fields of a new event, or of a change of `of`.
pub(crate) async fn read(app: &App, caller: &User, of: Option<&Event>, mut form: Form) -> Result<EventFields, Error> {
    let fields = Event::read(&mut form);
    check_owner(&fields, app, caller, of, &mut form).await?;
    check_managers(&fields, app, caller, of, &mut form).await?;
    // If there are other problems, this one is reported with them. Otherwise the write itself would report it.
    if let Some(name) = &fields.name
        && !form.is_fine()
        && let Some(other) = app.store.record_with::<Event>(Unique::EventName, name).await?
        && of.is_none_or(|event| event.id != other.record.id)
    {
        form.refuse("name", &Problem::EventNameTaken);
    }
    form.finish()?;
    Ok(fields)
}

async fn check_owner(
    fields: &EventFields,
    app: &App,
    caller: &User,
    of: Option<&Event>,
    form: &mut Form,
) -> Result<(), Error> {
    if let Some(owner) = fields.owner
        && caller.may_reassign()
        && of.is_none_or(|event| event.owner != owner)
        && app.store.record::<User>(owner).await?.is_none()
    {
        form.refuse_number("owner", owner);
    }
    Ok(())
}

/// Checks that new managers are managers whom the caller may see. Present managers may stay.
async fn check_managers(
    fields: &EventFields,
    app: &App,
    caller: &User,
    of: Option<&Event>,
    form: &mut Form,
) -> Result<(), Error> {
    let present = of.map(|event| event.managers.as_slice()).unwrap_or_default();
    let given = fields.managers.as_deref().unwrap_or_default();
    let new: Vec<_> = given.iter().copied().filter(|manager| !present.contains(manager)).collect();
    if new.is_empty() || !caller.may(Action::DeleteEvent) {
        return Ok(());
    }
    let found = app.store.records::<User>(&new).await?;
    let known = |id| {
        let mut users = found.iter().map(|stored| &stored.record);
        users.any(|user| user.id == id && user.role == Role::Manager && caller.sees_user(user))
    };
    if let Some(unknown) = new.into_iter().find(|manager| !known(*manager)) {
        form.refuse_number("managers", unknown);
    }
    Ok(())
}

/// A new event, made by this user.
pub(crate) fn make(fields: &EventFields, id: u64, caller: &User) -> Event {
    let owner = fields.owner.filter(|_| caller.may_reassign()).unwrap_or(caller.id);
    Event { owner, ..Event::new(id, String::new(), caller.id).with(fields) }
}

/// The event with these fields.
///
/// # Errors
/// The caller may not change this event, or not all of what they change.
pub(crate) fn change(fields: &EventFields, event: &Event, caller: &User) -> Result<Event, Error> {
    let changed = event.with(fields);
    let owner_allowed = changed.owner == event.owner || caller.may_reassign();
    // A caller who may not delete the event may not choose its managers.
    let managers_allowed = same(&changed.managers, &event.managers) || caller.may(Action::DeleteEvent);
    let allowed = caller.may_to_event(Action::ChangeEvent, event) && owner_allowed && managers_allowed;
    if allowed { Ok(changed) } else { Err(Error::Forbidden) }
}

/// Whether both have the same users, in any order.
fn same(a: &[u64], b: &[u64]) -> bool {
    a.len() == b.len() && a.iter().all(|id| b.contains(id))
}
