//! Archives: entries ordered by time. No two entries of an archive have the same time.
//!
//! The head of an archive is an item that holds the time of the last entry. The transaction that writes an entry also
//! moves the head to the entry's time, on condition that the head is earlier. So entries appear in the order of their
//! times, and nothing is ever added before a time that a reader has read up to.

use aws_sdk_dynamodb::types::{ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};
use greenroom_core::clock::Timestamp;
use serde::{Deserialize, de::DeserializeOwned};

use super::{Attributes, Key, Store, StoreError, n, record::padded, s};

/// The sort key of an archive's head, before those of all entries.
const HEAD: &str = "#";
/// The size of an archive's part that one answer takes, in bytes as they lie in the table. A function may answer with
/// at most 6 MB.
const BYTES_MAX: usize = 4 * 1024 * 1024;

/// Asks for the newest entries of an archive before a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArchiveWindow {
    /// Milliseconds since the Unix epoch. Entries of exactly this time are left out.
    pub before: u64,
    /// The largest number of entries.
    pub limit: usize,
}

/// The number of entries that a stream reads at once.
const PAGE: i32 = 100;

/// The entries of an archive after one time, up to a time that was seen in its head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct After {
    /// Entries of exactly this time are left out.
    pub(super) after: Timestamp,
    /// Entries of exactly this time are included.
    pub(super) last: Timestamp,
}

/// The oldest entries of a part of an archive.
pub(super) struct Beginning {
    /// The entries, the oldest first.
    pub(super) items: Vec<Attributes>,
    /// Their size together, in bytes as they lie in the table.
    pub(super) bytes: usize,
    /// Whether these are all entries of the part.
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

/// The time in the head that a condition failed on.
pub(super) fn last_of(head: Attributes) -> Result<Timestamp, StoreError> {
    let Head { last } = serde_dynamo::from_item(head)?;
    Ok(last)
}

impl Store {
    /// Moves an archive's head on to `to`, on condition that it is before `from`, the time of the first entry that is
    /// added.
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

    /// Reads the entries of a part of an archive, the oldest first. If they are too large for one answer, it returns
    /// the newest ones that fit, and the caller asks again for what lies before those.
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

/// The approximate size of an entry: the length of its texts.
fn size(item: &Attributes) -> usize {
    item.values().filter_map(|value| value.as_s().ok()).map(String::len).sum()
}
