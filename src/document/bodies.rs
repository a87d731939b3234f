//! Rules that all bodies of session management share (`docs/apis/events-api.md`) and that their types do not express.

use serde_json::{Map, Value, json};

use super::operations;

const SCHEMAS: &str = "#/components/schemas/";

/// Gives each PATCH a schema of its own. It has the fields of the PUT beside it and requires none of them, nor a body.
pub(super) fn patches_ask_for_nothing(document: &mut Value) {
    let mut patches = Vec::new();
    for (_, _, operation) in operations(document).filter(|(_, method, _)| *method == "patch") {
        let Some(whole) = body_of(operation).and_then(named) else { continue };
        let what = whole.strip_prefix("New").or(whole.strip_suffix("Change")).unwrap_or(&whole);
        let patch = format!("{what}Patch");
        operation["requestBody"]["required"] = false.into();
        operation["requestBody"]["content"]["application/json"]["schema"] =
            json!({ "$ref": format!("{SCHEMAS}{patch}") });
        patches.push((whole, patch));
    }
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
    for (whole, patch) in patches {
        let mut schema = schemas[&whole].clone();
        if let Some(schema) = schema.as_object_mut() {
            schema.remove("required");
            schema.insert("description".to_owned(), "What to change; what is left out stays as it is.".into());
        }
        schemas.insert(patch, schema);
    }
}

/// The body of a device may also be that of a back-end, which requires no field. So the body is one of the two, or
/// both.
pub(super) fn either_may_open_a_session(document: &mut Value) {
    for (_, _, operation) in operations(document) {
        if operation["operationId"] == "createSession" || operation["operationId"] == "terminateLiveConnection" {
            operation["requestBody"]["required"] = false.into();
        }
    }
    let Some(body) = document["components"]["schemas"]["NewSessionBody"].as_object_mut() else { return };
    if let Some(Value::Array(mut either)) = body.remove("oneOf") {
        either.push(json!({ "type": "null" }));
        body.insert("anyOf".to_owned(), either.into());
    }
}

/// Widens the types of fields, because they are read as Django REST Framework reads them: a number is accepted as a
/// text, some texts and numbers as booleans, and texts of digits as numbers of records.
pub(super) fn fields_are_lenient(document: &mut Value) {
    let bodies = operations(document).filter(|(path, ..)| path.starts_with("/api/v2"));
    let mut names: Vec<String> = bodies.filter_map(|(_, _, operation)| named(body_of(operation)?)).collect();
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
    let mut done = Vec::new();
    while let Some(name) = names.pop() {
        if done.contains(&name) {
            continue;
        }
        let Some(fields) = schemas.get_mut(&name).and_then(|schema| schema.get_mut("properties")?.as_object_mut())
        else {
            continue;
        };
        for field in fields.values_mut() {
            names.extend(named(field));
            be_lenient(field);
        }
        done.push(name);
    }
}

/// Widens the type of a field.
fn be_lenient(field: &mut Value) {
    let Some(schema) = field.as_object_mut() else { return };
    let (kind, is_nullable) = match schema.get("type") {
        Some(Value::Array(kinds)) => (kinds[0].clone(), true),
        kind => (kind.cloned().unwrap_or_default(), false),
    };
    let types = |kinds: &[&str]| json!([kinds, if is_nullable { &["null"] } else { &[] }].concat());
    match kind.as_str() {
        Some("string") if schema.get("format").is_some_and(|format| format == "email") => {
            schema.remove("type");
            let address = json!({ "type": "string", "format": "email", "maxLength": schema.remove("maxLength") });
            schema.remove("format");
            schema.insert("anyOf".to_owned(), json!([address, { "type": "string", "maxLength": 0 }]));
        }
        Some("string") => {
            schema.insert("type".to_owned(), types(&["string", "number"]));
        }
        Some("boolean") => {
            schema.insert("type".to_owned(), types(&["boolean", "string", "number"]));
            let words = json!([
                true, false, "t", "T", "true", "True", "TRUE", "1", "1.0", "f", "F", "false", "False", "FALSE", "0",
                "0.0", 1, 0
            ]);
            schema.insert("enum".to_owned(), words);
        }
        Some("integer") => be_a_number(schema, &types(&["integer", "string"]), is_nullable),
        Some("array") if named(&schema["items"]).is_none() => match schema["items"]["type"].as_str() {
            Some("integer") => be_lenient(&mut schema["items"]),
            // Flags that are not texts are ignored.
            _ => schema["items"] = json!({}),
        },
        _ => {}
    }
}

/// Makes a field the number of a record. If it may be null, it may also be an empty text.
fn be_a_number(schema: &mut Map<String, Value>, types: &Value, is_nullable: bool) {
    let pattern = if is_nullable { "^([1-9][0-9]*)?$" } else { "^[1-9][0-9]*$" };
    schema.remove("format");
    schema.insert("type".to_owned(), types.clone());
    schema.insert("minimum".to_owned(), 1.into());
    schema.insert("pattern".to_owned(), pattern.into());
}

/// The name of the schema that this one refers to.
fn named(schema: &Value) -> Option<String> {
    schema["$ref"].as_str()?.strip_prefix(SCHEMAS).map(str::to_owned)
}

/// The schema of an operation's body.
fn body_of(operation: &Value) -> Option<&Value> {
    operation.pointer("/requestBody/content/application~1json/schema")
}
