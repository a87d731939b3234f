//! Admission webhooks (`docs/apis/ovenmediaengine.md`).

use std::time::Duration;

use greenroom_core::config::Setting;
use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    stream_sessions::{sessions, viewer},
    support::TestApp,
};

const URL: &str = "ws://live.example:3333/app/stream?session=one";
const ALLOWED: &str = r#"200 {"allowed":true}"#;

#[tokio::test]
async fn a_webhook_is_signed_over_its_bytes() {
    let app = TestApp::new().await;
    let body = viewer("opening", 1, 0, URL).to_string();
    for signature in [None, Some(""), Some("AAAA"), Some("-zmMkQ_-ttwQ0CnOpIpgYcLOBn4")] {
        let headers: Vec<_> = signature.iter().map(|signature| ("x-ome-signature", *signature)).collect();
        let answer = app.anyone().send("POST", "/v1/admission", &headers, body.clone().into()).await;
        assert_eq!(answer.to_string(), r#"401 {"message":"[HTTP] Invalid signature (401)","statusCode":401}"#);
        assert!(answer.headers.get("www-authenticate").is_none());
    }
    assert_eq!(app.webhook(&viewer("opening", 1, 0, URL)).await.to_string(), ALLOWED);
}

#[rstest]
#[case::not_an_object(json!([1]))]
#[case::nothing(json!({}))]
#[case::another_direction(json!({ "request": { "direction": "sideways" } }))]
#[case::another_status(json!({ "request": { "status": "paused" } }))]
#[case::not_a_port(json!({ "client": { "port": 65_536 } }))]
#[case::no_stream(json!({ "request": { "url": "ws://live.example/app" } }))]
#[case::too_long(json!({ "request": { "url": format!("ws://live.example/app/{}", "s".repeat(1100)) } }))]
#[tokio::test]
async fn an_invalid_admission_request_is_refused_with_200(#[case] change: Value) {
    let app = TestApp::new().await;
    let mut body = viewer("opening", 1, 0, URL);
    match change.as_object().filter(|change| !change.is_empty()) {
        Some(change) => {
            for (part, fields) in change {
                body[part].as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            }
        }
        None => body = change,
    }
    let answer = app.webhook(&body).await;
    assert_eq!((answer.status.as_u16(), &answer.body["allowed"]), (200, &json!(false)));
    assert!(answer.body["reason"].is_string());
}

#[tokio::test]
async fn unknown_fields_are_ignored_and_missing_fields_have_defaults() {
    let app = TestApp::new().await;
    let mut body = viewer("opening", 1, 0, URL);
    body["client"]["real_ip"] = json!("192.0.2.7");
    body["request"]["new"] = json!({ "a": [1] });
    body["later"] = json!(null);
    body["request"].as_object_mut().unwrap().remove("status");
    body["request"]["time"] = json!("whenever");
    assert_eq!(app.webhook(&body).await.to_string(), ALLOWED);
    assert_eq!(app.live_names("app", "stream").await, ["one"]);
    body["request"]["status"] = json!("closing");
    assert_eq!(app.webhook(&body).await.to_string(), "200 {}");
    assert!(app.live_names("app", "stream").await.is_empty());
}

#[tokio::test]
async fn a_publisher_makes_its_stream_known_but_is_not_listed_as_a_viewer() {
    let app = TestApp::new().await;
    let mut body = viewer("opening", 1, 0, "rtmp://live.example:1935/app/stream?session=one");
    body["request"]["direction"] = json!("incoming");
    assert_eq!(app.webhook(&body).await.to_string(), ALLOWED);
    assert!(app.live_names("app", "stream").await.is_empty());
    assert_eq!(app.operator().delete(&format!("{}/one", sessions("app", "stream"))).await.status, 404);
    let unknown = app.operator().get(&sessions("app", "other")).await.body;
    assert_eq!(unknown["message"], "[HTTP] Could not find the stream: [default/#default#app/other] (404)");
    body["request"]["status"] = json!("closing");
    app.webhook(&body).await;
    app.wait(Duration::from_secs(3599));
    assert!(app.live_names("app", "stream").await.is_empty());
    app.wait(Duration::from_secs(1));
    assert_eq!(app.operator().get(&sessions("app", "stream")).await.status, 404);
}

#[tokio::test]
async fn a_live_name_is_taken_but_its_own_webhook_may_repeat() {
    let app = TestApp::new().await;
    assert_eq!(app.webhook(&viewer("opening", 1, 0, URL)).await.to_string(), ALLOWED);
    assert_eq!(app.webhook(&viewer("opening", 1, 0, URL)).await.to_string(), ALLOWED);
    let mut other = viewer("opening", 2, 1, URL);
    other["client"]["address"] = json!("192.0.2.2");
    let taken = app.webhook(&other).await;
    assert_eq!(taken.to_string(), r#"200 {"allowed":false,"reason":"The session's name is taken"}"#);
    assert_eq!(app.webhook(&viewer("opening", 2, 1, &URL.replace("stream", "second"))).await.to_string(), ALLOWED);
    // Only the closing of the viewer itself ends it.
    other["request"]["status"] = json!("closing");
    app.webhook(&other).await;
    assert_eq!(app.live_names("app", "stream").await, ["one"]);
    // Terminating the name on one stream leaves it on the other.
    assert_eq!(app.operator().delete(&format!("{}/one", sessions("app", "stream"))).await.status, 200);
    assert_eq!(app.live_names("app", "second").await, ["one"]);
}

#[tokio::test]
async fn a_viewer_without_a_name_gets_a_uuid_that_is_always_the_same() {
    let app = TestApp::new().await;
    let url = "ws://live.example:3333/app/stream";
    for port in [1, 2, 1] {
        assert_eq!(app.webhook(&viewer("opening", port, 0, url)).await.to_string(), ALLOWED);
    }
    let names = app.live_names("app", "stream").await;
    assert_eq!((names.len(), names[0].len()), (2, 36));
    let mut again = viewer("closing", 1, 5, url);
    again["request"]["protocol"] = json!("webrtc");
    app.webhook(&again).await;
    assert_eq!(app.live_names("app", "stream").await, names[1..]);
}

#[tokio::test]
async fn the_host_name_decides_on_the_virtual_host() {
    let app = TestApp::with([(Setting::StreamsVhosts, "live.example=edge")]).await;
    app.webhook(&viewer("opening", 1, 0, URL)).await;
    let answer = app.operator().get("/v1/vhosts/edge/apps/app/streams/stream/sessions").await;
    assert_eq!(answer.body["response"], json!(["one"]));
    let unknown = app.operator().get(&sessions("app", "stream")).await.body;
    assert_eq!(unknown["message"], "[HTTP] Could not find the application: [default/app] (404)");
}

#[tokio::test]
async fn a_terminated_name_is_refused_while_it_is_held() {
    let app = TestApp::with([(Setting::StreamsHold, "90")]).await;
    app.webhook(&viewer("opening", 1, 0, URL)).await;
    assert_eq!(app.operator().delete(&format!("{}/one", sessions("app", "stream"))).await.status, 200);
    app.wait(Duration::from_secs(89));
    for port in [1, 2] {
        let refused = app.webhook(&viewer("opening", port, 80, URL)).await;
        assert_eq!(refused.to_string(), r#"200 {"allowed":false,"reason":"The session was terminated"}"#);
    }
    app.wait(Duration::from_secs(1));
    // A repeated opening does not revive the terminated viewer.
    assert_eq!(app.webhook(&viewer("opening", 1, 0, URL)).await.body["allowed"], false);
    assert!(app.live_names("app", "stream").await.is_empty());
    assert_eq!(app.webhook(&viewer("opening", 1, 90, URL)).await.to_string(), ALLOWED);
    assert_eq!(app.live_names("app", "stream").await, ["one"]);
}
