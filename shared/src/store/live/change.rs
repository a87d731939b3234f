//! Changing what is known of a name.

use aws_sdk_dynamodb::types::{CancellationReason, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem};

use super::live_item;
use crate::{
    clock::Timestamp,
    model::{
        live::{LiveConnection, Refusal, Webhook},
        login_token::StreamRole,
    },
    store::{
        RACES, Store, StoreError, n, pause,
        transaction::{Committed, is_failed_condition},
    },
};

/// What became of a client that a media server asked about.
pub type Admitted = Result<(), Refusal>;

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
        self.change_live(None, open, now).await
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
        self.change_live(before, close, now).await
    }

    /// Changes a name to what `step` makes of it, first of `before`, then of what is there.
    async fn change_live<T>(
        &self,
        mut before: Option<LiveConnection>,
        step: impl Fn(Option<&LiveConnection>) -> Step<T>,
        now: Timestamp,
    ) -> Result<T, StoreError> {
        for lost in 0..RACES {
            let (after, outcome) = match step(before.as_ref()) {
                Step::Stay(outcome) => return Ok(outcome),
                Step::To(after, outcome) => (after, outcome),
            };
            match self.transact(self.live_change(before.as_ref(), *after, now)?).await? {
                Committed::Yes => return Ok(outcome),
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
