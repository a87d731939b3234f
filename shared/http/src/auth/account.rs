//! Participants of conversations: `Basic` with bare JID and password (`docs/apis/mongooseim.md`). The token of a user's
//! login works in place of the password.

use axum::{extract::FromRequestParts, http::request::Parts};
use base64::Engine;
use greenroom_core::{
    config::PASSWORD_BYTES_MAX,
    model::{Jid, User},
};
use greenroom_media::audit::{Decision, Event, Party};
use greenroom_store::{Credential, Listener, StoreError};
use secrecy::{ExposeSecret, SecretString};

use super::{Authorization, Caller, Claim, Scheme, Schemes, Tried, backend::BASE64};
use crate::{App, dialect::conversation::Error, error::Unauthenticated, source};

/// A user as a participant of conversations. Costs two requests to the table, and one with a token: each call reads the
/// user and their password, so that changes of them count at once. The guard against guessed passwords may cost more
/// ([`App::try_password`]).
#[derive(Clone, Debug)]
pub struct Account {
    /// The user's number, which the keys of their archive have.
    pub user: u64,
    /// The user's JID.
    pub jid: Jid,
    /// The credential that was accepted.
    credential: Credential,
}

impl Account {
    /// The account for listening to a stream of events.
    #[must_use]
    pub fn listener(self) -> Listener {
        Listener { user: self.user, jid: self.jid, credential: self.credential }
    }
}

impl Caller for Account {
    const SCHEMES: Schemes = &[Some(Scheme::Account)];
}

impl FromRequestParts<App> for Account {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let (jid, password) = credentials(parts).ok_or(Unauthenticated::Wrong)?;
        if jid.domain() != app.config.xmpp_domain {
            return Err(Unauthenticated::Wrong.into());
        }
        let user = app.store.user_named(jid.local()).await?;
        if let Some(user) = user.as_ref().filter(|user| !user.blocked)
            && let Some(credential) = logged_in(app, user, &password)
        {
            return Ok(Self { user: user.id, jid, credential });
        }
        let target = user.as_ref().map_or(Party::Account(jid.local()), |user| Party::User(user.id));
        let claim = Claim::of(user.as_ref(), jid.local(), source(parts, app)).unless_blocked();
        let Tried { right, hash, anew } = Box::pin(app.try_password(claim, password)).await?;
        let Some((user, hash)) = user.as_ref().zip(hash).filter(|_| right) else {
            let reason = match &user {
                None => "unknown_account",
                Some(user) if user.blocked => "blocked",
                Some(_) => "wrong_password",
            };
            Decision::new(Event::LoginRefused).of(target).because(reason).record(&app.services).await;
            return Err(Unauthenticated::Wrong.into());
        };
        if anew {
            // Each request carries the password. That it was right a moment ago is no new decision.
            Decision::new(Event::Login).by(target).of(target).because("password").record(&app.services).await;
        }
        Ok(Self { user: user.id, jid, credential: Credential::Password(hash) })
    }
}

impl App {
    /// The user with this JID. `None` if no account has it.
    pub async fn account_of(&self, jid: &Jid) -> Result<Option<u64>, StoreError> {
        if jid.domain() != self.config.xmpp_domain {
            return Ok(None);
        }
        Ok(self.store.user_named(jid.local()).await?.map(|user| user.id))
    }
}

/// The credential of a login token in place of the password, if it is one. Nobody can guess a token, so it is not
/// counted as a guess.
fn logged_in(app: &App, user: &User, password: &SecretString) -> Option<Credential> {
    let claims = app.keys.verify_user(password.expose_secret(), app.clock.now()).ok()?;
    claims.is_of_epoch(user).then(|| claims.credential())
}

fn credentials(parts: &Parts) -> Option<(Jid, SecretString)> {
    let credentials = Authorization::credentials(&parts.headers, "basic")?;
    let decoded = SecretString::from(String::from_utf8(BASE64.decode(credentials).ok()?).ok()?);
    let (userid, password) = decoded.expose_secret().split_once(':')?;
    // No account has a longer password, and hashing one would take its time.
    (password.len() <= PASSWORD_BYTES_MAX).then_some((Jid::parse(userid)?, password.to_owned().into()))
}
