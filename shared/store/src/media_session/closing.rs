//! Closing media sessions, and deleting their connections.

use greenroom_core::{
    clock::{Timestamp, seconds},
    id::{ConnectionId, ConnectionName, MediaSessionId, random_hex},
    model::{
        MediaSession,
        connection::{Role, ServerData},
        job::Work,
        live::{EndReason, EndedBy, LiveConnection, Source, Stream},
    },
};
use serde::Deserialize;

use super::{connection_key, connections, key, partition};
use crate::{
    Attributes, Begun, Store, StoreError, attempts::Attempts, job::begun_put, live::ledger_put, n, s,
    transaction::Committed, write::Write,
};

/// The number of connections that one transaction deletes. With the longest metadata, which their ledger entries take
/// over, and the longest options, 33 would exceed the 4 MB of a transaction.
const PAGE: usize = 30;

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
    /// `true` if nothing is left.
    ///
    /// Two requests for every 30 connections begun.
    pub(crate) async fn clear_media_session(
        &self,
        session: &MediaSessionId,
        closing: &str,
        at: Timestamp,
        in_time: impl Fn() -> bool,
    ) -> Result<bool, StoreError> {
        self.clear_tombstone(&Tombstone { session, closing, at }, in_time).await
    }

    /// Deletes a closed session's connections, and the session's item together with the last of them.
    async fn clear_tombstone(&self, tombstone: &Tombstone<'_>, in_time: impl Fn() -> bool) -> Result<bool, StoreError> {
        loop {
            let (connections, is_last) = self.some_connections(tombstone.session).await?;
            // If this fails, another worker has deleted the rest.
            let cleared = self.delete_while_closed(tombstone, connections, is_last).await?;
            if is_last || !cleared {
                return Ok(true);
            }
            if !in_time() {
                return Ok(false);
            }
        }
    }

    /// The attributes of some of a session's connections that the ledger needs, and whether these are all.
    async fn some_connections(&self, id: &MediaSessionId) -> Result<(Vec<Closing>, bool), StoreError> {
        let query = self.query(partition(id)).prefix(connections(id)).limit(PAGE);
        let query = query.only("connectionId, #role, serverData, createdAt, expiresAt").name("#role", "role");
        let answer = query.send().await?;
        Ok((serde_dynamo::from_items(answer.items)?, answer.next.is_none()))
    }

    /// Deletes these connections of a closed session and writes their ledger entries. Also deletes the session's item
    /// if they are the last. Returns `false` if another worker deleted the session in between.
    async fn delete_while_closed(
        &self,
        tombstone: &Tombstone<'_>,
        closing: Vec<Closing>,
        is_last: bool,
    ) -> Result<bool, StoreError> {
        let key = key(tombstone.session);
        let session = if is_last { Write::delete(key) } else { Write::check(key) };
        let mut writes = vec![session.when("closing = :closing").value(":closing", s(tombstone.closing))];
        for connection in closing {
            writes.push(Write::delete(connection_key(tombstone.session, &connection.connection_id)));
            writes.extend(ledger_put(&connection.ended(tombstone))?);
        }
        match self.transact(&writes).await? {
            Committed::Yes => Ok(true),
            Committed::No(_) => Ok(false),
        }
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
}

impl Closing {
    /// The ended connection: it ended with its session, or by itself before that.
    fn ended(self, tombstone: &Tombstone<'_>) -> LiveConnection {
        let Self { connection_id, role, server_data, created_at, expires_at } = self;
        let name = ConnectionName::from(&connection_id);
        let stream = Stream::of_media_session(tombstone.session);
        let live = LiveConnection::begin(stream, name, role.into(), Source::Media, created_at, expires_at);
        let live = LiveConnection { data: server_data.given(), ..live };
        if tombstone.at < expires_at {
            live.ended(tombstone.at, EndReason::SESSION_CLOSED, EndedBy::BACKEND)
        } else {
            live
        }
    }
}
