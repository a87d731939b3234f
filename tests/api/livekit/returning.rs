//! Who comes back with the token of a terminated connection is put out again.

use std::time::Duration;

use greenroom_core::{clock::Timestamp, config::Setting};
use rstest::rstest;
use serde_json::{Value, json};

use super::{
    server::{Failure, removal},
    stage::{Came, FIRST, Guest, ROOM, SECOND, Stage},
};
use crate::support::NOW;

/// The end of the tokens that are issued at the beginning of a test, and the server's leeway.
const TOKEN_ENDS: Timestamp = Timestamp::from_millis(NOW + 1000 * (21_600 + 60));
/// How long after an attempt a hold lasts at least.
const AFTER_ATTEMPT: Duration = Duration::from_mins(15);

/// Who comes back, and is in the room until somebody puts them out.
async fn come_back(stage: &Stage, guest: &Guest, came: Came) {
    stage.server.has(&guest.room, ROOM, [guest.listed(came, "ACTIVE", &[])]);
    stage.app.hear(&guest.joined(came)).await;
}

async fn held_until(stage: &Stage, guest: &Guest) -> Timestamp {
    stage.stored(guest).await.held_until.unwrap()
}

#[rstest]
#[tokio::test]
async fn who_comes_back_is_removed_each_time(
    #[values("operator", "user")] by: &str,
    #[values(false, true)] was_there: bool,
) {
    let (stage, guest) = if was_there { Stage::connected().await } else { Stage::joined().await };
    assert_eq!(stage.terminate(&guest, by).await.status, 200);
    let ended = stage.termination(&guest).await;
    stage.server.asked();
    for (sid, minutes) in [("PA_a", 1), ("PA_b", 10), ("PA_c", 5 * 60 + 40), ("PA_d", 14), ("PA_e", 14)] {
        stage.app.wait(Duration::from_mins(minutes));
        let at = stage.app.clock.now();
        come_back(&stage, &guest, Came(sid, at.millis() - NOW)).await;
        assert_eq!(stage.server.asked(), [removal(&guest.room, &guest.name)], "{sid}");
        assert!(stage.server.people(&guest.room).unwrap().is_empty());
        assert!(held_until(&stage, &guest).await >= TOKEN_ENDS.max(at + AFTER_ATTEMPT), "{sid}");
        let admin = stage.app.again(&stage.admin).await;
        let stage = Stage { admin, app: stage.app.clone(), server: stage.server.clone(), event: stage.event };
        assert_eq!(stage.termination(&guest).await, ended);
    }
    assert_eq!(stage.app.jobs().await, 0);
}

#[tokio::test]
async fn a_return_that_is_told_twice_is_one() {
    let (stage, guest) = Stage::connected().await;
    assert_eq!(stage.kick(&guest).await.status, 200);
    stage.server.asked();
    let told = guest.joined(SECOND);
    for _ in 0..2 {
        stage.app.hear(&told).await;
    }
    assert_eq!(stage.server.asked(), [removal(&guest.room, &guest.name)]);
}

#[tokio::test]
async fn a_failed_attempt_prolongs_the_hold() {
    let (stage, guest) = Stage::connected().await;
    assert_eq!(stage.kick(&guest).await.status, 200);
    assert!(held_until(&stage, &guest).await >= TOKEN_ENDS);
    let ended = stage.termination(&guest).await;
    stage.server.asked();
    stage.app.wait(Duration::from_secs(21_500));
    stage.app.hear(&guest.aborted(SECOND, 21_600_000, "JOIN_FAILURE")).await;
    assert!(held_until(&stage, &guest).await >= stage.app.clock.now() + AFTER_ATTEMPT);
    let admin = stage.app.again(&stage.admin).await;
    let stage = Stage { admin, ..stage };
    assert_eq!(stage.termination(&guest).await, ended);
    assert!(stage.server.told().is_empty());
}

