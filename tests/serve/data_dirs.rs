//! The data directory: which command creates it, who may write to it, and what happens when its credentials are lost.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::Path,
    process::Command,
};

use tempfile::tempdir;

use crate::process::{Server, complaint, greenroom, kept, make_store, run, text};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn concurrent_servers_on_one_directory_with_another_table_share_a_signing_key() {
    let store = Server::start_with(&["--port", "0", "--memory", "--dynamodb-port", "0"], &[]);
    let environment = store.database_environment();
    let dir = tempdir().unwrap();
    let secrets: Vec<_> = std::thread::scope(|scope| {
        let start = || {
            let arguments = ["--port", "0", "--data-dir", dir.path().to_str().unwrap()];
            let server = Server::start_with(&arguments, &environment);
            (server.secret(), server.shown("OpenVidu secret").is_some())
        };
        let starts: Vec<_> = (0..6).map(|_| scope.spawn(start)).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    assert_eq!(secrets.iter().map(|(secret, _)| secret).collect::<BTreeSet<_>>().len(), 1);
    // Only the server that created the secrets shows them.
    assert_eq!(secrets.iter().filter(|(_, shown)| *shown).count(), 1);
    assert_eq!(mode(&dir.path().join("secrets.env")), 0o600);
}

#[test]
fn an_environment_that_is_not_utf_8_does_not_panic() {
    let dir = tempdir().unwrap();
    let start = |name: &OsStr, value: &OsStr| {
        let mut command = greenroom(&["api-token", "list", "--data-dir", dir.path().to_str().unwrap()]);
        command.env(name, value).output().unwrap()
    };
    make_store(dir.path());
    let not_text = OsStr::from_bytes(b"\xff");
    assert!(start(OsStr::new("LESSOPEN"), not_text).status.success());
    assert!(start(not_text, OsStr::new("x")).status.success());
    let mut serve = greenroom(&["--memory", "--port", "0"]);
    let refused = serve.env("LOG", not_text).output().unwrap();
    assert_eq!(text(&refused.stderr), "greenroom: the configuration is not complete:\n  LOG: must be UTF-8\n");
}

#[test]
fn a_directory_that_others_can_write_to_stops_the_start() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("data");
    fs::create_dir(&path).unwrap();
    for open in [0o770, 0o707, 0o722] {
        fs::set_permissions(&path, fs::Permissions::from_mode(open)).unwrap();
        for command in [&["serve", "--port", "0"][..], &["user", "block", "ada"], &["key", "list"]] {
            let refused = run(&[command, &["--data-dir", path.to_str().unwrap()]].concat());
            assert_eq!(refused.status.code(), Some(1));
            let error = text(&refused.stderr);
            assert!(error.starts_with(&format!("greenroom: {} can be written to by other", path.display())), "{error}");
        }
    }
    assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    make_store(&path);
}

#[test]
fn only_serve_creates_a_store_and_each_command_names_the_store_it_used() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("data");
    let commands: [&[&str]; 7] = [
        &["user", "create", "ada", "--role", "admin"],
        &["user", "block", "ada"],
        &["api-token", "list"],
        &["bookings", "list"],
        &["key", "list"],
        &["key", "rotate"],
        &["demo"],
    ];
    let run_with_profile = |command: &[&str]| {
        let mut command = greenroom(&[command, &["--data-dir", path.to_str().unwrap()]].concat());
        command.envs([("AWS_PROFILE", "prod"), ("AWS_REGION", "eu-west-1")]).output().unwrap()
    };
    for command in commands {
        let refused = run_with_profile(command);
        let (ignored, refusal) = text(&refused.stderr).split_once('\n').unwrap();
        assert!(ignored.starts_with("greenroom: AWS_PROFILE is ignored"), "{ignored}");
        assert!(refusal.starts_with(&format!("greenroom: there is no store in {}", path.display())), "{refusal}");
        assert!(!path.exists());
    }
    make_store(&path);
    let used = format!("greenroom: store: {}/greenroom.db\n", path.display());
    for command in commands.iter().filter(|command| command[1..] != ["rotate"]) {
        let output = run_with_profile(command);
        assert!(text(&output.stderr).contains(&used), "{}", text(&output.stderr));
    }
}

