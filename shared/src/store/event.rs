//! Events, and the sessions and login tokens that belong to them.
//!
//! An event is ended in one transaction, which closes its lists: from then on nobody sees it, nothing can be added to it
//! and no login token opens it. What lay in the lists is cleared away afterwards, piece by piece; the item `ENDED` says
//! that there is something left and how much of it lists still count.

mod reuse;

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{Put, TransactWriteItem, Update};
use serde::{Deserialize, Serialize};

use super::{
    Attributes, Item, Key, RACES, Store, StoreError, n, pause,
    record::{Conflict, Kind, Parent, Record, Stored, Unique, Write, head, kind_list, list_of, padded, parents_key},
    s,
};
use crate::{
    clock::Timestamp,
    id::ProviderSessionId,
    model::{Event, EventSession, LoginToken},
};

/// The partition of the events that are not yet cleared away.
const ENDED: &str = "ENDED";
/// How many records are cleared away at once: three places each, a floor's fourth, the heads of as many lists as there
/// are shards, and the event's own item are fewer than the 100 items that a transaction takes.
const PIECE: usize = 27;

/// How many former sessions are cleared away at once, two items each.
const FORMER_AT_ONCE: i32 = 50;

impl Record for Event {
    const KIND: Kind = Kind::Event;
    const CHILDREN: &'static [Kind] = &[Kind::Session, Kind::LoginToken];

    fn id(&self) -> u64 {
        self.id
    }

    fn parent(&self) -> Option<Parent> {
        Some(Parent::User(self.owner))
    }

    fn unique(&self) -> Vec<(Unique, String)> {
        vec![(Unique::EventName, self.name.clone())]
    }

    fn managers(&self) -> &[u64] {
        &self.managers
    }
}

impl Record for EventSession {
    const KIND: Kind = Kind::Session;
    const CHILDREN: &'static [Kind] = &[];

    fn id(&self) -> u64 {
        self.id
    }

    fn parent(&self) -> Option<Parent> {
        Some(Parent::Event(self.event))
    }

    fn unique(&self) -> Vec<(Unique, String)> {
        let floor = self.is_floor.then(|| (Unique::Floor, self.event.to_string()));
        let provider = (Unique::ProviderSession, self.session_id.to_string());
        floor.into_iter().chain([provider]).collect()
    }

    fn trace(&self, after: &Self) -> Result<Option<Attributes>, StoreError> {
        let Self { id, event, session_id, .. } = self;
        let former = Former { session: *id, session_id: session_id.clone() };
        let item =
            || Item { key: former_key(*event, *id, session_id), kind: "FormerSession", entity: &former }.attributes();
        (after.session_id != *session_id).then(item).transpose()
    }
}

impl Record for LoginToken {
    const KIND: Kind = Kind::LoginToken;
    const CHILDREN: &'static [Kind] = &[];

    fn id(&self) -> u64 {
        self.id
    }

    fn parent(&self) -> Option<Parent> {
        Some(Parent::Event(self.event))
    }

    fn unique(&self) -> Vec<(Unique, String)> {
        vec![(Unique::LoginToken, self.token.clone())]
    }
}

/// An event that is gone, and what is left of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ended {
    /// The event.
    pub id: u64,
    /// Whom it belonged to.
    pub owner: u64,
    /// How many of its sessions are left.
    pub sessions: u64,
    /// How many of its login tokens are left.
    pub login_tokens: u64,
}

#[derive(Deserialize)]
struct Head {
    count: u64,
}

/// What the media provider called a session before its mode changed; its archives are still there.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Former {
    session: u64,
    session_id: ProviderSessionId,
}

fn former_list(event: u64) -> String {
    format!("EVENT#{event}/FORMER")
}

fn former_key(event: u64, session: u64, id: &ProviderSessionId) -> Key {
    Key { pk: former_list(event), sk: format!("{}/{id}", padded(session)) }
}

fn ended_key(event: u64) -> Key {
    Key { pk: ENDED.to_owned(), sk: padded(event) }
}

