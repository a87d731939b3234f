//! Whoever reads the logs learns nobody's identifier, and gets no credential.

use rstest::rstest;

use crate::stage::{Fixture, IDENTIFIER, OPENVIDU_SECRET, SIGNING_SECRET, Stage, openvidu_authorization};

#[rstest]
#[tokio::test]
async fn logs_hold_no_secret_no_identifier_no_token_and_no_session(#[values("info", "trace")] filter: &'static str) {
    let stage = Stage::logging(filter).await;
    let fixture = stage.fixture().await;
    let device = stage.send("device-session/read", &fixture).await.at("/data/session");
    let refreshed = stage.send("device-session/refresh", &fixture).await.at("/data/token");
    // What is refused is where a log is tempted to quote.
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

#[tokio::test]
async fn a_request_leaves_a_line_in_the_log() {
    let stage = Stage::new().await;
    stage.send("create-session/device", &Fixture::default()).await;
    let log = stage.function("create-session").await.output();
    assert!(!log.is_empty(), "a function that logs nothing cannot be operated");
}
