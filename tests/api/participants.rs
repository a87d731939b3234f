//! The participants of conversations: users who have a password.

use greenroom_core::{
    model::user::Role,
    password::{self, PasswordHash},
};
use tokio::sync::OnceCell;

use crate::support::{Caller, TestApp, basic};

/// The password of every participant.
pub(crate) const PASSWORD: &str = "correct horse: battery";

/// The hash of the password. It is computed once, because hashing takes longer than everything else.
static HASH: OnceCell<PasswordHash> = OnceCell::const_new();

impl TestApp {
    /// Creates a participant of conversations; the user's number.
    pub(crate) async fn participant(&self, username: &str) -> u64 {
        let id = self.account(username, Role::Partner, None).await.id;
        let hash = HASH.get_or_init(async || password::hash(PASSWORD.to_owned().into()).await.unwrap()).await;
        self.keep_password(id, hash).await;
        id
    }

    /// Creates these participants.
    pub(crate) async fn participants(&self, usernames: &[&str]) {
        for username in usernames {
            self.participant(username).await;
        }
    }

    /// Sends requests as the participant with this name.
    pub(crate) fn as_participant(&self, username: &str) -> Caller<'_> {
        self.with_authorization(basic(&format!("{username}@localhost:{PASSWORD}")))
    }
}
