//! Media sessions and their connections.
//!
//! A session's item lies before the items of its connections, all in one partition, so one query reads a session whole.
//! A connection is made and ended through the session's item. That item says whether the session is live, which
//! is the condition for issuing a token. It also has the session's `expiresAt`, so that no session with a live token is
//! collected.
//!
//! What a LiveKit server reports of a participant lies in the connection's item. A report counts the item's `revision`
//! up, and whoever ends a connection has the condition that the revision is the one that was read. So the ledger has one
//! entry for each end, however reports and ends interleave.

use std::time::Duration;

use greenroom_core::{
    clock::Timestamp,
    id::{ConnectionId, MediaSessionId},
    model::{Connection, MediaSession},
};

use super::{Attributes, Item, Key, Store, StoreError, attempts::Attempts, n, shard, write::Write};

mod closing;
mod connection;
mod presence;

pub(super) use self::presence::{InMediaRoom, reported, standing};
pub use self::{
    closing::Closed,
    connection::{Inserted, Unknown},
};

const KIND: &str = "MEDIA";
const SESSION: &str = "MediaSession";
/// How much time a session gets in whose room somebody is, although its tokens have ended.
const MORE: Duration = Duration::from_mins(20);

pub(super) fn key(id: &MediaSessionId) -> Key {
    Key { pk: partition(id), sk: format!("{id}/") }
}

fn partition(id: &MediaSessionId) -> String {
    format!("{KIND}#{}", shard(id.as_str()))
}

impl Store {
    /// Opens a session. Returns `false` if a live session has its id.
    ///
    /// One request; a few more if an earlier session of this id was closed and not completely deleted.
    pub async fn open_media_session(&self, session: &MediaSession) -> Result<bool, StoreError> {
        let mut attempts = Attempts::default();
        loop {
            let put = Item { key: key(&session.session_id), kind: SESSION, entity: session }.put()?;
            let opening = put
                .when("attribute_not_exists(PK) OR (attribute_not_exists(closedAt) AND expiresAt <= :now)")
                .value(":now", n(session.created_at.seconds()))
                .returning_on_failure();
            let Err(found) = self.write(opening).await? else { return Ok(true) };
            let Some(item) = found else {
                attempts.again()?;
                continue;
            };
            let found: MediaSession = serde_dynamo::from_item(item.clone())?;
            if found.incarnation == session.incarnation {
                // This session is in the table already: an earlier attempt succeeded, and its answer was lost.
                return Ok(true);
            }
            if found.closed_at.is_none() {
                return Ok(false);
            }
            self.clear_found(&item, &found).await?;
            attempts.lost().await?;
        }
    }

    /// Whether there is a live session with this id.
    pub async fn is_media_session_live(&self, id: &MediaSessionId, now: Timestamp) -> Result<bool, StoreError> {
        Ok(self.item::<MediaSession>(key(id)).await?.is_some_and(|session| session.is_live(now)))
    }

    /// A live session with its live connections.
    pub async fn media_session(
        &self,
        id: &MediaSessionId,
        now: Timestamp,
    ) -> Result<Option<(MediaSession, Vec<Connection>)>, StoreError> {
        let items = self.query(partition(id)).prefix(format!("{id}/")).all().await?;
        Ok(live_sessions(items, now)?.pop())
    }

    /// All live sessions with their live connections, in the order in which they were opened.
    pub async fn media_sessions(&self, now: Timestamp) -> Result<Vec<(MediaSession, Vec<Connection>)>, StoreError> {
        let mut sessions = live_sessions(self.items_of_kind(KIND).await?, now)?;
        sessions.sort_by(|(a, _), (b, _)| (a.created_at, &a.session_id).cmp(&(b.created_at, &b.session_id)));
        Ok(sessions)
    }
}

/// The live sessions among these items, each with its live connections, which lie behind it.
fn live_sessions(items: Vec<Attributes>, now: Timestamp) -> Result<Vec<(MediaSession, Vec<Connection>)>, StoreError> {
    let mut sessions: Vec<(MediaSession, Vec<Connection>)> = Vec::new();
    for item in items {
        if is_session(&item) {
            let session: MediaSession = serde_dynamo::from_item(item)?;
            if session.is_live(now) {
                sessions.push((session, Vec::new()));
            }
            continue;
        }
        let connection: Connection = serde_dynamo::from_item(item)?;
        // A connection that does not lie behind its own live session belongs to a session that has ended.
        if let Some((session, connections)) = sessions.last_mut()
            && session.session_id == connection.session_id
            && belongs(&connection, session)
            && connection.is_live(now)
        {
            connections.push(connection);
        }
    }
    for (_, connections) in &mut sessions {
        connections.sort_by(|a, b| (a.created_at, &a.connection_id).cmp(&(b.created_at, &b.connection_id)));
    }
    Ok(sessions)
}

/// Whether a connection is not of an earlier session with the same id. The earlier session's participants may still be
/// in its room.
fn belongs(connection: &Connection, session: &MediaSession) -> bool {
    connection.room().is_none_or(|room| session.room.as_ref() == Some(room))
}

/// A write to a connection, on condition that no report has changed it since it was read.
fn unchanged(write: Write, revision: u32) -> Write {
    match revision {
        0 => write.when("attribute_exists(PK) AND attribute_not_exists(revision)"),
        seen => write.when("revision = :seen").value(":seen", n(seen)),
    }
}

/// Whether this is a session's item, and not that of a connection.
fn is_session(item: &Attributes) -> bool {
    item.get("Type").and_then(|kind| kind.as_s().ok()).is_some_and(|kind| kind == SESSION)
}

/// The prefix of the sort keys of a session's connections.
fn connections(id: &MediaSessionId) -> String {
    format!("{id}/con_")
}

/// The key of a connection.
pub(super) fn connection_key(session: &MediaSessionId, connection: &ConnectionId) -> Key {
    Key { pk: partition(session), sk: format!("{session}/{connection}") }
}
