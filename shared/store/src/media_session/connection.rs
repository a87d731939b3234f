//! Issuing, changing and ending the connections of a media session.
//!
//! A session's `tokensEndAt` is never before the end of any of its connections, and its `expiresAt` lies the grace
//! period behind it. So a session with a live token is never collected, and a session without one is.

use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use greenroom_core::{
    clock::Timestamp,
    id::{ConnectionId, MediaSessionId, ProviderSessionId},
    model::{
        Connection, MediaSession,
        connection::GrantChange,
        job::OutboxMessage,
        live::{EndReason, EndedBy, LiveConnection},
    },
};

use super::{MORE, belongs, connection_key, connections, is_session, key, partition, unchanged};
use crate::{
    ClaimedJob, Item, Store, StoreError,
    attempts::Attempts,
    error::failed_first,
    job::claimed_put,
    live::{ledger_put, removal_from_room},
    n, s,
    transaction::Committed,
    write::Write,
};

/// The outcome of adding a connection.
#[derive(Clone, Debug)]
pub enum Inserted {
    /// The connection is in the session.
    Yes,
    /// There is no such live session.
    NoSession,
    /// The session has another room than the connection, or none. This is the session's.
    OtherRoom(Option<ProviderSessionId>),
}

/// The part of a connection's address that nothing live has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// There is no such live session.
    Session,
    /// The session is live, and has no such connection.
    Connection,
}

impl Store {
    /// Adds a connection to a live session, which has to have the connection's room, if it has one. The session is then
    /// collected `grace` after the connection's token ends, or later.
    ///
    /// One request, a transaction.
    pub async fn insert_connection(&self, connection: &Connection, grace: Duration) -> Result<Inserted, StoreError> {
        let mut extend = true;
        let mut attempts = Attempts::default();
        loop {
            let key = connection_key(&connection.session_id, &connection.connection_id);
            let put = Item { key, kind: "Connection", entity: connection }.put()?;
            let Committed::No(reasons) = self.transact(&[admitting(connection, grace, extend), put]).await? else {
                return Ok(Inserted::Yes);
            };
            let found = reasons.into_iter().next().and_then(|reason| reason.item);
            let Some(found) = found else { return Ok(Inserted::NoSession) };
            let found: MediaSession = serde_dynamo::from_item(found)?;
            if !found.is_live(connection.created_at) {
                return Ok(Inserted::NoSession);
            }
            if !belongs(connection, &found) {
                return Ok(Inserted::OtherRoom(found.room));
            }
            extend = found.tokens_end_at.is_none_or(|end| end <= connection.expires_at);
            attempts.lost_knowingly().await?;
        }
    }

    /// A live connection of a live session. One request.
    pub async fn media_connection(
        &self,
        session: &MediaSessionId,
        connection: &ConnectionId,
        now: Timestamp,
    ) -> Result<Result<Connection, Unknown>, StoreError> {
        Ok(self.live_pair(session, connection, now).await?.map(|(_, connection)| connection))
    }

    /// Changes the rights of a live connection, and returns it as it is then. Its id, its token and its end stay. If its
    /// participant may be in a room with another role, also puts the job that changes their rights there. This process
    /// holds its lease.
    ///
    /// One request, two if something changes.
    pub async fn change_grant(
        &self,
        session: &MediaSessionId,
        connection: &ConnectionId,
        change: GrantChange,
        now: Timestamp,
    ) -> Result<Result<(Connection, Option<ClaimedJob>), Unknown>, StoreError> {
        let found = match self.live_pair(session, connection, now).await? {
            Ok((_, found)) => found,
            Err(unknown) => return Ok(Err(unknown)),
        };
        if change.changes_nothing(&found.grant) {
            return Ok(Ok((found, None)));
        }
        let (session, connection) = (session.clone(), connection.clone());
        let is_told = found.room().is_some() && change.role.is_some_and(|role| role != found.grant.role);
        if is_told {
            let message = OutboxMessage::UpdateParticipant { session, connection };
            let (job, put) = claimed_put(message.into(), now)?;
            let Committed::Yes = self.transact(&[grant_update(&found, change), put]).await? else {
                return Ok(Err(Unknown::Connection));
            };
            return Ok(Ok((Connection { grant: change.of(found.grant), ..found }, Some(job))));
        }
        // Each connection has an id of its own, so a connection that is there is the one that was found.
        match self.write(grant_update(&found, change).returning(ReturnValue::AllNew)).await? {
            Ok(item) => Ok(Ok((serde_dynamo::from_item(item)?, None))),
            Err(_) => Ok(Err(Unknown::Connection)),
        }
    }

