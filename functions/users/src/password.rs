//! Users' passwords.

use axum::{extract::State, http::StatusCode};
use greenroom_core::{
    model::{User, guesses::SourceAddress, permission::Action},
    password,
};
use greenroom_http::{
    App, Id,
    auth::{Claim, Organiser, Tried},
    dialect::events::{BodyRefusals, Error, FieldErrors, Forbidden, NotFound, Problem, Refusals, Throttled},
    form::{self, Form, Need, Payload, given_password},
};
use greenroom_media::audit::{Decision, Event, Party};
use greenroom_store::{NotSet, Replacing};
use secrecy::{ExposeSecret, SecretString};
use utoipa::ToSchema;

use crate::{find, find_for};

/// The caller's own password, old and new.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct PasswordChange {
    /// The present password.
    #[schema(value_type = String, required, format = "password", min_length = 1, example = "correct horse")]
    old_pw: Option<SecretString>,
    /// The new password. It has at most 1,024 bytes and is not one of the most common passwords.
    #[schema(value_type = String, required, format = "password", min_length = 8, example = "battery staple")]
    new_pw: Option<SecretString>,
    /// The new password, again.
    #[schema(value_type = String, required, format = "password", min_length = 1, example = "battery staple")]
    new_pw_repeat: Option<SecretString>,
}

impl PasswordChange {
    fn read(form: &mut Form) -> Self {
        Self {
            old_pw: form.required("oldPw", given_password),
            new_pw: form.required("newPw", form::password),
            new_pw_repeat: form.required("newPwRepeat", given_password),
        }
    }
}

/// Change the caller's own password.
#[utoipa::path(
    post,
    path = "/api/v2/users/{id}/password_change",
    operation_id = "changePassword",
    tag = "Session management",
    params(("id" = u64, Path, description = "The user", example = 7)),
    request_body = PasswordChange,
    responses((status = 204, description = "The password is changed"), Refusals, Forbidden, NotFound, BodyRefusals, Throttled),
)]
pub(crate) async fn password_change(
    State(app): State<App>,
    Organiser(caller): Organiser,
    Id(id): Id,
    source: SourceAddress,
    payload: Payload,
) -> Result<StatusCode, Error> {
    let user = find_for(&app, &caller, id, Action::ChangePassword).await?;
    let mut form = payload.form(Need::All)?;
    let PasswordChange { old_pw: old, new_pw: new, new_pw_repeat: repeated } = PasswordChange::read(&mut form);
    refuse_common(&mut form, new.as_ref(), &user.record);
    if let (Some(new), Some(repeated)) = (&new, &repeated)
        && new.expose_secret() != repeated.expose_secret()
    {
        form.refuse("newPwRepeat", &Problem::PasswordMismatch);
    }
    let mut present = None;
    if let Some(old) = old {
        let claim = Claim::of(Some(&user.record), &user.record.username, source);
        let Tried { right, hash, .. } = app.try_password(claim, old).await?;
        present = hash;
        if !right {
            form.refuse("oldPw", &Problem::WrongPassword);
            let (caller, user) = (Party::User(caller.id), Party::User(id));
            Decision::new(Event::LoginRefused)
                .by(caller)
                .of(user)
                .because("wrong_old_password")
                .record(&app.services)
                .await;
        }
    }
    form.finish()?;
    let hash = password::hash(new.unwrap_or_default()).await?;
    let replacing = present.as_ref().map_or(Replacing::Nothing, Replacing::This);
    match app.store.set_password(user, &hash, replacing, |_| true).await? {
        Ok(()) => Ok(changed(&app, &caller, id).await),
        Err(NotSet::Gone) => Err(Error::NotFound),
        // Another request changed the password in between.
        Err(NotSet::Replaced | NotSet::Forbidden) => Err(FieldErrors::one("oldPw", &Problem::WrongPassword).into()),
    }
}

async fn changed(app: &App, by: &User, id: u64) -> StatusCode {
    Decision::new(Event::PasswordChanged).by(Party::User(by.id)).of(Party::User(id)).record(&app.services).await;
    StatusCode::NO_CONTENT
}

/// A password for another user.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct NewPassword {
    /// The user's new password. It has at most 1,024 bytes and is not one of the most common passwords.
    #[schema(value_type = String, required, format = "password", min_length = 8, example = "battery staple")]
    new_pw: Option<SecretString>,
}

impl NewPassword {
    fn read(form: &mut Form) -> Self {
        Self { new_pw: form.required("newPw", form::password) }
    }
}

/// Set a user's password.
#[utoipa::path(
    post,
    path = "/api/v2/users/{id}/password_set",
    operation_id = "setPassword",
    tag = "Session management",
    params(("id" = u64, Path, description = "The user", example = 7)),
    request_body = NewPassword,
    responses((status = 204, description = "The user has this password"), Refusals, Forbidden, NotFound, BodyRefusals, Throttled),
)]
pub(crate) async fn password_set(
    State(app): State<App>,
    Organiser(caller): Organiser,
    Id(id): Id,
    payload: Payload,
) -> Result<StatusCode, Error> {
    let user = find(&app, &caller, id).await?;
    let allowed = caller.may_to_user(Action::SetPassword, &user.record);
    if !allowed && !may_set_first(&app, &caller, &user.record).await? {
        return Err(Error::Forbidden);
    }
    let mut form = payload.form(Need::All)?;
    let NewPassword { new_pw: new } = NewPassword::read(&mut form);
    refuse_common(&mut form, new.as_ref(), &user.record);
    form.finish()?;
    let hash = password::hash(new.unwrap_or_default()).await?;
    let replacing = if allowed { Replacing::Any } else { Replacing::Nothing };
    let may = |user: &User| !allowed || caller.may_to_user(Action::SetPassword, user);
    match app.store.set_password(user, &hash, replacing, may).await? {
        Ok(()) => Ok(changed(&app, &caller, id).await),
        Err(NotSet::Gone) => Err(Error::NotFound),
        // Another request set the first password in between.
        Err(NotSet::Replaced | NotSet::Forbidden) => Err(Error::Forbidden),
    }
}

/// Refuses one of the most common passwords, for this user (`docs/apis/access.md`).
fn refuse_common(form: &mut Form, new: Option<&SecretString>, user: &User) {
    let common = |new: &SecretString| password::is_too_common(new.expose_secret(), &user.username, &user.email);
    if new.is_some_and(common) {
        form.refuse("newPw", &Problem::TooCommon);
    }
}

/// Any admin may set the first password of a user who has none.
async fn may_set_first(app: &App, caller: &User, user: &User) -> Result<bool, Error> {
    Ok(caller.may_reassign() && app.store.password_hash(user.id).await?.is_none())
}
