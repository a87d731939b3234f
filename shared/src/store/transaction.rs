//! Transactions: all of their writes or none.

use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsError,
    types::{CancellationReason, TransactWriteItem},
};

use super::{Store, StoreError, client::cancelled};

/// How a transaction's item says that its condition failed.
const CONDITION_FAILED: &str = "ConditionalCheckFailed";

/// What became of a transaction.
pub(super) enum Committed {
    Yes,
    /// A condition failed: the reasons, item by item.
    No(Vec<CancellationReason>),
}

impl Store {
    /// Runs a transaction, of 100 items at most.
    pub(super) async fn transact(&self, items: Vec<TransactWriteItem>) -> Result<Committed, StoreError> {
        let sent = self.client.transact_write_items().set_transact_items(Some(items)).send().await;
        let Err(error) = sent else { return Ok(Committed::Yes) };
        if let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) = error.as_service_error() {
            let reasons = canceled.cancellation_reasons();
            if reasons.iter().any(is_failed_condition) {
                return Ok(Committed::No(reasons.to_vec()));
            }
        }
        Err(cancelled(error))
    }
}

/// Whether an item of a transaction failed by its condition.
pub(super) fn is_failed_condition(reason: &CancellationReason) -> bool {
    reason.code() == Some(CONDITION_FAILED)
}

/// Whether the condition that failed is that of a transaction's first item.
pub(super) fn failed_first(reasons: &[CancellationReason]) -> bool {
    reasons.first().is_some_and(is_failed_condition)
}
