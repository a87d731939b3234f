//! The parts of a document that rules apply to.

use std::{collections::BTreeMap, slice};

use utoipa::openapi::{
    Content, Paths, Ref, RefOr, Schema, path::Operation, request_body::RequestBody, schema::ArrayItems,
};

/// The named schemas of a document.
pub(super) type Schemas = BTreeMap<String, RefOr<Schema>>;

/// The place of a named schema, before its name.
const SCHEMAS: &str = "#/components/schemas/";

/// Every operation with its path.
pub(super) fn operations(paths: &mut Paths) -> impl Iterator<Item = (&str, &mut Operation)> {
    paths.paths.iter_mut().flat_map(|(path, item)| {
        let methods = [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch];
        methods.into_iter().flatten().map(move |operation| (path.as_str(), operation))
    })
}

/// The body of a request.
pub(super) fn body(operation: &mut Operation) -> Option<&mut RequestBody> {
    operation.request_body.as_mut().and_then(own)
}

/// The reference to the named schema of a body in JSON.
pub(super) fn reference(body: &mut RequestBody) -> Option<&mut Ref> {
    match own(body.content.get_mut("application/json")?)?.schema.as_mut()? {
        RefOr::Ref(reference) => Some(reference),
        RefOr::T(_) => None,
    }
}

/// The bodies of an operation's requests and responses.
pub(super) fn contents(operation: &mut Operation) -> impl Iterator<Item = &mut Content> {
    let request = operation.request_body.iter_mut().filter_map(own).flat_map(|body| body.content.values_mut());
    let responses = operation.responses.responses.values_mut().filter_map(own);
    request.chain(responses.flat_map(|response| response.content.values_mut())).filter_map(own)
}

/// The part itself; `None` if it is a reference.
fn own<T>(part: &mut RefOr<T>) -> Option<&mut T> {
    match part {
        RefOr::T(part) => Some(part),
        RefOr::Ref(_) => None,
    }
}

/// The name of the schema that a reference leads to.
pub(super) fn name(reference: &Ref) -> Option<&str> {
    reference.ref_location.strip_prefix(SCHEMAS)
}

/// Calls a function with each reference in a schema.
pub(super) fn each_reference(schema: &mut RefOr<Schema>, change: &mut impl FnMut(&mut Ref)) {
    let schema = match schema {
        RefOr::Ref(reference) => return change(reference),
        RefOr::T(schema) => schema,
    };
    let parts = match schema {
        Schema::Object(object) => {
            return object.properties.values_mut().for_each(|field| each_reference(field, change));
        }
        Schema::Array(array) => match &mut array.items {
            ArrayItems::RefOrSchema(items) => slice::from_mut(&mut **items),
            ArrayItems::False => return,
        },
        Schema::OneOf(one) => &mut one.items,
        Schema::AllOf(all) => &mut all.items,
        Schema::AnyOf(any) => &mut any.items,
        _ => return,
    };
    for part in parts {
        each_reference(part, change);
    }
}
