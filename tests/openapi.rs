//! `openapi.json` is what the handlers say.

use std::collections::{BTreeMap, HashSet};

use serde_json::Value;

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
fn every_operation_has_an_id_of_its_own() {
    let document = greenroom::specification();
    let operations =
        document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
    let ids: Vec<_> = operations.map(|operation| operation["operationId"].as_str().unwrap()).collect();
    let distinct: HashSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len());
}

#[test]
fn no_two_types_share_a_schemas_name() {
    let mut schemas: BTreeMap<String, (Value, &str)> = BTreeMap::new();
    for function in greenroom::functions() {
        let document = serde_json::to_value(function.routes.get_openapi()).unwrap();
        for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
            let (known, by) = schemas.entry(name.clone()).or_insert((schema.clone(), function.name));
            // Of two, the document of all functions would have one, and say something wrong of the other.
            assert_eq!(known, schema, "{name} is one thing to {by} and another to {}", function.name);
        }
    }
}

#[test]
fn every_operation_of_the_session_management_api_says_what_it_asks_for_and_answers() {
    let document = greenroom::specification();
    let paths = document["paths"].as_object().unwrap().iter().filter(|(path, _)| path.starts_with("/api/v2"));
    for (path, item) in paths {
        for (method, operation) in item.as_object().unwrap() {
            let answers = |status: &str| operation["responses"].get(status).is_some();
            let logs_in = path.starts_with("/api/v2/token-auth/");
            assert_eq!(operation.get("security").is_none(), logs_in, "{method} {path}");
            assert!(answers("503") && (answers("401") || logs_in), "{method} {path}");
            let takes_body = operation.get("requestBody").is_some();
            assert_eq!(takes_body, answers("413") && answers("415") && answers("400"), "{method} {path}");
        }
    }
}
