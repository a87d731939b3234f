//! The store's operations, converted between the SDK's types and dynoxide's. Other operations go by JSON, and so do
//! requests in DynamoDB's older form.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    operation::{
        batch_get_item::{BatchGetItemInput, BatchGetItemOutput},
        batch_write_item::{BatchWriteItemInput, BatchWriteItemOutput},
        delete_item::{DeleteItemInput, DeleteItemOutput},
        get_item::{GetItemInput, GetItemOutput},
        put_item::{PutItemInput, PutItemOutput},
        query::{QueryInput, QueryOutput},
        transact_write_items::{TransactWriteItemsInput, TransactWriteItemsOutput},
        update_item::{UpdateItemInput, UpdateItemOutput},
    },
    types::{ReturnConsumedCapacity, ReturnValue, ReturnValuesOnConditionCheckFailure, Select},
};
use aws_smithy_runtime_api::client::interceptors::context::{Input, Output};
use dynoxide::{
    DynoxideError,
    actions::{
        batch_get_item::{self, BatchGetItemRequest, KeysAndAttributes},
        batch_write_item::{BatchWriteItemRequest, DeleteRequest, PutRequest, WriteRequest},
        delete_item::{self, DeleteItemRequest},
        get_item::{self, GetItemRequest},
        put_item::{self, PutItemRequest},
        query::{self, QueryRequest},
        transact_write_items::TransactWriteItemsRequest,
        update_item::{self, UpdateItemRequest},
    },
};

use super::{
    batch,
    call::Call,
    engine::{Engine, now},
    transaction,
    values::{consumed, given, taken, taken_if},
};

/// An operation that is passed as a type.
trait Operation: Sized {
    type Output;

    /// Whether it changes the database.
    const WRITES: bool;

    /// Whether the request uses nothing of DynamoDB's older form.
    fn is_plain(&self) -> bool {
        true
    }

    fn run(self, engine: &Engine) -> Result<Self::Output, DynoxideError>;
}

/// The call for an input. Returns the input if it has to go by JSON.
pub(super) fn call(input: Input) -> Result<Call, Input> {
    macro_rules! first_of {
        ($($operation:ty),*) => {{
            let input = input;
            $(let input = match input.downcast::<$operation>() {
                Ok(operation) if operation.is_plain() => {
                    let writes = <$operation>::WRITES;
                    let work = Box::new(move |engine: &Engine| operation.run(engine).map(Output::erase));
                    return Ok(Call { writes, work });
                }
                Ok(operation) => return Err(Input::erase(operation)),
                Err(input) => input,
            };)*
            Err(input)
        }};
    }
    first_of!(
        GetItemInput,
        QueryInput,
        BatchWriteItemInput,
        TransactWriteItemsInput,
        UpdateItemInput,
        PutItemInput,
        DeleteItemInput,
        BatchGetItemInput
    )
}

impl Operation for GetItemInput {
    type Output = GetItemOutput;
    const WRITES: bool = false;

    fn is_plain(&self) -> bool {
        self.attributes_to_get.is_none()
    }

    fn run(self, engine: &Engine) -> Result<GetItemOutput, DynoxideError> {
        let request = GetItemRequest {
            table_name: self.table_name.unwrap_or_default(),
            key: taken(self.key.unwrap_or_default())?,
            consistent_read: self.consistent_read,
            projection_expression: self.projection_expression,
            expression_attribute_names: self.expression_attribute_names,
            return_consumed_capacity: capacity(self.return_consumed_capacity.as_ref()),
            attributes_to_get: None,
        };
        let answer = now(get_item::execute(&engine.storage, request))?;
        Ok(GetItemOutput::builder()
            .set_item(answer.item.map(given))
            .set_consumed_capacity(answer.consumed_capacity.map(consumed))
            .build())
    }
}

impl Operation for QueryInput {
    type Output = QueryOutput;
    const WRITES: bool = false;

    fn is_plain(&self) -> bool {
        self.attributes_to_get.is_none()
            && self.key_conditions.is_none()
            && self.query_filter.is_none()
            && self.conditional_operator.is_none()
            // A limit of 0 is refused, and the JSON path has the message.
            && self.limit.is_none_or(|limit| limit > 0)
    }

