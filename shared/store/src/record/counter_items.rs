//! The counter items of a list. They say how many records it has, and whether it is open.
//!
//! A parent's list begins with one counter item. The transaction that puts a record into the list also raises its
//! count. If many add to one list at once, they meet at that item, and DynamoDB lets only one of them through. So a
//! write that meets another one spreads the list: from then on a record counts in one of [`SPREAD`] further counter
//! items, which its number picks, and the first one stays as it is. The length of a list is the sum of all of them. One
//! transaction that removes all of them closes the list.
//!
//! A list stays spread until it is closed, and no list is opened twice, so a process may remember it.

use std::{
    iter,
    sync::{Arc, OnceLock},
};

use aws_sdk_dynamodb::types::AttributeValue;
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};

use super::{Conflict, FIRST_COUNTER, RecordWrite, first_counter, padded};
use crate::{Attributes, Item, Key, Store, StoreError, n, s, transaction::Attempted, write::Write};

/// The number of further counter items of a spread list. So many transactions can write to it at once, and closing the
/// two lists of an event, with all that belongs to it, still fits into a transaction.
const SPREAD: u64 = 16;
/// How many spread lists a process remembers.
const REMEMBERED: usize = 10_000;
/// The update that counts records in a counter item.
pub(super) const COUNT: &str = "SET #type = :type ADD #count :by";

/// The lists that a process knows to be spread.
#[derive(Clone, Debug, Default)]
pub(crate) struct SpreadLists(Arc<OnceLock<Cache<String, ()>>>);

impl SpreadLists {
    fn knows(&self, list: &str) -> bool {
        self.0.get().is_some_and(|lists| lists.get(list).is_some())
    }

    fn note(&self, list: &str) {
        self.0.get_or_init(|| Cache::new(REMEMBERED)).insert(list.to_owned(), ());
    }
}

/// One counter item of a list.
#[derive(Deserialize)]
struct CounterItem {
    #[serde(rename = "SK")]
    sk: String,
    count: i64,
    #[serde(default)]
    spread: bool,
}

/// All counter items of a list. None if the list is closed.
pub(crate) struct CounterItems {
    list: String,
    each: Vec<CounterItem>,
}

impl CounterItems {
    /// The number of records in the list.
    pub(crate) fn count(&self) -> u64 {
        self.each.iter().map(|counter| counter.count).sum::<i64>().try_into().unwrap_or(0)
    }

    fn is_spread(&self) -> bool {
        self.each.iter().any(|counter| counter.spread)
    }

    /// The count that was seen in one of them.
    fn seen(&self, key: &Key) -> AttributeValue {
        n(self.each.iter().find(|counter| counter.sk == key.sk).map_or(0, |counter| counter.count))
    }

    /// The keys of the further counter items, if the list is spread.
    fn further(&self) -> impl Iterator<Item = Key> {
        further_counters(&self.list).filter(|_| self.is_spread())
    }

    /// The writes that remove all of them, on condition that they are as they were seen. Nothing can be added
    /// afterwards. The list must name no managed event.
    pub(crate) fn closing(&self) -> impl Iterator<Item = RecordWrite> {
        let delete = |key: Key, condition: &str| {
            let seen = self.seen(&key);
            Write::delete(key).when(condition).name("#count", "count").value(":count", seen)
        };
        let spread = if self.is_spread() { "attribute_exists(spread)" } else { "attribute_not_exists(spread)" };
        let first = format!("#count = :count AND attribute_not_exists(#managed) AND {spread}");
        let first = delete(first_counter(self.list.clone()), &first).name("#managed", "managed");
        let further = self.further().map(move |key| delete(key, "#count = :count"));
        iter::once(first).chain(further).map(|write| write.fails_as(Conflict::Changed))
    }

    /// The writes that seal all of them. A sealed list takes nothing new, but its records can leave. `by` is the change
    /// of its count. With `as_seen`, their condition is that they count what was seen.
    pub(crate) fn sealing(&self, by: i64, as_seen: bool) -> impl Iterator<Item = RecordWrite> {
        let seal = move |key: Key, by: i64, spread: &str| {
            let seen = self.seen(&key);
            let condition = format!("attribute_exists(PK) AND attribute_not_exists(sealed){spread}");
            let seal = counting(key, by, "SET #type = :type, sealed = :true ADD #count :by");
            let seal = seal.value(":true", AttributeValue::Bool(true));
            let seal = if as_seen {
                seal.when(format!("{condition} AND #count = :seen")).value(":seen", seen)
            } else {
                seal.when(condition)
            };
            seal.fails_as(Conflict::Changed)
        };
        let spread =
            if self.is_spread() { " AND attribute_exists(spread)" } else { " AND attribute_not_exists(spread)" };
        let first = seal(first_counter(self.list.clone()), by, spread);
        iter::once(first).chain(self.further().map(move |key| seal(key, 0, "")))
    }
}

