//! Writes of one item: a put, an update, a deletion, or a check that writes nothing. A write is sent alone, or as a
//! part of a [transaction](super::transaction).

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    error::{BuildError, SdkError},
    types::{
        AttributeValue, ConditionCheck, Delete, Put, ReturnValue, ReturnValuesOnConditionCheckFailure,
        TransactWriteItem, Update,
    },
};

use super::{
    Attributes, Key, Store, StoreError,
    error::{Conditional, item_in_the_way},
    n,
};

/// A write of one item.
#[derive(Clone)]
pub(super) struct Write {
    action: Action,
    condition: Option<String>,
    names: Option<HashMap<String, String>>,
    values: Option<HashMap<String, AttributeValue>>,
    returned: Option<ReturnValue>,
    returned_on_failure: Option<ReturnValuesOnConditionCheckFailure>,
}

#[derive(Clone)]
enum Action {
    Put(Attributes),
    Update(Key, String),
    Delete(Key),
    Check(Key),
}

/// The outcome of a write that was sent alone: the attributes that it asked for, or the item that its condition failed
/// on. `None` if there is no such item, or the write did not ask for it.
pub(super) type Written = Result<Attributes, Option<Attributes>>;

/// Gives a builder of the SDK the table, and the condition of a write. The builders have the same methods, but no
/// trait.
macro_rules! on_table {
    ($builder:expr, $table:expr, $write:ident) => {
        $builder
            .table_name($table)
            .set_condition_expression($write.condition)
            .set_expression_attribute_names($write.names)
            .set_expression_attribute_values($write.values)
            .set_return_values_on_condition_check_failure($write.returned_on_failure)
    };
}

impl Write {
    /// Puts an item in place of any other with its key.
    pub(super) fn put(item: Attributes) -> Self {
        Self::new(Action::Put(item))
    }

    /// Changes an item by an update expression, and makes the item if there is none.
    pub(super) fn update(key: Key, expression: impl Into<String>) -> Self {
        Self::new(Action::Update(key, expression.into()))
    }

    /// Deletes an item. Changes nothing if there is none.
    pub(super) fn delete(key: Key) -> Self {
        Self::new(Action::Delete(key))
    }

    /// Writes nothing. It is only for transactions: if its condition fails, the whole transaction does.
    pub(super) fn check(key: Key) -> Self {
        Self::new(Action::Check(key))
    }

    fn new(action: Action) -> Self {
        Self { action, condition: None, names: None, values: None, returned: None, returned_on_failure: None }
    }

    /// Writes only on this condition.
    pub(super) fn when(self, condition: impl Into<String>) -> Self {
        Self { condition: Some(condition.into()), ..self }
    }

    /// Writes only if there is no item with the key.
    pub(super) fn when_new(self) -> Self {
        self.when("attribute_not_exists(PK)")
    }

    /// Writes only if there is an item with the key.
    pub(super) fn when_there(self) -> Self {
        self.when("attribute_exists(PK)")
    }

    /// Writes only if the item still has the revision that was seen; if there still is none, for `None`.
    pub(super) fn when_unchanged(self, seen: Option<u64>) -> Self {
        match seen {
            Some(seen) => self.when("revision = :seen").value(":seen", n(seen)),
            None => self.when_new(),
        }
    }

    /// The attribute that a name in the expressions is for.
    pub(super) fn name(mut self, name: impl Into<String>, attribute: impl Into<String>) -> Self {
        self.names.get_or_insert_default().insert(name.into(), attribute.into());
        self
    }

    /// A value in the expressions.
    pub(super) fn value(mut self, name: impl Into<String>, value: AttributeValue) -> Self {
        self.values.get_or_insert_default().insert(name.into(), value);
        self
    }

    /// Asks for these attributes of an item that is updated alone.
    pub(super) fn returning(self, attributes: ReturnValue) -> Self {
        Self { returned: Some(attributes), ..self }
    }

    /// Asks for the item if the condition fails on it.
    pub(super) fn returning_on_failure(self) -> Self {
        Self { returned_on_failure: Some(ReturnValuesOnConditionCheckFailure::AllOld), ..self }
    }

    /// The key of an item that is updated.
    pub(super) fn updated(&self) -> Option<&Key> {
        match &self.action {
            Action::Update(key, _) => Some(key),
            Action::Put(_) | Action::Delete(_) | Action::Check(_) => None,
        }
    }

    /// A value in the expressions.
    pub(super) fn value_of(&self, name: &str) -> Option<&AttributeValue> {
        self.values.as_ref()?.get(name)
    }

    /// The key of the item as one text, which no other item has.
    pub(super) fn item_name(&self) -> String {
        match &self.action {
            Action::Update(key, _) | Action::Delete(key) | Action::Check(key) => key.name(),
            Action::Put(item) => {
                let part = |name: &str| Some(item.get(name)?.as_s().ok()?.as_str());
                format!("{} {}", part("PK").unwrap_or_default(), part("SK").unwrap_or_default())
            }
        }
    }

    /// The write as a part of a transaction.
    pub(super) fn part(self, table: &str) -> Result<TransactWriteItem, BuildError> {
        let part = TransactWriteItem::builder();
        let part = match self.action {
            Action::Put(item) => part.put(on_table!(Put::builder().set_item(Some(item)), table, self).build()?),
            Action::Update(key, expression) => {
                let update = Update::builder().set_key(Some(key.attributes())).update_expression(expression);
                part.update(on_table!(update, table, self).build()?)
            }
            Action::Delete(key) => {
                let delete = Delete::builder().set_key(Some(key.attributes()));
                part.delete(on_table!(delete, table, self).build()?)
            }
            Action::Check(key) => {
                let check = ConditionCheck::builder().set_key(Some(key.attributes()));
                part.condition_check(on_table!(check, table, self).build()?)
            }
        };
        Ok(part.build())
    }
}

impl Store {
    /// Sends a write alone. One request.
    pub(super) async fn write(&self, write: Write) -> Result<Written, StoreError> {
        let (client, table) = (&self.client, &*self.table);
        match write.action {
            Action::Put(item) => {
                let put = on_table!(client.put_item().set_item(Some(item)), table, write);
                outcome(put.send().await, |_| None)
            }
            Action::Update(key, expression) => {
                let update = client.update_item().set_key(Some(key.attributes())).update_expression(expression);
                let update = on_table!(update, table, write).set_return_values(write.returned);
                outcome(update.send().await, |output| output.attributes)
            }
            Action::Delete(key) => {
                let delete = on_table!(client.delete_item().set_key(Some(key.attributes())), table, write);
                outcome(delete.send().await, |_| None)
            }
            Action::Check(_) => Err(StoreError::Refused("a check is a part of a transaction".to_owned())),
        }
    }
}

fn outcome<T, E>(
    sent: Result<T, SdkError<E>>,
    returned: impl FnOnce(T) -> Option<Attributes>,
) -> Result<Written, StoreError>
where
    E: Conditional,
    StoreError: From<SdkError<E>>,
{
    match sent {
        Ok(output) => Ok(Ok(returned(output).unwrap_or_default())),
        Err(error) => item_in_the_way(error).map(Err),
    }
}
