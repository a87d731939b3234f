//! Issuing and ending the connections of a media session.
//!
//! A session's `tokensEndAt` is never before the end of any of its connections, and its `expiresAt` lies the grace
//! period behind it. So a session with a live token is never collected, and a session without one is.

use std::time::Duration;

use aws_sdk_dynamodb::types::{
    ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
    builders::{DeleteBuilder, UpdateBuilder},
};
use greenroom_core::{
    clock::Timestamp,
    id::{ConnectionId, MediaSessionId},
    model::{
        Connection, MediaSession,
        live::{EndReason, EndedBy, LiveConnection},
    },
};

use super::{connection_key, connections, key, partition};
use crate::{Item, Store, StoreError, attempts::Attempts, error::failed_first, n, s, transaction::Committed};

/// The outcome of ending a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disconnected {
    /// The connection was live. It and its token are gone.
    Now,
    /// The session is live, and has no such connection.
    UnknownConnection,
    /// There is no live session.
    UnknownSession,
}

impl Store {
    /// Adds a connection to a live session. Returns `false` if there is no such session. The session is then collected
    /// `grace` after the connection's token ends, or later.
    ///
    /// One request, a transaction.
    pub async fn insert_connection(&self, connection: &Connection, grace: Duration) -> Result<bool, StoreError> {
        let mut extend = true;
        let mut attempts = Attempts::default();
        loop {
            let key = connection_key(&connection.session_id, &connection.connection_id);
            let item = Item { key, kind: "Connection", entity: connection }.attributes()?;
            let put = Put::builder().table_name(&*self.table).set_item(Some(item)).build()?;
            let put = TransactWriteItem::builder().put(put).build();
            let admitted = self.transact(vec![self.admit(connection, grace, extend)?, put]).await?;
            let Committed::No(reasons) = admitted else { return Ok(true) };
            let found = reasons.into_iter().next().and_then(|reason| reason.item);
            let Some(found) = found else { return Ok(false) };
            let found: MediaSession = serde_dynamo::from_item(found)?;
            if !found.is_live(connection.created_at) {
                return Ok(false);
            }
            extend = found.tokens_end_at.is_none_or(|end| end <= connection.expires_at);
            attempts.lost_knowingly().await?;
        }
    }

