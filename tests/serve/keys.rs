//! `greenroom key` on a data directory.

use std::{io::Write, path::Path, process::Stdio};

use serde_json::{Value, json};
use tempfile::tempdir;
use testbed::Client;

use crate::process::{Server, complaint, greenroom, make_store, run, text};

/// Runs `greenroom key` on a directory. Returns its output, or its error.
fn key(dir: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = run(&[&["key"], arguments, &["--data-dir", dir.to_str().unwrap()]].concat());
    let (out, error) = (text(&output.stdout).to_owned(), complaint(&output));
    assert_eq!(output.status.success(), error.is_empty(), "{error}");
    if error.is_empty() { Ok(out) } else { Err(error) }
}

async fn register(server: &Server) -> String {
    let request = Client::new().post(format!("{}/api/sessions", server.url)).json(&json!({ "identifier": "a" }));
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    answer["data"]["token"].as_str().unwrap().to_owned()
}

async fn status_of_device(server: &Server, token: &str) -> u16 {
    let request = Client::new().get(format!("{}/api/session", server.url)).bearer_auth(token);
    request.send().await.unwrap().status().as_u16()
}

async fn status_of_backend(server: &Server, secret: &str) -> u16 {
    let request = Client::new().get(format!("{}/api/sessions", server.url));
    request.basic_auth("OPENVIDUAPP", secret).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_rotated_key_signs_and_the_previous_one_is_valid_until_it_is_retired() {
    let dir = tempdir().unwrap();
    let first = register(&Server::start(dir.path())).await;
    key(dir.path(), &["rotate"]).unwrap();
    let server = Server::start(dir.path());
    assert_eq!(status_of_device(&server, &first).await, 200);
    let second = register(&server).await;
    assert_ne!(first.split('.').next(), second.split('.').next());
    drop(server);
    let refused = key(dir.path(), &["rotate", "signing-keys"]).unwrap_err();
    assert!(refused.contains("signing-keys has two live values"), "{refused}");
    let refused = key(dir.path(), &["retire", "signing-keys"]).unwrap_err();
    assert!(refused.contains("was used 0 minutes ago"), "{refused}");
    key(dir.path(), &["retire", "signing-keys", "--force"]).unwrap();
    let server = Server::start(dir.path());
    assert_eq!(status_of_device(&server, &first).await, 401);
    assert_eq!(status_of_device(&server, &second).await, 200);
}

#[tokio::test]
async fn two_secrets_are_valid_and_the_list_shows_which_one_is_used() {
    let dir = tempdir().unwrap();
    let server = Server::start(dir.path());
    let old = server.secret();
    assert_eq!(status_of_backend(&server, &old).await, 200);
    drop(server);
    key(dir.path(), &["rotate", "openvidu"]).unwrap();
    let server = Server::start(dir.path());
    let new = server.secret();
    assert_ne!(old, new);
    assert_eq!(key(dir.path(), &["show", "openvidu"]).unwrap().trim(), new);
    assert_eq!([status_of_backend(&server, &old).await, status_of_backend(&server, &new).await], [200, 200]);
    drop(server);
    let list = key(dir.path(), &["list"]).unwrap();
    let words = list.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let uses: Vec<_> = words.map(|row| (row[0], row[1], row[row.len() - 1])).collect();
    assert!(uses.contains(&("openvidu", "first", "hour")), "{list}");
    assert!(uses.contains(&("openvidu", "second", "hour")), "{list}");
    assert!(uses.contains(&("streams-token", "first", "known")), "{list}");
    assert!(!list.contains(&old) && !list.contains(&new), "{list}");
    key(dir.path(), &["retire", "openvidu", "--force"]).unwrap();
    let server = Server::start(dir.path());
    assert_eq!([status_of_backend(&server, &old).await, status_of_backend(&server, &new).await], [401, 200]);
}

#[test]
fn an_unused_secret_is_retired_without_force() {
    let dir = tempdir().unwrap();
    make_store(dir.path());
    key(dir.path(), &["rotate", "streams-webhook"]).unwrap();
    key(dir.path(), &["retire", "streams-webhook"]).unwrap();
    let refused = key(dir.path(), &["retire", "streams-webhook"]).unwrap_err();
    assert!(refused.contains("streams-webhook has one live value"), "{refused}");
}

#[test]
fn the_opentok_secret_is_read_from_standard_input_and_quoted_for_a_shell() {
    let dir = tempdir().unwrap();
    make_store(dir.path());
    let rotate = |value: &str| {
        let mut command = greenroom(&["key", "rotate", "opentok-webhook", "--data-dir", dir.path().to_str().unwrap()]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(value.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    };
    assert_eq!(rotate("\n"), None);
    assert_eq!(
        rotate("it's theirs\n").unwrap(),
        "The first value of opentok-webhook is good from the next start on.\n"
    );
    assert_eq!(rotate("it's theirs\n"), None);
    assert_eq!(key(dir.path(), &["show", "opentok-webhook"]).unwrap(), "it's theirs\n");
    let shell = format!(". {}/secrets.env; printf %s \"$OPENTOK_WEBHOOK_SECRET\"", dir.path().display());
    let sourced = std::process::Command::new("sh").args(["-c", &shell]).output().unwrap();
    let values: Value = serde_json::from_slice(&sourced.stdout).unwrap();
    assert_eq!(values[0]["secret"], "it's theirs");
}

#[test]
fn signing_keys_are_not_shown() {
    let dir = tempdir().unwrap();
    make_store(dir.path());
    assert!(key(dir.path(), &["show", "signing-keys"]).unwrap_err().contains("are not shown"));
}
