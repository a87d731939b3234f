//! Backups, errors of a data directory, and shell completion.

use std::{
    fs::{self, OpenOptions},
    io::{Seek, SeekFrom, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Output,
};

use serde_json::{Value, json};
use tempfile::tempdir;
use testbed::Client;

use crate::process::{Server, complaint, kept, make_store, run, text};

fn on(dir: &Path, arguments: &[&str]) -> Output {
    run(&[arguments, &["--data-dir", dir.to_str().unwrap()]].concat())
}

fn done(dir: &Path, arguments: &[&str]) -> String {
    let output = on(dir, arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).to_owned()
}

async fn sessions(server: &Server, secret: &str) -> Value {
    let request = Client::new().get(format!("{}/api/sessions", server.url)).basic_auth("OPENVIDUAPP", secret);
    request.send().await.unwrap().json().await.unwrap()
}

async fn open(server: &Server, id: &str) {
    let request = Client::new().post(format!("{}/api/sessions", server.url)).json(&json!({ "customSessionId": id }));
    let sent = request.basic_auth("OPENVIDUAPP", &server.secret()).send().await.unwrap();
    assert_eq!(sent.status(), 200);
}

#[tokio::test]
async fn a_backup_of_a_running_server_can_be_served_and_restored() {
    let dir = tempdir().unwrap();
    let (data, backup, other) = (dir.path().join("data"), dir.path().join("backup"), dir.path().join("other"));
    let server = Server::start(&data);
    let secret = server.secret();
    open(&server, "before").await;
    done(&data, &["backup", backup.to_str().unwrap()]);
    open(&server, "after").await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let closed = [mode(&backup), mode(&backup.join("greenroom.db")), mode(&backup.join("secrets.env"))];
    assert_eq!(closed, [0o700, 0o600, 0o600]);
    assert_eq!(kept(&backup, "SIGNING_KEYS"), kept(&data, "SIGNING_KEYS"));
    let again = on(&data, &["backup", backup.to_str().unwrap()]);
    assert!(complaint(&again).contains("is there already"), "{}", complaint(&again));

    let restore = ["restore", backup.to_str().unwrap()];
    let running = on(&data, &[&restore[..], &["--force"]].concat());
    assert!(complaint(&running).contains("is in use by another greenroom; stop it"), "{}", complaint(&running));
    drop(server);
    let full = on(&data, &restore);
    assert!(complaint(&full).contains("greenroom.db is not empty; --force"), "{}", complaint(&full));
    done(&data, &[&restore[..], &["--force"]].concat());
    done(&other, &restore);
    for restored in [&data, &other, &backup] {
        let listed = sessions(&Server::start(restored), &secret).await;
        assert_eq!((&listed["numberOfElements"], &listed["content"][0]["sessionId"]), (&1.into(), &"before".into()));
    }
}

#[test]
fn errors_of_a_data_directory_are_reported_in_plain_words() {
    let dir = tempdir().unwrap();
    make_store(dir.path());
    let database = dir.path().join("greenroom.db");
    let healthy = fs::read(&database).unwrap();
    assert!(done(dir.path(), &["doctor"]).contains("database     ok"));
    let report = |wanted: &str| {
        let doctor = on(dir.path(), &["doctor"]);
        assert_eq!(doctor.status.code(), Some(1));
        assert!(text(&doctor.stdout).contains(wanted), "{}", text(&doctor.stdout));
        assert!(!text(&doctor.stdout).contains("encryption"));
    };
    let start = |wanted: &str| {
        let start = on(dir.path(), &["serve", "--port", "0"]);
        assert_eq!(start.status.code(), Some(1));
        let error = text(&start.stderr);
        assert!(error.contains(wanted) && !error.contains("encryption") && error.lines().count() == 1, "{error}");
    };
    fs::write(&database, "a letter to somebody, in a file of this name").unwrap();
    report("is a foreign file");
    start("is a foreign file");
    // A database of another program, with one table.
    let theirs = rusqlite::Connection::open(dir.path().join("theirs")).unwrap();
    theirs.execute_batch("CREATE TABLE letters (body)").unwrap();
    drop(theirs);
    fs::rename(dir.path().join("theirs"), &database).unwrap();
    let before = fs::read(&database).unwrap();
    report("is a foreign file");
    start("is a foreign file");
    assert_eq!(fs::read(&database).unwrap(), before);
    // Pages in the middle of the file are damaged.
    fs::write(&database, &healthy).unwrap();
    let mut file = OpenOptions::new().write(true).open(&database).unwrap();
    file.seek(SeekFrom::Start(4096)).unwrap();
    file.write_all(&vec![0x5a; healthy.len() - 4096]).unwrap();
    report("is damaged");
    start("is damaged");
    fs::write(&database, &healthy).unwrap();
    fs::remove_file(dir.path().join("secrets.env")).unwrap();
    report("has lost OPENVIDU_SECRET");
}

#[test]
fn a_data_directory_can_be_checked_while_a_server_uses_it_and_as_json() {
    let dir = tempdir().unwrap();
    let server = Server::start(dir.path());
    let report: Value = serde_json::from_str(&done(dir.path(), &["doctor", "--json"])).unwrap();
    assert_eq!(report["dataDir"], dir.path().to_str().unwrap());
    let last = report["checks"].as_array().unwrap().last().unwrap();
    assert_eq!(last["detail"], format!("runs at {}", server.url));
}

#[test]
fn users_are_listed_and_deleted() {
    let dir = tempdir().unwrap();
    let _server = Server::start(dir.path());
    done(dir.path(), &["user", "create", "ada", "--role", "partner"]);
    done(dir.path(), &["user", "block", "ada"]);
    assert_eq!(done(dir.path(), &["user", "list"]), "1\tadmin\tadmin\t\n2\tada\tpartner\tblocked\n");
    done(dir.path(), &["user", "delete", "ADA"]);
    assert_eq!(done(dir.path(), &["user", "list"]), "1\tadmin\tadmin\t\n");
    assert_eq!(complaint(&on(dir.path(), &["user", "delete", "ada"])), "greenroom: there is no such user\n");
    done(dir.path(), &["demo"]);
    let refused = complaint(&on(dir.path(), &["user", "delete", "admin"]));
    assert!(refused.starts_with("greenroom: the user owns events"), "{refused}");
}

#[test]
fn shells_get_completions() {
    for (shell, wanted) in [("bash", "complete -F _greenroom"), ("zsh", "#compdef greenroom"), ("fish", "complete -c")]
    {
        let printed = run(&["completions", shell]);
        assert!(printed.status.success() && text(&printed.stdout).contains(wanted));
    }
}
