//! The guard before what people type in: passwords, and login tokens (`docs/apis/access.md`). It is asked before a
//! value is looked at, and while it is shut its answer is the same for what is right and what is wrong.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use crate::{
    App,
    audit::{Decision, Event, Party},
    model::{
        LoginToken, User,
        guesses::{OF_JOINER, Source, TokenGuesses},
    },
    password::{self, PasswordError, PasswordHash},
    store::StoreError,
};

/// Why nobody looked at what was typed in, or why it is not told what came of it.
#[derive(Debug, thiserror::Error)]
pub enum Guarded {
    /// There was too much that was wrong; says after how long the next may be tried.
    #[error("too many wrong values")]
    Shut(Duration),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The password was not hashed.
    #[error(transparent)]
    Password(#[from] PasswordError),
}

/// Whose password somebody gives.
pub struct Claim<'a> {
    /// Who that is; `None` where there is nobody, or nobody who may come in. What it takes to find out is the same.
    user: Option<&'a User>,
    /// What the account's wrong passwords are counted under: whatever it is called in the one API or the other.
    account: String,
    /// What the log calls it.
    party: Party<'a>,
    source: Source,
}

impl<'a> Claim<'a> {
    /// To be this user, or, where there is none, one of this name.
    #[must_use]
    pub fn of(user: Option<&'a User>, name: &'a str, source: Source) -> Self {
        let account = user.map_or_else(|| User::folded(name), |user| format!("#{}", user.id));
        let party = user.map_or(Party::Account(name), |user| Party::User(user.id));
        Self { user, account, party, source }
    }

    /// The same, which no password makes good, where they are blocked.
    #[must_use]
    pub fn unless_blocked(self) -> Self {
        Self { user: self.user.filter(|user| !user.blocked), ..self }
    }
}

/// What came of a password.
pub struct Tried {
    /// Whether it was right.
    pub right: bool,
    /// That of the user's password; `None` where they have none.
    pub hash: Option<PasswordHash>,
    /// Whether it was computed: not where it was found right a moment ago.
    pub anew: bool,
}

impl App {
    /// Whether a password is that of whom somebody claims to be. One request to the table; one more for a right one, once
    /// a day and where there were wrong ones before it, and three at once to count a wrong one.
    ///
    /// # Errors
    /// [`Guarded::Shut`] for right and wrong ones alike.
    pub async fn try_password(&self, claim: Claim<'_>, given: SecretString) -> Result<Tried, Guarded> {
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
            // Whether there is such an account is not to be told from how long the answer takes.
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

    /// What was guessed of login tokens from an address, as it was at most 5 seconds ago.
    ///
    /// # Errors
    /// [`Guarded::Shut`] where nothing more is looked at from there.
    pub async fn ask_about_login_tokens(&self, source: Source) -> Result<TokenGuesses, Guarded> {
        let now = self.clock.now();
        let read = async || self.store.token_guesses(source, now).await.map(Some);
        let guesses = self.caches.token_guesses.get(&source.counted(), now, read).await?.unwrap_or_default();
        match guesses.wait(now) {
            None => Ok(guesses),
            Some(wait) => Err(self.shut(None, "login_tokens", wait).await),
        }
    }

    /// Notes that a login token joins, where somebody at that address errs: others there may err more often then. Nobody is
    /// kept out because it cannot be noted. One request, and none while nobody errs.
    pub async fn note_joined(&self, token: &LoginToken, source: Source, guesses: TokenGuesses) {
        let now = self.clock.now();
        if guesses.wrong.any(now)
            && let Err(error) = self.store.note_joined(source, token.id, now).await
        {
            tracing::warn!(%error, "who joined was not noted for the guard");
        }
    }

    /// Counts a login token that there is not.
    ///
    /// # Errors
    /// [`Guarded::Shut`] where it was one too many.
    pub async fn count_wrong_login_token(
        &self,
        token: &str,
        source: Source,
        mut guesses: TokenGuesses,
    ) -> Result<(), Guarded> {
        let (now, address) = (self.clock.now(), source.counted());
        loop {
            let enough = guesses.limit();
            let counted = self.store.count_wrong_token(source, token, enough, now).await?;
            let (Ok(wrong) | Err(wrong)) = counted;
            guesses.wrong = wrong;
            if wrong.count >= OF_JOINER {
                // From now on it makes a difference who joined from there.
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

    /// Nothing more is looked at for so long.
    async fn shut(&self, target: Option<Party<'_>>, what: &'static str, wait: Duration) -> Guarded {
        let decision = Decision::new(Event::GuardShut).because(what);
        target.into_iter().fold(decision, Decision::of).record(&self.services).await;
        Guarded::Shut(wait)
    }
}
