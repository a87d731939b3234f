//! Issuing and ending the connections of a media session.

use std::time::Duration;

use aws_sdk_dynamodb::{
    error::SdkError,
    operation::transact_write_items::TransactWriteItemsError,
    types::{CancellationReason, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update},
};

use super::{connection_key, key, partition};
use crate::{
    clock::Timestamp,
    id::{ConnectionId, MediaSessionId},
    model::{Connection, MediaSession},
    store::{Item, RACES, Store, StoreError, n, s},
};

/// What a DELETE of a connection found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disconnected {
    /// A live connection: it and its token are gone.
    Now,
    /// A live session without such a connection.
    UnknownConnection,
    /// No live session.
    UnknownSession,
}

impl Store {
    /// Adds a connection to a live session; `false` where there is none. The session is then collected `grace` after
    /// the connection's token ends, or later.
    ///
    /// One request, a transaction.
    pub async fn insert_connection(&self, connection: &Connection, grace: Duration) -> Result<bool, StoreError> {
        let mut extend = true;
        for _ in 0..2 {
            let key = connection_key(&connection.session_id, &connection.connection_id);
            let item = Item { key, kind: "Connection", entity: connection }.attributes()?;
            let put = Put::builder().table_name(&*self.table).set_item(Some(item)).build();
            let put = put.map_err(|error| StoreError::Refused(error.into()))?;
            let session = self.admit(connection, grace, extend)?;
            let error = match self.transact([session, TransactWriteItem::builder().put(put).build()]).await {
                Ok(()) => return Ok(true),
                Err(error) => error,
            };
            let Some([reason, ..]) = reasons(&error) else { return Err(error.into()) };
            if reason.code() != Some("ConditionalCheckFailed") {
                return Err(error.into());
            }
            let Some(found) = reason.item.clone() else { return Ok(false) };
            let found: MediaSession = serde_dynamo::from_item(found)?;
            if !found.is_live(connection.created_at) {
                return Ok(false);
            }
            // Another of its tokens ends later.
            extend = false;
        }
        Err(StoreError::Contended)
    }

    /// The session's part of issuing a token: it is live, and stays so until after the token's end.
    fn admit(&self, connection: &Connection, grace: Duration, extend: bool) -> Result<TransactWriteItem, StoreError> {
        let live = "attribute_exists(PK) AND attribute_not_exists(closedAt) AND expiresAt > :now";
        let update = Update::builder()
            .table_name(&*self.table)
            .set_key(Some(key(&connection.session_id).attributes()))
            .expression_attribute_values(":now", n(connection.created_at.seconds()))
            .expression_attribute_values(":one", n(1))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let update = if extend {
            let end = (connection.expires_at + grace).whole_second();
            update
                .update_expression("SET expiresAt = :collected, tokensEndAt = :end ADD revision :one")
                .condition_expression(format!("{live} AND (attribute_not_exists(tokensEndAt) OR tokensEndAt <= :end)"))
                .expression_attribute_values(":collected", n(end.seconds()))
                .expression_attribute_values(":end", n(connection.expires_at.millis()))
        } else {
            update.update_expression("ADD revision :one").condition_expression(live)
        };
        let update = update.build().map_err(|error| StoreError::Refused(error.into()))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Ends a connection and its token; the session is collected `grace` after its last token's end, which may be now.
    ///
    /// Two requests, one more where no other token of the session ends later. The cost does not grow with the number
    /// of its connections.
    pub async fn disconnect(
        &self,
        session: &MediaSessionId,
        connection: &ConnectionId,
        now: Timestamp,
        grace: Duration,
    ) -> Result<Disconnected, StoreError> {
        for _ in 0..RACES {
            let (found, target) = tokio::try_join!(
                self.item::<MediaSession>(key(session)),
                self.item::<Connection>(connection_key(session, connection)),
            )?;
            let Some(found) = found.filter(|found| found.is_live(now)) else {
                return Ok(Disconnected::UnknownSession);
            };
            let Some(target) = target.filter(|target| target.is_live(now)) else {
                return Ok(Disconnected::UnknownConnection);
            };
            let end = if found.tokens_end_at == Some(target.expires_at) {
                self.last_end_but(&target).await?.max(now)
            } else {
                found.tokens_end_at.unwrap_or(now)
            };
            let error = match self.transact(self.remove(&found, &target, end, grace)?).await {
                Ok(()) => return Ok(Disconnected::Now),
                Err(error) => error,
            };
            if !reasons(&error)
                .is_some_and(|reasons| reasons.iter().any(|reason| reason.code() == Some("ConditionalCheckFailed")))
            {
                return Err(error.into());
            }
        }
        Err(StoreError::Contended)
    }

    /// The transaction that ends a connection, provided that its session's connections are still those that were seen.
    fn remove(
        &self,
        session: &MediaSession,
        connection: &Connection,
        last_end: Timestamp,
        grace: Duration,
    ) -> Result<[TransactWriteItem; 2], StoreError> {
        let delete = Delete::builder()
            .table_name(&*self.table)
            .set_key(Some(connection_key(&session.session_id, &connection.connection_id).attributes()))
            .condition_expression("attribute_exists(PK)")
            .build();
        let update = Update::builder()
            .table_name(&*self.table)
            .set_key(Some(key(&session.session_id).attributes()))
            .update_expression("SET expiresAt = :collected, tokensEndAt = :end ADD revision :one")
            .condition_expression("incarnation = :incarnation AND revision = :seen AND attribute_not_exists(closedAt)")
            .expression_attribute_values(":collected", n(session.collected_at(last_end, grace).seconds()))
            .expression_attribute_values(":end", n(last_end.millis()))
            .expression_attribute_values(":incarnation", s(&session.incarnation))
            .expression_attribute_values(":seen", n(session.revision))
            .expression_attribute_values(":one", n(1))
            .build();
        let built = delete.and_then(|delete| Ok((delete, update?)));
        let (delete, update) = built.map_err(|error| StoreError::Refused(error.into()))?;
        Ok([TransactWriteItem::builder().update(update).build(), TransactWriteItem::builder().delete(delete).build()])
    }

    /// When the last token of a session ends, this one left aside. Connections lie in the order of their ends.
    async fn last_end_but(&self, connection: &Connection) -> Result<Timestamp, StoreError> {
        let output = self
            .client
            .query()
            .table_name(&*self.table)
            .consistent_read(true)
            .key_condition_expression("PK = :pk AND begins_with(SK, :connections)")
            .expression_attribute_values(":pk", s(partition(&connection.session_id)))
            .expression_attribute_values(":connections", s(format!("{}/con_", connection.session_id)))
            .scan_index_forward(false)
            .limit(2)
            .send()
            .await?;
        let last: Vec<Connection> = serde_dynamo::from_items(output.items.unwrap_or_default())?;
        let others = last.iter().filter(|other| other.connection_id != connection.connection_id);
        Ok(others.map(|other| other.expires_at).max().unwrap_or(Timestamp::from_millis(0)))
    }

    async fn transact(&self, items: [TransactWriteItem; 2]) -> Result<(), SdkError<TransactWriteItemsError>> {
        self.client.transact_write_items().set_transact_items(Some(items.into())).send().await.map(drop)
    }
}

/// Why a transaction was cancelled, item by item.
fn reasons(error: &SdkError<TransactWriteItemsError>) -> Option<&[CancellationReason]> {
    match error.as_service_error()? {
        TransactWriteItemsError::TransactionCanceledException(canceled) => Some(canceled.cancellation_reasons()),
        _ => None,
    }
}
