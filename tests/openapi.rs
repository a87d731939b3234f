//! `openapi.json` agrees with the handlers, and is complete.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use self::schema::Schema;

#[path = "api/schema.rs"]
mod schema;

/// The operations that read a body of any media type as JSON.
const TAKES_ANY_TYPE: [&str; 4] = ["createSession", "admit", "monitorSession", "noteRoomEvent"];
/// The operations that check signatures and no credentials.
const WEBHOOKS: [&str; 3] = ["admit", "monitorSession", "noteRoomEvent"];
/// The tag of the operations that do not need the table.
const SPECIFICATION: &str = "Specification";

/// Rewrite the file with `UPDATE_OPENAPI=1 cargo test --test openapi`.
#[test]
fn the_document_in_the_repository_is_the_one_the_handlers_make() {
    let mut document = serde_json::to_string_pretty(&greenroom::specification()).unwrap();
    document.push('\n');
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(path, &document).unwrap();
    }
    assert!(
        std::fs::read_to_string(path).unwrap() == document,
        "openapi.json is out of date: UPDATE_OPENAPI=1 cargo test --test openapi"
    );
}

#[test]
fn no_two_types_share_a_schema_name() {
    let mut schemas: BTreeMap<String, (Value, &str)> = BTreeMap::new();
    for function in greenroom::functions() {
        let document = serde_json::to_value(function.routes.get_openapi()).unwrap();
        for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
            let (known, by) = schemas.entry(name.clone()).or_insert((schema.clone(), function.name));
            // The document of all functions could have only one of the two, which would be wrong for the other type.
            assert_eq!(known, schema, "{name} is one thing to {by} and another to {}", function.name);
        }
    }
}

/// The errors of each operation.
fn wrong(look: impl Fn(&Value, &Value) -> Vec<String>) -> String {
    let document = greenroom::specification();
    let mut wrong = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            wrong.extend(look(&document, operation).into_iter().map(|problem| format!("{method} {path}: {problem}")));
        }
    }
    wrong.join("\n")
}

fn failing(checks: &[(&str, bool)]) -> Vec<String> {
    checks.iter().filter(|(_, fine)| !fine).map(|(problem, _)| (*problem).to_owned()).collect()
}

#[test]
fn every_operation_describes_itself_and_its_credentials() {
    let wrong = wrong(|document, operation| {
        let described = |tag: &Value| document["tags"].as_array().unwrap().iter().any(|known| known["name"] == *tag);
        let tags = operation["tags"].as_array().map(Vec::as_slice).unwrap_or_default();
        let known = |scheme: &String| !document["components"]["securitySchemes"][scheme].is_null();
        let schemes = operation["security"].as_array().map(Vec::as_slice).unwrap_or_default();
        failing(&[
            ("no id", operation["operationId"].is_string()),
            ("no summary", operation["summary"].is_string()),
            ("not one tag that is described", tags.len() == 1 && described(&tags[0])),
            ("no security", operation["security"].is_array()),
            ("an unknown credential", schemes.iter().flat_map(|one| one.as_object().unwrap().keys()).all(known)),
        ])
    });
    assert!(wrong.is_empty(), "{wrong}");
    let document = greenroom::specification();
    let operations =
        document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
    let mut ids = BTreeSet::new();
    let mut used = BTreeSet::new();
    for operation in operations {
        assert!(ids.insert(operation["operationId"].to_string()), "two are {}", operation["operationId"]);
        let schemes = operation["security"].as_array().unwrap().iter();
        used.extend(schemes.flat_map(|one| one.as_object().unwrap().keys().cloned()));
    }
    let schemes = document["components"]["securitySchemes"].as_object().unwrap();
    assert_eq!(used, schemes.keys().cloned().collect(), "every credential is asked for somewhere");
    assert!(schemes.values().all(|scheme| scheme["description"].is_string()));
}

/// The operations that never succeed, because this server carries no media.
const NEEDS_MEDIA: [&str; 10] = [
    "unpublish",
    "deleteStream",
    "sendSignal",
    "startRecording",
    "stopRecording",
    "listRecordings",
    "getRecording",
    "deleteRecording",
    "startBroadcast",
    "stopBroadcast",
];

/// The operations that have nothing to read or write, or say themselves whether they could read.
const NEEDS_NO_TABLE: [&str; 15] = [
    "getOpenViduCdr",
    "getOpenViduCdrSetting",
    "getOpenViduHealth",
    "getOpenViduPublicUrl",
    "getOpenViduRecordingSetting",
    "getOpenViduSettings",
    "getOpenViduVersion",
    "probeOpenViduServer",
    "startRecording",
    "stopRecording",
    "listRecordings",
    "getRecording",
    "deleteRecording",
    "startBroadcast",
    "stopBroadcast",
];