/// The further counter item that counts the record of this number in a spread list.
fn further_counter(list: String, number: u64) -> Key {
    Key { pk: list, sk: format!("#{:02}", number % SPREAD) }
}

/// The count in a counter item.
pub(super) fn count_in(counter: &Attributes) -> i64 {
    counter.get("count").and_then(|count| count.as_n().ok()?.parse().ok()).unwrap_or(0)
}

/// Whether a counter item says that its list is spread.
pub(super) fn says_spread(counter: &Attributes) -> bool {
    counter.get("spread").is_some_and(|spread| spread.as_bool() == Ok(&true))
}

/// The keys of the further counter items of a spread list.
pub(super) fn further_counters(list: &str) -> impl Iterator<Item = Key> {
    (0..SPREAD).map(|number| further_counter(list.to_owned(), number))
}

impl Store {
    /// The counter items of a list. One request.
    pub(crate) async fn counter_items(&self, list: String) -> Result<CounterItems, StoreError> {
        let items = self.query(&list).before(padded(0)).send().await?.items;
        Ok(CounterItems { list, each: serde_dynamo::from_items(items)? })
    }

    /// Changes the count in a parent's open list by this much. The number is that of the record.
    pub(super) fn count_in_open(&self, list: String, number: u64, by: i64) -> Write {
        // A record can leave a sealed list.
        let sealed = if by > 0 { " AND attribute_not_exists(sealed)" } else { "" };
        if self.spread.knows(&list) {
            counting(further_counter(list, number), by, COUNT).when(format!("attribute_exists(PK){sealed}"))
        } else {
            let open = format!("attribute_exists(PK) AND attribute_not_exists(spread){sealed}");
            counting(first_counter(list), by, COUNT).when(open)
        }
    }

    /// Whether a list counts in its first counter item alone, as far as this process knows.
    pub(super) fn counts_in_one(&self, list: &str) -> bool {
        !self.spread.knows(list)
    }

    /// Reads whether a list has been spread since this process last looked. If it has, a change that failed at the
    /// first counter item may succeed now.
    pub(super) async fn learns_of(&self, list: &str) -> Result<bool, StoreError> {
        if self.attributes(first_counter(list.to_owned())).await?.as_ref().is_some_and(says_spread) {
            self.spread.note(list);
            return Ok(true);
        }
        Ok(false)
    }

    /// Spreads a list, unless it is spread or closed already.
    pub(super) async fn spread(&self, list: &str) -> Result<(), StoreError> {
        let first = Write::update(first_counter(list.to_owned()), "SET spread = :true")
            .when("attribute_exists(PK) AND attribute_not_exists(spread)")
            .value(":true", AttributeValue::Bool(true));
        let further = further_counters(list).map(empty_counter);
        let writes = iter::once(Ok(first)).chain(further).collect::<Result<Vec<_>, _>>()?;
        let mut backoff = self.backoff();
        // Another task of this process may spread it first.
        while !self.spread.knows(list) {
            match self.attempt_transaction(&writes).await? {
                Attempted::Yes => self.spread.note(list),
                Attempted::No(_) => {
                    self.learns_of(list).await?;
                    break;
                }
                Attempted::Met(_) => backoff.wait().await?,
            }
        }
        Ok(())
    }
}

/// The write that opens a list.
pub(super) fn opening(list: String) -> Result<RecordWrite, StoreError> {
    Ok(empty_counter(first_counter(list))?.fails_as(Conflict::Changed))
}

/// Changes the count in the list of a kind by this much.
pub(crate) fn count(list: String, by: i64) -> RecordWrite {
    counting(first_counter(list), by, COUNT).fails_as(Conflict::Changed)
}

/// The parent's list in whose first counter item this write of a transaction counts.
pub(super) fn list_counted_in_one(write: &Write) -> Option<&str> {
    let key = write.updated().filter(|key| key.sk == FIRST_COUNTER)?;
    let counts = write.value_of(":by")?.as_n().is_ok_and(|by| by != "0");
    // The partitions of whole kinds have no owner and no slash.
    (counts && key.pk.contains('/')).then_some(&*key.pk)
}

/// The write that changes a count by this update, which is [`COUNT`] and what else it changes.
pub(super) fn counting(key: Key, by: i64, update: impl Into<String>) -> Write {
    Write::update(key, update)
        .name("#type", "Type")
        .name("#count", "count")
        .value(":type", s("Head"))
        .value(":by", n(by))
}

fn empty_counter(key: Key) -> Result<Write, StoreError> {
    #[derive(Serialize)]
    struct Empty {
        count: u64,
    }
    Item { key, kind: "Head", entity: &Empty { count: 0 } }.put()
}
