//! Heads: the counter items of a list. They say how many records it has, and whether it is open.
//!
//! A parent's list begins with one head. The transaction that puts a record into the list also raises the head's count.
//! If many add to one list at once, they meet at that head, and DynamoDB lets only one of them through. So a write that
//! meets another one spreads the list: from then on a record counts in one of [`SPREAD`] further heads, which its
//! number picks, and the first head stays as it is. The length of a list is the sum of its heads. One transaction that
//! removes all of them closes the list.
//!
//! A list stays spread until it is closed, and no list is opened twice, so a process may remember it.

use std::sync::{Arc, OnceLock};

use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem, Update, builders::UpdateBuilder};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};

use super::{Conflict, HEAD, Write, head, padded};
use crate::{Attributes, Item, Key, Store, StoreError, n, s, transaction::Attempted};

/// The number of further heads of a spread list. So many transactions can write to it at once, and closing the two
/// lists of an event, with all that belongs to it, still fits into a transaction.
const SPREAD: u64 = 16;
/// How many spread lists a process remembers.
const REMEMBERED: usize = 10_000;
/// The update that counts records in a head.
pub(super) const COUNT: &str = "SET #type = :head ADD #count :by";

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

/// One head of a list.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "SK")]
    sk: String,
    count: i64,
    #[serde(default)]
    spread: bool,
}

/// All heads of a list. None if the list is closed.
pub(crate) struct Heads {
    list: String,
    each: Vec<Head>,
}

impl Heads {
    /// The number of records in the list.
    pub(crate) fn count(&self) -> u64 {
        self.each.iter().map(|head| head.count).sum::<i64>().try_into().unwrap_or(0)
    }

    fn is_spread(&self) -> bool {
        self.each.iter().any(|head| head.spread)
    }
}

/// The further head that counts the record of this number in a spread list.
fn further_head(list: String, number: u64) -> Key {
    Key { pk: list, sk: format!("#{:02}", number % SPREAD) }
}

/// The count in a head's item.
pub(super) fn count_in(head: &Attributes) -> i64 {
    head.get("count").and_then(|count| count.as_n().ok()?.parse().ok()).unwrap_or(0)
}

/// Whether a head says that its list is spread.
pub(super) fn says_spread(head: &Attributes) -> bool {
    head.get("spread").is_some_and(|spread| spread.as_bool() == Ok(&true))
}

/// The keys of the further heads of a spread list.
pub(super) fn further_heads(list: &str) -> impl Iterator<Item = Key> {
    (0..SPREAD).map(|number| further_head(list.to_owned(), number))
}

impl Store {
    /// The heads of a list. One request.
    pub(crate) async fn heads(&self, list: String) -> Result<Heads, StoreError> {
        let query = self.client.query().table_name(&*self.table).consistent_read(true);
        let query = query.key_condition_expression("PK = :pk AND SK < :first");
        let query = query.expression_attribute_values(":pk", s(&list));
        let query = query.expression_attribute_values(":first", s(padded(0)));
        let each = serde_dynamo::from_items(query.send().await?.items.unwrap_or_default())?;
        Ok(Heads { list, each })
    }

    /// The writes that remove the heads of a list, on condition that they are as they were seen. Nothing can be added
    /// afterwards. The list must name no managed event.
    pub(crate) fn closing(&self, heads: &Heads) -> Result<Vec<Write>, StoreError> {
        let seen = |key: &Key| heads.each.iter().find(|head| head.sk == key.sk).map_or(0, |head| head.count);
        let delete = |key: Key, condition: &str| {
            let count = seen(&key);
            let delete = Delete::builder()
                .table_name(&*self.table)
                .set_key(Some(key.attributes()))
                .condition_expression(condition)
                .expression_attribute_names("#count", "count")
                .expression_attribute_values(":count", n(count));
            Ok::<_, StoreError>((delete, Conflict::Changed))
        };
        let first = if heads.is_spread() { "attribute_exists(spread)" } else { "attribute_not_exists(spread)" };
        let first = format!("#count = :count AND attribute_not_exists(#managed) AND {first}");
        let (delete_first, fails_as) = delete(head(heads.list.clone()), &first)?;
        let delete_first = delete_first.expression_attribute_names("#managed", "managed").build()?;
        let mut writes = vec![Write { item: TransactWriteItem::builder().delete(delete_first).build(), fails_as }];
        if heads.is_spread() {
            for key in further_heads(&heads.list) {
                let (delete, fails_as) = delete(key, "#count = :count")?;
                writes.push(Write { item: TransactWriteItem::builder().delete(delete.build()?).build(), fails_as });
            }
        }
        Ok(writes)
    }