    fn run(self, engine: &Engine) -> Result<QueryOutput, DynoxideError> {
        let request = QueryRequest {
            table_name: self.table_name.unwrap_or_default(),
            key_condition_expression: self.key_condition_expression,
            filter_expression: self.filter_expression,
            projection_expression: self.projection_expression,
            expression_attribute_names: self.expression_attribute_names,
            expression_attribute_values: taken_if(self.expression_attribute_values)?,
            scan_index_forward: self.scan_index_forward.unwrap_or(true),
            limit: self.limit.and_then(|limit| usize::try_from(limit).ok()),
            exclusive_start_key: taken_if(self.exclusive_start_key)?,
            select: self.select.as_ref().map(Select::as_str).map(str::to_owned),
            consistent_read: self.consistent_read,
            index_name: self.index_name,
            return_consumed_capacity: capacity(self.return_consumed_capacity.as_ref()),
            ..Default::default()
        };
        let answer = now(query::execute(&engine.storage, request))?;
        Ok(QueryOutput::builder()
            .set_items(answer.items.map(|items| items.into_iter().map(given).collect()))
            .count(count(answer.count))
            .scanned_count(count(answer.scanned_count))
            .set_last_evaluated_key(answer.last_evaluated_key.map(given))
            .set_consumed_capacity(answer.consumed_capacity.map(consumed))
            .build())
    }
}

impl Operation for BatchGetItemInput {
    type Output = BatchGetItemOutput;
    const WRITES: bool = false;

    fn is_plain(&self) -> bool {
        self.request_items.iter().flat_map(HashMap::values).all(|asked| asked.attributes_to_get.is_none())
    }

    fn run(self, engine: &Engine) -> Result<BatchGetItemOutput, DynoxideError> {
        let mut request = BatchGetItemRequest {
            return_consumed_capacity: capacity(self.return_consumed_capacity.as_ref()),
            ..Default::default()
        };
        for (table, asked) in self.request_items.unwrap_or_default() {
            let keys = KeysAndAttributes {
                keys: asked.keys.into_iter().map(taken).collect::<Result<_, _>>()?,
                projection_expression: asked.projection_expression,
                expression_attribute_names: asked.expression_attribute_names,
                consistent_read: asked.consistent_read,
                attributes_to_get: None,
            };
            request.request_items.insert(table, keys);
        }
        let answer = now(batch_get_item::execute(&engine.storage, request))?;
        if !answer.unprocessed_keys.is_empty() {
            // The batch asks for more than one answer holds, which the store never does.
            return Err(DynoxideError::InternalServerError("a batch was answered in part".to_owned()));
        }
        let tables = answer.responses.into_iter();
        let tables = tables.map(|(table, items)| (table, items.into_iter().map(given).collect()));
        Ok(BatchGetItemOutput::builder()
            .set_responses(Some(tables.collect()))
            .set_consumed_capacity(answer.consumed_capacity.map(|all| all.into_iter().map(consumed).collect()))
            .build())
    }
}

impl Operation for BatchWriteItemInput {
    type Output = BatchWriteItemOutput;
    const WRITES: bool = true;

    fn run(self, engine: &Engine) -> Result<BatchWriteItemOutput, DynoxideError> {
        let mut request = BatchWriteItemRequest {
            return_consumed_capacity: capacity(self.return_consumed_capacity.as_ref()),
            ..Default::default()
        };
        for (table, writes) in self.request_items.unwrap_or_default() {
            let writes = writes.into_iter().map(|write| {
                let item = write.put_request.map(|put| taken(put.item)).transpose()?;
                let key = write.delete_request.map(|delete| taken(delete.key)).transpose()?;
                let (put_request, delete_request) =
                    (item.map(|item| PutRequest { item }), key.map(|key| DeleteRequest { key }));
                Ok(WriteRequest { put_request, delete_request })
            });
            request.request_items.insert(table, writes.collect::<Result<_, DynoxideError>>()?);
        }
        let answer = batch::write(engine, request)?;
        Ok(BatchWriteItemOutput::builder()
            .set_consumed_capacity(answer.consumed_capacity.map(|all| all.into_iter().map(consumed).collect()))
            .build())
    }
}

impl Operation for TransactWriteItemsInput {
    type Output = TransactWriteItemsOutput;
    const WRITES: bool = true;

    fn run(self, engine: &Engine) -> Result<TransactWriteItemsOutput, DynoxideError> {
        let items = self.transact_items.unwrap_or_default().into_iter().map(transaction::item);
        // The token is dropped: in one process no answer is lost, so no transaction is sent again.
        let answer = engine.transact(TransactWriteItemsRequest {
            transact_items: items.collect::<Result<_, _>>()?,
            return_consumed_capacity: capacity(self.return_consumed_capacity.as_ref()),
            ..Default::default()
        })?;
        Ok(TransactWriteItemsOutput::builder()
            .set_consumed_capacity(answer.consumed_capacity.map(|all| all.into_iter().map(consumed).collect()))
            .build())
    }
}

