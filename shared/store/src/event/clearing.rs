//! Deleting the records that an ended event leaves.

use std::collections::BTreeMap;

use greenroom_core::{
    clock::Timestamp,
    model::{EventSession, LoginToken},
};

use super::{Former, ended_key, former_key, former_list};
use crate::{
    JobKey, Key, Store, StoreError, Worked,
    attempts::pause,
    n,
    record::{
        Conflict, Kind, Parent, Record, Stored, Unique, count, deleting, kind_list, list_of, padded, parents_key,
        removal_of_places,
    },
    write::Write,
};

/// The number of records that one transaction deletes. Each lies in three places, and a floor in a fourth. With the
/// counter items of as many lists as there are shards and the event's own item, they are fewer than the 100 items that
/// a transaction takes.
const PIECE: usize = 27;

/// The number of former sessions that one transaction deletes, two items each.
const FORMER_AT_ONCE: usize = 50;

impl Store {
    /// Deletes the records that an event left when it ended at `at`. Stops when all are gone or the time is up.
    pub(crate) async fn clear_event(
        &self,
        id: u64,
        at: Timestamp,
        in_time: impl Fn() -> bool,
    ) -> Result<Worked, StoreError> {
        // Login tokens may be many, and nobody may stay in a room for as long as they take.
        let mut messages = self.close_rooms_of_event(id, at).await?;
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
            let former = self.some_former(id).await?;
            if !former.is_empty() {
                // These items are only ever deleted, so another worker that deleted them first is no failure.
                let _ = self.commit(former_keys(id, former).map(deleting).collect()).await?;
                continue;
            }
            // If the time is up, the condition of the loop says so.
            let cleared = self.clear_live_connections(id, at, &in_time).await?;
            messages.extend(cleared.messages);
            if !cleared.done {
                continue;
            }
            let _ = self.write(Write::delete(ended_key(id))).await?;
            return Ok(Worked { done: true, messages });
        }
        Ok(Worked { done: false, messages })
    }

    /// Closes the rooms of an event's sessions, and those of their former sessions. Those that were closed in an earlier
    /// turn stay as they are.
    async fn close_rooms_of_event(&self, event: u64, at: Timestamp) -> Result<Vec<JobKey>, StoreError> {
        let sessions = self.records_of::<EventSession>(Parent::Event(event));
        let (sessions, former) = tokio::try_join!(sessions, self.former_session_ids(event, None))?;
        let present = sessions.iter().map(|session| &session.session_id);
        self.close_rooms(present.chain(former.iter().map(|(_, former)| former)), at).await
    }

    /// Some former sessions of an event.
    async fn some_former(&self, event: u64) -> Result<Vec<Former>, StoreError> {
        let items = self.query(former_list(event)).limit(FORMER_AT_ONCE).send().await?.items;
        Ok(serde_dynamo::from_items(items)?)
    }

    /// Some records of a parent's list.
    pub(crate) async fn some_of<T: Record>(&self, parent: Parent) -> Result<Vec<Stored<T>>, StoreError> {
        let query = self.query(list_of(parent, T::KIND)).from(padded(0)).limit(PIECE);
        Ok(serde_dynamo::from_items(query.send().await?.items)?)
    }

    /// Deletes these records of an ended event. If other workers delete them too, some may be left.
    pub(super) async fn clear_piece<T: Record>(&self, event: u64, records: &[Stored<T>]) -> Result<(), StoreError> {
        let mut writes = Vec::new();
        let mut fewer: BTreeMap<String, i64> = BTreeMap::new();
        for stored in records {
            let record = &stored.record;
            writes.extend(removal_of_places(stored));
            writes.push(deleting(parents_key::<T>(Parent::Event(event), record.id())));
            *fewer.entry(kind_list(T::KIND, record.id())).or_default() -= 1;
        }
        writes.extend(fewer.into_iter().map(|(list, by)| count(list, by)));
        let left = match T::KIND {
            Kind::Session => "sessions",
            Kind::User | Kind::Event | Kind::LoginToken => "loginTokens",
        };
        let fewer = Write::update(ended_key(event), "ADD #left :by")
            .when_there()
            .name("#left", left)
            .value(":by", n(-i64::try_from(records.len()).unwrap_or(0)));
        writes.push(fewer.fails_as(Conflict::Gone));
        if self.commit(writes).await?.is_err() {
            pause(0).await;
        }
        Ok(())
    }
}

/// The keys of former sessions, and the keys under which their provider's ids are found.
fn former_keys(event: u64, former: Vec<Former>) -> impl Iterator<Item = Key> {
    former.into_iter().flat_map(move |former| {
        let found_by = Unique::ProviderSession.key(former.session_id.as_str());
        [former_key(event, former.session, &former.session_id), found_by]
    })
}