    /// The write to the session when a token is issued. Its condition is that the session is live. With `extend` it
    /// moves the session's end behind that of the token. Without, its condition is that another token has done so.
    fn admit(&self, connection: &Connection, grace: Duration, extend: bool) -> Result<TransactWriteItem, StoreError> {
        let live = "attribute_exists(PK) AND attribute_not_exists(closedAt) AND expiresAt > :now";
        let update = self
            .update_session(&connection.session_id)
            .expression_attribute_values(":now", n(connection.created_at.seconds()))
            .expression_attribute_values(":end", n(connection.expires_at.millis()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let update = if extend {
            let collected = (connection.expires_at + grace).whole_second();
            update
                .update_expression("SET expiresAt = :collected, tokensEndAt = :end ADD revision :one")
                .condition_expression(format!("{live} AND (attribute_not_exists(tokensEndAt) OR tokensEndAt <= :end)"))
                .expression_attribute_values(":collected", n(collected.seconds()))
        } else {
            update
                .update_expression("ADD revision :one")
                .condition_expression(format!("{live} AND tokensEndAt >= :end"))
        };
        Ok(TransactWriteItem::builder().update(update.build()?).build())
    }

    /// Ends a connection and its token. The session is collected `grace` after the end of its last token, which may be
    /// now.
    ///
    /// Three requests, four if no other token of the session ends later. The cost does not grow with the number of
    /// connections.
    pub async fn disconnect(
        &self,
        session: &MediaSessionId,
        connection: &ConnectionId,
        now: Timestamp,
        grace: Duration,
    ) -> Result<Disconnected, StoreError> {
        let mut attempts = Attempts::default();
        loop {
            let (target, mut removal) = match self.connection_removal(session, connection, now, grace).await? {
                Ok(removal) => removal,
                Err(unknown) => return Ok(unknown),
            };
            let ended = LiveConnection::of_media(&target).ended(now, EndReason::DISCONNECTED, EndedBy::BACKEND);
            removal.extend(self.ledger_put(&ended)?);
            match self.transact(removal).await? {
                Committed::Yes => return Ok(Disconnected::Now),
                // The connection is gone. The next round of the loop finds out how.
                Committed::No(reasons) if failed_first(&reasons) => attempts.again()?,
                Committed::No(_) => attempts.lost().await?,
            }
        }
    }

    /// A live connection, and the writes that remove it and its token. Otherwise the part that is unknown.
    ///
    /// Two requests, three if no other token of the session ends later.
    pub(crate) async fn connection_removal(
        &self,
        session: &MediaSessionId,
        connection: &ConnectionId,
        now: Timestamp,
        grace: Duration,
    ) -> Result<Result<(Connection, Vec<TransactWriteItem>), Disconnected>, StoreError> {
        let (found, target) = tokio::try_join!(
            self.item::<MediaSession>(key(session)),
            self.item::<Connection>(connection_key(session, connection)),
        )?;
        let Some(found) = found.filter(|found| found.is_live(now)) else {
            return Ok(Err(Disconnected::UnknownSession));
        };
        let Some(target) = target.filter(|target| target.is_live(now)) else {
            return Ok(Err(Disconnected::UnknownConnection));
        };
        let writes = if found.tokens_end_at > Some(target.expires_at) {
            self.removal_of_one(&found, &target)?
        } else {
            let next = self.last_but(&target).await?;
            self.removal_of_the_last(&found, &target, next.as_ref(), now, grace)?
        };
        Ok(Ok((target, writes)))
    }

    /// The writes that remove a connection while another one ends later. The session's end stays as it is.
    fn removal_of_one(
        &self,
        session: &MediaSession,
        target: &Connection,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let check = ConditionCheck::builder()
            .table_name(&*self.table)
            .set_key(Some(key(&session.session_id).attributes()))
            .condition_expression(
                "incarnation = :incarnation AND attribute_not_exists(closedAt) AND tokensEndAt > :end",
            )
            .expression_attribute_values(":incarnation", s(&session.incarnation))
            .expression_attribute_values(":end", n(target.expires_at.millis()))
            .build()?;
        let delete = self.delete_connection(target).build()?;
        Ok(vec![
            TransactWriteItem::builder().delete(delete).build(),
            TransactWriteItem::builder().condition_check(check).build(),
        ])
    }

    /// The writes that remove the connection that ends last. Their condition is that `next`, which ends last
    /// afterwards, is still there, and that no token was issued since.
    fn removal_of_the_last(
        &self,
        session: &MediaSession,
        target: &Connection,
        next: Option<&Connection>,
        now: Timestamp,
        grace: Duration,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let last_end = next.map_or(now, |next| next.expires_at.max(now));
        let update = self
            .update_session(&session.session_id)
            .update_expression("SET expiresAt = :collected, tokensEndAt = :end ADD revision :one")
            .condition_expression("incarnation = :incarnation AND attribute_not_exists(closedAt) AND revision = :seen")
            .expression_attribute_values(":collected", n(session.collected_at(last_end, grace).seconds()))
            .expression_attribute_values(":end", n(last_end.millis()))
            .expression_attribute_values(":incarnation", s(&session.incarnation))
            .expression_attribute_values(":seen", n(session.revision))
            .build()?;
        let delete = self.delete_connection(target).build()?;
        let mut items = vec![
            TransactWriteItem::builder().delete(delete).build(),
            TransactWriteItem::builder().update(update).build(),
        ];
        if let Some(next) = next {
            let check = ConditionCheck::builder()
                .table_name(&*self.table)
                .set_key(Some(connection_key(&next.session_id, &next.connection_id).attributes()))
                .condition_expression("attribute_exists(PK)")
                .build()?;
            items.push(TransactWriteItem::builder().condition_check(check).build());
        }
        Ok(items)
    }

    fn delete_connection(&self, connection: &Connection) -> DeleteBuilder {
        Delete::builder()
            .table_name(&*self.table)
            .set_key(Some(connection_key(&connection.session_id, &connection.connection_id).attributes()))
            .condition_expression("attribute_exists(PK)")
    }

    /// An update of a session that raises its revision by one.
    fn update_session(&self, session: &MediaSessionId) -> UpdateBuilder {
        Update::builder()
            .table_name(&*self.table)
            .set_key(Some(key(session).attributes()))
            .expression_attribute_values(":one", n(1))
    }

    /// The connection that ends last among all others of the session. Their sort keys are in the order of their ends.
    async fn last_but(&self, connection: &Connection) -> Result<Option<Connection>, StoreError> {
        let output = self
            .client
            .query()
            .table_name(&*self.table)
            .consistent_read(true)
            .key_condition_expression("PK = :pk AND begins_with(SK, :connections)")
            .expression_attribute_values(":pk", s(partition(&connection.session_id)))
            .expression_attribute_values(":connections", s(connections(&connection.session_id)))
            .scan_index_forward(false)
            .limit(2)
            .send()
            .await?;
        let last: Vec<Connection> = serde_dynamo::from_items(output.items.unwrap_or_default())?;
        Ok(last.into_iter().find(|other| other.connection_id != connection.connection_id))
    }
}
