//! The records of `/api/v2`. They have numbers, some of their values are unique, and they are listed.
//!
//! A record lies whole in each place where it is looked for: in the list of its kind, in its parent's list, and under
//! each of its unique values. One transaction writes all copies. So a list needs no index, and every read sees the
//! present. The first items of each list are its counter items, which count its records. A parent's list takes
//! records only while they are there, so removing them closes the list for every instance at once.

mod commit;
mod copies;
mod counter_items;
mod few;
mod kind;
mod list;
mod managing;
mod merged;
mod search;
mod selection;
mod turn;

use std::convert::Infallible;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use self::commit::Attempt;
pub(super) use self::{
    copies::{deleting, removal_from_lists, removal_of_places, replacement_of_places},
    counter_items::{CounterItems, SpreadLists, count},
    kind::RecordWrite,
    managing::{leaving, managing_again, no_managing},
};
pub use self::{
    kind::{Conflict, Kind, Parent, Unique},
    list::{Next, Page, Window},
    selection::Selection,
};
use super::{Attributes, Key, SHARDS, Store, StoreError, sequence::Sequence};

/// A record of `/api/v2`.
pub trait Record: Clone + Serialize + DeserializeOwned + Send + Sync {
    /// The kind of the record.
    const KIND: Kind;
    /// The kinds of the lists that the record itself has.
    const CHILDREN: &'static [Kind];
    /// Its number.
    fn id(&self) -> u64;
    /// The parent in whose list it lies.
    fn parent(&self) -> Option<Parent>;
    /// The values that no other record may have.
    fn unique(&self) -> Vec<(Unique, String)>;
    /// The users who manage it. Each of their lists has its number.
    fn managers(&self) -> &[u64] {
        &[]
    }
    /// An item that a change from `self` to `after` leaves behind.
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
    /// The version that was read. A write on condition of another version fails.
    pub(super) revision: u64,
}

/// Why a change inside another access pattern was not made.
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

/// The sort key of a list's first counter item. It sorts before every number.
pub(super) const FIRST_COUNTER: &str = "#";

/// A number with its leading zeros, so that it sorts.
pub(super) fn padded(id: u64) -> String {
    format!("{id:020}")
}

/// The partition in which this number lies in the list of its kind.
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

/// The record as the parent of its own lists.
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

/// The key of a list's first counter item.
pub(super) fn first_counter(list: String) -> Key {
    Key { pk: list, sk: FIRST_COUNTER.to_owned() }
}

impl Store {
    /// Takes the next number for a new record.
    pub async fn new_id<T: Record>(&self) -> Result<u64, StoreError> {
        self.next_number(Sequence::Of(T::KIND)).await
    }

    /// The record with this number.
    pub async fn record<T: Record>(&self, id: u64) -> Result<Option<Stored<T>>, StoreError> {
        self.item(main_key::<T>(id)).await
    }

    /// The record with this unique value.
    pub async fn record_with<T: Record>(&self, unique: Unique, value: &str) -> Result<Option<Stored<T>>, StoreError> {
        self.item(unique.key(value)).await
    }

    /// Stores a new record. One request, a transaction.
    pub async fn insert_record<T: Record>(&self, record: &T) -> Result<Result<(), Conflict>, StoreError> {
        self.insert_record_with(record, None).await
    }

    /// Stores a new record together with another write. One request, a transaction.
    pub(super) async fn insert_record_with<T: Record>(
        &self,
        record: &T,
        with: Option<RecordWrite>,
    ) -> Result<Result<(), Conflict>, StoreError> {
        let mut backoff = self.backoff();
        loop {
            let mut writes = self.insertion(record)?;
            writes.extend(with.clone());
            match self.attempt(writes).await? {
                Attempt::Done => return Ok(Ok(())),
                Attempt::Failed(conflict) => return Ok(Err(conflict)),
                Attempt::Met(item) => backoff.line_up(&item).await?,
                Attempt::LearntOfSpread => {}
            }
        }
    }

    /// Changes a record by what `change` makes of its present version. If another change came in between, `change` is
    /// applied to the newer version. One request, a transaction.
    pub async fn change_record<T, E>(&self, stored: Stored<T>, change: impl Fn(&T) -> Result<T, E>) -> Result<T, E>
    where
        T: Record,
        E: From<StoreError> + From<Conflict>,
    {
        self.change_record_with(stored, change, |_, _| Ok(Vec::new())).await
    }

    /// Changes a record like [`change_record`](Self::change_record). `with` gives the further writes for a change from
    /// one version to another.
    pub(super) async fn change_record_with<T, E>(
        &self,
        mut stored: Stored<T>,
        change: impl Fn(&T) -> Result<T, E>,
        mut with: impl FnMut(&T, &T) -> Result<Vec<RecordWrite>, StoreError>,
    ) -> Result<T, E>
    where
        T: Record,
        E: From<StoreError> + From<Conflict>,
    {
        let mut backoff = self.backoff();
        loop {
            let after = change(&stored.record)?;
            let mut writes = self.replacement(&stored, &after)?;
            writes.extend(with(&stored.record, &after)?);
            match self.attempt(writes).await? {
                Attempt::Done => return Ok(after),
                Attempt::Met(item) => {
                    backoff.line_up(&item).await?;
                    stored = self.record(after.id()).await?.ok_or(Conflict::Gone)?;
                }
                Attempt::Failed(Conflict::Changed) => {
                    backoff.line_up(&main_key::<T>(after.id()).name()).await?;
                    stored = self.record(after.id()).await?.ok_or(Conflict::Gone)?;
                }
                Attempt::Failed(conflict) => return Err(conflict.into()),
                Attempt::LearntOfSpread => {}
            }
        }
    }

    /// Deletes a record that has no lists of its own. One request, a transaction.
    pub async fn remove_record<T: Record>(&self, stored: Stored<T>) -> Result<Result<(), Conflict>, StoreError> {
        self.remove_record_with(stored, None).await
    }

    /// Deletes a record that has no lists of its own, together with another write. One request, a transaction.
    pub(super) async fn remove_record_with<T: Record>(
        &self,
        mut stored: Stored<T>,
        with: Option<RecordWrite>,
    ) -> Result<Result<(), Conflict>, StoreError> {
        let mut backoff = self.backoff();
        loop {
            let mut writes = self.removal(&stored);
            writes.extend(with.clone());
            match self.attempt(writes).await? {
                Attempt::Done => return Ok(Ok(())),
                Attempt::Failed(Conflict::Changed) | Attempt::Met(_) => {
                    backoff.line_up(&main_key::<T>(stored.record.id()).name()).await?;
                    match self.record(stored.record.id()).await? {
                        Some(present) => stored = present,
                        None => return Ok(Err(Conflict::Gone)),
                    }
                }
                Attempt::Failed(conflict) => return Ok(Err(conflict)),
                Attempt::LearntOfSpread => {}
            }
        }
    }
}
