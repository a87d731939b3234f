//! Subsegments of the operations of AWS's SDKs.

use aws_sdk_dynamodb::{
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::{BeforeSerializationInterceptorContextRef, FinalizerInterceptorContextRef},
    },
    error::{BoxError, ProvideErrorMetadata},
    operation::{
        batch_get_item::BatchGetItemError, batch_write_item::BatchWriteItemError, delete_item::DeleteItemError,
        get_item::GetItemError, put_item::PutItemError, query::QueryError,
        transact_write_items::TransactWriteItemsError, update_item::UpdateItemError,
    },
};
use aws_smithy_runtime_api::client::{interceptors::context::Error, orchestrator::Metadata, retries::RequestAttempts};
use aws_smithy_types::config_bag::{Storable, StoreReplace};
use greenroom_telemetry::meter;
use greenroom_telemetry::trace::{Begun, Operation};

/// The service that the table belongs to.
const TABLES: &str = "DynamoDB";

/// A client's interceptor that sends a subsegment of each operation to the trace of the running request.
#[derive(Debug)]
pub struct SdkCalls;

/// When an operation began.
#[derive(Debug)]
struct Since(Begun);

impl Storable for Since {
    type Storer = StoreReplace<Self>;
}

impl Intercept for SdkCalls {
    fn name(&self) -> &'static str {
        "traces"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if meter::current().is_some_and(|meter| meter.trace().is_some()) {
            config.interceptor_state().store_put(Since(Begun::now()));
        }
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let meter = meter::current();
        let trace = meter.as_ref().and_then(|meter| meter.trace());
        let (Some(trace), Some(Since(begun)), Some(called)) =
            (trace, config.load::<Since>(), config.load::<Metadata>())
        else {
            return Ok(());
        };
        let attempts = config.load::<RequestAttempts>().map_or(1, RequestAttempts::attempts);
        let error = context.output_or_error().and_then(Result::err).and_then(|error| error.as_operation_error());
        trace.operation(
            *begun,
            &Operation {
                service: called.service(),
                name: called.name(),
                is_on_table: called.service() == TABLES,
                retries: attempts.saturating_sub(1),
                status: context.response().map(|response| response.status().as_u16()),
                throttled: error.and_then(code).is_some_and(is_throttling),
            },
        );
        Ok(())
    }
}

/// The code of an error of an operation on the table.
fn code(error: &Error) -> Option<&str> {
    macro_rules! of {
        ($($error:ty),*) => {
            $(if let Some(error) = error.downcast_ref::<$error>() { return error.code(); })*
        };
    }
    of!(
        GetItemError,
        QueryError,
        UpdateItemError,
        TransactWriteItemsError,
        PutItemError,
        DeleteItemError,
        BatchGetItemError,
        BatchWriteItemError
    );
    None
}

fn is_throttling(code: &str) -> bool {
    matches!(code, "ProvisionedThroughputExceededException" | "ThrottlingException" | "RequestLimitExceeded")
}
