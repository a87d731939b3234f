//! Rules that all bodies of session management share (`docs/apis/events-api.md`) and that their types do not express.

use std::{collections::BTreeSet, mem};

use serde_json::Value;
use utoipa::openapi::{
    Object, ObjectBuilder, Paths, Ref, RefOr, Required, Schema, SchemaFormat, Type,
    schema::{AnyOf, ArrayItems, SchemaType},
};

use super::parts::{Schemas, body, name, operations, reference};

/// The operations, besides each PATCH, that do without a body.
const OPTIONAL: [&str; 2] = ["createSession", "terminateLiveConnection"];
/// The texts that are read as booleans.
const BOOLEANS: [&str; 14] =
    ["t", "T", "true", "True", "TRUE", "1", "1.0", "f", "F", "false", "False", "FALSE", "0", "0.0"];

/// Gives each PATCH of session management a schema of its own. It has the fields of the PUT beside it and requires none of them, nor a body.
pub(super) fn patches_ask_for_nothing(paths: &mut Paths, schemas: &mut Schemas) {
    let items = paths.paths.iter_mut().filter(|(path, _)| path.starts_with("/api/v2"));
    let patches = items.filter_map(|(_, item)| item.patch.as_mut());
    for body in patches.filter_map(body) {
        body.required = Some(Required::False);
        let Some(reference) = reference(body) else { continue };
        let Some(whole) = name(reference) else { continue };
        let Some(RefOr::T(Schema::Object(fields))) = schemas.get(whole) else { continue };
        let what = whole.strip_prefix("New").or(whole.strip_suffix("Change")).unwrap_or(whole);
        let patch = format!("{what}Patch");
        let mut fields = fields.clone();
        fields.required.clear();
        fields.description = Some("What to change; what is left out stays as it is.".to_owned());
        *reference = Ref::from_schema_name(&patch);
        schemas.insert(patch, fields.into());
    }
}

/// The body of a device may also be that of a back-end, which requires no field. So the body is one of the two, or
/// both.
pub(super) fn either_may_open_a_session(paths: &mut Paths, schemas: &mut Schemas) {
    for (_, operation) in operations(paths) {
        if operation.operation_id.as_deref().is_some_and(|id| OPTIONAL.contains(&id))
            && let Some(body) = body(operation)
        {
            body.required = Some(Required::False);
        }
    }
    let Some(RefOr::T(schema)) = schemas.get_mut("NewSessionBody") else { return };
    if let Schema::OneOf(one) = schema {
        let mut any = AnyOf::new();
        any.items = mem::take(&mut one.items);
        any.items.push(Object::with_type(Type::Null).into());
        any.description = one.description.take();
        *schema = Schema::AnyOf(any);
    }
}

/// Widens the types of fields, because they are read as Django REST Framework reads them: a number is accepted as a
/// text, some texts and numbers as booleans, and texts of digits as numbers of records.
pub(super) fn fields_are_lenient(paths: &mut Paths, schemas: &mut Schemas) {
    let requests = operations(paths).filter(|(path, _)| path.starts_with("/api/v2"));
    let bodies = requests.filter_map(|(_, operation)| reference(body(operation)?));
    let mut names: Vec<String> = bodies.filter_map(|reference| name(reference).map(str::to_owned)).collect();
    let mut done = BTreeSet::new();
    while let Some(next) = names.pop() {
        let Some(RefOr::T(Schema::Object(object))) = schemas.get_mut(&next) else { continue };
        if !done.insert(next) {
            continue;
        }
        for field in object.properties.values_mut() {
            match field {
                RefOr::T(field) => be_lenient(field),
                RefOr::Ref(reference) => names.extend(name(reference).map(str::to_owned)),
            }
        }
    }
}

/// Widens the type of a field.
fn be_lenient(field: &mut Schema) {
    match field {
        Schema::Object(object) if object.format == Some(SchemaFormat::Custom("email".to_owned())) => {
            *field = Schema::AnyOf(address_or_nothing(mem::take(object)));
        }
        Schema::Object(object) => accept_more(object),
        Schema::Array(array) => match &mut array.items {
            ArrayItems::RefOrSchema(items) => match &mut **items {
                RefOr::T(Schema::Object(item)) if item.schema_type == Type::Integer.into() => accept_more(item),
                // Flags that are not texts are ignored.
                RefOr::T(_) => array.items = ArrayItems::default(),
                RefOr::Ref(_) => {}
            },
            ArrayItems::False => {}
        },
        _ => {}
    }
}

/// An address of a mail, or an empty text.
fn address_or_nothing(object: Object) -> AnyOf {
    let text = |length| ObjectBuilder::new().schema_type(Type::String).max_length(length);
    let mut either = AnyOf::new();
    either.items = vec![text(object.max_length).format(object.format).into(), text(Some(0)).into()];
    either.description = object.description;
    either.example = object.example;
    either
}

/// Adds the types from which a value is converted.
fn accept_more(object: &mut Object) {
    let (kind, is_nullable) = match &object.schema_type {
        SchemaType::Type(kind) => (kind.clone(), false),
        SchemaType::Array(kinds) => (kinds[0].clone(), true),
        SchemaType::AnyValue => return,
    };
    let others: &[Type] = match kind {
        Type::String => &[Type::Number],
        Type::Boolean => {
            let bits = [1.into(), 0.into()];
            let words = [true.into(), false.into()].into_iter().chain(BOOLEANS.map(Value::from)).chain(bits);
            object.enum_values = Some(words.collect());
            &[Type::String, Type::Number]
        }
        // The number of a record. If it may be null, it may also be an empty text.
        Type::Integer => {
            object.format = None;
            object.minimum = Some(1.into());
            object.pattern = Some(if is_nullable { "^([1-9][0-9]*)?$" } else { "^[1-9][0-9]*$" }.to_owned());
            &[Type::String]
        }
        _ => return,
    };
    let null = is_nullable.then_some(Type::Null);
    object.schema_type = [kind].into_iter().chain(others.iter().cloned()).chain(null).collect();
}
