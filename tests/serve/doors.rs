//! `--dynamodb-port`: which requests are answered there (`docs/apis/access.md`).

use serde_json::Value;
use tempfile::tempdir;
use testbed::{Client, RequestBuilder};

use crate::process::{Server, greenroom, kept, text};

/// A request to list the tables, signed with this access key id.
fn list_tables(server: &Server, key: Option<&str>) -> RequestBuilder {
    let request = Client::new().post(server.database()).header("x-amz-target", "DynamoDB_20120810.ListTables");
    let request = request.header("content-type", "application/x-amz-json-1.0").body("{}");
    let Some(key) = key else { return request };
    let credential = format!("AWS4-HMAC-SHA256 Credential={key}/20260101/local/dynamodb/aws4_request, Signature=0");
    request.header("authorization", credential)
}

async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    assert!(response.headers().keys().all(|name| !name.as_str().starts_with("access-control")));
    (response.status().as_u16(), response.json().await.unwrap_or_default())
}

#[tokio::test]
async fn the_database_answers_programs_with_the_key_but_no_browser() {
    let server = Server::start_with(&["--port", "0", "--memory", "--dynamodb-port", "0"], &[]);
    let key = server.shown("access key id of the DynamoDB port").unwrap();
    let (status, tables) = answer(list_tables(&server, Some(key))).await;
    assert_eq!((status, &tables["TableNames"][0]), (200, &"greenroom".into()));
    for (given, kind) in [(None, "MissingAuthenticationTokenException"), (Some("local"), "UnrecognizedClientException")]
    {
        let (status, refusal) = answer(list_tables(&server, given)).await;
        assert_eq!(status, 400);
        assert!(refusal["__type"].as_str().unwrap().ends_with(kind), "{refusal}");
    }
    let from_a_page = list_tables(&server, Some(key)).header("origin", "https://page.example");
    assert_eq!(answer(from_a_page).await.0, 403);
    let preflight = Client::new().request("OPTIONS".parse().unwrap(), server.database());
    let preflight = preflight.header("origin", "null").header("access-control-request-method", "POST");
    assert_eq!(answer(preflight).await.0, 403);
    for (host, status) in [
        ("localhost", 200),
        ("LOCALHOST:8000", 200),
        ("127.0.0.1:1", 200),
        ("[::1]:8000", 200),
        ("rebound.example", 403),
        ("127.0.0.1.rebound.example:8000", 403),
        ("0.0.0.0:8000", 403),
    ] {
        assert_eq!(answer(list_tables(&server, Some(key)).header("host", host)).await.0, status, "{host}");
    }
}

#[tokio::test]
async fn the_database_key_is_kept_and_used_by_the_command() {
    let dir = tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    let arguments = ["--port", "0", "--dynamodb-port", "0", "--data-dir", path];
    let first = Server::start_with(&arguments, &[]).shown("access key id of the DynamoDB port").map(str::to_owned);
    let server = Server::start_with(&arguments, &[]);
    assert_eq!(kept(dir.path(), "LOCAL_DYNAMODB_KEY"), first);
    let mut command = greenroom(&["api-token", "list", "--data-dir", path]);
    let list = command.env("AWS_ENDPOINT_URL_DYNAMODB", server.database()).output().unwrap();
    assert!(list.status.success(), "{}", text(&list.stderr));
    // A command on a directory without the key is refused.
    let other = tempdir().unwrap();
    let mut command = greenroom(&["api-token", "list", "--data-dir", other.path().to_str().unwrap()]);
    let list = command.env("AWS_ENDPOINT_URL_DYNAMODB", server.database()).output().unwrap();
    assert_eq!(list.status.code(), Some(1));
    assert!(text(&list.stderr).contains("UnrecognizedClientException"), "{}", text(&list.stderr));
}
