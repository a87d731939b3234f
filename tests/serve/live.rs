//! `greenroom live` next to a running server.

use serde_json::{Value, json};
use tempfile::tempdir;
use testbed::Client;

use crate::process::{Server, complaint, run, text};

#[tokio::test]
async fn live_connections_are_listed_and_terminated() {
    let dir = tempdir().unwrap();
    let server = Server::start(dir.path());
    let live =
        |arguments: &[&str]| run(&[&["live"], arguments, &["--data-dir", dir.path().to_str().unwrap()]].concat());
    assert_eq!(text(&live(&["list"]).stdout), "");
    let post = async |path: &str, body: Value| -> Value {
        let request = Client::new().post(format!("{}{path}", server.url)).json(&body);
        request.basic_auth("OPENVIDUAPP", &server.secret()).send().await.unwrap().json().await.unwrap()
    };
    post("/api/sessions", json!({ "customSessionId": "daily" })).await;
    post("/api/tokens", json!({ "session": "daily", "role": "PUBLISHER" })).await;
    let list = live(&["list"]);
    let words: Vec<_> = text(&list.stdout).trim().split('\t').collect();
    assert_eq!((&words[..3], &words[4..6]), (&["default", "openvidu", "daily"][..], &["publisher", "issued"][..]));
    assert_eq!(text(&live(&["list", "--app", "openvidu"]).stdout), text(&list.stdout));
    assert_eq!(text(&live(&["list", "--app", "7"]).stdout), "");
    let terminate = ["terminate", "openvidu", "daily", words[3]];
    assert!(live(&terminate).status.success());
    assert_eq!(text(&live(&["list"]).stdout), "");
    assert_eq!(complaint(&live(&terminate)), "greenroom: there is no such live connection\n");
}
