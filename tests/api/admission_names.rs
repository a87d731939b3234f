//! Which names admission webhooks may bring, and how long the names are held.

use std::time::Duration;

use greenroom_core::{config::Setting, model::user::Role};
use rstest::rstest;
use serde_json::json;

use crate::{
    stream_sessions::{sessions, viewer},
    support::TestApp,
};

const URL: &str = "ws://live.example:3333/app/stream?session=one";
const ALLOWED: &str = r#"200 {"allowed":true}"#;
const TAKEN: &str = r#"200 {"allowed":false,"reason":"The session's name is taken"}"#;

#[tokio::test]
async fn the_name_of_a_media_sessions_live_token_is_taken() {
    let app = TestApp::new().await;
    let media = app.open_session().await;
    let connection = app.issue(&media).await;
    let url = |name: &str| format!("ws://live.example:3333/openvidu/{media}?session={name}");
    assert_eq!(app.webhook(&viewer("opening", 1, 0, &url(&connection))).await.to_string(), TAKEN);
    // The closing leaves nothing behind that would free the name.
    assert_eq!(app.webhook(&viewer("closing", 1, 1, &url(&connection))).await.to_string(), "200 {}");
    assert_eq!(app.webhook(&viewer("opening", 1, 2, &url(&connection))).await.to_string(), TAKEN);
    assert_eq!(app.live_names("openvidu", &media).await, [&*connection]);
    assert_eq!(app.webhook(&viewer("opening", 2, 0, &url("another"))).await.to_string(), ALLOWED);
    assert_eq!(app.operator().delete(&format!("{}/{connection}", sessions("openvidu", &media))).await.status, 200);
    assert_eq!(app.live_names("openvidu", &media).await, ["another"]);
}

#[rstest]
#[case("app/stream?session=..")]
#[case("app/stream?session=.")]
#[case("app/stream?session=%2e%2E")]
#[case("app/..")]
#[case("%2e/stream")]
#[tokio::test]
async fn a_dot_segment_in_the_url_is_refused_as_a_name(#[case] path: &str) {
    let app = TestApp::new().await;
    let body = |status| viewer(status, 1, 0, &format!("ws://live.example:3333/{path}"));
    let refused = app.webhook(&body("opening")).await;
    assert_eq!(refused.to_string(), r#"200 {"allowed":false,"reason":"A name in the URL is . or .."}"#);
    assert_eq!(app.webhook(&body("closing")).await.to_string(), "200 {}");
}

#[tokio::test]
async fn a_viewer_whose_name_is_too_long_for_the_ledger_is_not_admitted() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    for length in [1000, 1006, 1007, 1008, 1020] {
        let url = format!("ws://live.example:3333/app/{}?session=v", "s".repeat(length));
        let allowed = app.webhook(&viewer("opening", 1, 0, &url)).await.body["allowed"] == true;
        assert_eq!(allowed, length <= 1006, "{length}");
        assert_eq!(app.webhook(&viewer("closing", 1, 1, &url)).await.to_string(), "200 {}");
    }
    let ended = app.organiser(&admin).get("/api/live/?state=ended&app=app").await;
    assert_eq!(ended.body["results"].as_array().unwrap().len(), 2, "{ended}");
    // The ledger may keep entries past their time, but the list leaves them out.
    app.wait(Duration::from_hours(30 * 24));
    let admin = app.account("later", Role::Admin, None).await;
    let later = app.organiser(&admin).get("/api/live/?state=ended&app=app").await;
    assert_eq!(later.body["results"], json!([]));
}

#[tokio::test]
async fn a_repeated_opening_prolongs_the_entry() {
    let app = TestApp::with([(Setting::StreamsSessionTtl, "100"), (Setting::StreamsKeepViewers, "true")]).await;
    app.webhook(&viewer("opening", 1, 0, URL)).await;
    app.webhook(&viewer("opening", 2, 0, &URL.replace("one", "two"))).await;
    app.wait(Duration::from_secs(90));
    assert_eq!(app.webhook(&viewer("opening", 1, 0, URL)).await.to_string(), ALLOWED);
    app.wait(Duration::from_secs(10));
    assert_eq!(app.live_names("app", "stream").await, ["one"]);
    app.wait(Duration::from_secs(90));
    assert!(app.live_names("app", "stream").await.is_empty());
}

#[tokio::test]
async fn a_user_agent_that_is_not_utf_8_does_not_keep_a_viewer_out() {
    let app = TestApp::new().await;
    let mut body = viewer("opening", 1, 0, URL);
    body["client"]["user_agent"] = json!("REPLACED");
    let body = body.to_string();
    let (before, after) = body.split_once("REPLACED").unwrap();
    let bytes = [before.as_bytes(), b"\xff\xe9", after.as_bytes()].concat();
    assert_eq!(app.webhook_bytes(bytes).await.to_string(), ALLOWED);
    assert_eq!(app.live_names("app", "stream").await, ["one"]);
}

#[tokio::test]
async fn a_closing_of_an_unknown_viewer_makes_no_stream_known() {
    let app = TestApp::new().await;
    app.webhook(&viewer("opening", 1, 0, &URL.replace("stream", "other"))).await;
    app.webhook(&viewer("closing", 1, 1, URL)).await;
    let unknown = app.operator().get(&sessions("app", "stream")).await;
    assert_eq!(unknown.body["message"], "[HTTP] Could not find the stream: [default/#default#app/stream] (404)");
    // The opening of the same viewer, which arrives after its closing, is still refused.
    assert_eq!(app.webhook(&viewer("opening", 1, 0, URL)).await.body["allowed"], false);
}
