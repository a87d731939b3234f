//! The records of `/api/v2`: numbered, unique by some of their values, and listed.
//!
//! A record lies whole in each place that somebody looks for it: in the list of its kind, in its parent's list, and under
//! each of its unique values. One transaction writes them all, so a list needs no index, and every read is of the
//! present. The first item of each list is its head, which counts it. A parent's list takes records only while its head
//! is there: to remove the head is to close the list, for every instance at once.

mod kind;
mod list;
mod merged;
mod write;

use std::convert::Infallible;

use aws_sdk_dynamodb::types::TransactWriteItem;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub use self::{
    kind::{Conflict, Kind, Parent, Unique},
    list::{Page, Selection, Window},
};
use super::{
    Attributes, Key, RACES, SHARDS, Store, StoreError, pause,
    transaction::{Committed, is_failed_condition},
};

/// A record of `/api/v2`.
pub trait Record: Clone + Serialize + DeserializeOwned + Send + Sync {
    /// What it is.
    const KIND: Kind;
    /// The lists that are its own.
    const CHILDREN: &'static [Kind];
    /// Its number.
    fn id(&self) -> u64;
    /// Whose list it lies in.
    fn parent(&self) -> Option<Parent>;
    /// The values no other record may have.
    fn unique(&self) -> Vec<(Unique, String)>;
    /// The users who manage it; each of them knows of it.
    fn managers(&self) -> &[u64] {
        &[]
    }
    /// An item that a change of `self` to `after` leaves behind.
    ///
    /// # Errors
    /// The item cannot be written.
    fn trace(&self, after: &Self) -> Result<Option<Attributes>, StoreError> {
        let _ = after;
        Ok(None)
    }
}

/// A record as it was read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stored<T> {
    /// The record.
    #[serde(flatten)]
    pub record: T,
    /// Which of its versions; a write of another fails.
    pub(super) revision: u64,
}

/// Why a change within another access pattern was not made.
pub(super) enum Refused<E> {
    Change(E),
    Conflict(Conflict),
    Store(StoreError),
}

impl<E> From<StoreError> for Refused<E> {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl<E> From<Conflict> for Refused<E> {
    fn from(conflict: Conflict) -> Self {
        Self::Conflict(conflict)
    }
}

impl From<Refused<Infallible>> for Result<Result<(), Conflict>, StoreError> {
    fn from(refused: Refused<Infallible>) -> Self {
        match refused {
            Refused::Conflict(conflict) => Ok(Err(conflict)),
            Refused::Store(error) => Err(error),
        }
    }
}

/// A write of a transaction, and what it means where its condition fails.
pub(super) struct Write {
    pub(super) item: TransactWriteItem,
    pub(super) fails_as: Conflict,
}

/// The sort key of a list's head: before every number.
pub(super) const HEAD: &str = "#";

/// A number as it sorts.
pub(super) fn padded(id: u64) -> String {
    format!("{id:020}")
}

/// The partition of the list of a whole kind that this number lies in.
pub(super) fn kind_list(kind: Kind, id: u64) -> String {
    format!("{}#{}", kind.list(), id % u64::from(SHARDS))
}

/// All partitions of the list of a whole kind.
pub(super) fn kind_lists(kind: Kind) -> Vec<String> {
    (0..u64::from(SHARDS)).map(|shard| kind_list(kind, shard)).collect()
}

/// The partition of a parent's list.
pub(super) fn list_of(parent: Parent, kind: Kind) -> String {
    match parent {
        Parent::User(id) => format!("USER#{id}/{}", kind.list()),
        Parent::Event(id) => format!("EVENT#{id}/{}", kind.list()),
    }
}

/// The parent that a record's own lists are of.
fn as_parent<T: Record>(record: &T) -> Parent {
    match T::KIND {
        Kind::User => Parent::User(record.id()),
        Kind::Event | Kind::Session | Kind::LoginToken => Parent::Event(record.id()),
    }
}

pub(super) fn main_key<T: Record>(id: u64) -> Key {
    Key { pk: kind_list(T::KIND, id), sk: padded(id) }
}

pub(super) fn parents_key<T: Record>(parent: Parent, id: u64) -> Key {
    Key { pk: list_of(parent, T::KIND), sk: padded(id) }
}

pub(super) fn head(list: String) -> Key {
    Key { pk: list, sk: HEAD.to_owned() }
}

impl Store {
    /// A number for a new record.
    pub async fn new_id<T: Record>(&self) -> Result<u64, StoreError> {
        self.next_number(T::KIND.name()).await
    }

    /// The record of this number.
    pub async fn record<T: Record>(&self, id: u64) -> Result<Option<Stored<T>>, StoreError> {
        self.item(main_key::<T>(id)).await
    }

    /// The record with this unique value.
    pub async fn record_with<T: Record>(&self, unique: Unique, value: &str) -> Result<Option<Stored<T>>, StoreError> {
        self.item(unique.key(value)).await
    }

    /// Keeps a new record. One request, a transaction.
    pub async fn insert_record<T: Record>(&self, record: &T) -> Result<Result<(), Conflict>, StoreError> {
        self.commit(self.insertion(record)?).await
    }

    /// Changes a record by what `change` makes of its present version; where another change came in between, of that
    /// one. One request, a transaction.
    pub async fn change_record<T, E>(&self, mut stored: Stored<T>, change: impl Fn(&T) -> Result<T, E>) -> Result<T, E>
    where
        T: Record,
        E: From<StoreError> + From<Conflict>,
    {
        for lost in 0..RACES {
            let after = change(&stored.record)?;
            match self.commit(self.replacement(&stored, &after)?).await? {
                Ok(()) => return Ok(after),
                Err(Conflict::Changed) => pause(lost).await,
                Err(conflict) => return Err(conflict.into()),
            }
            stored = self.record(after.id()).await?.ok_or(Conflict::Gone)?;
        }
        Err(StoreError::Contended.into())
    }

    /// Deletes a record that has no lists of its own. One request, a transaction.
    pub async fn remove_record<T: Record>(&self, mut stored: Stored<T>) -> Result<Result<(), Conflict>, StoreError> {
        for lost in 0..RACES {
            let outcome = self.commit(self.removal(&stored)?).await?;
            if outcome != Err(Conflict::Changed) {
                return Ok(outcome);
            }
            pause(lost).await;
            match self.record(stored.record.id()).await? {
                Some(present) => stored = present,
                None => return Ok(Err(Conflict::Gone)),
            }
        }
        Err(StoreError::Contended)
    }

    pub(super) async fn commit(&self, writes: Vec<Write>) -> Result<Result<(), Conflict>, StoreError> {
        let (items, meanings): (Vec<_>, Vec<_>) = writes.into_iter().map(|write| (write.item, write.fails_as)).unzip();
        match self.transact(items).await? {
            Committed::Yes => Ok(Ok(())),
            Committed::No(reasons) => {
                let failed = reasons.iter().zip(meanings).find(|(reason, _)| is_failed_condition(reason));
                Ok(Err(failed.map_or(Conflict::Changed, |(_, meaning)| meaning)))
            }
        }
    }
}
