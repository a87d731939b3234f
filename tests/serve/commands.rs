use serde_json::json;
use tempfile::tempdir;
use testbed::{Client, nobody};

use crate::process::{Server, complaint, greenroom, make_store, run, text};

#[tokio::test]
async fn an_api_token_is_shown_once_and_valid_until_it_is_deleted() {
    let dir = tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    make_store(dir.path());
    let command = |arguments: &[&str]| {
        let output = run(&[&["api-token"], arguments, &["--data-dir", path]].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout).trim().to_owned()
    };
    let register = async |token: &str| {
        let arguments = ["--port", "0", "--data-dir", path];
        let server = Server::start_with(&arguments, &[("DEVICE_REGISTRATION", "token")]);
        let request = Client::new().post(format!("{}/api/sessions", server.url)).bearer_auth(token);
        request.json(&json!({ "identifier": "phone" })).send().await.unwrap().status().as_u16()
    };
    let token = command(&["create", "the app", "--mobile"]);
    assert!(token.len() == 40 && token.bytes().all(|byte| byte.is_ascii_hexdigit()));
    command(&["create", "the web site"]);
    let list = command(&["list"]);
    let rows: Vec<Vec<_>> = list.lines().map(|line| line.split('\t').collect()).collect();
    // The client tokens that every new store has come first.
    assert_eq!((rows[2][0], rows[2][2], rows[2][3]), ("3", "the app", "mobile"));
    assert_eq!((rows[3][0], rows[3][2]), ("4", "the web site"));
    assert!(!list.contains(&token));
    assert_eq!(register(&token).await, 200);

    command(&["delete", "3"]);
    assert_eq!(register(&token).await, 401);
    let unknown = run(&["api-token", "delete", "3", "--data-dir", path]);
    assert_eq!(unknown.status.code(), Some(1));
    assert_eq!(complaint(&unknown), "greenroom: there is no API token 3\n");
}

#[test]
fn a_region_alone_leaves_the_embedded_database_in_its_place() {
    let dir = tempdir().unwrap();
    make_store(dir.path());
    let mut command = greenroom(&["api-token", "list", "--data-dir", dir.path().to_str().unwrap()]);
    assert!(command.env("AWS_REGION", "eu-west-1").status().unwrap().success());
}

#[test]
fn an_unreachable_store_is_reported_in_one_line() {
    let dir = tempdir().unwrap();
    let mut command = greenroom(&["--port", "0", "--data-dir", dir.path().to_str().unwrap()]);
    let refused = command.env("AWS_ENDPOINT_URL_DYNAMODB", format!("http://{}", nobody().unwrap())).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let error = text(&refused.stderr);
    assert!(error.starts_with("greenroom: the table greenroom cannot be used: "), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
}
