//! The outbox: errands to media servers. One is put by the transaction that makes it necessary and deleted once it has
//! been run, so that a fault in between loses none.
//!
//! `nextAttemptAt` says when an errand is anybody's to take. Whoever takes it sets it off by the lease, with a condition,
//! so that two do not run it at once; whoever dies over it leaves it to the next when the lease is over.

use aws_sdk_dynamodb::types::{Put, ReturnValue, TransactWriteItem};
use serde::{Deserialize, Serialize};

use super::{Attributes, Item, Key, Store, StoreError, client::item_in_the_way, n, shard};
use crate::{
    clock::Timestamp,
    id::ErrandId,
    model::outbox::{Errand, LEASE, wait_after},
};

const OUTBOX: &str = "OUTBOX";

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    id: ErrandId,
    errand: Errand,
    attempts: u32,
    created_at: Timestamp,
    next_attempt_at: Timestamp,
}

/// Of an errand what says whether it is due, also where a later version has errands of other kinds.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Due {
    id: ErrandId,
    next_attempt_at: Timestamp,
}

/// An errand that is ours to run until its lease is over.
#[derive(Clone, Debug)]
pub struct ClaimedErrand {
    /// What it is known by.
    pub id: ErrandId,
    /// What is to be told.
    pub errand: Errand,
    /// How often it was taken, this time included.
    pub attempts: u32,
    /// When it became necessary.
    pub created_at: Timestamp,
}

fn key(id: &ErrandId) -> Key {
    Key { pk: format!("{OUTBOX}#{}", shard(id.as_str())), sk: id.to_string() }
}

/// A new errand, due at once.
pub(super) fn errand_item(errand: &Errand, now: Timestamp) -> Result<(ErrandId, Attributes), StoreError> {
    let id = ErrandId::random();
    let entry = Entry { id: id.clone(), errand: errand.clone(), attempts: 0, created_at: now, next_attempt_at: now };
    Ok((id, Item { key: key(&entry.id), kind: "Errand", entity: &entry }.attributes()?))
}

impl Store {
    /// A new errand, due at once: a write for the transaction that makes it necessary.
    pub fn errand_put(&self, errand: &Errand, now: Timestamp) -> Result<(ErrandId, TransactWriteItem), StoreError> {
        let (id, item) = errand_item(errand, now)?;
        let put = Put::builder().table_name(&*self.table).set_item(Some(item)).build()?;
        Ok((id, TransactWriteItem::builder().put(put).build()))
    }

    /// The errands that anybody may take now, those that wait longest first.
    ///
    /// A request for each shard.
    pub async fn due_errands(&self, now: Timestamp) -> Result<Vec<ErrandId>, StoreError> {
        let mut all: Vec<Due> = serde_dynamo::from_items(self.items_of_kind(OUTBOX).await?)?;
        all.retain(|due| due.next_attempt_at <= now);
        all.sort_by_key(|due| due.next_attempt_at);
        Ok(all.into_iter().map(|due| due.id).collect())
    }

    /// Takes an errand that is due; `None` where another has it, or has run it.
    pub async fn claim_errand(&self, id: &ErrandId, now: Timestamp) -> Result<Option<ClaimedErrand>, StoreError> {
        let update = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(key(id).attributes()))
            .update_expression("SET nextAttemptAt = :leased ADD attempts :one")
            .condition_expression("nextAttemptAt <= :now")
            .expression_attribute_values(":leased", n((now + LEASE).millis()))
            .expression_attribute_values(":now", n(now.millis()))
            .expression_attribute_values(":one", n(1))
            .return_values(ReturnValue::AllNew);
        let output = match update.send().await {
            Ok(output) => output,
            Err(error) => return item_in_the_way(error).map(|_| None),
        };
        let entry: Option<Entry> = output.attributes.map(serde_dynamo::from_item).transpose()?;
        Ok(entry.map(|Entry { id, errand, attempts, created_at, .. }| ClaimedErrand {
            id,
            errand,
            attempts,
            created_at,
        }))
    }

    /// Removes an errand that has been run, or is given up.
    pub async fn remove_errand(&self, id: &ErrandId) -> Result<(), StoreError> {
        self.client.delete_item().table_name(&*self.table).set_key(Some(key(id).attributes())).send().await?;
        Ok(())
    }

    /// Leaves an errand that failed to whoever is first when the wait is over, which is the longer the more attempts
    /// there were. One that another has taken since stays theirs.
    pub async fn put_off_errand(&self, claimed: &ClaimedErrand, now: Timestamp) -> Result<(), StoreError> {
        let update = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(key(&claimed.id).attributes()))
            .update_expression("SET nextAttemptAt = :next")
            .condition_expression("attempts = :attempts")
            .expression_attribute_values(":next", n((now + wait_after(claimed.attempts)).millis()))
            .expression_attribute_values(":attempts", n(claimed.attempts));
        update.send().await.map(drop).or_else(|error| item_in_the_way(error).map(drop))
    }
}
