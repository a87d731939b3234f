//! Why operations on the table fail, and which failures pass by themselves.

use aws_sdk_dynamodb::{
    error::{BuildError, ProvideErrorMetadata, SdkError},
    operation::{
        delete_item::DeleteItemError, put_item::PutItemError, transact_write_items::TransactWriteItemsError,
        update_item::UpdateItemError,
    },
    types::{CancellationReason, error::ConditionalCheckFailedException},
};
use greenroom_aws::reason;

use super::Attributes;

/// The code of a transaction's item whose condition failed.
const CONDITION_FAILED: &str = "ConditionalCheckFailed";

/// The code of an item that another transaction was working on.
const CONFLICT: &str = "TransactionConflict";

/// Why an operation on the table failed. The texts are for logs: they name codes and kinds, and nothing from an item.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The table throttled, was unreachable or ran out of time. The same request may succeed later.
    #[error("the table cannot be reached for now: {0}")]
    Unavailable(String),
    /// The table refused the request. Trying again does not help.
    #[error("the table refused the request: {0}")]
    Refused(String),
    /// An item has a shape that this version cannot read.
    #[error("an item does not have the expected shape")]
    Item(#[from] serde_dynamo::Error),
    /// Other writers kept changing the same item, or the request ran out of time.
    #[error("there was no end of it in time")]
    Contended,
}

impl<E: ProvideErrorMetadata> From<SdkError<E>> for StoreError {
    fn from(error: SdkError<E>) -> Self {
        let passing = match &error {
            SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => true,
            SdkError::ServiceError(service) => {
                // A server error passes, whatever code DynamoDB or a proxy before it gives.
                service.raw().status().is_server_error() || service.err().code().is_none_or(is_passing)
            }
            _ => false,
        };
        let reason = reason(&error);
        if passing { Self::Unavailable(reason) } else { Self::Refused(reason) }
    }
}

impl From<BuildError> for StoreError {
    fn from(_: BuildError) -> Self {
        Self::Refused("the request cannot be made".to_owned())
    }
}

/// The error of a cancelled transaction. It passes if other transactions caused it, else it is final.
pub(super) fn cancelled(error: SdkError<TransactWriteItemsError>) -> StoreError {
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(canceled)) => {
            let reasons = canceled.cancellation_reasons();
            let codes: Vec<_> = reasons.iter().filter_map(CancellationReason::code).collect();
            let text = format!("TransactionCanceledException {}", codes.join(" "));
            if is_passing_cancellation(reasons) { StoreError::Unavailable(text) } else { StoreError::Refused(text) }
        }
        _ => error.into(),
    }
}

/// An operation's error that may be a failed condition.
pub(super) trait Conditional {
    /// The failed condition, if the error is one.
    fn failed_condition(&self) -> Option<&ConditionalCheckFailedException>;
}

macro_rules! conditional {
    ($($error:ident),*) => {$(
        impl Conditional for $error {
            fn failed_condition(&self) -> Option<&ConditionalCheckFailedException> {
                match self {
                    Self::ConditionalCheckFailedException(failed) => Some(failed),
                    _ => None,
                }
            }
        }
    )*};
}

conditional!(PutItemError, UpdateItemError, DeleteItemError);

/// The item that a condition failed on. `None` if there is none, or the request did not ask for it. Any other error is
/// returned as an error.
pub(super) fn item_in_the_way<E>(error: SdkError<E>) -> Result<Option<Attributes>, StoreError>
where
    E: Conditional,
    StoreError: From<SdkError<E>>,
{
    match error.as_service_error().and_then(Conditional::failed_condition) {
        Some(failed) => Ok(failed.item().cloned()),
        None => Err(error.into()),
    }
}

/// Whether an error with this code passes by itself.
fn is_passing(code: &str) -> bool {
    matches!(
        code,
        "ProvisionedThroughputExceededException"
            | "ThrottlingException"
            | "RequestLimitExceeded"
            | "Throttling"
            | "ThrottledException"
            | "LimitExceededException"
            | "InternalServerError"
            | "ServiceUnavailable"
            | "TransactionConflictException"
            | "TransactionInProgressException"
            | "ReplicatedWriteConflictException"
    )
}

/// Whether other transactions on its items cancelled a transaction, and every reason passes by itself.
pub(super) fn is_conflict(reasons: &[CancellationReason]) -> bool {
    is_passing_cancellation(reasons) && reasons.iter().any(is_met)
}

/// Whether every reason of a cancelled transaction passes by itself.
pub(super) fn is_passing_cancellation(reasons: &[CancellationReason]) -> bool {
    let codes = || reasons.iter().filter_map(CancellationReason::code).filter(|code| *code != "None");
    codes().next().is_some()
        && codes().all(|code| matches!(code, CONFLICT | "ProvisionedThroughputExceeded" | "ThrottlingError"))
}

/// Whether another transaction was working on this item.
pub(super) fn is_met(reason: &CancellationReason) -> bool {
    reason.code() == Some(CONFLICT)
}

/// Whether the condition on this item failed.
pub(super) fn is_failed_condition(reason: &CancellationReason) -> bool {
    reason.code() == Some(CONDITION_FAILED)
}

/// Whether the condition on a transaction's first item failed.
pub(super) fn failed_first(reasons: &[CancellationReason]) -> bool {
    reasons.first().is_some_and(is_failed_condition)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(codes: &[&str]) -> Vec<CancellationReason> {
        codes.iter().map(|code| CancellationReason::builder().code(*code).build()).collect()
    }

    #[test]
    fn only_what_others_caused_is_tried_again() {
        let told = |codes: &[&str]| (is_passing_cancellation(&reasons(codes)), is_conflict(&reasons(codes)));
        assert_eq!(told(&["None", "TransactionConflict"]), (true, true));
        assert_eq!(told(&["ThrottlingError", "TransactionConflict"]), (true, true));
        assert_eq!(told(&["None", "ThrottlingError"]), (true, false));
        assert_eq!(told(&["ConditionalCheckFailed", "TransactionConflict"]), (false, false));
        assert_eq!(told(&["None", "None"]), (false, false));
    }
}
