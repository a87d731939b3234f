//! The accounts of an empty local store: the user `admin` and two static API tokens.

use greenroom_core::{
    clock::Clock,
    config::Config,
    model::{User, api_token::ApiTokenHash, user::Role},
    password,
};
use greenroom_store::{Replacing, Selection, Store, Stored, Window};
use secrecy::{ExposeSecret, SecretString};

use super::CliError;

/// The first user's name.
pub(crate) const ADMIN: &str = "admin";

/// Makes the configured accounts if there is no user yet. Returns `true` if it did. The user is made last, so a start
/// that breaks off is completed by the next one.
pub(crate) async fn make_first(store: &Store, config: &Config) -> Result<bool, CliError> {
    let nothing = Window { skip: 0, limit: 0, after: None };
    if store.page::<User>(Selection::all(), nothing, None).await?.count != Some(0) {
        finish(store, config).await?;
        return Ok(false);
    }
    let tokens = [("web", false, &config.api_token), ("mobile", true, &config.mobile_api_token)];
    for (name, mobile, token) in tokens {
        if let Some(token) = token {
            let hash = ApiTokenHash::of(token.expose_secret());
            // A token with this name comes from a start that broke off.
            let _ = store.insert_api_token(&hash, name, mobile, Clock::system().now()).await?;
        }
    }
    if let Some(password) = &config.admin_password {
        if password::is_too_common(password.expose_secret(), ADMIN, "") {
            return Err(CliError::CommonPassword);
        }
        create_user(store, ADMIN, Role::Admin, password.clone()).await?;
    }
    Ok(true)
}

/// Sets the first user's password, if a start broke off before it did.
async fn finish(store: &Store, config: &Config) -> Result<(), CliError> {
    let Some(password) = &config.admin_password else { return Ok(()) };
    let first: Option<Stored<User>> = store.record(1).await?;
    let first = first.filter(|user| user.record.username == ADMIN && user.record.role == Role::Admin);
    if let Some(user) = first
        && store.password_hash(user.record.id).await?.is_none()
    {
        let hash = password::hash(password.clone()).await?;
        store.set_password(user, &hash, Replacing::Nothing, |_| true).await?.map_err(|_| CliError::NoUser)?;
    }
    Ok(())
}

/// Makes a user with a password.
pub(crate) async fn create_user(
    store: &Store,
    username: &str,
    role: Role,
    password: SecretString,
) -> Result<User, CliError> {
    let hash = password::hash(password).await?;
    let user = User::named(store.new_id::<User>().await?, username, role);
    store.insert_user(&user, &hash).await?.map_err(|_| CliError::UserExists)?;
    Ok(user)
}
