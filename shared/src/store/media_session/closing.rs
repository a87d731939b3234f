//! Closing media sessions, and what is left of them.

use aws_sdk_dynamodb::types::{ConditionCheck, Delete, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};
use serde::Deserialize;

use super::{connection_key, connections, key, partition};
use crate::{
    clock::{Timestamp, seconds},
    id::{ConnectionId, ConnectionName, MediaSessionId, random_hex},
    model::{
        MediaSession,
        connection::{Role, ServerData},
        job::Work,
        live::{EndReason, EndedBy, LiveConnection, Source, Stream},
    },
    store::{Attributes, Begun, CONFLICT_ATTEMPTS, Store, StoreError, n, pause, s, transaction::Committed},
};

/// How many connections are cleared away at once. With the longest metadata, which the ledger takes over, 49 would be more
/// than the 4 MB that a transaction takes.
const PAGE: i32 = 40;

/// What a DELETE of a media session found.
#[derive(Clone, Debug)]
pub enum Closed {
    /// A live session: it and its tokens are gone, and this is to be done with what is left of it.
    Now(Option<Box<Begun>>),
    /// No live session.
    Before,
}

/// What is left of a session that was closed, as long as there is anything. Nothing can be opened in its place, so what is
/// deleted while it is there belongs to it and to no later session of its id.
struct Tombstone<'a> {
    session: &'a MediaSessionId,
    /// Which closing it is of.
    closing: &'a str,
    at: Timestamp,
}

impl Store {
    /// Closes a session. From then on it is closed for every reader and its tokens are dead.
    ///
    /// One request, a transaction; two where no token was ever issued in it.
    pub async fn close_media_session(&self, id: &MediaSessionId, now: Timestamp) -> Result<Closed, StoreError> {
        for lost in 0..CONFLICT_ATTEMPTS {
            let closing = random_hex();
            let work = Work::ClearMediaSession { session: id.clone(), closing: closing.clone() };
            let (begun, put) = self.begun_put(work, now)?;
            let Committed::No(reasons) = self.transact(vec![self.mark(id, &closing, now)?, put]).await? else {
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
                && let Committed::Yes = self.transact(vec![self.removal_of_unused(&session)?]).await?
            {
                return Ok(Closed::Now(None));
            }
            // A token was issued in between.
            pause(lost).await;
        }
        Err(StoreError::Contended)
    }

    /// Marks a session in which tokens were issued as closed.
    fn mark(&self, id: &MediaSessionId, closing: &str, now: Timestamp) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&*self.table)
            .set_key(Some(key(id).attributes()))
            .update_expression("SET closedAt = :millis, closing = :closing")
            .condition_expression(
                "attribute_exists(tokensEndAt) AND attribute_not_exists(closedAt) AND expiresAt > :now",
            )
            .expression_attribute_values(":millis", n(now.millis()))
            .expression_attribute_values(":closing", s(closing))
            .expression_attribute_values(":now", n(now.seconds()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Deletes a session in which no token was issued: it has left nothing.
    fn removal_of_unused(&self, session: &MediaSession) -> Result<TransactWriteItem, StoreError> {
        let delete = Delete::builder()
            .table_name(&*self.table)
            .set_key(Some(key(&session.session_id).attributes()))
            .condition_expression(
                "incarnation = :incarnation AND attribute_not_exists(closedAt) AND attribute_not_exists(tokensEndAt)",
            )
            .expression_attribute_values(":incarnation", s(&session.incarnation))
            .build()?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    /// Clears away what is left of a closed session that was found.
    pub(super) async fn clear_found(&self, item: &Attributes, session: &MediaSession) -> Result<(), StoreError> {
        let closing = item.get("closing").and_then(|closing| closing.as_s().ok());
        if let (Some(closing), Some(at)) = (closing, session.closed_at) {
            self.clear_tombstone(&Tombstone { session: &session.session_id, closing, at }, || true).await?;
        }
        Ok(())
    }

    /// Clears away what is left of a session that was closed at this time, until nothing is or the time is up; `true` where
    /// nothing is.
    ///
    /// Two requests for every 40 connections begun.
    pub(in crate::store) async fn clear_media_session(
        &self,
        session: &MediaSessionId,
        closing: &str,
        at: Timestamp,
        in_time: impl Fn() -> bool,
    ) -> Result<bool, StoreError> {
        self.clear_tombstone(&Tombstone { session, closing, at }, in_time).await
    }

    /// Deletes a closed session's connections, and its own item with the last of them.
    async fn clear_tombstone(&self, tombstone: &Tombstone<'_>, in_time: impl Fn() -> bool) -> Result<bool, StoreError> {
        loop {
            let (connections, is_last) = self.some_connections(tombstone.session).await?;
            // Where that fails, another has cleared it away.
            let cleared = self.delete_while_closed(tombstone, connections, is_last).await?;
            if is_last || !cleared {
                return Ok(true);
            }
            if !in_time() {
                return Ok(false);
            }
        }
    }

    /// What the ledger has to know of some of a session's connections, and whether there are no others.
    async fn some_connections(&self, id: &MediaSessionId) -> Result<(Vec<Closing>, bool), StoreError> {
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
        let page = query.send().await?;
        let is_last = page.last_evaluated_key.is_none();
        Ok((serde_dynamo::from_items(page.items.unwrap_or_default())?, is_last))
    }

    /// Deletes these connections of a closed session, with its own item where they are the last, and says so in the ledger;
    /// `false` where it has been cleared away in between.
    async fn delete_while_closed(
        &self,
        tombstone: &Tombstone<'_>,
        closing: Vec<Closing>,
        is_last: bool,
    ) -> Result<bool, StoreError> {
        let mut items = vec![self.tombstone_write(tombstone, is_last)?];
        for connection in closing {
            let key = connection_key(tombstone.session, &connection.connection_id).attributes();
            let delete = Delete::builder().table_name(&*self.table).set_key(Some(key)).build()?;
            items.push(TransactWriteItem::builder().delete(delete).build());
            items.extend(self.ledger_put(&connection.ended(tombstone))?);
        }
        match self.transact(items).await? {
            Committed::Yes => Ok(true),
            Committed::No(_) => Ok(false),
        }
    }

    /// That a closed session is still there; it goes where nothing else is left of it.
    fn tombstone_write(&self, tombstone: &Tombstone<'_>, is_last: bool) -> Result<TransactWriteItem, StoreError> {
        let key = key(tombstone.session).attributes();
        if is_last {
            let delete = Delete::builder()
                .table_name(&*self.table)
                .set_key(Some(key))
                .condition_expression("closing = :closing")
                .expression_attribute_values(":closing", s(tombstone.closing))
                .build()?;
            return Ok(TransactWriteItem::builder().delete(delete).build());
        }
        let check = ConditionCheck::builder()
            .table_name(&*self.table)
            .set_key(Some(key))
            .condition_expression("closing = :closing")
            .expression_attribute_values(":closing", s(tombstone.closing))
            .build()?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
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
