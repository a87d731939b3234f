//! Consumed capacity. Every operation asks DynamoDB to report it, and the reports are counted.

use aws_sdk_dynamodb::{
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::{
            AfterDeserializationInterceptorContextRef, BeforeSerializationInterceptorContextMut,
            BeforeTransmitInterceptorContextRef,
        },
    },
    error::BoxError,
    operation::{
        batch_get_item::{BatchGetItemInput, BatchGetItemOutput},
        batch_write_item::{BatchWriteItemInput, BatchWriteItemOutput},
        delete_item::{DeleteItemError, DeleteItemInput, DeleteItemOutput},
        get_item::{GetItemInput, GetItemOutput},
        put_item::{PutItemError, PutItemInput, PutItemOutput},
        query::{QueryInput, QueryOutput},
        transact_write_items::{TransactWriteItemsError, TransactWriteItemsInput, TransactWriteItemsOutput},
        update_item::{UpdateItemError, UpdateItemInput, UpdateItemOutput},
    },
    types::{ConsumedCapacity, ReturnConsumedCapacity},
};
use aws_smithy_runtime_api::client::{
    interceptors::{
        context::{Error, Input, Output},
        dyn_dispatch_hint,
    },
    retries::RequestAttempts,
};
use greenroom_telemetry::meter::{self, Usage};

use super::error::{Conditional, is_failed_condition};

/// The least that a write consumes when its condition fails.
const REFUSED_WRITE: f64 = 1.0;
/// The least that each item of a transaction consumes when a condition of the transaction fails.
const REFUSED_ITEM: f64 = 2.0;

/// A client's interceptor that counts requests and capacity units for the meter of the running task.
#[derive(Debug)]
pub struct Metering;

#[dyn_dispatch_hint]
impl Intercept for Metering {
    fn name(&self) -> &'static str {
        "metering"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if meter::current().is_some() {
            ask(context.input_mut());
        }
        Ok(())
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let repeats = config.load::<RequestAttempts>().is_some_and(|attempts| attempts.attempts() > 1);
        meter::count(|usage| {
            usage.requests += 1;
            usage.retries += u64::from(repeats);
        });
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        meter::count(|usage| match context.output_or_error() {
            Ok(output) => add(usage, output),
            Err(error) => usage.write_units += error.as_operation_error().map_or(0.0, refused),
        });
        Ok(())
    }
}

/// Asks DynamoDB to report the capacity that an operation consumes.
fn ask(input: &mut Input) {
    macro_rules! of {
        ($($input:ty),*) => {$(
            if let Some(input) = input.downcast_mut::<$input>() {
                input.return_consumed_capacity = Some(ReturnConsumedCapacity::Total);
                return;
            }
        )*};
    }
    of!(
        GetItemInput,
        QueryInput,
        UpdateItemInput,
        TransactWriteItemsInput,
        PutItemInput,
        DeleteItemInput,
        BatchGetItemInput,
        BatchWriteItemInput
    );
}

/// Adds the capacity that an operation's output reports.
fn add(usage: &mut Usage, output: &Output) {
    macro_rules! of {
        ($($output:ty: $add:ident),*) => {$(
            if let Some(output) = output.downcast_ref::<$output>() {
                // One report, or a list with one report for each table.
                output.consumed_capacity.iter().flat_map(Consumed::each).for_each(|consumed| $add(usage, consumed));
                return;
            }
        )*};
    }
    of!(
        GetItemOutput: read,
        QueryOutput: read,
        UpdateItemOutput: write,
        TransactWriteItemsOutput: write,
        PutItemOutput: write,
        DeleteItemOutput: write,
        BatchGetItemOutput: read,
        BatchWriteItemOutput: write
    );
}

/// The forms in which outputs report consumed capacity.
trait Consumed {
    fn each(&self) -> &[ConsumedCapacity];
}

impl Consumed for ConsumedCapacity {
    fn each(&self) -> &[ConsumedCapacity] {
        std::slice::from_ref(self)
    }
}

impl Consumed for Vec<ConsumedCapacity> {
    fn each(&self) -> &[ConsumedCapacity] {
        self
    }
}

fn read(usage: &mut Usage, consumed: &ConsumedCapacity) {
    usage.read_units += consumed.capacity_units.unwrap_or_default();
}

fn write(usage: &mut Usage, consumed: &ConsumedCapacity) {
    match consumed.read_capacity_units {
        // A transaction that had been run before. DynamoDB reads its result again.
        Some(read) if read > 0.0 => usage.read_units += read,
        _ => usage.write_units += consumed.capacity_units.unwrap_or_default(),
    }
}

/// The least that a write consumed whose condition failed. 0 for any other error.
fn refused(error: &Error) -> f64 {
    if let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) = error.downcast_ref() {
        let reasons = canceled.cancellation_reasons();
        let items = reasons.iter().map(|_| REFUSED_ITEM).sum();
        return if reasons.iter().any(is_failed_condition) { items } else { 0.0 };
    }
    let failed = error.downcast_ref::<PutItemError>().is_some_and(has_failed)
        || error.downcast_ref::<UpdateItemError>().is_some_and(has_failed)
        || error.downcast_ref::<DeleteItemError>().is_some_and(has_failed);
    if failed { REFUSED_WRITE } else { 0.0 }
}

fn has_failed(error: &impl Conditional) -> bool {
    error.failed_condition().is_some()
}
