//! The API document and its page, as API Gateway passes them on.

use std::io::Read;

use flate2::read::GzDecoder;
use serde_json::Value;

use crate::stage::{Fixture, Stage};

#[tokio::test]
async fn the_served_document_is_the_one_in_the_repository() {
    let stage = Stage::new().await;
    let answer = stage.send("specification/read", &Fixture::default()).await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let document: Value = serde_json::from_str(include_str!("../../openapi.json")).unwrap();
    assert_eq!(answer.json(), document);
    // Behind a REST API all paths begin with the stage.
    let answer = stage.send("specification/read-rest", &Fixture::default()).await;
    assert_eq!(answer.at("/servers/0/url"), "/prod/");
}

#[tokio::test]
async fn a_browser_gets_compressed_files_that_unpack_completely() {
    let stage = Stage::new().await;
    let page = stage.send("specification/browse", &Fixture::default()).await;
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(page.header("content-encoding"), Some("gzip"));
    assert!(unpacked(&page.bytes()).contains("<script src=\"/docs/start.js\"></script>"));
    let slash = stage.send("specification/browse-trailing-slash", &Fixture::default()).await;
    assert_eq!(slash.bytes(), page.bytes());
    let style = stage.send("specification/style", &Fixture::default()).await;
    assert!(unpacked(&style.bytes()).starts_with(".swagger-ui"));
}

fn unpacked(bytes: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    text
}
