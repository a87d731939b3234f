use std::{
    io::Write,
    path::Path,
    process::{Output, Stdio},
};

use serde_json::{Value, json};
use tempfile::tempdir;
use testbed::Client;

use crate::process::{Server, complaint, greenroom, make_store, run, text};

/// Runs the command with this standard input.
fn run_with_stdin(arguments: &[&str], stdin: &str) -> Output {
    let mut command = greenroom(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// Logs in; the status of the answer.
async fn log_in(server: &Server, username: &str, password: &str) -> u16 {
    let body = json!({ "username": username, "password": password });
    let url = format!("{}/api/v2/token-auth/obtain/", server.url);
    Client::new().post(url).json(&body).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn the_first_start_creates_accounts_and_shows_them_only_once() {
    let dir = tempdir().unwrap();
    let password = {
        let server = Server::start(dir.path());
        let password = server.shown("password of the user admin").unwrap().to_owned();
        assert_eq!(log_in(&server, "admin", &password).await, 200);
        for name in ["API token", "mobile clients' API token"] {
            let token = server.shown(name).unwrap();
            let request = Client::new().post(format!("{}/api/v2/networktestsessions/", server.url));
            let answer = request.header("authorization", format!("Token {token}")).send().await.unwrap();
            assert_eq!(answer.status(), 201);
        }
        password
    };
    let server = Server::start(dir.path());
    assert_eq!(server.shown("password of the user admin"), None);
    assert!(!server.introduction.contains(&password));
    assert_eq!(log_in(&server, "admin", &password).await, 200);
}

#[tokio::test]
async fn the_environment_may_name_the_first_accounts() {
    let token = "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b";
    let server =
        Server::start_with(&["--memory", "--port", "0"], &[("ADMIN_PASSWORD", "correct horse"), ("API_TOKEN", token)]);
    assert!(!server.introduction.contains("correct horse") && !server.introduction.contains(token));
    assert_eq!(log_in(&server, "admin", "correct horse").await, 200);
    let request = Client::new().post(format!("{}/api/v2/rtcsessions/", server.url));
    let request = request.header("authorization", format!("Token {token}")).json(&json!({ "loginToken": "nobody's" }));
    assert_eq!(request.send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn users_can_be_created_blocked_and_given_passwords() {
    let dir = tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    make_store(dir.path());
    let user = |arguments: &[&str]| run(&[&["user"], arguments, &["--data-dir", path]].concat());
    let made = user(&["create", "Bob", "--role", "partner"]);
    let password = text(&made.stdout).trim();
    assert_eq!(password.len(), 32);
    {
        let server = Server::start(dir.path());
        assert_eq!(log_in(&server, "bob", password).await, 200);
    }
    let again = user(&["create", "BOB", "--role", "admin"]);
    assert_eq!(again.status.code(), Some(1));
    assert_eq!(complaint(&again), "greenroom: a user with that username already exists\n");
    let set = |password: &str| {
        run_with_stdin(&["user", "set-password", "bob", "--password-stdin", "--data-dir", path], password)
    };
    assert_eq!(set("short\n").status.code(), Some(1));
    for common in ["Password1\n", "greenroom\n"] {
        let refused = set(common);
        assert_eq!(refused.status.code(), Some(1));
        assert_eq!(complaint(&refused), "greenroom: this password is too common\n");
    }
    assert!(set(" correct horse\n").status.success());
    assert!(user(&["block", "bob"]).status.success());
    {
        let server = Server::start(dir.path());
        assert_eq!(log_in(&server, "bob", " correct horse").await, 400);
    }
    assert!(user(&["unblock", "bob"]).status.success());
    let server = Server::start(dir.path());
    assert_eq!(log_in(&server, "bob", " correct horse").await, 200);
    assert_eq!(log_in(&server, "bob", password).await, 400);
}

/// The answer to the last line of the demo, which is a curl command.
async fn join(demo: &Output, server: &Server) -> Value {
    assert!(demo.status.success(), "{}", text(&demo.stderr));
    let line = text(&demo.stdout).lines().last().unwrap().trim();
    let words: Vec<_> = line.split('\'').collect();
    let (authorization, body) = (words[1].strip_prefix("Authorization: ").unwrap(), words[5].to_owned());
    let request = Client::new().post(format!("{}/api/v2/rtcsessions/", server.url));
    let request = request.header("authorization", authorization).header("content-type", "application/json");
    request.body(body).send().await.unwrap().json().await.unwrap()
}

fn languages(joined: &Value) -> Vec<&str> {
    joined["sessions"].as_array().unwrap().iter().map(|session| session["language"].as_str().unwrap()).collect()
}

fn demo(dir: &Path) -> Output {
    run(&["demo", "--data-dir", dir.to_str().unwrap()])
}

#[tokio::test]
async fn the_demo_event_can_be_joined_whether_or_not_the_server_runs() {
    let dir = tempdir().unwrap();
    assert!(complaint(&demo(dir.path())).contains("there is no store"));
    make_store(dir.path());
    let before = demo(dir.path());
    let server = Server::start(dir.path());
    assert_eq!(languages(&join(&before, &server).await), ["English", "German", "French"]);
    // A second run finds the same event. The server that uses the directory does the work.
    let beside = demo(dir.path());
    assert!(text(&beside.stdout).contains(&format!("{}/api/v2/rtcsessions/", server.url)));
    assert_eq!(languages(&join(&beside, &server).await), ["English", "German", "French"]);
    let first = |output: &Output| text(&output.stdout).lines().next().map(str::to_owned);
    assert_eq!(first(&before), first(&beside));
}
