//! The guard against guessed passwords and login tokens (`docs/apis/access.md`). It runs before a value is checked.
//! While it is shut, its answer is the same for right and wrong values.

use std::time::Duration;

use greenroom_core::{
    model::{
        LoginToken, User,
        guesses::{OF_JOINER, SourceAddress, TokenGuesses},
    },
    password::{self, PasswordHash},
};
use greenroom_media::audit::{Decision, Event, Party};
use secrecy::{ExposeSecret, SecretString};

use crate::{App, error::Error};

/// The user whose password a caller gives.
pub struct Claim<'a> {
    /// The user. `None` if there is none, or one who may not come in. Finding out takes the same time.
    user: Option<&'a User>,
    /// The name under which the account's wrong passwords are counted. It is the same in both APIs.
    account: String,
    /// The account's name in the log.
    party: Party<'a>,
    source: SourceAddress,
}

impl<'a> Claim<'a> {
    /// A claim to be this user, or someone of this name if there is no such user.
    #[must_use]
    pub fn of(user: Option<&'a User>, name: &'a str, source: SourceAddress) -> Self {
        let account = user.map_or_else(|| User::folded(name), |user| format!("#{}", user.id));
        let party = user.map_or(Party::Account(name), |user| Party::User(user.id));
        Self { user, account, party, source }
    }

    /// The same claim, which no password satisfies if the user is blocked.
    #[must_use]
    pub fn unless_blocked(self) -> Self {
        Self { user: self.user.filter(|user| !user.blocked), ..self }
    }
}

/// The result of checking a password.
pub struct Tried {
    /// Whether it was right.
    pub right: bool,
    /// The stored hash of the user's password; `None` if they have none.
    pub hash: Option<PasswordHash>,
    /// Whether the hash was computed. It is not if the password was found right a moment ago.
    pub anew: bool,
}

impl App {
    /// Checks a claim's password. One request to the table. One more for a right password, once a day and after wrong
    /// ones; three at once to count a wrong one.
    ///
    /// # Errors
    /// [`Error::Throttled`] for right and wrong ones alike.
    pub async fn try_password(&self, claim: Claim<'_>, given: SecretString) -> Result<Tried, Error> {
        let Claim { user, account, party, source } = claim;
        let id = user.map(|user| user.id);
        let (hash, guesses) = self.store.password_and_guesses(id, &account, source).await?;
        if let Some(wait) = guesses.wait(self.clock.now()) {
            return Err(self.shut(Some(party), "passwords", wait).await);
        }
        let known = id.zip(hash.as_ref());
        let anew = !known.is_some_and(|(id, hash)| self.caches.passwords.knows(id, &given, hash, self.clock.now()));
        let right = match id.zip(hash.clone()) {
            Some((id, hash)) => self.caches.passwords.verify(id, given.clone(), hash, self.clock.now()).await?,
            // Hashes anyway, so that the time of the answer does not tell whether there is such an account.
            None => password::verify(given.clone(), None).await?,
        };
        let now = self.clock.now();
        let wait = if !right {
            let known = guesses.is_known(now);
            Box::pin(self.store.count_wrong_password((&account, source), given.expose_secret(), known, now)).await?
        } else if guesses.notes_right(now) {
            self.store.note_right_password(&account, source, now).await?
        } else {
            None
        };
        match wait {
            None => Ok(Tried { right, hash, anew }),
            Some(wait) => Err(self.shut(Some(party), "passwords", wait).await),
        }
    }

    /// The wrong login tokens from an address, as they were at most 5 seconds ago.
    ///
    /// # Errors
    /// [`Error::Throttled`] if login tokens from there are refused for now.
    pub async fn ask_about_login_tokens(&self, source: SourceAddress) -> Result<TokenGuesses, Error> {
        let now = self.clock.now();
        let read = async || self.store.token_guesses(source, now).await.map(Some);
        let guesses = self.caches.token_guesses.get(&source.counted(), now, read).await?.unwrap_or_default();
        match guesses.wait(now) {
            None => Ok(guesses),
            Some(wait) => Err(self.shut(None, "login_tokens", wait).await),
        }
    }

    /// Notes that a login token joined, if wrong ones came from the same address. That raises the number of wrong ones
    /// that may come from there. If it cannot be noted, the participant is let in all the same. One request, and none
    /// without wrong ones.
    pub async fn note_joined(&self, token: &LoginToken, source: SourceAddress, guesses: TokenGuesses) {
        let now = self.clock.now();
        if guesses.wrong.any(now)
            && let Err(error) = self.store.note_joined(source, token.id, now).await
        {
            tracing::warn!(%error, "who joined was not noted for the guard");
        }
    }

    /// Counts a login token that does not exist.
    ///
    /// # Errors
    /// [`Error::Throttled`] if there were too many.
    pub async fn count_wrong_login_token(
        &self,
        token: &str,
        source: SourceAddress,
        mut guesses: TokenGuesses,
    ) -> Result<(), Error> {
        let (now, address) = (self.clock.now(), source.counted());
        loop {
            let enough = guesses.limit();
            let counted = self.store.count_wrong_token(source, token, enough, now).await?;
            let (Ok(wrong) | Err(wrong)) = counted;
            guesses.wrong = wrong;
            if wrong.count >= OF_JOINER {
                // From now on the joined login tokens of that address make a difference.
                guesses = self.store.token_guesses(source, now).await?;
            }
            self.caches.token_guesses.put(address.clone(), now, guesses);
            match counted {
                Ok(_) => return Ok(()),
                Err(_) if guesses.limit() > enough => {}
                Err(wrong) => return Err(self.shut(None, "login_tokens", wrong.until.since(now)).await),
            }
        }
    }

    /// Logs that the guard is shut for this long, and returns that.
    async fn shut(&self, target: Option<Party<'_>>, what: &'static str, wait: Duration) -> Error {
        let decision = Decision::new(Event::GuardShut).because(what);
        target.into_iter().fold(decision, Decision::of).record(&self.services).await;
        Error::Throttled(wait)
    }
}
