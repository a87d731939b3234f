//! Closing media sessions, and deleting their connections.

use greenroom_core::{
    clock::{Timestamp, seconds},
    id::{ConnectionId, ConnectionName, MediaSessionId, ProviderSessionId, random_hex},
    model::{
        MediaSession,
        connection::{Role, ServerData},
        job::Work,
        live::{EndReason, EndedBy, LiveConnection, Presence, Source, Stream},
    },
};
use serde::Deserialize;

use super::{connection_key, is_session, key, partition, unchanged};
use crate::{
    Attributes, Begun, JobKey, Store, StoreError, Worked,
    attempts::Attempts,
    error::failed_first,
    job::begun_put,
    live::{ledger_change, ledger_put},
    n, s,
    transaction::Committed,
    write::Write,
};

/// The number of connections that one transaction deletes. With the longest metadata, which their ledger entries take
/// over, and the longest options, 33 would exceed the 4 MB of a transaction.
const PAGE: usize = 30;

/// The attributes of a session and of its connections that its clearing needs.
const LEFT: &str = "#type, connectionId, #role, serverData, createdAt, expiresAt, room, presence, revision";

/// The outcome of closing a media session.
#[derive(Clone, Debug)]
pub enum Closed {
    /// A live session was there. It and its tokens are gone. This work deletes what is left of it.
    Now(Option<Box<Begun>>),
    /// There was no live session.
    Before,
}

/// A closed session that still has connections. No session with its id can be opened while it is there, so everything
/// that is deleted under it belongs to the closed session and to no later one.
struct Tombstone<'a> {
    session: &'a MediaSessionId,
    /// The id of the closing.
    closing: &'a str,
    at: Timestamp,
}

impl Store {
    /// Closes a session. From then on every reader takes it for closed, and its tokens are dead.
    ///
    /// One request, a transaction; two if no token was ever issued in it.
    pub async fn close_media_session(&self, id: &MediaSessionId, now: Timestamp) -> Result<Closed, StoreError> {
        let mut attempts = Attempts::default();
        loop {
            let closing = random_hex();
            let work = Work::ClearMediaSession { session: id.clone(), closing: closing.clone() };
            let (begun, put) = begun_put(work, now)?;
            let Committed::No(reasons) = self.transact(&[marking(id, &closing, now), put]).await? else {
                return Ok(Closed::Now(Some(Box::new(begun))));
            };
            let Some(item) = reasons.into_iter().next().and_then(|reason| reason.item) else {
                return Ok(Closed::Before);
            };
            let session: MediaSession = serde_dynamo::from_item(item.clone())?;
            if session.closed_at.is_some() {
                self.clear_found(&item, &session).await?;
                return Ok(Closed::Before);
            }
            if !session.is_live(now) {
                return Ok(Closed::Before);
            }
            if session.tokens_end_at.is_none()
                && let Committed::Yes = self.transact(&[removal_of_unused(&session)]).await?
            {
                return Ok(Closed::Now(None));
            }
            // A token was issued between the read and the write.
            attempts.lost().await?;
        }
    }

    /// Deletes what is left of a closed session that was found.
    pub(super) async fn clear_found(&self, item: &Attributes, session: &MediaSession) -> Result<(), StoreError> {
        let closing = item.get("closing").and_then(|closing| closing.as_s().ok());
        if let (Some(closing), Some(at)) = (closing, session.closed_at) {
            self.clear_tombstone(&Tombstone { session: &session.session_id, closing, at }, || true).await?;
        }
        Ok(())
    }

    /// Deletes what is left of a session that was closed at this time, until nothing is left or the time is up. Returns
    /// whether nothing is left, and the outbox message that has the LiveKit server delete the session's room.
    ///
    /// Two requests for every 30 connections begun, and one if the session has a room.
    pub(crate) async fn clear_media_session(
        &self,
        session: &MediaSessionId,
        closing: &str,
        at: Timestamp,
        in_time: impl Fn() -> bool,
    ) -> Result<Worked, StoreError> {
        self.clear_tombstone(&Tombstone { session, closing, at }, in_time).await
    }

    /// Deletes a closed session's connections, and the session's item together with the last of them. The session's
    /// room closes first, so that nobody who comes back is taken for a stranger.
    async fn clear_tombstone(
        &self,
        tombstone: &Tombstone<'_>,
        in_time: impl Fn() -> bool,
    ) -> Result<Worked, StoreError> {
        let mut messages: Option<Vec<JobKey>> = None;
        let mut attempts = Attempts::default();
        loop {
            let Rest { room, connections, is_last } = self.rest(tombstone.session).await?;
            if messages.is_none() {
                messages = Some(self.close_rooms(room.iter(), tombstone.at).await?);
            }
            let done = match self.delete_while_closed(tombstone, connections, is_last).await? {
                Cleared::Yes => is_last,
                Cleared::ByAnother => true,
                Cleared::Changed => {
                    attempts.lost().await?;
                    false
                }
            };
            if done || !in_time() {
                return Ok(Worked { done, messages: messages.unwrap_or_default() });
            }
        }
    }

