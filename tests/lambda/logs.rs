//! The logs contain no identifier and no credential.

use std::{
    fs,
    path::{Path, PathBuf},
};

use greenroom_core::config::is_ours;
use rstest::rstest;

use crate::{
    housekeeping::leave_work,
    meeting::PASSWORD,
    stage::{Fixture, IDENTIFIER, OPENTOK_SECRET, OPENVIDU_SECRET, SIGNING_SECRET, Stage, openvidu_authorization},
};

#[rstest]
#[tokio::test]
async fn logs_contain_no_secret_no_identifier_no_token_and_no_session(#[values("info", "trace")] filter: &'static str) {
    let stage = Stage::logging(filter).await;
    let fixture = stage.fixture().await;
    let device = stage.send("device-session/read", &fixture).await.at("/data/session");
    let refreshed = stage.send("device-session/refresh", &fixture).await.at("/data/token");
    // An error message is where a log line is most likely to quote its input.
    stage.send("device-session/read", &fixture).await;
    stage.send("media-sessions/close", &fixture).await;
    stage.send("issue-token/issue-token", &fixture).await;
    stage.send("media-sessions/revoke-connection", &fixture).await;
    stage.send("create-session/device-without-identifier", &Fixture::default()).await;
    stage.send("fallback/delete-sessions", &fixture).await;

    let (_, token) = fixture.token.split_once("token=").unwrap();
    let basic = openvidu_authorization();
    let secrets = [
        OPENVIDU_SECRET,
        SIGNING_SECRET,
        IDENTIFIER,
        basic.trim_start_matches("Basic "),
        &fixture.device_token,
        &fixture.session,
        &fixture.connection,
        token.split('&').next().unwrap(),
        &device,
        &refreshed,
    ];
    let logs = stage.logs();
    assert_eq!(logs.len(), 5, "every function has run");
    for (function, log) in logs {
        for secret in secrets {
            assert!(!log.contains(secret), "{function} has logged {secret}:\n{log}");
        }
    }
}

#[rstest]
#[tokio::test]
async fn logs_contain_no_credential_of_an_event_and_no_name(#[values("info", "trace")] filter: &'static str) {
    let stage = Stage::logging(filter).await;
    let fixture = Fixture { meeting: stage.meeting().await, ..stage.fixture().await };
    let refreshed = stage.send("token-auth/refresh", &fixture).await.at("/token");
    let joined = stage.send("rtcsessions/join", &fixture).await;
    let test = stage.send("networktestsessions/create", &fixture).await;
    for event in ["api-root/read", "users/list", "logintokens/list", "sessions/list", "users/password-change"] {
        stage.send(event, &fixture).await;
    }
    // An error message is where a log line is most likely to quote its input.
    for event in [
        "token-auth/obtain",
        "token-auth/obtain-wrong-password",
        "users/create",
        "users/create",
        "sessions/create-second-floor",
        "logintokens/create",
        "logintokens/create",
        "rtcsessions/join-with-unknown-token",
        "bookingemails/send",
        "bookingemails/send-with-missing-fields",
        "fallback/put-events",
        "users/block",
        "events/delete",
        "events/read",
    ] {
        stage.send(event, &fixture).await;
    }
    Box::pin(leave_work(&stage)).await;
    stage.run("housekeeping/scheduled").await.unwrap();

    let meeting = &fixture.meeting;
    let secrets = [
        OPENTOK_SECRET,
        SIGNING_SECRET,
        PASSWORD,
        "another password",
        "no such token",
        "Lovelace",
        "ada@example.com",
        "karen@example.com",
        "Rungstedlund",
        &meeting.username,
        &meeting.manager_name,
        &meeting.user_token,
        &refreshed,
        &meeting.login_token,
        &meeting.api_token,
        &joined.at("/sessions/0/tokbox/sessionToken"),
        &joined.at("/sessions/0/tokbox/sessionId"),
        &test.at("/sessionToken"),
        &test.at("/sessionId"),
    ];
    let logs = stage.logs();
    assert_have_run("/api/v2", &logs);
    for (function, log) in logs {
        for secret in secrets {
            assert!(!log.contains(secret), "{function} has logged {secret}:\n{log}");
        }
    }
}

#[rstest]
#[tokio::test]
async fn logs_contain_nothing_that_participants_write(#[values("info", "trace")] filter: &'static str) {
    let stage = Stage::logging(filter).await;
    let fixture = stage.fixture_of("messages/send").await;
    let sent = stage.send("messages/send", &fixture).await.at("/id");
    // An error message is where a log line is most likely to quote its input.
    for event in [
        "messages/list",
        "messages/list-with",
        "messages/list-with-wrong-password",
        "messages/send-without-body",
        "message-events/listen-again",
        "contacts/invite",
        "contacts/add",
        "contacts/list",
        "contacts/delete",
        "contacts/delete",
        "rooms/create-named",
        "rooms/create-without-name",
        "rooms/invite",
        "rooms/send-message",
        "rooms/list-messages",
        "rooms/read-by-jid",
        "rooms/remove",
    ] {
        stage.send(event, &fixture).await;
    }

    let meeting = &fixture.meeting;
    let secrets =
        [PASSWORD, "Hello!", "Important room", "nobody@", "wrong", &meeting.username, &meeting.manager_name, &sent];
    let logs = stage.logs();
    assert_have_run("/api/messages", &logs);
    assert_have_run("/api/contacts", &logs);
    assert_have_run("/api/rooms", &logs);
    assert_have_run("/api/sse", &logs);
    for (function, log) in logs {
        for secret in secrets {
            assert!(!log.contains(secret), "{function} has logged {secret}:\n{log}");
        }
    }
}

/// Checks that every function with a route below this path has logged something.
fn assert_have_run(root: &str, logs: &[(String, String)]) {
    for function in greenroom::functions() {
        let routes = greenroom::routes(function.routes.get_openapi());
        if routes.iter().any(|(_, path)| path.starts_with(root)) {
            assert!(logs.iter().any(|(name, _)| name == function.name), "{} has not run", function.name);
        }
    }
}

#[test]
fn log_lines_of_every_workspace_package_are_kept() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let places = ["functions", "shared"].map(|place| fs::read_dir(root.join(place)).unwrap());
    let packages: Vec<_> = places.into_iter().flatten().map(|place| place.unwrap().path()).collect();
    assert!(packages.len() > 30);
    for package in packages.iter().map(PathBuf::as_path).chain([root]) {
        let manifest = fs::read_to_string(package.join("Cargo.toml")).unwrap();
        let name = manifest.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')).unwrap();
        assert!(is_ours(&format!("{}::module", name.replace('-', "_"))), "what {name} logs is dropped");
    }
    assert!(!is_ours("hyper::client"));
}

#[tokio::test]
async fn a_request_leaves_a_line_in_the_log() {
    let stage = Stage::new().await;
    stage.send("create-session/device", &Fixture::default()).await;
    let log = stage.function("create-session").await.output();
    assert!(!log.is_empty(), "a function that logs nothing cannot be operated");
}
