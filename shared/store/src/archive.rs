//! Archives: entries ordered by time. No two entries of an archive have the same time.
//!
//! The high-water mark of an archive is an item that holds the time of the last entry. The transaction that writes an
//! entry also raises the mark to the entry's time, on condition that the mark is earlier. So entries appear in the
//! order of their times, and nothing is ever added before a time that a reader has read up to.

use greenroom_core::clock::Timestamp;
use serde::{Deserialize, de::DeserializeOwned};

use super::{Attributes, Key, Store, StoreError, n, record::padded, s, write::Write};

/// The sort key of an archive's high-water mark, before those of all entries.
const HIGH_WATER_MARK: &str = "#";
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
const PAGE: usize = 100;

/// The entries of an archive after one time, up to its high-water mark as it was seen.
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
struct HighWaterMark {
    last: Timestamp,
}

/// The key of an archive's high-water mark.
pub(super) fn high_water_mark_key(archive: &str) -> Key {
    Key { pk: archive.to_owned(), sk: HIGH_WATER_MARK.to_owned() }
}

/// The key of an archive's entry.
pub(super) fn entry_key(archive: &str, at: Timestamp) -> Key {
    Key { pk: archive.to_owned(), sk: padded(millis(at)) }
}

fn millis(at: Timestamp) -> u64 {
    at.millis().try_into().unwrap_or_default()
}

/// The time in a high-water mark.
pub(super) fn last_of(mark: Attributes) -> Result<Timestamp, StoreError> {
    let HighWaterMark { last } = serde_dynamo::from_item(mark)?;
    Ok(last)
}

/// The write that raises an archive's high-water mark to `to`, on condition that it is before `from`, the time of the
/// first entry that is added.
pub(super) fn raising_high_water_mark(archive: &str, from: Timestamp, to: Timestamp) -> Write {
    Write::update(high_water_mark_key(archive), "SET #last = :to, #type = :type")
        .when("attribute_not_exists(PK) OR #last < :from")
        .name("#last", "last")
        .name("#type", "Type")
        .value(":type", s("ArchiveHead"))
        .value(":from", n(from.millis()))
        .value(":to", n(to.millis()))
        .returning_on_failure()
}

impl Store {
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
            let query = self.query(archive).between(padded(0), padded(last)).backwards();
            let answer = query.limit(window.limit - items.len()).behind(start).send().await?;
            for item in answer.items {
                bytes += size(&item);
                if bytes > BYTES_MAX && !items.is_empty() {
                    break;
                }
                items.push(item);
            }
            start = answer.next;
            if start.is_none() || items.len() >= window.limit || bytes > BYTES_MAX {
                break;
            }
        }
        items.reverse();
        Ok(serde_dynamo::from_items(items)?)
    }

    /// The oldest entries of a part of an archive. One request.
    pub(super) async fn archived_after(&self, archive: &str, part: After) -> Result<Beginning, StoreError> {
        let query = self.query(archive).between(padded(millis(part.after.next())), padded(millis(part.last)));
        let answer = query.limit(PAGE).send().await?;
        Ok(Beginning { bytes: answer.items.iter().map(size).sum(), all: answer.next.is_none(), items: answer.items })
    }
}

/// The approximate size of an entry: the length of its texts.
fn size(item: &Attributes) -> usize {
    item.values().filter_map(|value| value.as_s().ok()).map(String::len).sum()
}
