//! Events, and the sessions and login tokens that belong to them.
//!
//! One transaction ends an event and closes its lists. From then on nobody sees the event, nothing can be added to it,
//! and no login token opens it. The same transaction puts a job, which deletes the records in those lists piece by
//! piece. Until it is done, the item `ENDED` says how many of them other lists still count.

mod clearing;
mod reuse;

use greenroom_core::{
    clock::Timestamp,
    id::ProviderSessionId,
    model::{Event, EventSession, LoginToken, job::Work, live::EndedBy},
};
use serde::{Deserialize, Serialize};

use super::{
    Attributes, Begun, Item, Key, Store, StoreError,
    attempts::Attempts,
    job::begun_put,
    record::{Conflict, Kind, Parent, Record, RecordWrite, Stored, Unique, list_of, padded},
};

/// The partition of the ended events whose records are not all deleted yet.
const ENDED: &str = "ENDED";

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

/// An event that has ended, and the number of its records that are left.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ended {
    /// The event.
    pub id: u64,
    /// The user who owned it.
    pub owner: u64,
    /// How many of its sessions are left.
    pub sessions: u64,
    /// How many of its login tokens are left.
    pub login_tokens: u64,
}

/// The provider's id of a session before its mode changed. Its archives are still listed under it.
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
    /// Ends an event. Returns the work that deletes what belonged to it, or [`Conflict::Gone`] if it had ended before.
    pub async fn end_event(
        &self,
        mut event: Stored<Event>,
        now: Timestamp,
    ) -> Result<Result<Begun, Conflict>, StoreError> {
        let mut attempts = Attempts::default();
        loop {
            let mut writes = self.ending(&event).await?;
            let (begun, put) = begun_put(Work::ClearEvent { event: event.record.id }, now)?;
            writes.push(put.fails_as(Conflict::Changed));
            if self.commit(writes).await?.is_ok() {
                return Ok(Ok(begun));
            }
            // The event was changed, or something was added to it, between the read and the write.
            attempts.lost().await?;
            match self.record(event.record.id).await? {
                Some(present) => event = present,
                None => return Ok(Err(Conflict::Gone)),
            }
        }
    }

    /// Deletes a session. Returns the work that ends its live connections, or [`Conflict::Gone`] if another request
    /// deleted it first.
    ///
    /// One request, a transaction.
    pub async fn remove_event_session(
        &self,
        session: Stored<EventSession>,
        by: EndedBy,
        now: Timestamp,
    ) -> Result<Result<Begun, Conflict>, StoreError> {
        let EventSession { id, event, session_id, .. } = session.record.clone();
        let clearing = Work::ClearSession { event, session: id, by, provider_session: Some(session_id) };
        let (begun, put) = begun_put(clearing, now)?;
        Ok(self.remove_record_with(session, Some(put.fails_as(Conflict::Changed))).await?.map(|()| begun))
    }

    async fn ending(&self, event: &Stored<Event>) -> Result<Vec<RecordWrite>, StoreError> {
        let Event { id, owner, .. } = event.record;
        let [sessions, tokens] =
            [Kind::Session, Kind::LoginToken].map(|kind| self.counter_items(list_of(Parent::Event(id), kind)));
        let (sessions, tokens) = tokio::try_join!(sessions, tokens)?;
        let ended = Ended { id, owner, sessions: sessions.count(), login_tokens: tokens.count() };
        let put = Item { key: ended_key(id), kind: "EndedEvent", entity: &ended }.put()?;
        let mut writes = self.removal(event);
        writes.extend(sessions.closing().chain(tokens.closing()));
        writes.push(put.fails_as(Conflict::Changed));
        Ok(writes)
    }

    /// The ended events that still have records.
    pub async fn ended_events(&self) -> Result<Vec<Ended>, StoreError> {
        Ok(serde_dynamo::from_items(self.query(ENDED).all().await?)?)
    }

    /// An ended event, if it still has records.
    pub async fn ended_event(&self, id: u64) -> Result<Option<Ended>, StoreError> {
        self.item(ended_key(id)).await
    }

    /// The former provider's ids of an event's sessions, each with the number of its session. Only those of one session
    /// if `session` names it.
    pub async fn former_session_ids(
        &self,
        event: u64,
        session: Option<u64>,
    ) -> Result<Vec<(u64, ProviderSessionId)>, StoreError> {
        let prefix = session.map_or_else(String::new, |session| format!("{}/", padded(session)));
        let items = self.query(former_list(event)).prefix(prefix).all().await?;
        let former: Vec<Former> = serde_dynamo::from_items(items)?;
        Ok(former.into_iter().map(|former| (former.session, former.session_id)).collect())
    }
}
