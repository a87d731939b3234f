//! Participants of conversations: `Basic` and bare JID and password (`mongooseim.md`). The token that a user logged in for
//! does in place of the password.

use axum::{extract::FromRequestParts, http::request::Parts};
use base64::Engine;
use secrecy::{ExposeSecret, SecretString};

use super::{Authorization, backend::BASE64};
use crate::{
    App,
    config::PASSWORD_BYTES_MAX,
    dialect::conversation::Error,
    error::Unauthenticated,
    model::{Jid, User, guesses::Source},
    password::{self, PasswordHash},
    store::{Listener, StoreError},
};

/// A user as a participant of conversations. Costs two requests to the table: the user and their password are read
/// whenever they call, so that what changes there counts at once. Where the password was not found to be right within
/// the last minute, one more to forget the wrong ones before it, and two to count a wrong one.
#[derive(Clone, Debug)]
pub struct Account {
    /// The user's number, which their archive is kept under.
    pub user: u64,
    /// What others call them.
    pub jid: Jid,
    /// That of their password when they were let in; `None` where they have none.
    hash: Option<PasswordHash>,
}

impl Account {
    /// They as one who listens to what happens.
    #[must_use]
    pub fn listener(self) -> Listener {
        Listener { user: self.user, jid: self.jid, hash: self.hash }
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
        let source = parts.extensions.get().copied().unwrap_or(Source(None));
        let (hash, guesses) = app.store.password_and_guesses(user.as_ref().map(|user| user.id), &jid, source).await?;
        if let Some(wait) = guesses.wait(false, app.clock.now()) {
            return Err(Error::Throttled(wait));
        }
        let attempt = Attempt { user: user.as_ref(), password, hash: hash.clone() };
        if !attempt.is_known(app) {
            attempt.make(app, &jid, source).await?;
        } else if guesses.of_account.count > 0 {
            app.store.forget_wrong(&jid, source, app.clock.now()).await?;
        }
        let user = user.ok_or(Unauthenticated::Wrong)?.id;
        Ok(Self { user, jid, hash })
    }
}

impl App {
    /// The user whose JID this is; `None` where it is no account's.
    pub async fn account_of(&self, jid: &Jid) -> Result<Option<u64>, StoreError> {
        if jid.domain() != self.config.xmpp_domain {
            return Ok(None);
        }
        Ok(self.store.user_named(jid.local()).await?.map(|user| user.id))
    }
}

/// A password that was given, and what there is to know of its account.
struct Attempt<'a> {
    /// `None` where there is no such account.
    user: Option<&'a User>,
    password: SecretString,
    /// `None` where it has no password.
    hash: Option<PasswordHash>,
}

impl Attempt<'_> {
    /// Whether the account's owner logged in for the password, or it was found to be right lately.
    fn is_known(&self, app: &App) -> bool {
        let (Some(user), now) = (self.user, app.clock.now()) else { return false };
        let logged_in =
            || app.keys.verify_user(self.password.expose_secret(), now).is_ok_and(|claims| claims.user_id == user.id);
        let known = |hash| app.recent.passwords.knows(user.id, &self.password, hash, now);
        self.hash.as_ref().is_some_and(known) || logged_in()
    }

    /// Tries the password.
    async fn make(self, app: &App, jid: &Jid, source: Source) -> Result<(), Error> {
        let now = app.clock.now();
        let right = match (self.user, self.hash) {
            (Some(user), Some(hash)) => app.recent.passwords.verify(user.id, self.password, hash, now).await?,
            // Whether there is such an account is not to be told from how long the answer takes.
            _ => password::verify(self.password, None).await?,
        };
        if right {
            // Others may have guessed in the meantime, and this may be a guess too.
            let wait = app.store.forget_wrong(jid, source, now).await?.wait(false, now);
            return wait.map_or(Ok(()), |wait| Err(Error::Throttled(wait)));
        }
        let wait = app.store.count_wrong(jid, source, now).await?.wait(true, now);
        Err(wait.map_or_else(|| Unauthenticated::Wrong.into(), Error::Throttled))
    }
}

fn credentials(parts: &Parts) -> Option<(Jid, SecretString)> {
    let Authorization::Basic(credentials) = Authorization::of(&parts.headers) else { return None };
    let decoded = SecretString::from(String::from_utf8(BASE64.decode(credentials).ok()?).ok()?);
    let (userid, password) = decoded.expose_secret().split_once(':')?;
    // No account has a longer password, and hashing one would take its time.
    (password.len() <= PASSWORD_BYTES_MAX).then_some((Jid::parse(userid)?, password.to_owned().into()))
}