impl Store {
    /// Ends an event; [`Conflict::Gone`] where it has ended before.
    pub async fn end_event(&self, mut event: Stored<Event>) -> Result<Result<(), Conflict>, StoreError> {
        for lost in 0..RACES {
            let writes = self.ending(&event).await?;
            if self.commit(writes).await?.is_ok() {
                return Ok(Ok(()));
            }
            // It was changed in between, or something was added to it.
            pause(lost).await;
            match self.record(event.record.id).await? {
                Some(present) => event = present,
                None => return Ok(Err(Conflict::Gone)),
            }
        }
        Err(StoreError::Contended)
    }

    async fn ending(&self, event: &Stored<Event>) -> Result<Vec<Write>, StoreError> {
        let Event { id, owner, .. } = event.record;
        let lists = [Kind::Session, Kind::LoginToken].map(|kind| list_of(Parent::Event(id), kind));
        let [sessions, tokens] = lists.clone().map(|list| self.item::<Head>(head(list)));
        let (sessions, tokens) = tokio::try_join!(sessions, tokens)?;
        let counts = [sessions, tokens].map(|head| head.map_or(0, |head| head.count));
        let ended = Ended { id, owner, sessions: counts[0], login_tokens: counts[1] };
        let item = Item { key: ended_key(id), kind: "EndedEvent", entity: &ended }.attributes()?;
        let put = Put::builder().table_name(&*self.table).set_item(Some(item)).build()?;
        let mut writes = self.removal(event)?;
        for (list, count) in lists.into_iter().zip(counts) {
            writes.push(self.closing(list, count)?);
        }
        writes.push(Write { item: TransactWriteItem::builder().put(put).build(), fails_as: Conflict::Changed });
        Ok(writes)
    }

    /// The events of which something is left.
    pub async fn ended_events(&self) -> Result<Vec<Ended>, StoreError> {
        Ok(serde_dynamo::from_items(self.items(ENDED, "").await?)?)
    }

    /// What is left of an event that has ended.
    pub async fn ended_event(&self, id: u64) -> Result<Option<Ended>, StoreError> {
        self.item(ended_key(id)).await
    }

    /// Clears away what is left of an event, until all of it is gone or the time is up; `true` where it is gone.
    /// Another call goes on where this one stopped.
    pub async fn clear_event(&self, id: u64, now: Timestamp, in_time: impl Fn() -> bool) -> Result<bool, StoreError> {
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
                // They are only ever deleted, so that somebody else did is as good.
                let _ = self.commit(deletes.collect::<Result<_, _>>()?).await?;
                continue;
            }
            // Where the time is up, the loop says so.
            if !self.clear_live_connections(id, now, &in_time).await? {
                continue;
            }
            let delete = self.client.delete_item().table_name(&*self.table);
            delete.set_key(Some(ended_key(id).attributes())).send().await?;
            return Ok(true);
        }
        Ok(false)
    }

    /// What the media provider called an event's sessions before, with the sessions' numbers; of one of them where that
    /// is said.
    pub async fn former_session_ids(
        &self,
        event: u64,
        session: Option<u64>,
    ) -> Result<Vec<(u64, ProviderSessionId)>, StoreError> {
        let prefix = session.map_or_else(String::new, |session| format!("{}/", padded(session)));
        let items = self.items(&former_list(event), &prefix).await?;
        let former: Vec<Former> = serde_dynamo::from_items(items)?;
        Ok(former.into_iter().map(|former| (former.session, former.session_id)).collect())
    }

    /// The keys of some of them, and those that their sessions are found by.
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
    async fn some_of<T: Record>(&self, parent: Parent) -> Result<Vec<Stored<T>>, StoreError> {
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

    /// Deletes these records of an event that has ended; where others are at it too, maybe not all of them.
    async fn clear_piece<T: Record>(&self, event: u64, records: &[Stored<T>]) -> Result<(), StoreError> {
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
