//! Media sessions and the connections in them.
//!
//! A session's item lies before its connections' items, all in one partition: one query reads a session whole. What
//! must hold when a token is issued (the session is live) and when it is to be collected (`expiresAt`: no session with
//! a live token is collected) lies in the session's item, which every change of its connections goes through.

use aws_sdk_dynamodb::types::{
    ConditionCheck, Delete, ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};

use serde::Deserialize;

use super::{
    Attributes, Item, Key, RACES, Store, StoreError, client::item_in_the_way, n, pause, s, shard,
    transaction::Committed,
};
use crate::{
    clock::{Timestamp, seconds},
    id::{ConnectionId, ConnectionName, MediaSessionId, random_hex},
    model::{
        Connection, MediaSession,
        connection::{Role, ServerData},
        live::{EndReason, LiveConnection, Source, Stream},
    },
};

mod connection;

pub use connection::Disconnected;

const KIND: &str = "MEDIA";
const SESSION: &str = "MediaSession";
/// How many connections are cleared away at once. With the longest metadata, which the ledger takes over, 49 would be more
/// than the 4 MB that a transaction takes.
const PAGE: i32 = 40;

fn key(id: &MediaSessionId) -> Key {
    Key { pk: partition(id), sk: format!("{id}/") }
}

fn partition(id: &MediaSessionId) -> String {
    format!("{KIND}#{}", shard(id.as_str()))
}

/// What a DELETE of a media session found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// A live session: it and its tokens are gone.
    Now,
    /// No live session.
    Before,
}

impl Store {
    /// Opens a session; `false` where a live one has its id.
    ///
    /// One request; a few more to finish where an earlier session of this id was closed but half cleared away.
    pub async fn open_media_session(&self, session: &MediaSession) -> Result<bool, StoreError> {
        for lost in 0..RACES {
            let item = Item { key: key(&session.session_id), kind: SESSION, entity: session }.attributes()?;
            let put = self
                .client
                .put_item()
                .table_name(&*self.table)
                .set_item(Some(item))
                .condition_expression(
                    "attribute_not_exists(PK) OR (attribute_not_exists(closedAt) AND expiresAt <= :now)",
                )
                .expression_attribute_values(":now", n(session.created_at.seconds()))
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
                .send()
                .await;
            let found = match put {
                Ok(_) => return Ok(true),
                Err(error) => item_in_the_way(error)?,
            };
            let Some(found) = found else { continue };
            let found: MediaSession = serde_dynamo::from_item(found)?;
            if found.incarnation == session.incarnation {
                // An earlier attempt of ours, whose answer was lost.
                return Ok(true);
            }
            if found.closed_at.is_none() {
                return Ok(false);
            }
            self.clear_away(&found).await?;
            pause(lost).await;
        }
        Err(StoreError::Contended)
    }

    /// Whether there is a live session of this id.
    pub async fn is_media_session_live(&self, id: &MediaSessionId, now: Timestamp) -> Result<bool, StoreError> {
        Ok(self.item::<MediaSession>(key(id)).await?.is_some_and(|session| session.is_live(now)))
    }

    /// A live session with its live connections.
    pub async fn media_session(
        &self,
        id: &MediaSessionId,
        now: Timestamp,
    ) -> Result<Option<(MediaSession, Vec<Connection>)>, StoreError> {
        let items = self.items(&partition(id), &format!("{id}/")).await?;
        Ok(live_sessions(items, now)?.pop())
    }

    /// All live sessions with their live connections, in the order they were opened.
    pub async fn media_sessions(&self, now: Timestamp) -> Result<Vec<(MediaSession, Vec<Connection>)>, StoreError> {
        let mut sessions = live_sessions(self.items_of_kind(KIND).await?, now)?;
        sessions.sort_by(|(a, _), (b, _)| (a.created_at, &a.session_id).cmp(&(b.created_at, &b.session_id)));
        Ok(sessions)
    }