    /// A live session and a live connection of it. One request.
    async fn live_pair(
        &self,
        session: &MediaSessionId,
        connection: &ConnectionId,
        now: Timestamp,
    ) -> Result<Result<(MediaSession, Connection), Unknown>, StoreError> {
        let keys = vec![key(session).attributes(), connection_key(session, connection).attributes()];
        let (sessions, connections): (Vec<_>, Vec<_>) = self.batch(keys).await?.into_iter().partition(is_session);
        let found: Option<MediaSession> = sessions.into_iter().next().map(serde_dynamo::from_item).transpose()?;
        let Some(found) = found.filter(|found| found.is_live(now)) else { return Ok(Err(Unknown::Session)) };
        let target: Option<Connection> = connections.into_iter().next().map(serde_dynamo::from_item).transpose()?;
        let target = target.filter(|target| target.is_live(now) && belongs(target, &found));
        Ok(target.map(|target| (found, target)).ok_or(Unknown::Connection))
    }

    /// Ends a connection and its token. The session is collected `grace` after the end of its last token, which may be
    /// now. If the token is for a room, its name is held, and the returned job removes the participant. This process
    /// holds its lease.
    ///
    /// Two requests, three if no other token of the session ends later. The cost does not grow with the number of
    /// connections.
    pub async fn disconnect(
        &self,
        session: &MediaSessionId,
        connection: &ConnectionId,
        now: Timestamp,
        grace: Duration,
    ) -> Result<Result<Option<ClaimedJob>, Unknown>, StoreError> {
        let mut attempts = Attempts::default();
        loop {
            let (target, mut removal) = match self.connection_removal(session, connection, now, grace).await? {
                Ok(removal) => removal,
                Err(unknown) => return Ok(Err(unknown)),
            };
            let live = LiveConnection::of_media(&target);
            let mut job = None;
            if live.room().is_some() {
                let (writes, message) = removal_from_room(&live, EndedBy::BACKEND, now)?;
                removal.extend(writes);
                job = message;
            } else {
                removal.extend(ledger_put(&live.ended(now, EndReason::DISCONNECTED, EndedBy::BACKEND))?);
            }
            match self.transact(&removal).await? {
                Committed::Yes => return Ok(Ok(job)),
                // The connection is gone, or a report has changed it. The next round of the loop finds out how.
                Committed::No(reasons) if failed_first(&reasons) => attempts.again()?,
                Committed::No(_) => attempts.lost().await?,
            }
        }
    }

    /// A live connection, and the writes that remove it and its token. Otherwise the part that is unknown.
    ///
    /// One request, two if no other token of the session ends later.
    pub(crate) async fn connection_removal(
        &self,
        session: &MediaSessionId,
        connection: &ConnectionId,
        now: Timestamp,
        grace: Duration,
    ) -> Result<Result<(Connection, Vec<Write>), Unknown>, StoreError> {
        let (found, target) = match self.live_pair(session, connection, now).await? {
            Ok(pair) => pair,
            Err(unknown) => return Ok(Err(unknown)),
        };
        let writes = if found.tokens_end_at > Some(target.token_ends_at()) {
            removal_of_one(&found, &target)
        } else {
            let next = self.last_but(&target).await?;
            removal_of_the_last(&found, &target, next.as_ref(), now, grace)
        };
        Ok(Ok((target, writes)))
    }

    /// The connection that ends last among all others of the session. Their sort keys are in the order of their ends.
    async fn last_but(&self, connection: &Connection) -> Result<Option<Connection>, StoreError> {
        let (partition, prefix) = (partition(&connection.session_id), connections(&connection.session_id));
        let answer = self.query(partition).prefix(prefix).backwards().limit(2).send().await?;
        let last: Vec<Connection> = serde_dynamo::from_items(answer.items)?;
        Ok(last.into_iter().find(|other| other.connection_id != connection.connection_id))
    }
}

