//! Tokens of an event's session, and how their connections end.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    stream_sessions::{sessions, viewer},
    support::TestApp,
};

#[tokio::test]
async fn a_terminated_token_stays_terminated_even_after_the_hold() {
    let app = TestApp::new().await;
    let (joined, _) = app.joined().await;
    let stream = sessions(joined.event, joined.session);
    let url = format!("ws://live.example:3333/{}/{}?session={}", joined.event, joined.session, joined.name);
    // While the token is valid, the name belongs to it.
    assert_eq!(app.webhook(&viewer("opening", 1, 0, &url)).await.body["allowed"], false);
    assert_eq!(app.operator().delete(&format!("{stream}/{}", joined.name)).await.status, 200);
    app.wait(Duration::from_hours(2));
    let refused = app.webhook(&viewer("opening", 1, 7200, &url)).await;
    assert_eq!(refused.to_string(), r#"200 {"allowed":false,"reason":"The session was terminated"}"#);
    joined.tell(&app, "connectionCreated", "a", 7200).await;
    assert!(app.live_names(joined.event, joined.session).await.is_empty());
    // The token has expired.
    app.wait(Duration::from_hours(22));
    assert_eq!(app.webhook(&viewer("opening", 1, 86_400, &url)).await.body["allowed"], true);
    joined.tell(&app, "connectionCreated", "b", 86_400).await;
    assert_eq!(app.live_names(joined.event, joined.session).await, [&*joined.name]);
}

#[tokio::test]
async fn an_end_reported_before_its_beginning_still_records_the_duration() {
    let app = TestApp::new().await;
    let (joined, admin) = app.joined().await;
    app.wait(Duration::from_secs(100));
    let mut destroyed = joined.told("connectionDestroyed", "a", 70);
    let created = joined.told("connectionCreated", "a", 10);
    destroyed["connection"] = created["connection"].clone();
    for told in [destroyed, created] {
        assert_eq!(app.callback(&told).await.to_string(), "200 {}");
    }
    assert!(app.live_names(joined.event, joined.session).await.is_empty());
    let ended = app.entry(&admin, &format!("event={}&stream={}&state=ended", joined.event, joined.session)).await;
    let wanted = json!(["ended", 60, "clientDisconnected", "2023-11-14T22:13:30Z", "2023-11-14T22:14:30Z"]);
    assert_eq!(json!([ended["state"], ended["duration"], ended["reason"], ended["since"], ended["endedAt"]]), wanted);
}

#[tokio::test]
async fn an_end_without_a_time_counts_as_now() {
    let app = TestApp::new().await;
    let (joined, admin) = app.joined().await;
    app.wait(Duration::from_secs(30));
    joined.tell(&app, "connectionCreated", "a", 10).await;
    let mut destroyed = joined.told("connectionDestroyed", "a", 10);
    destroyed["timestamp"] = Value::Null;
    assert_eq!(app.callback(&destroyed).await.to_string(), "200 {}");
    let ended = app.entry(&admin, &format!("event={}&stream={}&state=ended", joined.event, joined.session)).await;
    assert_eq!((&ended["duration"], &ended["endedAt"]), (&json!(20), &json!("2023-11-14T22:13:50Z")));
}

#[tokio::test]
async fn a_token_whose_client_has_left_can_still_be_terminated() {
    for by_operator in [true, false] {
        let app = TestApp::new().await;
        let (joined, admin) = app.joined().await;
        let ended = format!("event={}&stream={}&state=ended", joined.event, joined.session);
        app.wait(Duration::from_secs(100));
        joined.tell(&app, "connectionCreated", "a", 10).await;
        joined.tell(&app, "connectionDestroyed", "a", 70).await;
        let id = app.entry(&admin, &ended).await["id"].as_str().unwrap().to_owned();
        let terminate = async || {
            if by_operator {
                let path = format!("{}/{}", sessions(joined.event, joined.session), joined.name);
                app.operator().delete(&path).await.status
            } else {
                app.organiser(&admin).post_nothing(&format!("/api/live/{id}/terminate/")).await.status
            }
        };
        assert_eq!((terminate().await.as_u16(), terminate().await.as_u16()), (200, 404));
        let entry = app.entry(&admin, &ended).await;
        assert_eq!((&entry["reason"], &entry["duration"]), (&json!("terminated"), &json!(60)));
        joined.tell(&app, "connectionCreated", "b", 80).await;
        assert!(app.live_names(joined.event, joined.session).await.is_empty());
        assert_eq!(terminate().await, 404);
    }
}
