//! Checks of the fields of a user in a request.

use greenroom_core::model::{
    User,
    entity::Entity,
    permission::Action,
    user::{Role, UserFields},
};
use greenroom_http::{
    App,
    dialect::events::{Error, Problem},
    form::Form,
};

/// Reads the fields of a new user, or of a change of `of`.
pub(crate) async fn read(app: &App, caller: &User, of: Option<&User>, mut form: Form) -> Result<UserFields, Error> {
    let fields = User::read(&mut form);
    if let Some(Some(creator)) = fields.creator
        && caller.may_reassign()
        && of.is_none_or(|user| user.creator != Some(creator))
        && app.store.record::<User>(creator).await?.is_none()
    {
        form.refuse_number("creator", creator);
    }
    // If there are other problems, this one is reported with them. Otherwise the write itself would report it.
    if let Some(username) = &fields.username
        && !form.is_fine()
        && let Some(other) = app.store.user_named(username).await?
        && of.is_none_or(|user| user.id != other.id)
    {
        form.refuse("username", &Problem::UsernameTaken);
    }
    form.finish()?;
    Ok(fields)
}

/// A new user, made by the caller.
pub(crate) fn make(fields: &UserFields, id: u64, caller: &User) -> User {
    let made = User { creator: Some(caller.id), ..User::named(id, "", Role::Manager) };
    let given = made.with(fields);
    if caller.may_reassign() { given } else { User { role: made.role, creator: made.creator, ..given } }
}

/// The user with these fields.
///
/// # Errors
/// The caller may not change this user, or not all of what they change.
pub(crate) fn change(fields: &UserFields, user: &User, caller: &User) -> Result<User, Error> {
    let changed = user.with(fields);
    let reassigned = (changed.role, changed.creator) != (user.role, user.creator);
    let allowed = caller.may_to_user(Action::ChangeUser, user) && (!reassigned || caller.may_reassign());
    // With another role the user may do other things, and has to log in again.
    let changed = if changed.role == user.role { changed } else { changed.logged_out() };
    if allowed { Ok(changed) } else { Err(Error::Forbidden) }
}
