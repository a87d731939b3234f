//! Participants of conversations: `Basic` and bare JID and password (`mongooseim.md`).

use axum::{extract::FromRequestParts, http::request::Parts};
use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use secrecy::{ExposeSecret, SecretString};

use super::Authorization;
use crate::{
    App,
    config::PASSWORD_BYTES_MAX,
    dialect::conversation::Error,
    error::Unauthenticated,
    model::{Jid, User},
    password::{self, PasswordHash},
    store::{Store, StoreError},
};

/// Some clients leave the padding away.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A user as a participant of conversations. Costs two requests to the table: the user and their password are read
/// whenever they call, so that what changes there counts at once.
#[derive(Clone, Debug)]
pub struct Account {
    /// The user's number, which their archive is kept under.
    pub user: u64,
    /// What others call them.
    pub jid: Jid,
    /// What their password was found to have.
    hash: PasswordHash,
}

impl Account {
    /// Whether they would be let in again: they are there, not blocked, and their password is the same. Costs what
    /// finding that out costs a request.
    pub async fn is_good(&self, store: &Store) -> Result<bool, StoreError> {
        let Some(user) = store.user_named(self.jid.local()).await? else { return Ok(false) };
        if user.id != self.user || user.blocked {
            return Ok(false);
        }
        Ok(store.password_hash(self.user).await?.as_ref() == Some(&self.hash))
    }
}

impl FromRequestParts<App> for Account {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let (jid, password) = credentials(parts).ok_or(Unauthenticated::Wrong)?;
        if jid.domain() != app.config.xmpp_domain {
            return Err(Unauthenticated::Wrong.into());
        }
        let user = app.store.user_named(jid.local()).await?.filter(|user| !user.blocked);
        let right = match &user {
            Some(user) => right_hash(app, user, password).await?,
            // Whether there is such an account is not to be told from how long the answer takes.
            None => {
                password::verify(password, None).await?;
                None
            }
        };
        match (user, right) {
            (Some(user), Some(hash)) => Ok(Self { user: user.id, jid, hash }),
            _ => Err(Unauthenticated::Wrong.into()),
        }
    }
}

/// The hash of a user's password, where this is the password.
async fn right_hash(app: &App, user: &User, password: SecretString) -> Result<Option<PasswordHash>, Error> {
    let now = app.clock.now();
    let Some(hash) = app.store.password_hash(user.id).await? else {
        password::verify(password, None).await?;
        return Ok(None);
    };
    let right = app.recent.passwords.verify(user.id, password, hash.clone(), now).await?;
    Ok(right.then_some(hash))
}

fn credentials(parts: &Parts) -> Option<(Jid, SecretString)> {
    let Authorization::Basic(credentials) = Authorization::of(&parts.headers) else { return None };
    let decoded = SecretString::from(String::from_utf8(BASE64.decode(credentials).ok()?).ok()?);
    let (userid, password) = decoded.expose_secret().split_once(':')?;
    // No account has a longer password, and hashing one would take its time.
    (password.len() <= PASSWORD_BYTES_MAX).then_some((Jid::parse(userid)?, password.to_owned().into()))
}
