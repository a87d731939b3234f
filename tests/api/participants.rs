//! The participants of conversations: users who have a password.

use shared::{model::user::Role, password, password::PasswordHash};
use tokio::sync::OnceCell;

use crate::support::{Caller, TestApp, basic};

/// The password of every participant.
pub(crate) const PASSWORD: &str = "correct horse: battery";

/// Its hash, made once: it takes longer than everything else.
static HASH: OnceCell<PasswordHash> = OnceCell::const_new();

impl TestApp {
    /// Makes a participant of conversations; the user's number.
    pub(crate) async fn participant(&self, username: &str) -> u64 {
        let id = self.account(username, Role::Partner, None).await.id;
        let hash = HASH.get_or_init(async || password::hash(PASSWORD.to_owned().into()).await.unwrap()).await;
        self.keep_password(id, hash).await;
        id
    }

    /// Makes these participants.
    pub(crate) async fn participants(&self, usernames: &[&str]) {
        for username in usernames {
            self.participant(username).await;
        }
    }

    /// Sends requests as a participant of this name.
    pub(crate) fn as_participant(&self, username: &str) -> Caller<'_> {
        self.with_authorization(basic(&format!("{username}@localhost:{PASSWORD}")))
    }
}
