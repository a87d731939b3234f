//! Ending connections and sessions, and changing rights, at the server too.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use super::room::{Joining, Visit};
use crate::stream_sessions::sessions;

const MINUTE: Duration = Duration::from_mins(1);

fn delete_room(visit: &Visit) -> (String, Value) {
    ("DeleteRoom".to_owned(), json!({ "room": visit.room }))
}

/// Ends the connection in one of the four ways.
async fn end(visit: &Visit, way: &str) -> u16 {
    let (backend, operator) = (visit.app.backend(), visit.app.operator());
    let answer = match way {
        "2.15" => backend.delete(&format!("/api/sessions/{}/connection/{}", visit.session, visit.connection)).await,
        "2.32" => backend.delete(&visit.path()).await,
        "operator" => operator.delete(&format!("{}/{}", sessions("openvidu", &visit.session), visit.connection)).await,
        _ => {
            let id = visit.live("").await[0]["id"].as_str().unwrap().to_owned();
            visit.app.organiser(&visit.admin).post(&format!("/api/live/{id}/terminate/"), json!({})).await
        }
    };
    answer.status.as_u16()
}

#[rstest]
#[case("2.15", 204, 204, "backend")]
#[case("2.32", 204, 204, "backend")]
#[case("operator", 200, 202, "operator")]
#[case("organiser", 200, 202, "user")]
#[tokio::test]
async fn whoever_is_put_out_stays_out(#[case] way: &str, #[case] done: u16, #[case] later: u16, #[case] by: &str) {
    for (is_away, status) in [(false, done), (true, later)] {
        let visit = Visit::new().await;
        visit.told("participant_joined", 1, json!({})).await;
        visit.server.set_away(is_away);
        assert_eq!(end(&visit, way).await, status);
        assert_eq!(visit.server.called(), [visit.removal()]);
        assert_eq!(visit.state().await, "ended terminated");
        assert_eq!(visit.live("state=ended").await[0]["endedBy"]["kind"], by);
        assert_eq!(visit.app.backend().get(&visit.path()).await.status, 404);
        assert!(visit.app.live_names("openvidu", &visit.session).await.is_empty());
        visit.server.set_away(false);
        visit.app.wait(MINUTE);
        visit.app.keep_house().await;
        assert_eq!(visit.server.called().len(), usize::from(is_away), "the server is told once");
        // The end that the server reports is known, and the old token is not good again.
        visit.told("participant_left", 1, json!({})).await;
        visit.told("participant_joined", 2, json!({})).await;
        assert_eq!(visit.server.called(), [visit.removal()]);
        assert_eq!(visit.state().await, "ended terminated");
    }
}

#[tokio::test]
async fn whoever_has_left_can_be_kept_out_too() {
    let visit = Visit::new().await;
    visit.told("participant_joined", 1, json!({})).await;
    visit.told("participant_left", 1, json!({})).await;
    assert_eq!(end(&visit, "2.32").await, 204);
    visit.server.called();
    visit.told("participant_joined", 2, json!({})).await;
    assert_eq!(visit.server.called(), [visit.removal()]);
}

#[tokio::test]
async fn a_held_participant_is_removed_by_reconciling() {
    let visit = Visit::new().await;
    assert_eq!(end(&visit, "2.32").await, 204);
    visit.server.called();
    let there =
        json!([{ "sid": "PA_2", "identity": visit.connection, "state": "JOINED", "joined_at_ms": "1700000000000" }]);
    visit.server.list(&visit.room, there);
    visit.app.wait(MINUTE);
    visit.app.keep_house().await;
    assert_eq!(visit.server.called(), [visit.removal()]);
}

