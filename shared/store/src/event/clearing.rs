//! Deleting the records that an ended event leaves.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use greenroom_core::{
    clock::Timestamp,
    model::{EventSession, LoginToken},
};

use super::{Former, ended_key, former_key, former_list};
use crate::{
    Key, Store, StoreError, Worked,
    attempts::pause,
    n,
    record::{Conflict, Kind, Parent, Record, Stored, Unique, Write, kind_list, list_of, padded, parents_key},
    s,
};

/// The number of records that one transaction deletes. Each lies in three places, and a floor in a fourth. With the
/// heads of as many lists as there are shards and the event's own item, they are fewer than the 100 items that a
/// transaction takes.
const PIECE: usize = 27;

/// The number of former sessions that one transaction deletes, two items each.
const FORMER_AT_ONCE: i32 = 50;

impl Store {
    /// Deletes the records that an event left when it ended at `at`. Stops when all are gone or the time is up.
    pub(crate) async fn clear_event(
        &self,
        id: u64,
        at: Timestamp,
        in_time: impl Fn() -> bool,
    ) -> Result<Worked, StoreError> {
        let mut messages = Vec::new();
        while in_time() {
            let tokens: Vec<Stored<LoginToken>> = self.some_of(Parent::Event(id)).await?;
            if !tokens.is_empty() {
                self.clear_piece(id, &tokens).await?;
                continue;
            }
            let sessions: Vec<Stored<EventSession>> = self.some_of(Parent::Event(id)).await?;
            if !sessions.is_empty() {
                self.clear_piece(id, &sessions).await?;
                continue;
            }
            let former = self.former_keys(id).await?;
            if !former.is_empty() {
                let deletes = former.into_iter().map(|key| self.delete(key, None, Conflict::Changed));
                // These items are only ever deleted, so another worker that deleted them first is no failure.
                let _ = self.commit(deletes.collect::<Result<_, _>>()?).await?;
                continue;
            }
            // If the time is up, the condition of the loop says so.
            let cleared = self.clear_live_connections(id, at, &in_time).await?;
            messages.extend(cleared.messages);
            if !cleared.done {
                continue;
            }
            let delete = self.client.delete_item().table_name(&*self.table);
            delete.set_key(Some(ended_key(id).attributes())).send().await?;
            return Ok(Worked { done: true, messages });
        }
        Ok(Worked { done: false, messages })
    }

    /// The keys of some former sessions, and the keys under which their provider's ids are found.
    async fn former_keys(&self, event: u64) -> Result<Vec<Key>, StoreError> {
        let query = self.client.query().table_name(&*self.table).consistent_read(true);
        let query =
            query.key_condition_expression("PK = :pk").expression_attribute_values(":pk", s(former_list(event)));
        let items = query.limit(FORMER_AT_ONCE).send().await?.items.unwrap_or_default();
        let former: Vec<Former> = serde_dynamo::from_items(items)?;
        let keys = former.into_iter().map(|former| {
            let found_by = Unique::ProviderSession.key(former.session_id.as_str());
            [former_key(event, former.session, &former.session_id), found_by]
        });
        Ok(keys.flatten().collect())
    }

    /// Some records of a parent's list.
    pub(crate) async fn some_of<T: Record>(&self, parent: Parent) -> Result<Vec<Stored<T>>, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&*self.table)
            .consistent_read(true)
            .key_condition_expression("PK = :pk AND SK >= :first")
            .expression_attribute_values(":pk", s(list_of(parent, T::KIND)))
            .expression_attribute_values(":first", s(padded(0)))
            .limit(i32::try_from(PIECE).unwrap_or(i32::MAX));
        Ok(serde_dynamo::from_items(query.send().await?.items.unwrap_or_default())?)
    }

    /// Deletes these records of an ended event. If other workers delete them too, some may be left.
    pub(super) async fn clear_piece<T: Record>(&self, event: u64, records: &[Stored<T>]) -> Result<(), StoreError> {
        let mut writes = Vec::new();
        let mut fewer: BTreeMap<String, i64> = BTreeMap::new();
        for stored in records {
            let record = &stored.record;
            writes.extend(self.removal_of_places(stored)?);
            writes.push(self.delete(parents_key::<T>(Parent::Event(event), record.id()), None, Conflict::Changed)?);
            *fewer.entry(kind_list(T::KIND, record.id())).or_default() -= 1;
        }
        for (list, by) in fewer {
            writes.push(self.count(list, by)?);
        }
        let left = match T::KIND {
            Kind::Session => "sessions",
            Kind::User | Kind::Event | Kind::LoginToken => "loginTokens",
        };
        let update = Update::builder()
            .table_name(&*self.table)
            .set_key(Some(ended_key(event).attributes()))
            .update_expression("ADD #left :by")
            .condition_expression("attribute_exists(PK)")
            .expression_attribute_names("#left", left)
            .expression_attribute_values(":by", n(-i64::try_from(records.len()).unwrap_or(0)));
        let item = TransactWriteItem::builder().update(update.build()?).build();
        writes.push(Write { item, fails_as: Conflict::Gone });
        if self.commit(writes).await?.is_err() {
            pause(0).await;
        }
        Ok(())
    }
}
