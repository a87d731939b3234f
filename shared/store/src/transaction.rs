//! Transactions: DynamoDB does all of their writes or none.

use aws_sdk_dynamodb::{operation::transact_write_items::TransactWriteItemsError, types::CancellationReason};

use super::{
    Store, StoreError,
    error::{cancelled, is_conflict, is_failed_condition, is_met},
    write::Write,
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
    /// Runs a transaction of at most 100 writes. Tries it again while it meets other ones.
    pub(super) async fn transact(&self, writes: &[Write]) -> Result<Committed, StoreError> {
        let mut backoff = self.backoff();
        loop {
            match self.attempt_transaction(writes).await? {
                Attempted::Yes => return Ok(Committed::Yes),
                Attempted::No(reasons) => return Ok(Committed::No(reasons)),
                Attempted::Met(reasons) => {
                    let met = writes.iter().zip(&reasons).find(|(_, reason)| is_met(reason));
                    backoff.line_up(&met.map_or_else(String::new, |(write, _)| write.item_name())).await?;
                }
            }
        }
    }

    /// Makes one attempt at a transaction of at most 100 writes.
    pub(super) async fn attempt_transaction(&self, writes: &[Write]) -> Result<Attempted, StoreError> {
        let parts = writes.iter().map(|write| write.clone().part(&self.table)).collect::<Result<_, _>>()?;
        let sent = self.client.transact_write_items().set_transact_items(Some(parts)).send().await;
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
