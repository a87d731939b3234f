//! Commands next to a running server: they send their work to the server.

use std::{
    fs,
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::Path,
    process::Output,
};

use serde_json::json;
use tempfile::tempdir;
use testbed::Client;

use crate::process::{Server, complaint, greenroom, run, text};

fn beside(dir: &Path, arguments: &[&str]) -> Output {
    let output = run(&[arguments, &["--data-dir", dir.to_str().unwrap()]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    output
}

async fn log_in(server: &Server, username: &str, password: &str) -> u16 {
    let body = json!({ "username": username, "password": password });
    let url = format!("{}/api/v2/token-auth/obtain/", server.url);
    Client::new().post(url).json(&body).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn commands_work_next_to_a_running_server() {
    let dir = tempdir().unwrap();
    let server = Server::start(dir.path());
    let made = beside(dir.path(), &["user", "create", "ada", "--role", "admin"]);
    let used =
        format!("greenroom: store: {}/greenroom.db, through the server at {}\n", dir.path().display(), server.url);
    assert_eq!(text(&made.stderr), used);
    assert_eq!(log_in(&server, "ada", text(&made.stdout).trim()).await, 200);
    beside(dir.path(), &["user", "block", "ada"]);
    assert_eq!(log_in(&server, "ada", text(&made.stdout).trim()).await, 400);
    let token = beside(dir.path(), &["api-token", "create", "app"]);
    let request = Client::new().post(format!("{}/api/v2/networktestsessions/", server.url));
    let request = request.header("authorization", format!("Token {}", text(&token.stdout).trim()));
    assert_eq!(request.send().await.unwrap().status(), 201);
    assert_eq!(text(&beside(dir.path(), &["api-token", "list"]).stdout).lines().count(), 3);
    assert!(beside(dir.path(), &["bookings", "list"]).stdout.is_empty());
}

#[tokio::test]
async fn keys_rotated_next_to_a_running_server_take_effect_at_its_restart() {
    let dir = tempdir().unwrap();
    let server = Server::start(dir.path());
    let old = server.secret();
    let status = async |server: &Server, secret: &str| {
        let request = Client::new().get(format!("{}/api/sessions", server.url));
        request.basic_auth("OPENVIDUAPP", secret).send().await.unwrap().status().as_u16()
    };
    assert_eq!(status(&server, &old).await, 200);
    let listed = beside(dir.path(), &["key", "list"]);
    assert!(text(&listed.stdout).contains("within the hour"), "{}", text(&listed.stdout));
    let rotated = beside(dir.path(), &["key", "rotate", "openvidu"]);
    let restart = format!("The server at {} takes it once it is started again.\n", server.url);
    assert!(text(&rotated.stdout).starts_with(&restart), "{}", text(&rotated.stdout));
    let new = text(&beside(dir.path(), &["key", "show", "openvidu"]).stdout).trim().to_owned();
    assert_eq!([status(&server, &old).await, status(&server, &new).await], [200, 401]);
    let refused = run(&["key", "retire", "openvidu", "--data-dir", dir.path().to_str().unwrap()]);
    assert!(complaint(&refused).contains("was used 0 minutes ago"), "{}", complaint(&refused));
    drop(server);
    let server = Server::start(dir.path());
    assert_eq!([status(&server, &old).await, status(&server, &new).await], [200, 200]);
}

#[test]
fn only_the_owner_can_use_the_socket_and_it_is_removed_with_the_server() {
    let dir = tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let socket = dir.path().join("socket");
    let server = Server::start(dir.path());
    let metadata = fs::symlink_metadata(&socket).unwrap();
    assert!(metadata.file_type().is_socket());
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    server.signal("-TERM");
    server.wait();
    assert!(!socket.exists());
}

#[test]
fn a_stale_socket_of_a_killed_server_does_no_harm() {
    let dir = tempdir().unwrap();
    drop(Server::start(dir.path()));
    assert!(dir.path().join("socket").exists());
    let list = beside(dir.path(), &["api-token", "list"]);
    assert!(!text(&list.stderr).contains("through the server"), "{}", text(&list.stderr));
    let _server = Server::start(dir.path());
    let list = beside(dir.path(), &["api-token", "list"]);
    assert!(text(&list.stderr).contains("through the server"), "{}", text(&list.stderr));
}

#[test]
fn a_directory_with_a_path_too_long_for_a_socket_still_gets_one() {
    let dir = tempdir().unwrap();
    let deep = dir.path().join("a".repeat(60)).join("b".repeat(60));
    let _server = Server::start(&deep);
    let list = beside(&deep, &["api-token", "list"]);
    assert!(text(&list.stderr).contains("through the server"), "{}", text(&list.stderr));
    // This shorter path names the same directory.
    let mut command = greenroom(&["api-token", "list", "--data-dir", "."]);
    let list = command.current_dir(&deep).output().unwrap();
    assert!(text(&list.stderr).contains("through the server"), "{}", text(&list.stderr));
}

#[test]
fn concurrent_commands_wait_for_each_other() {
    let dir = tempdir().unwrap();
    crate::process::make_store(dir.path());
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| beside(dir.path(), &["user", "block", "admin"]));
        }
    });
}
