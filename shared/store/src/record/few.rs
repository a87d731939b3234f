//! Short lists: if few records of a kind were ever made, one request lists all of them.
//!
//! Numbers are given in turn, so their sequence says which records there can be, and a record's key is made of its
//! number alone. One batch asks for the sequence and for every number up to the last one that this process knows of. A
//! record with a higher number than the sequence says was made after the list began, because the sequence is read no
//! earlier.
//!
//! Reading an item by its key costs a read unit, whether it is there or not. A query of a partition costs one for every
//! 4 KB. So a batch of 99 numbers costs up to 100 units, and the partitions of a kind 16 or more. Kinds with more
//! records are therefore read from their partitions.

use std::iter;

use super::{Parent, Record, Selection, main_key};
use crate::{
    Attributes, Key, SHARDS, Store, StoreError,
    read::BATCH_MAX,
    sequence::{Sequence, SequenceItem},
};

/// The highest number of a short list. With the sequence, these numbers fill a batch.
const FEW: u64 = BATCH_MAX as u64 - 1;
/// How many numbers a process asks for that knows of none. With the sequence it is one item for each partition, so it
/// costs no more than reading the empty partitions would.
const AT_FIRST: u64 = SHARDS as u64 - 1;
/// How many numbers it asks for beyond the last that it knows of. Other processes may have been given them since.
const SPARE: u64 = 4;

impl Store {
    /// Replaces a selection of everything by a selection of these records, if few were ever made. Leaves any other
    /// selection as it is.
    pub(super) async fn by_number<T: Record>(&self, selection: Selection<T>) -> Result<Selection<T>, StoreError> {
        if selection.parents.is_some() {
            return Ok(selection);
        }
        let Some((_, items)) = self.all_numbered(Sequence::Of(T::KIND), main_key::<T>).await? else {
            return Ok(selection);
        };
        let Selection { mut beside, ended, .. } = selection;
        beside.extend(serde_dynamo::from_items::<_, T>(items)?);
        beside.retain(|record| !ended.iter().any(|ended| record.parent() == Some(Parent::Event(ended.id))));
        Ok(Selection::only(beside))
    }

    /// The sequence, and the items of all numbers that it gave, in no order. `None` if there are more than a short list
    /// has.
    ///
    /// One request; another one if other processes made more than this process knew of.
    pub(crate) async fn all_numbered(
        &self,
        sequence: Sequence,
        key: impl Fn(u64) -> Key,
    ) -> Result<Option<(SequenceItem, Vec<Attributes>)>, StoreError> {
        let asked = match self.given.of(sequence) {
            0 => AT_FIRST,
            known @ 1..=FEW => FEW.min(known + SPARE),
            _ => return Ok(None),
        };
        let keys = iter::once(sequence.key()).chain((1..=asked).map(&key));
        let mut items = self.batch(keys.map(Key::attributes).collect()).await?;
        let said = self.said_by(sequence, &mut items)?;
        if said.number > FEW {
            return Ok(None);
        }
        items.extend(self.batch((asked + 1..=said.number).map(key).map(Key::attributes).collect()).await?);
        Ok(Some((said, items)))
    }
}