impl Operation for UpdateItemInput {
    type Output = UpdateItemOutput;
    const WRITES: bool = true;

    fn is_plain(&self) -> bool {
        self.attribute_updates.is_none() && self.expected.is_none() && self.conditional_operator.is_none()
    }

    fn run(self, engine: &Engine) -> Result<UpdateItemOutput, DynoxideError> {
        let request = UpdateItemRequest {
            table_name: self.table_name.unwrap_or_default(),
            key: taken(self.key.unwrap_or_default())?,
            update_expression: self.update_expression,
            condition_expression: self.condition_expression,
            expression_attribute_names: self.expression_attribute_names,
            expression_attribute_values: taken_if(self.expression_attribute_values)?,
            return_values: values(self.return_values.as_ref()),
            return_consumed_capacity: capacity(self.return_consumed_capacity.as_ref()),
            return_values_on_condition_check_failure: in_the_way(
                self.return_values_on_condition_check_failure.as_ref(),
            ),
            ..Default::default()
        };
        let answer = now(update_item::execute(&engine.storage, request))?;
        Ok(UpdateItemOutput::builder()
            .set_attributes(answer.attributes.map(given))
            .set_consumed_capacity(answer.consumed_capacity.map(consumed))
            .build())
    }
}

impl Operation for PutItemInput {
    type Output = PutItemOutput;
    const WRITES: bool = true;

    fn is_plain(&self) -> bool {
        self.expected.is_none() && self.conditional_operator.is_none()
    }

    fn run(self, engine: &Engine) -> Result<PutItemOutput, DynoxideError> {
        let request = PutItemRequest {
            table_name: self.table_name.unwrap_or_default(),
            item: taken(self.item.unwrap_or_default())?,
            return_values: values(self.return_values.as_ref()),
            condition_expression: self.condition_expression,
            expression_attribute_names: self.expression_attribute_names,
            expression_attribute_values: taken_if(self.expression_attribute_values)?,
            return_consumed_capacity: capacity(self.return_consumed_capacity.as_ref()),
            return_values_on_condition_check_failure: in_the_way(
                self.return_values_on_condition_check_failure.as_ref(),
            ),
            ..Default::default()
        };
        let answer = now(put_item::execute(&engine.storage, request))?;
        Ok(PutItemOutput::builder()
            .set_attributes(answer.attributes.map(given))
            .set_consumed_capacity(answer.consumed_capacity.map(consumed))
            .build())
    }
}

impl Operation for DeleteItemInput {
    type Output = DeleteItemOutput;
    const WRITES: bool = true;

    fn is_plain(&self) -> bool {
        self.expected.is_none() && self.conditional_operator.is_none()
    }

    fn run(self, engine: &Engine) -> Result<DeleteItemOutput, DynoxideError> {
        let request = DeleteItemRequest {
            table_name: self.table_name.unwrap_or_default(),
            key: taken(self.key.unwrap_or_default())?,
            return_values: values(self.return_values.as_ref()),
            condition_expression: self.condition_expression,
            expression_attribute_names: self.expression_attribute_names,
            expression_attribute_values: taken_if(self.expression_attribute_values)?,
            return_consumed_capacity: capacity(self.return_consumed_capacity.as_ref()),
            return_values_on_condition_check_failure: in_the_way(
                self.return_values_on_condition_check_failure.as_ref(),
            ),
            ..Default::default()
        };
        let answer = now(delete_item::execute(&engine.storage, request))?;
        Ok(DeleteItemOutput::builder()
            .set_attributes(answer.attributes.map(given))
            .set_consumed_capacity(answer.consumed_capacity.map(consumed))
            .build())
    }
}

fn capacity(asked: Option<&ReturnConsumedCapacity>) -> Option<String> {
    asked.map(|asked| asked.as_str().to_owned())
}

fn values(asked: Option<&ReturnValue>) -> Option<String> {
    asked.map(|asked| asked.as_str().to_owned())
}

fn in_the_way(asked: Option<&ReturnValuesOnConditionCheckFailure>) -> Option<String> {
    asked.map(|asked| asked.as_str().to_owned())
}

fn count(items: usize) -> i32 {
    i32::try_from(items).unwrap_or(i32::MAX)
}
