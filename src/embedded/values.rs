//! Items and consumed capacity, converted between the SDK's types and dynoxide's.

use std::collections::HashMap;

use aws_sdk_dynamodb::{primitives::Blob, types as sdk};
use dynoxide::{AttributeValue, DynoxideError, Item, types};

/// An item's attributes in the SDK's types.
pub(super) type Attributes = HashMap<String, sdk::AttributeValue>;

/// Attributes in dynoxide's types.
pub(super) fn taken(attributes: Attributes) -> Result<Item, DynoxideError> {
    attributes.into_iter().map(|(name, value)| Ok((name, take(value)?))).collect()
}

/// The same for optional attributes.
pub(super) fn taken_if(attributes: Option<Attributes>) -> Result<Option<Item>, DynoxideError> {
    attributes.map(taken).transpose()
}

/// Attributes in the SDK's types.
pub(super) fn given(item: Item) -> Attributes {
    item.into_iter().map(|(name, value)| (name, give(value))).collect()
}

fn take(value: sdk::AttributeValue) -> Result<AttributeValue, DynoxideError> {
    Ok(match value {
        sdk::AttributeValue::S(text) => AttributeValue::S(text),
        sdk::AttributeValue::N(number) => AttributeValue::N(number),
        sdk::AttributeValue::B(bytes) => AttributeValue::B(bytes.into_inner()),
        sdk::AttributeValue::Bool(value) => AttributeValue::BOOL(value),
        sdk::AttributeValue::Null(value) => AttributeValue::NULL(value),
        sdk::AttributeValue::Ss(texts) => AttributeValue::SS(texts),
        sdk::AttributeValue::Ns(numbers) => AttributeValue::NS(numbers),
        sdk::AttributeValue::Bs(all) => AttributeValue::BS(all.into_iter().map(Blob::into_inner).collect()),
        sdk::AttributeValue::L(values) => AttributeValue::L(values.into_iter().map(take).collect::<Result<_, _>>()?),
        sdk::AttributeValue::M(attributes) => AttributeValue::M(taken(attributes)?),
        _ => return Err(DynoxideError::SerializationException("a value of an unknown type".to_owned())),
    })
}

fn give(value: AttributeValue) -> sdk::AttributeValue {
    match value {
        AttributeValue::S(text) => sdk::AttributeValue::S(text),
        AttributeValue::N(number) => sdk::AttributeValue::N(number),
        AttributeValue::B(bytes) => sdk::AttributeValue::B(Blob::new(bytes)),
        AttributeValue::BOOL(value) => sdk::AttributeValue::Bool(value),
        AttributeValue::NULL(value) => sdk::AttributeValue::Null(value),
        AttributeValue::SS(texts) => sdk::AttributeValue::Ss(texts),
        AttributeValue::NS(numbers) => sdk::AttributeValue::Ns(numbers),
        AttributeValue::BS(all) => sdk::AttributeValue::Bs(all.into_iter().map(Blob::new).collect()),
        AttributeValue::L(values) => sdk::AttributeValue::L(values.into_iter().map(give).collect()),
        AttributeValue::M(attributes) => sdk::AttributeValue::M(given(attributes)),
    }
}

/// Consumed capacity in the SDK's types.
pub(super) fn consumed(consumed: types::ConsumedCapacity) -> sdk::ConsumedCapacity {
    sdk::ConsumedCapacity::builder()
        .table_name(consumed.table_name)
        .capacity_units(consumed.capacity_units)
        .set_read_capacity_units(consumed.read_capacity_units)
        .set_write_capacity_units(consumed.write_capacity_units)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_each_type_comes_back_as_it_was() {
        let texts = || vec!["a".to_owned(), "b".to_owned()];
        let all = vec![
            sdk::AttributeValue::S("text".to_owned()),
            sdk::AttributeValue::N("1.50".to_owned()),
            sdk::AttributeValue::B(Blob::new(*b"bytes")),
            sdk::AttributeValue::Bool(true),
            sdk::AttributeValue::Null(true),
            sdk::AttributeValue::Ss(texts()),
            sdk::AttributeValue::Ns(vec!["1".to_owned(), "2".to_owned()]),
            sdk::AttributeValue::Bs(vec![Blob::new(*b"a"), Blob::new(*b"b")]),
        ];
        let map = sdk::AttributeValue::M([("all".to_owned(), sdk::AttributeValue::L(all))].into());
        let attributes: Attributes = [("map".to_owned(), map)].into();
        assert_eq!(given(taken(attributes.clone()).unwrap()), attributes);
    }
}
