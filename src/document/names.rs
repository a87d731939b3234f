//! Names of generic types.

use std::mem;

use utoipa::openapi::{Paths, Ref};

use super::parts::{Schemas, contents, each_reference, name, operations};

/// Gives a list of users the name `UserPage`, which is `Envelope_User` in the code.
pub(super) fn shorten(paths: &mut Paths, schemas: &mut Schemas) {
    let bodies = operations(paths).flat_map(|(_, operation)| contents(operation));
    for schema in bodies.filter_map(|body| body.schema.as_mut()).chain(schemas.values_mut()) {
        each_reference(schema, &mut |reference: &mut Ref| {
            if let Some(short) = name(reference).and_then(short) {
                reference.ref_location = Ref::from_schema_name(short).ref_location;
            }
        });
    }
    let named = mem::take(schemas).into_iter();
    *schemas = named.map(|(name, schema)| (short(&name).unwrap_or(name), schema)).collect();
}

fn short(name: &str) -> Option<String> {
    let (whole, part) = name.split_once('_')?;
    match whole {
        "Envelope" => Some(format!("{part}Page")),
        "List" => Some(format!("{part}List")),
        "Data" => Some(format!("{part}Answer")),
        _ => None,
    }
}
