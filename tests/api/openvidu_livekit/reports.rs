//! What the server reports of participants.

use std::time::Duration;

use serde_json::{Value, json};

use super::room::Visit;
use crate::support::NOW;

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

fn track(sid: &str) -> Value {
    json!({ "track": { "sid": sid } })
}

#[tokio::test]
async fn a_connection_is_active_while_its_participant_is_there() {
    let visit = Visit::new().await;
    assert_eq!((visit.shown().await, visit.state().await), ("pending null -".to_owned(), "issued -".to_owned()));
    visit.app.wait(MINUTE);
    visit.told("participant_joined", 1, json!({})).await;
    let at = NOW + 60_000;
    assert_eq!((visit.shown().await, visit.state().await), (format!("active {at} "), "connected -".to_owned()));
    visit.told("track_published", 1, track("TR_AMabc")).await;
    visit.told("track_published", 1, track("TR_VCabc")).await;
    assert_eq!(visit.shown().await, format!("active {at} TR_AMabc TR_VCabc"));
    let publishers = visit.read().await["publishers"].clone();
    let options = json!({ "hasAudio": true, "audioActive": true, "hasVideo": false, "filter": {} });
    let stream = json!({ "createdAt": at, "streamId": "TR_AMabc", "mediaOptions": options });
    assert_eq!(publishers[0], stream);
    let entry = visit.live("").await.remove(0);
    assert_eq!((&entry["provider"], &entry["name"]), (&json!("livekit"), &json!(visit.connection)));
    assert_eq!(entry["since"], entry["publishing"]);
    visit.told("track_unpublished", 1, track("TR_AMabc")).await;
    assert_eq!(visit.shown().await, format!("active {at} TR_VCabc"));
    visit.told("participant_left", 1, json!({ "participant": { "disconnectReason": "CLIENT_INITIATED" } })).await;
    assert_eq!((visit.shown().await, visit.state().await), ("pending null -".to_owned(), "ended left".to_owned()));
    // A late report of the one who left changes nothing.
    visit.told("track_published", 1, track("TR_AMabc")).await;
    assert_eq!(visit.shown().await, "pending null -");
    visit.app.wait(MINUTE);
    visit.told("participant_joined", 2, json!({})).await;
    visit.told("participant_left", 1, json!({ "participant": { "disconnectReason": "CLIENT_INITIATED" } })).await;
    assert_eq!(visit.state().await, "connected -, ended left");
    assert!(visit.server.called().is_empty());
}

#[tokio::test]
async fn active_connections_are_in_the_lists_of_2_32() {
    let visit = Visit::new().await;
    let other = visit.app.issue(&visit.session).await;
    let count = async |path: &str| {
        let body = visit.app.backend().get(path).await.body;
        let list = if body["connections"].is_object() { &body["connections"] } else { &body };
        list["numberOfElements"].as_u64().unwrap()
    };
    let (session, connections) = (visit.session_path(), format!("{}/connection", visit.session_path()));
    assert_eq!((count(&session).await, count(&format!("{connections}?pendingConnections=false")).await), (0, 0));
    visit.told("participant_joined", 1, json!({})).await;
    assert_eq!((count(&session).await, count(&format!("{connections}?pendingConnections=false")).await), (1, 1));
    assert_eq!((count(&format!("{session}?pendingConnections=true")).await, count(&connections).await), (2, 2));
    let all = visit.app.backend().get("/openvidu/api/sessions").await.body;
    assert_eq!(all["content"][0]["connections"]["content"][0]["id"], visit.connection);
    let names = visit.app.live_names("openvidu", &visit.session).await;
    assert!(names.contains(&visit.connection) && names.contains(&other));
}