#[rstest]
#[case("/api/sessions")]
#[case("/openvidu/api/sessions")]
#[tokio::test]
async fn the_room_of_a_closed_session_is_deleted(#[case] family: &str) {
    for is_away in [false, true] {
        let visit = Visit::new().await;
        visit.told("participant_joined", 1, json!({})).await;
        visit.server.set_away(is_away);
        assert_eq!(visit.app.backend().delete(&format!("{family}/{}", visit.session)).await.status, 204);
        assert_eq!(visit.server.called(), [delete_room(&visit)]);
        assert_eq!(visit.state().await, "ended sessionClosed");
        visit.server.set_away(false);
        visit.app.wait(MINUTE);
        visit.app.keep_house().await;
        assert_eq!(visit.server.called().len(), usize::from(is_away));
        // Whoever comes back with the old token makes the room again.
        visit.told("room_started", 2, json!({})).await;
        visit.told("participant_joined", 2, json!({})).await;
        assert_eq!(visit.server.called(), [delete_room(&visit), delete_room(&visit)]);
        assert_eq!(visit.state().await, "ended sessionClosed");
    }
}

#[tokio::test]
async fn the_room_of_an_earlier_session_with_the_id_is_not_that_of_the_later_one() {
    let visit = Visit::new().await;
    let open = async || {
        visit.app.backend().post("/api/sessions", json!({ "customSessionId": "daily" })).await;
        visit.app.backend().post("/openvidu/api/sessions/daily/connection", json!({})).await.body
    };
    let made = open().await;
    assert_eq!(visit.app.backend().delete("/api/sessions/daily").await.status, 204);
    visit.server.called();
    open().await;
    let earlier = Visit {
        session: "daily".to_owned(),
        connection: made["id"].as_str().unwrap().to_owned(),
        room: Joining::read(&made["token"]).room(),
        ..visit
    };
    earlier.told("participant_joined", 1, json!({})).await;
    assert_eq!(earlier.server.called(), [delete_room(&earlier)]);
}

#[tokio::test]
async fn another_role_changes_the_rights_in_the_room_and_in_the_token() {
    let visit = Visit::with(json!({ "role": "SUBSCRIBER" })).await;
    visit.told("participant_joined", 1, json!({})).await;
    let update = |publishes: bool| {
        let permission = json!({
            "can_subscribe": true, "can_publish": publishes, "can_publish_data": publishes, "can_publish_sources": [],
            "hidden": false, "can_update_metadata": false, "can_subscribe_metrics": false,
        });
        let body = json!({ "room": visit.room, "identity": visit.connection, "permission": permission });
        ("UpdateParticipant".to_owned(), body)
    };
    let changed = visit.patch(json!({ "role": "PUBLISHER" })).await;
    assert_eq!((changed.status.as_u16(), &changed.body["role"]), (200, &json!("PUBLISHER")));
    assert_eq!(Joining::read(&changed.body["token"]).claims["video"]["canPublish"], true);
    assert_eq!(visit.server.called(), [update(true)]);
    assert_eq!(visit.patch(json!({ "role": "PUBLISHER", "record": false })).await.body["record"], false);
    assert!(visit.server.called().is_empty(), "the role is the same");
    assert_eq!(visit.live("").await[0]["role"], "publisher");
    // The server is told later, of the role that the connection has then.
    visit.server.set_away(true);
    assert_eq!(visit.patch(json!({ "role": "MODERATOR" })).await.status, 200);
    assert_eq!(visit.patch(json!({ "role": "SUBSCRIBER" })).await.status, 200);
    visit.server.called();
    visit.server.set_away(false);
    visit.app.wait(MINUTE);
    visit.app.keep_house().await;
    assert_eq!(visit.server.called(), [update(false), update(false)]);
    // An earlier token still has the rights of before.
    visit.told("participant_joined", 2, json!({})).await;
    assert_eq!(visit.server.called(), [update(false)]);
}

#[tokio::test]
async fn the_order_of_reports_and_ends_leaves_one_entry() {
    let visit = Visit::new().await;
    visit.told("participant_joined", 1, json!({})).await;
    let (ended, told) = tokio::join!(
        end(&visit, "2.32"),
        visit.told_of(&visit.connection, "track_published", 1, json!({ "track": { "sid": "TR_AMabc" } })),
    );
    assert_eq!((ended, told.status.as_u16()), (204, 200));
    assert_eq!(visit.state().await, "ended terminated");
}
