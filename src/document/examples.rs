//! Examples of whole bodies, made from the examples of their fields.

use serde_json::{Map, Value};

use super::operations;

/// Adds an example to every body whose function gives none.
pub(super) fn complete(document: &mut Value) {
    let schemas = document["components"]["schemas"].clone();
    for (_, _, operation) in operations(document) {
        if let Some(content) = operation.pointer_mut("/requestBody/content") {
            complete_content(content, &schemas);
        }
        for response in operation["responses"].as_object_mut().into_iter().flat_map(Map::values_mut) {
            if let Some(content) = response.get_mut("content") {
                complete_content(content, &schemas);
            }
        }
    }
}

fn complete_content(content: &mut Value, schemas: &Value) {
    for media in content.as_object_mut().into_iter().flat_map(Map::values_mut) {
        if media.get("example").is_none()
            && media.get("examples").is_none()
            && let Some(example) = of(&media["schema"], schemas)
        {
            media["example"] = example;
        }
    }
}

/// An example for a schema; `None` if a part of it has none.
fn of(schema: &Value, schemas: &Value) -> Option<Value> {
    let own = schema.get("example").or_else(|| schema.get("examples")?.get(0));
    if let Some(example) = own.or_else(|| schema.get("enum")?.get(0)) {
        return Some(example.clone());
    }
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
        return of(&schemas[name], schemas);
    }
    if let Some(first) = ["oneOf", "anyOf"].iter().find_map(|key| schema.get(key)?.as_array()) {
        return of(first.iter().find(|schema| schema["type"] != "null")?, schemas);
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let parts: Option<Vec<_>> = parts.iter().map(|part| of(part, schemas)?.as_object().cloned()).collect();
        return Some(parts?.into_iter().flatten().collect::<Map<_, _>>().into());
    }
    let kind = schema["type"].get(0).unwrap_or(&schema["type"]);
    match kind.as_str()? {
        "array" => Some(vec![of(&schema["items"], schemas)?].into()),
        "object" => {
            let fields = schema["properties"].as_object().into_iter().flatten();
            let fields = fields.map(|(name, field)| Some((name.clone(), of(field, schemas)?)));
            fields.collect::<Option<Map<_, _>>>().map(Value::from)
        }
        _ => None,
    }
}