#[tokio::test]
async fn an_attempt_that_failed_leaves_its_reason() {
    let visit = Visit::new().await;
    visit.told("participant_connection_aborted", 1, json!({})).await;
    assert_eq!((visit.shown().await, visit.state().await), ("pending null -".to_owned(), "issued failed".to_owned()));
    visit.told("participant_joined", 2, json!({})).await;
    assert_eq!(visit.state().await, "connected -");
}

#[tokio::test]
async fn a_webhook_counts_once() {
    let visit = Visit::new().await;
    let participant = json!({ "sid": "PA_1", "identity": visit.connection, "joinedAtMs": NOW.to_string() });
    let body = |event: &str| {
        let room = json!({ "sid": "RM_1", "name": visit.room });
        json!({ "event": event, "id": "EV_1", "createdAt": "1700000000", "room": room, "participant": participant })
    };
    visit.webhook(&body("participant_joined")).await;
    visit.webhook(&body("participant_left")).await;
    assert_eq!(visit.state().await, "connected -");
}

#[tokio::test]
async fn whoever_looks_like_a_connection_and_is_none_is_removed() {
    let visit = Visit::new().await;
    let stranger = format!("con_{}", "0".repeat(42));
    visit.told_of(&stranger, "participant_joined", 1, json!({})).await;
    let removal = ("RemoveParticipant".to_owned(), json!({ "room": visit.room, "identity": stranger }));
    assert_eq!(visit.server.called(), [removal]);
    // A recorder of the operator's own.
    visit.told_of("EG_recorder", "participant_joined", 2, json!({})).await;
    // A room of another deployment.
    let room = json!({ "room": { "name": format!("o-{}-abcdefghijkl", visit.session) } });
    visit.told_of(&visit.connection, "participant_joined", 3, room).await;
    assert!(visit.server.called().is_empty());
    assert_eq!(visit.state().await, "issued -");
}

#[tokio::test]
async fn everybody_leaves_a_room_that_is_finished() {
    let visit = Visit::new().await;
    visit.told("room_started", 1, json!({})).await;
    visit.told("participant_joined", 1, json!({})).await;
    visit.told("room_finished", 1, json!({})).await;
    assert_eq!(visit.state().await, "ended session_ended");
}

#[tokio::test]
async fn reconciling_mends_what_webhooks_have_missed() {
    let visit = Visit::new().await;
    let listed = |tracks: Value| {
        let joined_at = visit.app.clock.now().millis().to_string();
        json!([{ "sid": "PA_1", "identity": visit.connection, "state": "ACTIVE", "joined_at_ms": joined_at, "tracks": tracks }])
    };
    visit.server.list(&visit.room, listed(json!([{ "sid": "TR_AMabc" }])));
    visit.app.keep_house().await;
    assert_eq!(visit.shown().await, format!("active {NOW} TR_AMabc"));
    visit.app.wait(MINUTE);
    visit.server.list(&visit.room, json!([]));
    visit.app.keep_house().await;
    assert_eq!(visit.state().await, "ended lost");
    assert!(visit.server.called().is_empty());
}

#[tokio::test]
async fn a_session_and_its_connection_stay_while_somebody_is_there() {
    let visit = Visit::new().await;
    visit.told("participant_joined", 1, json!({})).await;
    let joined_at = visit.app.clock.now().millis().to_string();
    let there = json!([{ "sid": "PA_1", "identity": visit.connection, "state": "ACTIVE", "joined_at_ms": joined_at }]);
    visit.server.list(&visit.room, there);
    // The token ends after 6 hours, and the session would an hour later.
    for _ in 0..60 {
        visit.app.wait(8 * MINUTE);
        visit.app.keep_house().await;
    }
    assert_eq!(visit.shown().await, format!("active {NOW} "));
    visit.told("participant_left", 1, json!({})).await;
    assert_eq!(visit.app.backend().get(&visit.path()).await.status, 404);
    visit.server.list(&visit.room, json!([]));
    visit.app.wait(HOUR);
    assert_eq!(visit.app.backend().get(&visit.session_path()).await.status, 404);
}
