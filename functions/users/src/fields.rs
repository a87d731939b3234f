//! The fields of a user in a request.

use greenroom_core::model::{User, permission::Action, user::Role};
use greenroom_http::{
    App,
    dialect::events::{Error, Problem},
    form::{Form, Pk, blank_text, choice, email, pk_or_none, text},
};
use utoipa::ToSchema;

/// A user to be made.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only the document is made of it")]
pub(crate) struct NewUser {
    /// Unique without regard to case.
    #[schema(max_length = 150, pattern = r"\S", example = "alice")]
    username: String,
    /// Their role.
    role: Role,
    /// May be empty.
    #[schema(max_length = 254, required = false, format = "email", example = "alice@company.example")]
    email: String,
    /// May be empty.
    #[schema(max_length = 150, required = false, example = "Alice")]
    first_name: String,
    /// May be empty.
    #[schema(max_length = 150, required = false, example = "Example")]
    last_name: String,
    /// The number of the user who makes this user. Only admins can choose it.
    #[schema(example = 2)]
    creator: Option<u64>,
}

/// The fields of a user in a request. `None` if a field is left out.
#[expect(clippy::option_option, reason = "a field may be left out, and it may be null")]
pub(crate) struct UserFields {
    username: Option<String>,
    email: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    role: Option<Role>,
    creator: Option<Option<Pk>>,
}

impl UserFields {
    /// Reads the fields of a new user, or of a change of `of`.
    pub(crate) async fn read(app: &App, caller: &User, of: Option<&User>, mut form: Form) -> Result<Self, Error> {
        let fields = Self {
            username: form.required("username", text(150)),
            email: form.optional("email", email),
            first_name: form.optional("firstName", blank_text(150)),
            last_name: form.optional("lastName", blank_text(150)),
            role: form.required("role", choice),
            creator: form.optional("creator", pk_or_none),
        };
        let present = of.and_then(|user| user.creator);
        if let Some(Some(creator)) = &fields.creator
            && caller.may_reassign()
            && Some(creator.id) != present
            && app.store.record::<User>(creator.id).await?.is_none()
        {
            form.refuse("creator", &creator.invalid());
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
    pub(crate) fn make(self, id: u64, caller: &User) -> User {
        let creator = match self.creator {
            Some(creator) if caller.may_reassign() => creator.map(|creator| creator.id),
            _ => Some(caller.id),
        };
        let role = self.role.filter(|_| caller.may_reassign()).unwrap_or(Role::Manager);
        User {
            email: self.email.unwrap_or_default(),
            first_name: self.first_name.unwrap_or_default(),
            last_name: self.last_name.unwrap_or_default(),
            creator,
            ..User::named(id, self.username.as_deref().unwrap_or_default(), role)
        }
    }

    /// The user with these fields.
    ///
    /// # Errors
    /// The caller may not change this user, or not all of what they change.
    pub(crate) fn change(&self, user: &User, caller: &User) -> Result<User, Error> {
        let creator = self.creator.as_ref().map(|creator| creator.as_ref().map(|creator| creator.id));
        let role = self.role.unwrap_or(user.role);
        // With another role the user may do other things, and has to log in again.
        let user_after = if role == user.role { user.clone() } else { user.logged_out() };
        let changed = User {
            username: self.username.clone().unwrap_or_else(|| user.username.clone()),
            email: self.email.clone().unwrap_or_else(|| user.email.clone()),
            first_name: self.first_name.clone().unwrap_or_else(|| user.first_name.clone()),
            last_name: self.last_name.clone().unwrap_or_else(|| user.last_name.clone()),
            role,
            creator: creator.unwrap_or(user.creator),
            ..user_after
        };
        let reassigned = (changed.role, changed.creator) != (user.role, user.creator);
        let allowed = caller.may_to_user(Action::ChangeUser, user) && (!reassigned || caller.may_reassign());
        if allowed { Ok(changed) } else { Err(Error::Forbidden) }
    }
}