/// The write to the session when a token is issued. Its condition is that the session is live. With `extend` it moves
/// the session's end behind that of the token. Without, its condition is that another token has done so.
fn admitting(connection: &Connection, grace: Duration, extend: bool) -> Write {
    let live = "attribute_exists(PK) AND attribute_not_exists(closedAt) AND expiresAt > :now";
    let live = connection.room().map_or_else(|| live.to_owned(), |_| format!("{live} AND room = :room"));
    let update = if extend {
        let collected = (connection.expires_at + grace).whole_second();
        updating(&connection.session_id, "SET expiresAt = :collected, tokensEndAt = :end ADD revision :one")
            .when(format!("{live} AND (attribute_not_exists(tokensEndAt) OR tokensEndAt <= :end)"))
            .value(":collected", n(collected.seconds()))
    } else {
        updating(&connection.session_id, "ADD revision :one").when(format!("{live} AND tokensEndAt >= :end"))
    };
    let update = match connection.room() {
        Some(room) => update.value(":room", s(room.as_str())),
        None => update,
    };
    update
        .value(":now", n(connection.created_at.seconds()))
        .value(":end", n(connection.expires_at.millis()))
        .returning_on_failure()
}

/// The write of a connection's new rights. Its condition is that the connection is still there.
fn grant_update(connection: &Connection, change: GrantChange) -> Write {
    let key = connection_key(&connection.session_id, &connection.connection_id);
    // A client that joins a room with an earlier token gets the rights of that token at first.
    let told = if connection.room().is_some() { ", roleChanged = :changed" } else { "" };
    let update = match (change.role, change.record) {
        (Some(_), Some(_)) => Write::update(key, format!("SET #role = :role, #record = :record{told}")),
        (Some(_), None) => Write::update(key, format!("SET #role = :role{told}")),
        (None, _) => Write::update(key, "SET #record = :record"),
    };
    let update = match change.role {
        Some(role) => update.name("#role", "role").value(":role", s(role.to_string())),
        None => update,
    };
    let update = match change.role.filter(|_| connection.room().is_some()) {
        Some(_) => update.value(":changed", AttributeValue::Bool(true)),
        None => update,
    };
    let update = match change.record {
        Some(record) => update.name("#record", "record").value(":record", AttributeValue::Bool(record)),
        None => update,
    };
    update.when_there()
}

/// The writes that remove a connection while another one ends later. The session's end stays as it is.
fn removal_of_one(session: &MediaSession, target: &Connection) -> Vec<Write> {
    let later = "incarnation = :incarnation AND attribute_not_exists(closedAt) AND tokensEndAt > :end";
    let check = Write::check(key(&session.session_id))
        .when(later)
        .value(":incarnation", s(&session.incarnation))
        .value(":end", n(target.token_ends_at().millis()));
    vec![deletion(target), check]
}

/// The writes that remove the connection that ends last. Their condition is that `next`, which ends last afterwards, is
/// still there, and that no token was issued since.
fn removal_of_the_last(
    session: &MediaSession,
    target: &Connection,
    next: Option<&Connection>,
    now: Timestamp,
    grace: Duration,
) -> Vec<Write> {
    let last_end = next.map_or(now, |next| next.token_ends_at().max(now));
    // Others whose tokens have ended may still be in the room. Reconciling keeps the session for them.
    let grace = if session.room.is_some() { grace.max(MORE) } else { grace };
    let update = updating(&session.session_id, "SET expiresAt = :collected, tokensEndAt = :end ADD revision :one")
        .when("incarnation = :incarnation AND attribute_not_exists(closedAt) AND revision = :seen")
        .value(":collected", n(session.collected_at(last_end, grace).seconds()))
        .value(":end", n(last_end.millis()))
        .value(":incarnation", s(&session.incarnation))
        .value(":seen", n(session.revision));
    let next = next.map(|next| connection_key(&next.session_id, &next.connection_id));
    let check = next.map(|next| Write::check(next).when_there());
    [deletion(target), update].into_iter().chain(check).collect()
}

fn deletion(connection: &Connection) -> Write {
    let delete = Write::delete(connection_key(&connection.session_id, &connection.connection_id));
    unchanged(delete, connection.revision)
}

/// An update of a session that raises its revision by `:one`.
fn updating(session: &MediaSessionId, update: &str) -> Write {
    Write::update(key(session), update).value(":one", n(1))
}