    /// The writes that seal the heads of a list. A sealed list takes nothing new, but its records can leave. `by` is
    /// the change of its count. With `as_seen`, their condition is that the heads count what was seen.
    pub(crate) fn sealing(&self, heads: &Heads, by: i64, as_seen: bool) -> Result<Vec<Write>, StoreError> {
        let seal = |key: Key, by: i64, spread: &str| {
            let seen = heads.each.iter().find(|head| head.sk == key.sk).map_or(0, |head| head.count);
            let condition = format!("attribute_exists(PK) AND attribute_not_exists(sealed){spread}");
            let update = counting(self.updating(key), by)
                .update_expression("SET #type = :head, sealed = :true ADD #count :by")
                .expression_attribute_values(":true", AttributeValue::Bool(true));
            let update = if as_seen {
                let update = update.condition_expression(format!("{condition} AND #count = :seen"));
                update.expression_attribute_values(":seen", n(seen))
            } else {
                update.condition_expression(condition)
            };
            let item = TransactWriteItem::builder().update(update.build()?).build();
            Ok::<_, StoreError>(Write { item, fails_as: Conflict::Changed })
        };
        let is_spread = heads.is_spread();
        let spread = if is_spread { " AND attribute_exists(spread)" } else { " AND attribute_not_exists(spread)" };
        let mut writes = vec![seal(head(heads.list.clone()), by, spread)?];
        for key in further_heads(&heads.list).filter(|_| is_spread) {
            writes.push(seal(key, 0, "")?);
        }
        Ok(writes)
    }

    /// The write that opens a list.
    pub(super) fn opening(&self, list: String) -> Result<Write, StoreError> {
        let item = empty_head(head(list))?;
        let put = Put::builder().table_name(&*self.table).set_item(Some(item)).build()?;
        Ok(Write { item: TransactWriteItem::builder().put(put).build(), fails_as: Conflict::Changed })
    }

    /// Changes the count in the first head of a list by this much.
    pub(super) fn count_in_first(&self, list: String, by: i64) -> UpdateBuilder {
        counting(self.updating(head(list)), by)
    }

    /// Changes the count in the list of a kind by this much.
    pub(crate) fn count(&self, list: String, by: i64) -> Result<Write, StoreError> {
        let update = self.count_in_first(list, by).build()?;
        Ok(Write { item: TransactWriteItem::builder().update(update).build(), fails_as: Conflict::Changed })
    }

    /// Changes the count in a parent's open list by this much. The number is that of the record.
    pub(super) fn count_in_open(&self, list: String, number: u64, by: i64) -> UpdateBuilder {
        // A record can leave a sealed list.
        let sealed = if by > 0 { " AND attribute_not_exists(sealed)" } else { "" };
        if self.spread.knows(&list) {
            let open = format!("attribute_exists(PK){sealed}");
            counting(self.updating(further_head(list, number)), by).condition_expression(open)
        } else {
            let open = format!("attribute_exists(PK) AND attribute_not_exists(spread){sealed}");
            counting(self.updating(head(list)), by).condition_expression(open)
        }
    }

    /// Whether a list counts in its first head alone, as far as this process knows.
    pub(super) fn counts_in_one(&self, list: &str) -> bool {
        !self.spread.knows(list)
    }

    /// Reads whether a list has been spread since this process last looked. If it has, a change that failed at the
    /// first head may succeed now.
    pub(super) async fn learns_of(&self, list: &str) -> Result<bool, StoreError> {
        if self.attributes(head(list.to_owned())).await?.as_ref().is_some_and(says_spread) {
            self.spread.note(list);
            return Ok(true);
        }
        Ok(false)
    }

    /// Spreads a list, unless it is spread or closed already.
    pub(super) async fn spread(&self, list: &str) -> Result<(), StoreError> {
        let open = "attribute_exists(PK) AND attribute_not_exists(spread)";
        let update = self.updating(head(list.to_owned())).update_expression("SET spread = :true");
        let update = update.condition_expression(open);
        let update = update.expression_attribute_values(":true", AttributeValue::Bool(true));
        let mut writes = vec![TransactWriteItem::builder().update(update.build()?).build()];
        for key in further_heads(list) {
            let put = Put::builder().table_name(&*self.table).set_item(Some(empty_head(key)?)).build()?;
            writes.push(TransactWriteItem::builder().put(put).build());
        }
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

    pub(super) fn updating(&self, key: Key) -> UpdateBuilder {
        Update::builder().table_name(&*self.table).set_key(Some(key.attributes()))
    }
}

/// The parent's list in whose first head this write of a transaction counts.
pub(super) fn list_counted_in_one(item: &TransactWriteItem) -> Option<String> {
    let update = item.update()?;
    let key = |name: &str| update.key().get(name)?.as_s().ok();
    let list = key("PK").filter(|_| key("SK").is_some_and(|sk| sk == HEAD))?;
    let counts = update.expression_attribute_values()?.get(":by")?.as_n().is_ok_and(|by| by != "0");
    // The partitions of whole kinds have no owner and no slash.
    (counts && list.contains('/')).then(|| list.clone())
}

fn counting(update: UpdateBuilder, by: i64) -> UpdateBuilder {
    update
        .update_expression(COUNT)
        .expression_attribute_names("#type", "Type")
        .expression_attribute_names("#count", "count")
        .expression_attribute_values(":head", s("Head"))
        .expression_attribute_values(":by", n(by))
}

fn empty_head(key: Key) -> Result<Attributes, StoreError> {
    #[derive(Serialize)]
    struct Empty {
        count: u64,
    }
    Item { key, kind: "Head", entity: &Empty { count: 0 } }.attributes()
}
