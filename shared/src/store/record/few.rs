//! Kinds of which few were ever made: a list of all of them is one request.
//!
//! Numbers are given in turn, so the counter says which records there can be, and a number is all that a record's key is
//! made of. One batch asks for the counter and for every number up to the one that this process knows to have been given.
//! What has a higher number than the counter says was made after the list began, for the counter is read no earlier.
//!
//! An item that is read by its key costs a read unit, be it there or not, where a query of a partition costs one for every
//! 4 KB: a batch of 99 numbers costs up to 100, the partitions of a kind 16 and more. So those of whom more were made are
//! read from their partitions, as a table keeps them for life.

use std::iter;

use super::{Parent, Record, Selection, main_key};
use crate::store::{
    Attributes, Key, SHARDS, Store, StoreError,
    counter::{Counted, Counter},
};

/// Up to which number there are few: with the counter they fill a batch.
const FEW: u64 = super::list::BATCH_MAX as u64 - 1;
/// How many numbers a process asks for that knows nothing yet: with the counter it is one item for each partition, and
/// costs no more than these do when nothing is in them.
const AT_FIRST: u64 = SHARDS as u64 - 1;
/// How many numbers behind the last that it knows: others may have been given them since.
const SPARE: u64 = 4;

impl Store {
    /// A selection of everything as one of these records, where few were ever made; any other as it is.
    pub(super) async fn by_number<T: Record>(&self, selection: Selection<T>) -> Result<Selection<T>, StoreError> {
        if selection.parents.is_some() {
            return Ok(selection);
        }
        let Some((_, items)) = self.all_numbered(Counter::Of(T::KIND), main_key::<T>).await? else {
            return Ok(selection);
        };
        let Selection { mut beside, ended, .. } = selection;
        beside.extend(serde_dynamo::from_items::<_, T>(items)?);
        beside.retain(|record| !ended.iter().any(|ended| record.parent() == Some(Parent::Event(ended.id))));
        Ok(Selection::only(beside))
    }

    /// What a counter says, and the items of all numbers it gave, in no order; `None` where these are not few.
    ///
    /// One request; another one where more were made by others than this process knew.
    pub(in crate::store) async fn all_numbered(
        &self,
        counter: Counter,
        key: impl Fn(u64) -> Key,
    ) -> Result<Option<(Counted, Vec<Attributes>)>, StoreError> {
        let asked = match self.given.of(counter) {
            0 => AT_FIRST,
            known @ 1..=FEW => FEW.min(known + SPARE),
            _ => return Ok(None),
        };
        let keys = iter::once(counter.key()).chain((1..=asked).map(&key));
        let mut items = self.batch(keys.map(Key::attributes).collect()).await?;
        let said = self.said_by(counter, &mut items)?;
        if said.number > FEW {
            return Ok(None);
        }
        items.extend(self.batch((asked + 1..=said.number).map(key).map(Key::attributes).collect()).await?);
        Ok(Some((said, items)))
    }
}
