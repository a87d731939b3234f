//! Who listens. Every look at the archives is one at their account too, so that who is not let in any more hears nothing.

use crate::{
    model::{Jid, User},
    password::PasswordHash,
    store::{
        Attributes, StoreError, Stored, Unique,
        user::{Password, password_key},
    },
};

/// A user as they were let in.
#[derive(Clone, Debug)]
pub struct Listener {
    /// Their number.
    pub user: u64,
    /// Their JID, whose local part is their name.
    pub jid: Jid,
    /// That of their password; `None` where they had none.
    pub hash: Option<PasswordHash>,
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

    /// Whether they would be let in again: they are there under their name, not blocked, and their password is the same.
    pub(super) fn is_welcome(&self, account: Vec<(String, Attributes)>) -> Result<bool, StoreError> {
        let (mut named, mut hash) = (false, None);
        for (partition, item) in account {
            if partition == password_key(self.user).pk {
                let password: Password = serde_dynamo::from_item(item)?;
                hash = Some(password.hash);
            } else {
                let Stored::<User> { record, .. } = serde_dynamo::from_item(item)?;
                named = record.id == self.user && !record.blocked;
            }
        }
        Ok(named && hash == self.hash)
    }
}
