//! Transactions: DynamoDB does all of their writes or none.

use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsError,
    types::{CancellationReason, ConditionCheck, Delete, Put, TransactWriteItem, Update},
};

use super::{
    Store, StoreError,
    error::{cancelled, is_conflict, is_failed_condition, is_met},
};

/// The outcome of a transaction.
pub(super) enum Committed {
    Yes,
    /// A condition failed. These are the reasons, item by item.
    No(Vec<CancellationReason>),
}

/// The outcome of one attempt at a transaction.
pub(super) enum Attempted {
    Yes,
    /// A condition failed. These are the reasons, item by item.
    No(Vec<CancellationReason>),
    /// Another transaction was working on one of the items, and nothing was written. These are the reasons, item by
    /// item.
    Met(Vec<CancellationReason>),
}

impl Store {
    /// Runs a transaction of at most 100 items. Tries it again while it meets other ones.
    pub(super) async fn transact(&self, items: Vec<TransactWriteItem>) -> Result<Committed, StoreError> {
        self.transact_slice(&items).await
    }

    /// Runs a transaction of at most 100 items. Tries it again while it meets other ones.
    pub(super) async fn transact_slice(&self, items: &[TransactWriteItem]) -> Result<Committed, StoreError> {
        let mut backoff = self.backoff();
        loop {
            match self.attempt_transaction(items).await? {
                Attempted::Yes => return Ok(Committed::Yes),
                Attempted::No(reasons) => return Ok(Committed::No(reasons)),
                Attempted::Met(reasons) => {
                    let met = items.iter().zip(&reasons).find(|(_, reason)| is_met(reason));
                    backoff.line_up(&met.map_or_else(String::new, |(item, _)| name_of(item))).await?;
                }
            }
        }
    }

    /// Makes one attempt at a transaction of at most 100 items.
    pub(super) async fn attempt_transaction(&self, items: &[TransactWriteItem]) -> Result<Attempted, StoreError> {
        let sent = self.client.transact_write_items().set_transact_items(Some(items.to_vec())).send().await;
        let Err(error) = sent else { return Ok(Attempted::Yes) };
        if let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) = error.as_service_error() {
            let reasons = canceled.cancellation_reasons();
            if reasons.iter().any(is_failed_condition) {
                return Ok(Attempted::No(reasons.to_vec()));
            }
            if is_conflict(reasons) {
                return Ok(Attempted::Met(reasons.to_vec()));
            }
        }
        Err(cancelled(error))
    }
}

/// The name of the item that a write of a transaction touches.
pub(super) fn name_of(item: &TransactWriteItem) -> String {
    let key = item.update().map(Update::key).or_else(|| item.put().map(Put::item));
    let key =
        key.or_else(|| item.delete().map(Delete::key)).or_else(|| item.condition_check().map(ConditionCheck::key));
    let part = |name: &str| Some(key?.get(name)?.as_s().ok()?.as_str());
    format!("{} {}", part("PK").unwrap_or_default(), part("SK").unwrap_or_default())
}
