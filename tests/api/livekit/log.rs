//! What the log says, and what it never says.

use std::time::Duration;

use greenroom_telemetry::meter::metered;
use rstest::rstest;
use serde_json::Value;

use super::{
    server::{Failure, SECRET, listed},
    stage::{FIRST, Guest, HOOK, ROOM, Stage, claims, signed},
};
use crate::audit::{decisions, heard, listen};

/// The lines of this level.
fn lines(level: &str) -> Vec<String> {
    let heard = heard();
    let is_of = |line: &&str| serde_json::from_str::<Value>(line).is_ok_and(|line| line["level"] == level);
    heard.lines().filter(is_of).map(str::to_owned).collect()
}

/// Fails if something was logged that nobody is to read there. Only decisions about access name the connection.
fn assert_discreet(guest: &Guest) {
    let heard = heard();
    for secret in [&*guest.room, "eyJ", SECRET, "password-of-the-relay", "PA_", "RM_", "TR_"] {
        assert!(!heard.contains(secret), "{secret} was logged:\n{heard}");
    }
    let names = |line: &&str| line.contains(&guest.name) && !line.contains(r#""message":"access""#);
    assert_eq!(heard.lines().find(names), None);
}

#[tokio::test]
async fn a_refused_webhook_is_one_line() {
    let (stage, guest) = Stage::joined().await;
    let body = guest.joined(FIRST).to_string();
    let token = signed(&claims(body.as_bytes(), stage.app.clock.now()), "another-secret-of-somebody-else-1");
    listen();
    let caller = stage.app.with_authorization(token).at("192.0.2.7");
    assert_eq!(caller.send("POST", HOOK, &[], body.into()).await.status, 401);
    assert_eq!(decisions(), ["webhook_refused media_server - signature"], "{}", heard());
    assert_discreet(&guest);
}

#[tokio::test]
async fn a_visit_that_ends_with_a_termination_is_discreet() {
    let (stage, guest) = Stage::joined().await;
    listen();
    stage.app.hear(&guest.of_room("room_started", 10_000)).await;
    stage.app.hear(&guest.joined(FIRST)).await;
    stage.app.hear(&guest.track("track_published", FIRST, 20_000, "TR_one")).await;
    stage.server.has(&guest.room, ROOM, [guest.listed(FIRST, "ACTIVE", &[("TR_one", false)])]);
    stage.app.keep_house().await;
    assert_eq!(stage.kick(&guest).await.status, 200);
    assert_eq!(stage.app.send_hook("nonsense with eyJ").await.status, 200);
    stage.app.hear(&guest.joined(FIRST)).await;
    stage.app.keep_house().await;
    assert_discreet(&guest);
    assert_eq!(lines("ERROR"), [""; 0]);
    assert!(!stage.app.items().await.iter().any(|item| item.contains("password-of-the-relay")));
}

const GRANT: &str = r#"{"code":"unauthenticated","msg":"permissions denied for eyJ"}"#;

#[rstest]
#[case::an_unknown_key(Failure::UnknownKey, &["ERROR", "WARN"], "credentials")]
#[case::our_grant_is_wrong(Failure::Answer(401, "application/json", GRANT), &["ERROR"], "401")]
#[case::a_fault(Failure::Answer(500, "text/plain", "oops eyJ"), &["WARN"], "500")]
#[tokio::test]
async fn a_failure_is_logged_with_its_cause_and_without_what_the_server_said(
    #[case] failure: Failure,
    #[case] levels: &[&str],
    #[case] word: &str,
    #[values("terminating", "reconciling", "deleting")] what: &str,
) {
    let (stage, guest) = Stage::connected().await;
    stage.server.fails(failure);
    listen();
    match what {
        "terminating" => drop(stage.kick(&guest).await),
        "reconciling" => stage.app.keep_house().await,
        _ => {
            let path = format!("/api/v2/sessions/{}/", guest.session);
            assert_eq!(stage.app.organiser(&stage.admin).delete(&path).await.status, 204);
        }
    }
    let mut lines = levels.iter().flat_map(|level| lines(level));
    assert!(lines.any(|line| line.contains(word)), "{}", heard());
    assert!(!heard().contains("oops") && !heard().contains("denied"), "{}", heard());
    assert_discreet(&guest);
}

/// How many differences a run of housekeeping mends.
async fn mended(stage: &Stage) -> u64 {
    let run = greenroom_housekeeping::run(&stage.app.shared, &|| true);
    let (outcome, usage) = stage.app.acting_as("housekeeping", metered(run)).await;
    outcome.unwrap();
    usage.differences_mended
}

#[tokio::test]
async fn each_difference_that_is_mended_is_counted() {
    let (stage, guest) = Stage::connected().await;
    assert_eq!(mended(&stage).await, 0);
    let other = stage.guest().await;
    stage.app.wait(Duration::from_mins(1));
    // One is gone, another came, and a third must not be there.
    let unknown = listed("0c2b5c1e-6c1f-4b5a-9a43-1f6f3f0f8a11", "PA_unknown", "ACTIVE", 0, &[]);
    stage.server.has(&guest.room, ROOM, [other.listed(FIRST, "ACTIVE", &[]), unknown]);
    assert_eq!(mended(&stage).await, 3);
    assert_eq!(mended(&stage).await, 0);
    stage.server.has(&guest.room, ROOM, [other.listed(FIRST, "ACTIVE", &[("TR_one", false)])]);
    assert_eq!(mended(&stage).await, 1);
    assert_eq!(stage.kick(&other).await.status, 200);
    stage.server.has(&guest.room, ROOM, [other.listed(FIRST, "JOINING", &[])]);
    assert_eq!(mended(&stage).await, 1);
    stage.server.has("daily", "RM_daily", [listed("bot", "PA_bot", "ACTIVE", 0, &[])]);
    assert_eq!(mended(&stage).await, 0);
    assert!(stage.names(&guest).await.is_empty());
}
