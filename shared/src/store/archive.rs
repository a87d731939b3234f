//! Archives: entries in the order of their times, of which no two share one.
//!
//! An archive's head has the time of the last entry. Whoever adds one moves it on, on condition that it is behind, in the
//! transaction that writes the entry: entries appear in the order of their times. Who has read an archive up to some
//! time has read all there will ever be up to it.

use aws_sdk_dynamodb::types::{ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};
use serde::{Deserialize, de::DeserializeOwned};

use super::{Attributes, Key, Store, StoreError, n, record::padded, s};
use crate::clock::Timestamp;

/// The sort key of an archive's head, before those of all entries.
const HEAD: &str = "#";
/// How much of an archive is read at once, in bytes as they lie in the table; a function may answer with 6 MB at most.
const BYTES_MAX: usize = 4 * 1024 * 1024;

/// Which part of an archive is asked for: its newest entries before some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArchiveWindow {
    /// Milliseconds since the Unix epoch; entries of this time are not in it.
    pub before: u64,
    /// How many there may be.
    pub limit: usize,
}

/// How many entries that were added to an archive are read at once.
const PAGE: i32 = 100;

/// A part of an archive: its entries behind a time, up to one that the head has been seen at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct After {
    /// Entries of this time are not in it.
    pub(super) after: Timestamp,
    /// Entries of this time are.
    pub(super) last: Timestamp,
}

/// The beginning of a part of an archive.
pub(super) struct Beginning {
    /// The entries, the oldest first.
    pub(super) items: Vec<Attributes>,
    /// How large they are, in bytes as they lie in the table.
    pub(super) bytes: usize,
    /// Whether it is the whole part.
    pub(super) all: bool,
}

#[derive(Deserialize)]
struct Head {
    last: Timestamp,
}

/// The key of an archive's head.
pub(super) fn head_key(archive: &str) -> Key {
    Key { pk: archive.to_owned(), sk: HEAD.to_owned() }
}

/// The key of an archive's entry.
pub(super) fn entry_key(archive: &str, at: Timestamp) -> Key {
    Key { pk: archive.to_owned(), sk: padded(millis(at)) }
}

fn millis(at: Timestamp) -> u64 {
    at.millis().try_into().unwrap_or_default()
}

/// The time of a head that was in the way.
pub(super) fn last_of(head: Attributes) -> Result<Timestamp, StoreError> {
    let Head { last } = serde_dynamo::from_item(head)?;
    Ok(last)
}

impl Store {
    /// Moves an archive's head on to `to`, on condition that it is before `from`, the first of the entries that are added.
    pub(super) fn move_head(
        &self,
        archive: &str,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&*self.table)
            .set_key(Some(head_key(archive).attributes()))
            .update_expression("SET #last = :to, #type = :type")
            .condition_expression("attribute_not_exists(PK) OR #last < :from")
            .expression_attribute_names("#last", "last")
            .expression_attribute_names("#type", "Type")
            .expression_attribute_values(":type", s("ArchiveHead"))
            .expression_attribute_values(":from", n(from.millis()))
            .expression_attribute_values(":to", n(to.millis()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// The entries of a part of an archive, the oldest first. Where they are too much for one answer, the newest of them
    /// that are not: who goes on before those gets the others.
    ///
    /// One request, and one for every further MB.
    pub(super) async fn archived<T: DeserializeOwned>(
        &self,
        archive: &str,
        window: ArchiveWindow,
    ) -> Result<Vec<T>, StoreError> {
        let Some(last) = window.before.checked_sub(1).filter(|_| window.limit > 0) else { return Ok(Vec::new()) };
        let mut items: Vec<Attributes> = Vec::new();
        let mut bytes = 0;
        let mut start = None;
        loop {
            let left = window.limit - items.len();
            let query = self.client.query().table_name(&*self.table).consistent_read(true);
            let query = query
                .key_condition_expression("PK = :pk AND SK BETWEEN :first AND :last")
                .expression_attribute_values(":pk", s(archive))
                .expression_attribute_values(":first", s(padded(0)))
                .expression_attribute_values(":last", s(padded(last)))
                .scan_index_forward(false)
                .limit(i32::try_from(left).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start);
            let page = query.send().await?;
            for item in page.items.unwrap_or_default() {
                bytes += size(&item);
                if bytes > BYTES_MAX && !items.is_empty() {
                    break;
                }
                items.push(item);
            }
            start = page.last_evaluated_key;
            if start.is_none() || items.len() >= window.limit || bytes > BYTES_MAX {
                break;
            }
        }
        items.reverse();
        Ok(serde_dynamo::from_items(items)?)
    }

    /// The oldest entries of a part of an archive. One request.
    pub(super) async fn archived_after(&self, archive: &str, part: After) -> Result<Beginning, StoreError> {
        let query = self.client.query().table_name(&*self.table).consistent_read(true);
        let query = query
            .key_condition_expression("PK = :pk AND SK BETWEEN :first AND :last")
            .expression_attribute_values(":pk", s(archive))
            .expression_attribute_values(":first", s(padded(millis(part.after.next()))))
            .expression_attribute_values(":last", s(padded(millis(part.last))))
            .limit(PAGE);
        let page = query.send().await?;
        let items = page.items.unwrap_or_default();
        Ok(Beginning { bytes: items.iter().map(size).sum(), items, all: page.last_evaluated_key.is_none() })
    }
}

/// About how large an entry is: its texts.
fn size(item: &Attributes) -> usize {
    item.values().filter_map(|value| value.as_s().ok()).map(String::len).sum()
}