    /// Closes a session. From the first request on it is closed for every reader and its tokens are dead; clearing away
    /// what is left of it can be taken up again by a later close or opening of the same id.
    pub async fn close_media_session(&self, id: &MediaSessionId, now: Timestamp) -> Result<Closed, StoreError> {
        let closing = random_hex();
        let marked = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(key(id).attributes()))
            .update_expression("SET closedAt = :millis, closing = :closing")
            .condition_expression("attribute_exists(PK) AND attribute_not_exists(closedAt) AND expiresAt > :now")
            .expression_attribute_values(":millis", n(now.millis()))
            .expression_attribute_values(":closing", s(&closing))
            .expression_attribute_values(":now", n(now.seconds()))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let found = match marked {
            Ok(output) => output.attributes,
            Err(error) => item_in_the_way(error)?,
        };
        let Some(item) = found else { return Ok(Closed::Before) };
        // Also where an earlier attempt of ours did it, and its answer was lost.
        let by_us = item.get("closing") == Some(&s(&closing));
        let session: MediaSession = serde_dynamo::from_item(item)?;
        if session.closed_at.is_some() {
            self.clear_away(&session).await?;
        }
        Ok(if by_us { Closed::Now } else { Closed::Before })
    }

    /// Deletes a closed session's connections and then its own item. As long as its item is there, nothing can be opened
    /// in its place, so what is deleted while it is there belongs to it and to no later session of its id.
    async fn clear_away(&self, session: &MediaSession) -> Result<(), StoreError> {
        if session.tokens_end_at.is_some() {
            loop {
                let page = self.some_connections(&session.session_id).await?;
                if page.is_empty() {
                    break;
                }
                if !self.delete_while_closed(session, page).await? {
                    return Ok(());
                }
            }
        }
        let delete = self
            .client
            .delete_item()
            .table_name(&*self.table)
            .set_key(Some(key(&session.session_id).attributes()))
            .condition_expression("incarnation = :incarnation")
            .expression_attribute_values(":incarnation", s(&session.incarnation))
            .send()
            .await;
        // Another request may have cleared it away, and a new session taken its place.
        delete.map_or_else(|error| item_in_the_way(error).map(drop), |_| Ok(()))
    }

    /// What the ledger has to know of some of a session's connections; of none where there are none.
    async fn some_connections(&self, id: &MediaSessionId) -> Result<Vec<Closing>, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&*self.table)
            .consistent_read(true)
            .key_condition_expression("PK = :pk AND begins_with(SK, :connections)")
            .expression_attribute_values(":pk", s(partition(id)))
            .expression_attribute_values(":connections", s(connections(id)))
            .projection_expression("connectionId, #role, serverData, createdAt, expiresAt")
            .expression_attribute_names("#role", "role")
            .limit(PAGE);
        Ok(serde_dynamo::from_items(query.send().await?.items.unwrap_or_default())?)
    }

    /// Deletes these connections of a closed session, and says so in the ledger; `false` where it has been cleared away in
    /// between.
    async fn delete_while_closed(&self, session: &MediaSession, closing: Vec<Closing>) -> Result<bool, StoreError> {
        let check = ConditionCheck::builder()
            .table_name(&*self.table)
            .set_key(Some(key(&session.session_id).attributes()))
            .condition_expression("incarnation = :incarnation AND attribute_exists(closedAt)")
            .expression_attribute_values(":incarnation", s(&session.incarnation))
            .build()?;
        let mut items = vec![TransactWriteItem::builder().condition_check(check).build()];
        for connection in closing {
            let key = connection_key(&session.session_id, &connection.connection_id).attributes();
            let delete = Delete::builder().table_name(&*self.table).set_key(Some(key)).build()?;
            items.push(TransactWriteItem::builder().delete(delete).build());
            items.extend(self.ledger_put(&connection.ended(session))?);
        }
        match self.transact(items).await? {
            Committed::Yes => Ok(true),
            Committed::No(_) => Ok(false),
        }
    }
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
    /// How it ended: with its session, or by itself before that.
    fn ended(self, session: &MediaSession) -> LiveConnection {
        let Self { connection_id, role, server_data, created_at, expires_at } = self;
        let name = ConnectionName::from(&connection_id);
        let stream = Stream::of_media_session(&session.session_id);
        let live = LiveConnection::begin(stream, name, role.into(), Source::Media, created_at, expires_at);
        let live = LiveConnection { data: server_data.given(), ..live };
        match session.closed_at.filter(|closed| *closed < expires_at) {
            Some(closed) => live.ended(closed, EndReason::SESSION_CLOSED),
            None => live,
        }
    }
}

/// The live sessions among these items, each with its live connections, which lie behind it.
fn live_sessions(items: Vec<Attributes>, now: Timestamp) -> Result<Vec<(MediaSession, Vec<Connection>)>, StoreError> {
    let mut sessions: Vec<(MediaSession, Vec<Connection>)> = Vec::new();
    for item in items {
        if item.get("Type").and_then(|kind| kind.as_s().ok()).is_some_and(|kind| kind == SESSION) {
            let session: MediaSession = serde_dynamo::from_item(item)?;
            if session.is_live(now) {
                sessions.push((session, Vec::new()));
            }
            continue;
        }
        let connection: Connection = serde_dynamo::from_item(item)?;
        // A connection behind anything but its own live session is one of a session that has ended.
        if let Some((session, connections)) = sessions.last_mut()
            && session.session_id == connection.session_id
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

/// How the sort keys of a session's connections begin.
fn connections(id: &MediaSessionId) -> String {
    format!("{id}/con_")
}

/// The key of a connection.
pub(super) fn connection_key(session: &MediaSessionId, connection: &ConnectionId) -> Key {
    Key { pk: partition(session), sk: format!("{session}/{connection}") }
}