    /// A part of what is left of a session. The session's own item lies before its connections.
    async fn rest(&self, id: &MediaSessionId) -> Result<Rest, StoreError> {
        let query = self.query(partition(id)).prefix(format!("{id}/")).limit(PAGE + 1).only(LEFT);
        let answer = query.name("#role", "role").name("#type", "Type").send().await?;
        let (session, connections): (Vec<_>, Vec<_>) = answer.items.into_iter().partition(is_session);
        let room = session.into_iter().next().map(serde_dynamo::from_item::<_, Room>).transpose()?;
        let connections = serde_dynamo::from_items(connections)?;
        Ok(Rest { room: room.and_then(|session| session.room), connections, is_last: answer.next.is_none() })
    }

    /// Deletes these connections of a closed session and writes their ledger entries. Also deletes the session's item
    /// if they are the last.
    async fn delete_while_closed(
        &self,
        tombstone: &Tombstone<'_>,
        closing: Vec<Closing>,
        is_last: bool,
    ) -> Result<Cleared, StoreError> {
        let key = key(tombstone.session);
        let session = if is_last { Write::delete(key) } else { Write::check(key) };
        let mut writes = vec![session.when("closing = :closing").value(":closing", s(tombstone.closing))];
        for connection in closing {
            let delete = Write::delete(connection_key(tombstone.session, &connection.connection_id));
            // Without a room there are no reports, and another worker may have deleted it.
            let has_room = connection.room.is_some();
            writes.push(if has_room { unchanged(delete, connection.revision) } else { delete });
            writes.extend(connection.ending(tombstone)?);
        }
        Ok(match self.transact(&writes).await? {
            Committed::Yes => Cleared::Yes,
            Committed::No(reasons) if failed_first(&reasons) => Cleared::ByAnother,
            Committed::No(_) => Cleared::Changed,
        })
    }
}

/// The write that marks a session with issued tokens as closed.
fn marking(id: &MediaSessionId, closing: &str, now: Timestamp) -> Write {
    Write::update(key(id), "SET closedAt = :millis, closing = :closing")
        .when("attribute_exists(tokensEndAt) AND attribute_not_exists(closedAt) AND expiresAt > :now")
        .value(":millis", n(now.millis()))
        .value(":closing", s(closing))
        .value(":now", n(now.seconds()))
        .returning_on_failure()
}

/// The write that deletes a session without any issued token. Nothing else of it is left.
fn removal_of_unused(session: &MediaSession) -> Write {
    Write::delete(key(&session.session_id))
        .when("incarnation = :incarnation AND attribute_not_exists(closedAt) AND attribute_not_exists(tokensEndAt)")
        .value(":incarnation", s(&session.incarnation))
}

/// A part of what is left of a closed session.
struct Rest {
    room: Option<ProviderSessionId>,
    connections: Vec<Closing>,
    /// Whether these are all of its connections.
    is_last: bool,
}

/// The outcome of deleting a part of it.
enum Cleared {
    Yes,
    /// Another worker has deleted the rest.
    ByAnother,
    /// One of the connections has changed since it was read.
    Changed,
}

/// The attribute of a closed session that its clearing needs.
#[derive(Deserialize)]
struct Room {
    room: Option<ProviderSessionId>,
}

/// A connection of a session that is being closed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Closing {
    connection_id: ConnectionId,
    role: Role,
    server_data: ServerData,
    created_at: Timestamp,
    #[serde(with = "seconds")]
    expires_at: Timestamp,
    room: Option<ProviderSessionId>,
    presence: Option<Presence>,
    #[serde(default)]
    revision: u32,
}

impl Closing {
    /// The writes to the ledger: it ended with its session, or by itself before that.
    fn ending(self, tombstone: &Tombstone<'_>) -> Result<Vec<Write>, StoreError> {
        let Self { connection_id, role, server_data, created_at, expires_at, room, presence, .. } = self;
        let name = ConnectionName::from(&connection_id);
        let stream = Stream::of_media_session(tombstone.session);
        let live = LiveConnection::begin(stream, name, role.into(), Source::of_media(room), created_at, expires_at);
        let live = LiveConnection { data: server_data.given(), ..live }.with_presence(presence);
        let ended = |live: LiveConnection| live.ended(tombstone.at, EndReason::SESSION_CLOSED, EndedBy::BACKEND);
        match (live.is_live(tombstone.at), live.connected_at) {
            (true, None) => Ok(ledger_put(&ended(live))?.into_iter().collect()),
            (false, None) => Ok(ledger_put(&live)?.into_iter().collect()),
            (true, Some(_)) => Ok(ledger_change(Some(&live), &ended(live.clone()), tombstone.at)?.collect()),
            // Its entry says how it ended.
            (false, Some(_)) => Ok(Vec::new()),
        }
    }
}
