//! Users' passwords.

use axum::{extract::State, http::StatusCode};
use secrecy::ExposeSecret;
use shared::{
    App,
    auth::Organiser,
    dialect::events::{BodyRefusals, Error, FieldErrors, Forbidden, NotFound, Problem, Refusals},
    http::{
        Id,
        form::{self, Need, Payload, given_password},
    },
    model::{User, permission::Action},
    password,
    store::Conflict,
};
use utoipa::ToSchema;

use crate::{find, find_for};

/// One's own password, old and new.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only the document is made of it")]
struct PasswordChange {
    /// The present one.
    #[schema(format = "password", min_length = 1, example = "correct horse")]
    old_pw: String,
    /// The next one, of at most 1,024 bytes.
    #[schema(format = "password", min_length = 8, example = "battery staple")]
    new_pw: String,
    /// The next one once more.
    #[schema(format = "password", min_length = 1, example = "battery staple")]
    new_pw_repeat: String,
}

/// Change one's own password.
#[utoipa::path(
    post,
    path = "/api/v2/users/{id}/password_change",
    operation_id = "changePassword",
    tag = "Session management",
    params(("id" = u64, Path, description = "The user", example = 7)),
    request_body = PasswordChange,
    responses((status = 204, description = "The password is changed"), Refusals, Forbidden, NotFound, BodyRefusals),
    security(("jwt" = [])),
)]
pub(crate) async fn password_change(
    State(app): State<App>,
    Organiser(caller): Organiser,
    Id(id): Id,
    payload: Payload,
) -> Result<StatusCode, Error> {
    find_for(&app, &caller, id, Action::ChangePassword).await?;
    let mut form = payload.form(Need::All)?;
    let old = form.required("oldPw", given_password);
    let new = form.required("newPw", form::password);
    let repeated = form.required("newPwRepeat", given_password);
    if let (Some(new), Some(repeated)) = (&new, &repeated)
        && new.expose_secret() != repeated.expose_secret()
    {
        form.refuse("newPwRepeat", &Problem::PasswordMismatch);
    }
    let present = app.store.password_hash(id).await?;
    if let Some(old) = old
        && !password::verify(old, present.clone()).await?
    {
        form.refuse("oldPw", &Problem::WrongPassword);
    }
    form.finish()?;
    let hash = password::hash(new.unwrap_or_default()).await?;
    match app.store.set_password(id, &hash, present.as_ref()).await? {
        // Somebody changed it in between.
        Err(Conflict::Changed) => Err(FieldErrors::one("oldPw", &Problem::WrongPassword).into()),
        outcome => outcome.map(|()| StatusCode::NO_CONTENT).map_err(Error::from),
    }
}

/// A password for somebody else.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only the document is made of it")]
struct NewPassword {
    /// Their password, of at most 1,024 bytes.
    #[schema(format = "password", min_length = 8, example = "battery staple")]
    new_pw: String,
}

/// Give a user a password.
#[utoipa::path(
    post,
    path = "/api/v2/users/{id}/password_set",
    operation_id = "setPassword",
    tag = "Session management",
    params(("id" = u64, Path, description = "The user", example = 7)),
    request_body = NewPassword,
    responses((status = 204, description = "They have this password"), Refusals, Forbidden, NotFound, BodyRefusals),
    security(("jwt" = [])),
)]
pub(crate) async fn password_set(
    State(app): State<App>,
    Organiser(caller): Organiser,
    Id(id): Id,
    payload: Payload,
) -> Result<StatusCode, Error> {
    let user = find(&app, &caller, id).await?.record;
    let allowed = caller.may_to_user(Action::SetPassword, &user);
    if !allowed && !may_set_first(&app, &caller, &user).await? {
        return Err(Error::Forbidden);
    }
    let mut form = payload.form(Need::All)?;
    let new = form.required("newPw", form::password);
    form.finish()?;
    let hash = password::hash(new.unwrap_or_default()).await?;
    let outcome = if allowed {
        app.store.set_password(id, &hash, None).await?
    } else {
        app.store.set_first_password(id, &hash).await?
    };
    match outcome {
        // Somebody else gave them the first one in between.
        Err(Conflict::Changed) => Err(Error::Forbidden),
        outcome => outcome.map(|()| StatusCode::NO_CONTENT).map_err(Error::from),
    }
}

/// Who has no password yet gets the first one from any admin.
async fn may_set_first(app: &App, caller: &User, user: &User) -> Result<bool, Error> {
    Ok(caller.may_reassign() && app.store.password_hash(user.id).await?.is_none())
}
