//! The passwords of users. They lie apart from their users, so no list has them.

use greenroom_core::{model::User, password::PasswordHash};
use serde::{Deserialize, Serialize};

use super::{
    Item, Key, Store, StoreError,
    attempts::Attempts,
    record::{Conflict, RecordWrite, Stored},
    s,
    write::Write,
};

/// A password's hash as it lies in the table.
#[derive(Serialize, Deserialize)]
pub(super) struct Password {
    pub(super) hash: PasswordHash,
}

/// The password that a new one replaces.
#[derive(Clone, Copy, Debug)]
pub enum Replacing<'a> {
    /// Any, or none.
    Any,
    /// None: the new password is the first one.
    Nothing,
    /// The one with this hash.
    This(&'a PasswordHash),
}

/// Why a user's password was not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotSet {
    /// There is no such user.
    Gone,
    /// The user may not be given a password any more.
    Forbidden,
    /// The password to be replaced is not the user's any more.
    Replaced,
}

impl Replacing<'_> {
    fn condition(self, put: Write) -> Write {
        match self {
            Self::Any => put,
            Self::Nothing => put.when_new(),
            Self::This(hash) => {
                put.when("#hash = :replaced").name("#hash", "hash").value(":replaced", s(hash.as_str()))
            }
        }
    }
}

pub(super) fn password_key(user: u64) -> Key {
    Key { pk: format!("USER#{user}"), sk: "PASSWORD".to_owned() }
}

impl Store {
    /// The hash of a user's password; `None` where there is no password yet.
    pub async fn password_hash(&self, user: u64) -> Result<Option<PasswordHash>, StoreError> {
        let password: Option<Password> = self.item(password_key(user)).await?;
        Ok(password.map(|password| password.hash))
    }

    /// Stores a new user with a password. One request, a transaction.
    pub async fn insert_user(&self, user: &User, hash: &PasswordHash) -> Result<Result<(), Conflict>, StoreError> {
        self.insert_record_with(user, Some(password_write(user.id, hash, Replacing::Nothing)?)).await
    }

    /// Sets a user's password, and ends all of the user's logins with the same write (`docs/apis/access.md`). If the
    /// user was changed in between, `may` is asked again whether the password may be set. One request, a transaction.
    pub async fn set_password(
        &self,
        mut user: Stored<User>,
        hash: &PasswordHash,
        replacing: Replacing<'_>,
        may: impl Fn(&User) -> bool,
    ) -> Result<Result<(), NotSet>, StoreError> {
        let id = user.record.id;
        let mut attempts = Attempts::default();
        loop {
            if !may(&user.record) {
                return Ok(Err(NotSet::Forbidden));
            }
            let mut writes = self.replacement(&user, &user.record.logged_out())?;
            writes.push(password_write(id, hash, replacing)?);
            match self.commit(writes).await? {
                Ok(()) => return Ok(Ok(())),
                Err(Conflict::PasswordChanged) => return Ok(Err(NotSet::Replaced)),
                Err(_) => attempts.lost().await?,
            }
            match self.record(id).await? {
                Some(present) => user = present,
                None => return Ok(Err(NotSet::Gone)),
            }
        }
    }
}

fn password_write(user: u64, hash: &PasswordHash, replacing: Replacing<'_>) -> Result<RecordWrite, StoreError> {
    let password = Password { hash: hash.clone() };
    let put = Item { key: password_key(user), kind: "Password", entity: &password }.put()?;
    Ok(replacing.condition(put).fails_as(Conflict::PasswordChanged))
}