#[test]
fn every_operation_describes_its_answers() {
    let wrong = wrong(|_, operation| {
        let answers = |status: &str| operation["responses"].get(status).is_some();
        let says = |status: &str, header: &str| {
            let response = &operation["responses"][status];
            response.is_null() || response["headers"][header].is_object()
        };
        let is = |ids: &[&str]| ids.iter().any(|id| operation["operationId"] == *id);
        let has_body = operation.get("requestBody").is_some();
        let asks = operation["security"].as_array().unwrap().iter().any(|scheme| scheme != &json!({}));
        let needs_the_table = operation["tags"][0] != SPECIFICATION && !is(&NEEDS_NO_TABLE);
        let fails = !needs_the_table || answers("500") && answers("503");
        let described = operation["responses"].as_object().unwrap().values();
        failing(&[
            (
                "no success",
                operation["responses"].as_object().unwrap().keys().any(|status| status.starts_with('2'))
                    || is(&NEEDS_MEDIA),
            ),
            (
                "an answer that is not described",
                described.into_iter().all(|response| response["description"].is_string()),
            ),
            ("not both 500 and 503", fails),
            ("401 without credentials, or these without it", answers("401") == asks),
            ("a body, and not both 400 and 413", !has_body || answers("400") && answers("413")),
            ("a body without 415", !has_body || answers("415") || is(&TAKES_ANY_TYPE)),
            ("401 without WWW-Authenticate", is(&WEBHOOKS) || says("401", "WWW-Authenticate")),
            ("503 without Retry-After", says("503", "Retry-After")),
            ("429 without Retry-After", says("429", "Retry-After")),
        ])
    });
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_parameter_and_every_body_has_a_valid_example() {
    let wrong = wrong(|document, operation| {
        let mut wrong = Vec::new();
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap();
            if !parameter["description"].is_string() {
                wrong.push(format!("{name} is not described"));
            }
            wrong.extend(misfits(document, parameter).into_iter().map(|problem| format!("{name}: {problem}")));
        }
        let responses = operation["responses"].as_object().unwrap().iter();
        let responses = responses.map(|(status, response)| (status.as_str(), &response["content"]));
        for (name, content) in responses.chain([("its body", &operation["requestBody"]["content"])]) {
            for media in content.as_object().into_iter().flat_map(|content| content.values()) {
                wrong.extend(misfits(document, media).into_iter().map(|problem| format!("{name}: {problem}")));
            }
        }
        wrong
    });
    assert!(wrong.is_empty(), "{wrong}");
}

/// The errors in the examples of something with a schema.
fn misfits(document: &Value, of: &Value) -> Vec<String> {
    let several = of["examples"].as_object().into_iter().flat_map(|examples| examples.values());
    let examples: Vec<_> = several.map(|example| &example["value"]).chain(of.get("example")).collect();
    if examples.is_empty() {
        return vec!["no example".to_owned()];
    }
    let schema = Schema::of(&of["schema"], document).unwrap();
    examples.into_iter().filter_map(|example| schema.misfit(example)).collect()
}

#[test]
fn every_type_and_every_field_is_described() {
    let document = greenroom::specification();
    let schemas = &document["components"]["schemas"];
    let mut silent = Vec::new();
    for (name, schema) in schemas.as_object().unwrap() {
        if !is_described(schema, schemas) {
            silent.push(name.clone());
        }
        look_at_fields(name, schema, schemas, &mut silent);
    }
    assert!(silent.is_empty(), "{}", silent.join("\n"));
}

fn look_at_fields(at: &str, schema: &Value, schemas: &Value, silent: &mut Vec<String>) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let at = format!("{at}.{name}");
        // The tag that distinguishes the variants of a type needs no description.
        if !is_described(field, schemas) && !field["enum"].is_array() {
            silent.push(at.clone());
        }
        look_at_fields(&at, field, schemas, silent);
    }
    let parts = ["allOf", "anyOf", "oneOf"].iter().flat_map(|key| schema[key].as_array().into_iter().flatten());
    for part in parts.chain(schema.get("items")) {
        look_at_fields(at, part, schemas, silent);
    }
}

/// Whether a schema, or the one that it refers to, has a description.
fn is_described(schema: &Value, schemas: &Value) -> bool {
    let name = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next());
    let parts = ["allOf", "oneOf"].iter().flat_map(|key| schema[key].as_array().into_iter().flatten());
    schema["description"].is_string()
        || name.is_some_and(|name| is_described(&schemas[name], schemas))
        || parts.filter(|part| part.get("$ref").is_some()).any(|part| is_described(part, schemas))
}