#[test]
fn lost_credentials_are_reported_and_created_again_on_request() {
    let dir = tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    make_store(dir.path());
    let secrets = dir.path().join("secrets.env");
    fs::remove_file(&secrets).unwrap();
    let refused = run(&["serve", "--port", "0", "--data-dir", path]);
    assert_eq!(refused.status.code(), Some(1));
    let error = text(&refused.stderr);
    assert!(error.contains("secrets.env has lost OPENVIDU_SECRET, SIGNING_KEYS, "), "{error}");
    assert!(error.contains(&format!("`greenroom key recover --data-dir {path}`")), "{error}");
    assert!(!secrets.exists());
    let recovered = run(&["key", "recover", "--data-dir", path]);
    assert!(recovered.status.success(), "{}", complaint(&recovered));
    assert!(text(&recovered.stdout).starts_with("Made anew: "));
    assert!(kept(dir.path(), "SIGNING_KEYS").is_some() && kept(dir.path(), "ADMIN_PASSWORD").is_none());
    assert_eq!(mode(&secrets), 0o600);
    make_store(dir.path());
    assert_eq!(text(&run(&["key", "recover", "--data-dir", path]).stdout), "Nothing is lost.\n");
}

#[test]
fn a_single_lost_line_of_the_credentials_is_not_silently_replaced() {
    let dir = tempdir().unwrap();
    make_store(dir.path());
    let secrets = dir.path().join("secrets.env");
    let all = fs::read_to_string(&secrets).unwrap();
    let lines = all.split_inclusive('\n');
    let rest: String = lines.filter(|it| !it.starts_with("SIGNING_KEYS") && !it.starts_with("LOCAL_")).collect();
    fs::write(&secrets, rest).unwrap();
    let arguments = ["--port", "0", "--data-dir", dir.path().to_str().unwrap()];
    let error = text(&run(&arguments).stderr).to_owned();
    assert!(error.contains("secrets.env has lost SIGNING_KEYS, which"), "{error}");
    // A key that the environment sets is not lost.
    let key = r#"[{"kid":"1","secret":"bXkgb3duIGtleSwgdGhpcnR5LXR3byBieXRlcyBsb25nISE="}]"#;
    drop(Server::start_with(&arguments, &[("SIGNING_KEYS", key)]));
    assert!(kept(dir.path(), "LOCAL_DYNAMODB_KEY").is_some());
}

/// Runs each line that the server prints, as if it were pasted; the statuses of the answers.
fn paste(server: &Server) -> Vec<String> {
    let lines = server.curl_lines().map(|line| {
        let line = line.replacen("curl ", "curl -s -o /dev/null -w '%{http_code}' --max-time 20 ", 1);
        let pasted = Command::new("sh").args(["-c", &line]).current_dir("/").output().unwrap();
        text(&pasted.stdout).to_owned()
    });
    lines.collect()
}

#[test]
fn the_second_start_says_where_the_credentials_are_and_its_lines_can_be_pasted() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("it's data");
    let first = Server::start(&path);
    assert_eq!(paste(&first), ["200"; 5]);
    drop(first);
    let second = Server::start(&path);
    let file = path.canonicalize().unwrap().join("secrets.env");
    assert_eq!(second.shown("credentials"), Some(file.to_str().unwrap()));
    for name in ["OPENVIDU_SECRET", "ADMIN_PASSWORD", "API_TOKEN", "STREAMS_ACCESS_TOKEN", "LOCAL_DYNAMODB_KEY"] {
        assert!(!second.introduction.contains(&kept(&path, name).unwrap()), "{name}");
    }
    assert_eq!(paste(&second), ["200", "200", "409", "200", "200"]);
    drop(second);
    // The line has the newer one of two valid secrets.
    assert!(run(&["key", "rotate", "openvidu", "--data-dir", path.to_str().unwrap()]).status.success());
    assert_eq!(paste(&Server::start(&path)), ["200", "200", "409", "200", "200"]);
}

#[test]
fn a_changed_first_password_is_no_longer_suggested() {
    let dir = tempdir().unwrap();
    make_store(dir.path());
    assert!(run(&["user", "set-password", "admin", "--data-dir", dir.path().to_str().unwrap()]).status.success());
    let server = Server::start(dir.path());
    assert!(server.introduction.contains("is known to nobody here"));
    assert!(server.curl_lines().next().unwrap().contains("$ADMIN_PASSWORD"));
}

#[test]
fn key_list_shows_the_age_of_new_keys() {
    let dir = tempdir().unwrap();
    make_store(dir.path());
    let list = run(&["key", "list", "--data-dir", dir.path().to_str().unwrap()]);
    let rows = text(&list.stdout).lines().skip(1);
    let ages: Vec<_> = rows.map(|row| row.contains("  0 minutes  ")).collect();
    assert_eq!(ages, [true; 4], "{}", text(&list.stdout));
}
