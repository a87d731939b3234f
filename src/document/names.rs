//! Names of generic types, and the removal of empty defaults.

use serde_json::{Map, Value};

const SCHEMAS: &str = "#/components/schemas/";

/// Gives a list of users the name `UserPage`, which is `Envelope_User` in the code. Removes defaults that are null.
pub(super) fn tidy(document: Value) -> Value {
    match document {
        Value::Object(fields) => {
            let said = fields.into_iter().filter(|(name, value)| !(name == "default" && value.is_null()));
            let tidied = said.map(|(name, value)| (short(&name).unwrap_or(name), tidy(value)));
            tidied.collect::<Map<_, _>>().into()
        }
        Value::Array(values) => values.into_iter().map(tidy).collect(),
        Value::String(text) => {
            let short = text.strip_prefix(SCHEMAS).and_then(short).map(|name| format!("{SCHEMAS}{name}"));
            short.unwrap_or(text).into()
        }
        other => other,
    }
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
