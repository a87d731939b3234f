//! What is in a token, and what it costs.

use std::time::Duration;

use greenroom_core::config::Setting;
use rstest::rstest;
use serde_json::{Value, json};

use super::room::{Joining, Server, Visit};
use crate::{
    counted::Counted,
    support::{NOW, TestApp},
};

const HOUR: Duration = Duration::from_hours(1);

#[rstest]
#[case("SUBSCRIBER", json!({"canPublish": false, "canPublishData": false}))]
#[case("PUBLISHER", json!({"canPublish": true, "canPublishData": true}))]
#[case("MODERATOR", json!({"canPublish": true, "canPublishData": true, "roomAdmin": true}))]
#[tokio::test]
async fn a_token_opens_the_sessions_room_with_the_rights_of_the_role(#[case] role: &str, #[case] mut video: Value) {
    let server = Server::start().await;
    let app = server.app().await;
    let session = app.open_session().await;
    let connections = format!("/openvidu/api/sessions/{session}/connection");
    let data = "{\"name\":\"Ada\"}";
    let made = app.backend().post(&connections, json!({ "role": role, "data": data })).await.body;
    let joining = Joining::read(&made["token"]);
    assert_eq!((joining.address, joining.session), (server.url().replacen("http", "ws", 1), session.clone()));
    let room = joining.claims["video"]["room"].clone();
    assert!(room.as_str().unwrap().starts_with(&format!("o-{session}-")));
    let more = json!({ "room": room, "roomJoin": true, "canSubscribe": true });
    video.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let now = NOW / 1000;
    let expected = json!({
        "iss": "key-of-the-tests", "sub": made["id"], "iat": now, "nbf": now, "exp": now + 21_600,
        "video": video, "metadata": data,
    });
    assert_eq!(joining.claims, expected);
    for path in ["/api/tokens", "/openvidu/api/tokens"] {
        let issued = app.backend().post(path, json!({ "session": session, "role": role })).await.body;
        let claims = Joining::read(&issued["token"]).claims;
        assert_eq!((&issued["id"], &claims["video"], &claims["metadata"]), (&issued["token"], &video, &Value::Null));
    }
}

#[tokio::test]
async fn a_token_that_is_read_again_is_for_the_same_identity_until_the_same_time() {
    let visit = Visit::with(json!({ "data": "Ada" })).await;
    let same = |token: &Value| {
        let claims = Joining::read(token).claims;
        ["sub", "exp", "video", "metadata"].map(|name| claims[name].clone())
    };
    let made = visit.read().await["token"].clone();
    visit.app.wait(HOUR);
    let again = visit.read().await["token"].clone();
    assert!(made != again && same(&made) == same(&again));
    let listed = visit.app.backend().get(&format!("/api/sessions/{}", visit.session)).await.body;
    assert_eq!(same(&listed["connections"]["content"][0]["token"]), same(&made));
    assert!(!visit.app.items().await.iter().any(|item| item.contains("eyJ")), "no token is stored");
    visit.app.wait(5 * HOUR);
    assert_eq!(visit.app.backend().get(&visit.path()).await.status, 404);
}

#[tokio::test]
async fn a_custom_id_that_is_used_again_has_another_room() {
    let server = Server::start().await;
    let app = server.app().await;
    let room = async || {
        assert_eq!(app.backend().post("/api/sessions", json!({ "customSessionId": "daily" })).await.status, 200);
        let issue = async || app.backend().post("/api/tokens", json!({ "session": "daily" })).await.body;
        let rooms = [issue().await, issue().await].map(|issued| Joining::read(&issued["token"]).room());
        assert_eq!(rooms[0], rooms[1]);
        assert_eq!(app.backend().delete("/api/sessions/daily").await.status, 204);
        rooms[0].clone()
    };
    assert_ne!(room().await, room().await);
}

#[tokio::test]
async fn a_session_without_a_room_goes_on_as_before() {
    let plain = TestApp::new().await;
    for id in ["daily", "ses_0a1b2c3d4e5f60718293a4b5c6d7e8f9"] {
        plain.backend().post("/api/sessions", json!({ "customSessionId": id })).await;
    }
    let session = plain.open_session().await;
    let url = Server::start().await.url().to_owned();
    let url: &'static str = Box::leak(url.into_boxed_str());
    let app = plain.again_with([
        (Setting::OpenviduMedia, "livekit"),
        (Setting::LivekitUrl, url),
        (Setting::LivekitApiKey, "key-of-the-tests"),
        (Setting::LivekitApiSecret, "kXq7vTz2mWbR4pLdkXq7vTz2mWbR4pLe"),
    ]);
    for session in ["daily", "ses_0a1b2c3d4e5f60718293a4b5c6d7e8f9", &session] {
        let issued = app.backend().post("/api/tokens", json!({ "session": session })).await.body;
        assert!(issued["token"].as_str().unwrap().contains("&token=tok_"), "{issued}");
    }
    // And a session with a room has tokens of both kinds, if a function is still without the setting.
    let with_room = app.open_session().await;
    app.backend().post("/api/tokens", json!({ "session": with_room })).await;
    plain.backend().post("/api/tokens", json!({ "session": with_room })).await;
    let listed = plain.backend().get(&format!("/api/sessions/{with_room}")).await.body;
    assert_eq!(listed["connections"]["numberOfElements"], 2);
    assert_eq!(listed["connections"]["content"][0]["token"], "");
}

#[tokio::test]
async fn unknown_sessions_are_refused_as_before() {
    let app = Server::start().await.app().await;
    for session in ["daily", "ses_0a1b2c3d4e5f60718293a4b5c6d7e8f9"] {
        let answer = app.backend().post("/api/tokens", json!({ "session": session })).await;
        assert_eq!(answer.problem(), format!("404 Session {session} not found"));
        let answer = app.backend().post(&format!("/openvidu/api/sessions/{session}/connection"), json!({})).await;
        assert_eq!(answer.to_string(), "404 -");
    }
}

#[tokio::test]
async fn a_token_costs_a_read_more_only_for_an_id_of_the_back_end() {
    let server = Server::start().await;
    let Counted { app, requests } = Counted::over(server.app().await).await;
    let session = app.open_session().await;
    app.backend().post("/api/sessions", json!({ "customSessionId": "daily" })).await;
    for (session, cost) in [(&*session, 1), ("daily", 2)] {
        requests.store(0, std::sync::atomic::Ordering::SeqCst);
        assert_eq!(app.backend().post("/api/tokens", json!({ "session": session })).await.status, 200);
        assert_eq!(requests.load(std::sync::atomic::Ordering::SeqCst), cost);
    }
}
