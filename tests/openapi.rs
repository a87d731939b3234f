//! `openapi.json` is what the handlers say.

/// Rewrite the file with `UPDATE_OPENAPI=1 cargo test --test openapi`.
#[test]
fn the_document_in_the_repository_is_the_one_the_handlers_make() {
    let mut document = serde_json::to_string_pretty(&greenroom::api().1).unwrap();
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
    let document = serde_json::to_value(greenroom::api().1).unwrap();
    let operations =
        document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
    let ids: Vec<_> = operations.map(|operation| operation["operationId"].as_str().unwrap()).collect();
    let distinct: std::collections::HashSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len());
}
