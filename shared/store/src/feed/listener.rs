//! The account that listens to a feed. Every look at the archives reads the account too, so a user whose credential is
//! no longer accepted hears nothing more.

use greenroom_core::{
    clock::Timestamp,
    model::{Jid, User},
    password::PasswordHash,
};

use crate::{
    Attributes, StoreError, Stored, Unique,
    password::{Password, password_key},
};

/// A user, as they were when their credential was accepted.
#[derive(Clone, Debug)]
pub struct Listener {
    /// The user's number.
    pub user: u64,
    /// The user's JID. Its local part is the user's name.
    pub jid: Jid,
    /// The credential that the user presented.
    pub credential: Credential,
}

/// The credential that a user presented.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A password. This is its hash.
    Password(PasswordHash),
    /// A token of a login.
    Token {
        /// The user's login epoch at the time of the login. Ending all logins raises it.
        epoch: u64,
        /// When the token ends by itself.
        until: Timestamp,
    },
}

impl Credential {
    /// Whether the credential is still valid for this user with this password.
    fn is_good(&self, user: &User, hash: Option<&PasswordHash>, now: Timestamp) -> bool {
        match self {
            Self::Password(password) => hash == Some(password),
            Self::Token { epoch, until } => *epoch == user.token_epoch && now <= *until,
        }
    }
}

impl Listener {
    /// The keys of the items that decide whether the credential would still be accepted.
    pub(super) fn keys(&self) -> Vec<Attributes> {
        vec![Unique::Username.key(self.jid.local()).attributes(), password_key(self.user).attributes()]
    }

    /// Whether an item of this partition is one of those.
    pub(super) fn is_about(&self, partition: &str) -> bool {
        partition == Unique::Username.key(self.jid.local()).pk || partition == password_key(self.user).pk
    }

    /// Whether the credential would still be accepted: the user is there under their name and not blocked, and the
    /// credential is still valid (`docs/apis/access.md`).
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
