//! Changing what is known of a name.

use aws_sdk_dynamodb::types::{
    CancellationReason, ConditionCheck, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};

use super::live_item;
use crate::{
    clock::Timestamp,
    id::ConnectionId,
    model::{
        live::{LiveConnection, Refusal, Webhook},
        login_token::StreamRole,
    },
    store::{
        RACES, Store, StoreError, media_session, n, pause,
        transaction::{Committed, failed_first, is_failed_condition},
    },
};

/// What became of a client that a media server asked about.
pub type Admitted = Result<(), Refusal>;

/// What became of a name.
enum Changed<T> {
    /// It is as it had to become.
    To(T),
    /// Something elsewhere is in the way.
    Refused,
}

/// What a look at a name leads to.
enum Step<T> {
    /// It stays as it is.
    Stay(T),
    /// It becomes this.
    To(Box<LiveConnection>, T),
}

impl Store {
    /// Lets a client in, or not.
    ///
    /// One request, a transaction, where the name is new; one more where it is not.
    pub async fn open_live_connection(
        &self,
        webhook: &Webhook,
        now: Timestamp,
        ends_at: Timestamp,
    ) -> Result<Admitted, StoreError> {
        let open = |before: Option<&LiveConnection>| match webhook.open(before, now, ends_at) {
            Ok(Some(after)) => Step::To(Box::new(after), Ok(())),
            Ok(None) => Step::Stay(Ok(())),
            Err(refusal) => Step::Stay(Err(refusal)),
        };
        let taken = self.media_check(webhook, now)?;
        match self.change_live(None, open, taken, now).await? {
            Changed::To(admitted) => Ok(admitted),
            Changed::Refused => Ok(Err(Refusal::Taken)),
        }
    }

    /// On condition that no token of a media session has the name: those lie elsewhere.
    fn media_check(&self, webhook: &Webhook, now: Timestamp) -> Result<Option<TransactWriteItem>, StoreError> {
        let (session, connection) = (webhook.stream.media_session(), ConnectionId::parse(webhook.name.as_str()));
        let (Some(session), Some(connection)) = (session, connection) else { return Ok(None) };
        let check = ConditionCheck::builder()
            .table_name(&*self.table)
            .set_key(Some(media_session::connection_key(&session, &connection).attributes()))
            .condition_expression("attribute_not_exists(PK) OR expiresAt <= :now")
            .expression_attribute_values(":now", n(now.seconds()))
            .build()?;
        Ok(Some(TransactWriteItem::builder().condition_check(check).build()))
    }

    /// Takes note that a client has gone.
    ///
    /// Two requests.
    pub async fn close_live_connection(&self, webhook: &Webhook, now: Timestamp) -> Result<(), StoreError> {
        let publishes = webhook.role == StreamRole::Publisher;
        let before = match super::key(&webhook.stream, &webhook.name, publishes) {
            Some(key) => self.item(key).await?,
            None => return Ok(()),
        };
        let close = |before: Option<&LiveConnection>| match webhook.close(before, now) {
            Some(after) => Step::To(Box::new(after), ()),
            None => Step::Stay(()),
        };
        // Without a condition of its own it is never refused.
        self.change_live(before, close, None, now).await.map(drop)
    }

    /// Changes a name to what `step` makes of it, first of `before`, then of what is there, if `check` holds.
    async fn change_live<T>(
        &self,
        mut before: Option<LiveConnection>,
        step: impl Fn(Option<&LiveConnection>) -> Step<T>,
        check: Option<TransactWriteItem>,
        now: Timestamp,
    ) -> Result<Changed<T>, StoreError> {
        for lost in 0..RACES {
            let (after, outcome) = match step(before.as_ref()) {
                Step::Stay(outcome) => return Ok(Changed::To(outcome)),
                Step::To(after, outcome) => (after, outcome),
            };
            let mut writes = self.live_change(before.as_ref(), *after, now)?;
            writes.extend(check.clone());
            match self.transact(writes).await? {
                Committed::Yes => return Ok(Changed::To(outcome)),
                // The check is the last; what is known of the name comes first.
                Committed::No(reasons) if check.is_some() && !failed_first(&reasons) => return Ok(Changed::Refused),
                Committed::No(reasons) => before = found_first(reasons)?,
            }
            if lost > 0 {
                pause(lost).await;
            }
        }
        Err(StoreError::Contended)
    }

    /// The writes that make `after` of `before`, in the table and in the ledger; the first of them is on condition that
    /// it is still `before`.
    pub(super) fn live_change(
        &self,
        before: Option<&LiveConnection>,
        mut after: LiveConnection,
        now: Timestamp,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        after.revision = before.map_or(0, |before| before.revision + 1);
        let put = Put::builder()
            .table_name(&*self.table)
            .set_item(Some(live_item(&after)?))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let put = match before {
            None => put.condition_expression("attribute_not_exists(PK)"),
            Some(before) => {
                put.condition_expression("revision = :seen").expression_attribute_values(":seen", n(before.revision))
            }
        };
        let mut writes = vec![TransactWriteItem::builder().put(put.build()?).build()];
        writes.extend(self.ledger_change(before, &after, now)?);
        Ok(writes)
    }
}

/// What a transaction's first item found in its way.
fn found_first(reasons: Vec<CancellationReason>) -> Result<Option<LiveConnection>, StoreError> {
    let first = reasons.into_iter().next().filter(is_failed_condition);
    Ok(first.and_then(|reason| reason.item).map(serde_dynamo::from_item).transpose()?)
}
