//! Who listens. Every look at the archives is one at their account too, so that who is not let in any more hears nothing.

use crate::{
    clock::Timestamp,
    model::{Jid, User},
    password::PasswordHash,
    store::{
        Attributes, StoreError, Stored, Unique,
        password::{Password, password_key},
    },
};

/// A user as they were let in.
#[derive(Clone, Debug)]
pub struct Listener {
    /// Their number.
    pub user: u64,
    /// Their JID, whose local part is their name.
    pub jid: Jid,
    /// What they were let in with.
    pub credential: Credential,
}

/// What somebody was let in with.
#[derive(Clone, Debug)]
pub enum Credential {
    /// The password with this hash.
    Password(PasswordHash),
    /// A token that they had logged in for.
    Token {
        /// How often all their logins had been ended by then.
        epoch: u64,
        /// When it ends by itself.
        until: Timestamp,
    },
}

impl Credential {
    /// Whether it is still good, for this user with this password.
    fn is_good(&self, user: &User, hash: Option<&PasswordHash>, now: Timestamp) -> bool {
        match self {
            Self::Password(password) => hash == Some(password),
            Self::Token { epoch, until } => *epoch == user.token_epoch && now <= *until,
        }
    }
}

impl Listener {
    /// The keys of what says whether they would be let in again.
    pub(super) fn keys(&self) -> Vec<Attributes> {
        vec![Unique::Username.key(self.jid.local()).attributes(), password_key(self.user).attributes()]
    }

    /// Whether an item of this partition is one of those.
    pub(super) fn is_about(&self, partition: &str) -> bool {
        partition == Unique::Username.key(self.jid.local()).pk || partition == password_key(self.user).pk
    }

    /// Whether they would be let in again: they are there under their name, not blocked, and what they came with is still
    /// good (`docs/apis/access.md`).
    pub(super) fn is_welcome(&self, account: Vec<(String, Attributes)>, now: Timestamp) -> Result<bool, StoreError> {
        let (mut named, mut hash) = (None, None);
        for (partition, item) in account {
            if partition == password_key(self.user).pk {
                let password: Password = serde_dynamo::from_item(item)?;
                hash = Some(password.hash);
            } else {
                let Stored::<User> { record, .. } = serde_dynamo::from_item(item)?;
                named = Some(record).filter(|user| user.id == self.user && !user.blocked);
            }
        }
        Ok(named.is_some_and(|user| self.credential.is_good(&user, hash.as_ref(), now)))
    }
}