#[rstest]
#[case::none(json!({}), 0)]
#[case::nothing(json!({ "holdFor": 0 }), 0)]
#[case::short(json!({ "holdFor": 60 }), 0)]
#[case::long(json!({ "holdFor": 172_800 }), 172_800)]
#[tokio::test]
async fn a_hold_is_made_longer_and_never_shorter(#[case] body: Value, #[case] seconds: u64) {
    let (stage, guest) = Stage::connected().await;
    let id = stage.entry(&guest).await["id"].as_str().unwrap().to_owned();
    let ended = stage.app.organiser(&stage.admin).post(&format!("/api/live/{id}/terminate/"), body).await;
    assert_eq!(ended.status, 200, "{ended}");
    let wanted = TOKEN_ENDS.max(stage.app.clock.now() + Duration::from_secs(seconds));
    assert!(held_until(&stage, &guest).await >= wanted);
    stage.server.asked();
    stage.app.wait(Duration::from_mins(2));
    come_back(&stage, &guest, SECOND).await;
    assert!(stage.server.people(&guest.room).unwrap().is_empty());
    assert!(held_until(&stage, &guest).await >= wanted);
}

#[tokio::test]
async fn a_hold_lasts_a_quarter_of_an_hour_where_the_token_ends_sooner() {
    let stage = Stage::with("participant", json!({}), &[(Setting::LivekitTokenTtl, "60")]).await;
    let guest = stage.guest().await;
    stage.app.hear(&guest.joined(FIRST)).await;
    stage.app.wait(Duration::from_hours(3));
    let admin = stage.app.again(&stage.admin).await;
    let stage = Stage { admin, ..stage };
    assert_eq!(stage.kick(&guest).await.status, 200);
    let ended_at = stage.app.clock.now();
    assert!(held_until(&stage, &guest).await >= ended_at + AFTER_ATTEMPT);
    stage.app.wait(AFTER_ATTEMPT - Duration::from_secs(1));
    come_back(&stage, &guest, Came("PA_again", stage.app.clock.now().millis() - NOW)).await;
    assert!(stage.server.people(&guest.room).unwrap().is_empty());
}

#[tokio::test]
async fn who_comes_back_while_the_server_does_not_answer_is_removed_later() {
    let (stage, guest) = Stage::connected().await;
    assert_eq!(stage.kick(&guest).await.status, 200);
    let ended = stage.termination(&guest).await;
    stage.server.fails(Failure::Answer(503, "text/plain", ""));
    come_back(&stage, &guest, SECOND).await;
    assert_eq!((stage.app.jobs().await, stage.server.people(&guest.room).unwrap().len()), (1, 1));
    stage.server.fails(None);
    stage.server.asked();
    stage.app.wait(Duration::from_secs(2));
    stage.app.deliver_due().await;
    assert_eq!(stage.server.asked(), [removal(&guest.room, &guest.name)]);
    assert!(stage.server.people(&guest.room).unwrap().is_empty());
    assert_eq!((stage.app.jobs().await, stage.termination(&guest).await), (0, ended));
}

#[tokio::test]
async fn who_was_removed_by_a_moderator_is_not_held() {
    let (stage, guest) = Stage::connected().await;
    stage.app.hear(&guest.left(FIRST, 60_000, "PARTICIPANT_REMOVED")).await;
    assert_eq!(stage.ended(&guest).await["reason"], "removed_by_moderator");
    stage.app.hear(&guest.joined(Came("PA_again", 70_000))).await;
    assert_eq!(stage.entry(&guest).await["state"], "connected");
    // An operator ends that too, also while nobody is there.
    stage.app.hear(&guest.left(Came("PA_again", 70_000), 80_000, "CLIENT_INITIATED")).await;
    assert_eq!(stage.kick(&guest).await.status, 200);
    stage.server.asked();
    come_back(&stage, &guest, Came("PA_last", 90_000)).await;
    assert_eq!(stage.server.asked(), [removal(&guest.room, &guest.name)]);
}
