//! The writes of a transaction, converted from the SDK's types to dynoxide's.

use aws_sdk_dynamodb::types::{ReturnValuesOnConditionCheckFailure, TransactWriteItem as Given};
use dynoxide::{
    DynoxideError,
    actions::transact_write_items::{
        TransactConditionCheck, TransactDelete, TransactPut, TransactUpdate, TransactWriteItem,
    },
};

use super::values::{taken, taken_if};

/// One item of a transaction.
pub(super) fn item(item: Given) -> Result<TransactWriteItem, DynoxideError> {
    let mut taken_item = TransactWriteItem::default();
    if let Some(put) = item.put {
        taken_item.put = Some(TransactPut {
            table_name: put.table_name,
            item: taken(put.item)?,
            condition_expression: put.condition_expression,
            expression_attribute_names: put.expression_attribute_names,
            expression_attribute_values: taken_if(put.expression_attribute_values)?,
            return_values_on_condition_check_failure: in_the_way(put.return_values_on_condition_check_failure),
        });
    }
    if let Some(update) = item.update {
        taken_item.update = Some(TransactUpdate {
            table_name: update.table_name,
            key: taken(update.key)?,
            update_expression: update.update_expression,
            condition_expression: update.condition_expression,
            expression_attribute_names: update.expression_attribute_names,
            expression_attribute_values: taken_if(update.expression_attribute_values)?,
            return_values_on_condition_check_failure: in_the_way(update.return_values_on_condition_check_failure),
        });
    }
    if let Some(delete) = item.delete {
        taken_item.delete = Some(TransactDelete {
            table_name: delete.table_name,
            key: taken(delete.key)?,
            condition_expression: delete.condition_expression,
            expression_attribute_names: delete.expression_attribute_names,
            expression_attribute_values: taken_if(delete.expression_attribute_values)?,
            return_values_on_condition_check_failure: in_the_way(delete.return_values_on_condition_check_failure),
        });
    }
    if let Some(check) = item.condition_check {
        taken_item.condition_check = Some(TransactConditionCheck {
            table_name: check.table_name,
            key: taken(check.key)?,
            condition_expression: check.condition_expression,
            expression_attribute_names: check.expression_attribute_names,
            expression_attribute_values: taken_if(check.expression_attribute_values)?,
            return_values_on_condition_check_failure: in_the_way(check.return_values_on_condition_check_failure),
        });
    }
    Ok(taken_item)
}

fn in_the_way(asked: Option<ReturnValuesOnConditionCheckFailure>) -> Option<String> {
    asked.map(|asked| asked.as_str().to_owned())
}
