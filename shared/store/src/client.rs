//! The DynamoDB client of the SDK: how it is built from the environment, how often it retries, and its errors.

use std::time::Duration;

use aws_sdk_dynamodb::{
    Client,
    config::{self, retry::RetryConfig, timeout::TimeoutConfig},
    error::{BuildError, ProvideErrorMetadata, SdkError},
    operation::{
        delete_item::DeleteItemError, put_item::PutItemError, transact_write_items::TransactWriteItemsError,
        update_item::UpdateItemError,
    },
    types::{CancellationReason, error::ConditionalCheckFailedException},
};
use aws_smithy_runtime_api::client::{
    interceptors::context::{Error, InterceptorContext},
    retries::{
        ErrorKind,
        classifiers::{ClassifyRetry, RetryAction, RetryClassifierPriority, RetryReason},
    },
};
use greenroom_aws::{SdkCalls, reason, sdk_config};
use greenroom_core::config::AwsEnvironment;

use super::{
    Attributes, Metering,
    transaction::{CONFLICT, is_met},
};

/// The timeout of an operation with all of its attempts. After that the caller is told to come back later.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);
/// The timeout of one attempt. A lost packet must leave time for another attempt.
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(1500);
const ATTEMPTS: u32 = 8;

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

/// The client of the DynamoDB that this environment names.
#[must_use]
pub fn client(environment: &AwsEnvironment) -> Client {
    let config = config::Builder::from(&sdk_config(environment))
        .retry_config(
            RetryConfig::standard().with_max_attempts(ATTEMPTS).with_initial_backoff(Duration::from_millis(50)),
        )
        .retry_classifier(TransactionConflicts)
        .interceptor(Metering)
        .interceptor(SdkCalls)
        .timeout_config(
            TimeoutConfig::builder()
                .operation_timeout(OPERATION_TIMEOUT)
                .operation_attempt_timeout(ATTEMPT_TIMEOUT)
                .build(),
        );
    Client::from_conf(config.build())
}

/// Retries a single write that met a transaction on its item, and a transaction that was throttled. The SDK by itself
/// does not. It does not retry transactions that met each other: where many write to one item, meeting is usual and no
/// fault, and must not use up the budget of attempts that all operations share.
#[derive(Debug)]
struct TransactionConflicts;

impl ClassifyRetry for TransactionConflicts {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let error = context.output_or_error().and_then(Result::err).and_then(|error| error.as_operation_error());
        let Some(error) = error else { return RetryAction::NoActionIndicated };
        let conflict = match error.downcast_ref::<TransactWriteItemsError>() {
            Some(TransactWriteItemsError::TransactionCanceledException(canceled)) => {
                is_passing_cancellation(canceled.cancellation_reasons())
                    && !is_conflict(canceled.cancellation_reasons())
            }
            Some(other) => other.code() == Some("TransactionInProgressException"),
            None => write_conflict(error),
        };
        if conflict {
            RetryAction::RetryIndicated(RetryReason::RetryableError {
                kind: ErrorKind::ThrottlingError,
                retry_after: None,
            })
        } else {
            RetryAction::NoActionIndicated
        }
    }

    fn name(&self) -> &'static str {
        "transaction conflicts"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}

/// Whether other transactions on its items cancelled a transaction, and every reason passes by itself.
pub(super) fn is_conflict(reasons: &[CancellationReason]) -> bool {
    is_passing_cancellation(reasons) && reasons.iter().any(is_met)
}

/// Whether every reason of a cancelled transaction passes by itself.
fn is_passing_cancellation(reasons: &[CancellationReason]) -> bool {
    let codes = || reasons.iter().filter_map(CancellationReason::code).filter(|code| *code != "None");
    codes().next().is_some()
        && codes().all(|code| matches!(code, CONFLICT | "ProvisionedThroughputExceeded" | "ThrottlingError"))
}

/// Whether a single write met a transaction on its item.
fn write_conflict(error: &Error) -> bool {
    error.downcast_ref::<PutItemError>().is_some_and(PutItemError::is_transaction_conflict_exception)
        || error.downcast_ref::<UpdateItemError>().is_some_and(UpdateItemError::is_transaction_conflict_exception)
        || error.downcast_ref::<DeleteItemError>().is_some_and(DeleteItemError::is_transaction_conflict_exception)
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
