//! The DynamoDB client of the SDK: how it is built from the environment, and how often it retries.

use std::time::Duration;

use aws_sdk_dynamodb::{
    Client,
    config::{SharedInterceptor, retry::RetryConfig, timeout::TimeoutConfig},
    error::ProvideErrorMetadata,
    operation::{
        delete_item::DeleteItemError, put_item::PutItemError, transact_write_items::TransactWriteItemsError,
        update_item::UpdateItemError,
    },
};
use aws_smithy_runtime_api::client::{
    interceptors::context::{Error, InterceptorContext},
    retries::{
        ErrorKind,
        classifiers::{ClassifyRetry, RetryAction, RetryClassifierPriority, RetryReason},
    },
};
use greenroom_aws::config;
use greenroom_core::config::AwsEnvironment;

use super::{
    Metering,
    error::{is_conflict, is_passing_cancellation},
};

/// The timeout of an operation with all of its attempts. After that the caller is told to come back later.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);
/// The timeout of one attempt. A lost packet must leave time for another attempt.
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(1500);
const ATTEMPTS: u32 = 8;

/// The client of the DynamoDB that this environment names.
#[must_use]
pub fn client(environment: &AwsEnvironment) -> Client {
    let mut config = config(environment)
        .retry_config(
            RetryConfig::standard().with_max_attempts(ATTEMPTS).with_initial_backoff(Duration::from_millis(50)),
        )
        .retry_classifier(TransactionConflicts)
        .timeout_config(
            TimeoutConfig::builder()
                .operation_timeout(OPERATION_TIMEOUT)
                .operation_attempt_timeout(ATTEMPT_TIMEOUT)
                .build(),
        );
    // Nothing disables it, so no operation has to look whether something did.
    config.push_interceptor(SharedInterceptor::permanent(Metering));
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

/// Whether a single write met a transaction on its item.
fn write_conflict(error: &Error) -> bool {
    error.downcast_ref::<PutItemError>().is_some_and(PutItemError::is_transaction_conflict_exception)
        || error.downcast_ref::<UpdateItemError>().is_some_and(UpdateItemError::is_transaction_conflict_exception)
        || error.downcast_ref::<DeleteItemError>().is_some_and(DeleteItemError::is_transaction_conflict_exception)
}
