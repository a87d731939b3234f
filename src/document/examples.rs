//! Examples of whole bodies, made from the examples of their fields.

use serde_json::{Map, Value};
use utoipa::openapi::{
    Object, Paths, RefOr, Schema, Type,
    schema::{ArrayItems, SchemaType},
};

use super::parts::{Schemas, contents, name, operations};

/// Adds an example to every body whose function gives none.
pub(super) fn complete(paths: &mut Paths, schemas: &Schemas) {
    for body in operations(paths).flat_map(|(_, operation)| contents(operation)) {
        if body.example.is_none() && body.examples.is_empty() {
            body.example = body.schema.as_ref().and_then(|schema| example(schema, schemas));
        }
    }
}

/// An example for a schema; `None` if a part of it has none.
fn example(schema: &RefOr<Schema>, schemas: &Schemas) -> Option<Value> {
    let schema = match schema {
        RefOr::Ref(reference) => return example(schemas.get(name(reference)?)?, schemas),
        RefOr::T(schema) => schema,
    };
    let (one, several) = match schema {
        Schema::Object(object) => (&object.example, &object.examples),
        Schema::Array(array) => (&array.example, &array.examples),
        Schema::OneOf(one) => (&one.example, &one.examples),
        Schema::AllOf(all) => (&all.example, &all.examples),
        Schema::AnyOf(any) => (&any.example, &any.examples),
        _ => return None,
    };
    if let Some(example) = one.as_ref().or(several.first()) {
        return Some(example.clone());
    }
    match schema {
        Schema::Object(object) => of_object(object, schemas),
        Schema::Array(array) => match &array.items {
            ArrayItems::RefOrSchema(items) => Some(vec![example(items, schemas)?].into()),
            ArrayItems::False => None,
        },
        Schema::OneOf(one) => of_first(&one.items, schemas),
        Schema::AnyOf(any) => of_first(&any.items, schemas),
        Schema::AllOf(all) => {
            let parts = all.items.iter().map(|part| example(part, schemas)?.as_object().cloned());
            Some(parts.collect::<Option<Vec<_>>>()?.into_iter().flatten().collect::<Map<_, _>>().into())
        }
        _ => None,
    }
}

/// The first value that is allowed, or an object of its fields' examples.
fn of_object(object: &Object, schemas: &Schemas) -> Option<Value> {
    if let Some(allowed) = &object.enum_values {
        return allowed.first().cloned();
    }
    if !is(object, &Type::Object) {
        return None;
    }
    let fields = object.properties.iter().map(|(name, field)| Some((name.clone(), example(field, schemas)?)));
    fields.collect::<Option<Map<_, _>>>().map(Value::from)
}

/// The example of the first of these schemas that is not null.
fn of_first(choice: &[RefOr<Schema>], schemas: &Schemas) -> Option<Value> {
    let is_null = |schema: &RefOr<Schema>| matches!(schema, RefOr::T(Schema::Object(null)) if is(null, &Type::Null));
    example(choice.iter().find(|schema| !is_null(schema))?, schemas)
}

/// Whether values are of this type. If several are allowed, the first counts.
fn is(object: &Object, wanted: &Type) -> bool {
    match &object.schema_type {
        SchemaType::Type(kind) => kind == wanted,
        SchemaType::Array(kinds) => kinds.first() == Some(wanted),
        SchemaType::AnyValue => false,
    }
}
