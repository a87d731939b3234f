//! Viewers end together with the publisher of their stream.

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

/// The webhook of a media server about a publisher of the stream.
fn publisher(status: &str, host: u8, time: i64) -> Value {
    let mut body = viewer(status, 1, time, "rtmp://live.example:1935/app/stream");
    body["client"]["address"] = json!(format!("192.0.2.{host}"));
    body["request"]["direction"] = json!("incoming");
    body["request"]["protocol"] = json!("RTMP");
    body
}

/// Sends the opening or the closing of the stream's publisher.
pub(crate) async fn publish(app: &TestApp, status: &str, time: i64) {
    assert_eq!(app.webhook(&publisher(status, 9, time)).await.status, 200);
}

/// The reason of the last end of a viewer, and who ended it.
async fn last_end(app: &TestApp) -> Value {
    let admin = app.account("later", greenroom_core::model::user::Role::Admin, None).await;
    let ended = app.entry(&admin, "state=ended&app=app").await;
    json!([ended["reason"], ended["endedBy"]["kind"]])
}

#[tokio::test]
async fn a_viewer_of_a_stream_without_publisher_expires_after_a_minute() {
    let app = TestApp::new().await;
    assert_eq!(app.webhook(&viewer("opening", 1, 0, URL)).await.to_string(), ALLOWED);
    app.wait(Duration::from_secs(59));
    assert_eq!(app.live_names("app", "stream").await, ["one"]);
    app.wait(Duration::from_secs(1));
    assert!(app.live_names("app", "stream").await.is_empty());
    assert_eq!(last_end(&app).await, json!(["expired", "expiry"]));
    // The name is free again.
    let mut other = viewer("opening", 1, 60, URL);
    other["client"]["address"] = json!("192.0.2.2");
    assert_eq!(app.webhook(&other).await.to_string(), ALLOWED);
}

#[rstest]
#[case::before(0, 1)]
#[case::after(5, 0)]
#[tokio::test]
async fn a_waiting_viewer_stays_when_the_publisher_comes(#[case] viewer_at: i64, #[case] publisher_at: i64) {
    let app = TestApp::new().await;
    if publisher_at < viewer_at {
        publish(&app, "opening", publisher_at).await;
    }
    assert_eq!(app.webhook(&viewer("opening", 1, viewer_at, URL)).await.to_string(), ALLOWED);
    if publisher_at > viewer_at {
        app.wait(Duration::from_secs(59));
        publish(&app, "opening", publisher_at).await;
    }
    app.wait(Duration::from_secs(80_000));
    assert_eq!(app.live_names("app", "stream").await, ["one"]);
    publish(&app, "closing", 80_000).await;
    assert!(app.live_names("app", "stream").await.is_empty());
    assert_eq!(last_end(&app).await, json!(["publisher_left", "provider"]));
}

#[tokio::test]
async fn a_new_publisher_ends_earlier_viewers_but_not_later_ones() {
    let app = TestApp::new().await;
    publish(&app, "opening", 0).await;
    assert_eq!(app.webhook(&viewer("opening", 1, 1, URL)).await.to_string(), ALLOWED);
    assert_eq!(app.webhook(&publisher("opening", 8, 10)).await.to_string(), ALLOWED);
    assert!(app.live_names("app", "stream").await.is_empty());
    let two = URL.replace("one", "two");
    assert_eq!(app.webhook(&viewer("opening", 1, 11, &two)).await.to_string(), ALLOWED);
    // The closing of the first publisher comes late.
    publish(&app, "closing", 12).await;
    app.wait(Duration::from_mins(10));
    assert_eq!(app.live_names("app", "stream").await, ["two"]);
}

#[tokio::test]
async fn a_viewer_admitted_while_the_publisher_leaves_ends_shortly_after() {
    let app = TestApp::new().await;
    publish(&app, "opening", 0).await;
    // The closing of their publisher arrives first.
    publish(&app, "closing", 10).await;
    app.webhook(&viewer("opening", 1, 9, URL)).await;
    app.wait(Duration::from_secs(15));
    app.deliver_due().await;
    assert!(app.live_names("app", "stream").await.is_empty());
}

#[tokio::test]
async fn an_edge_server_keeps_its_viewers() {
    let app = TestApp::with([(Setting::StreamsKeepViewers, "true")]).await;
    app.webhook(&viewer("opening", 1, 0, URL)).await;
    publish(&app, "opening", 1).await;
    publish(&app, "closing", 2).await;
    app.wait(Duration::from_secs(80_000));
    app.deliver_due().await;
    assert_eq!(app.live_names("app", "stream").await, ["one"]);
}

#[tokio::test]
async fn a_thumbnail_request_is_admitted_by_the_same_rules_but_is_not_listed() {
    let app = TestApp::new().await;
    let picture = |address: &str, status: &str, url: &str| {
        let mut body = viewer(status, 1, 0, url);
        body["request"]["protocol"] = json!("Thumbnail");
        body["client"]["address"] = json!(address);
        body
    };
    let nameless = "http://live.example:20080/app/stream/thumb.png";
    for url in [nameless, URL] {
        assert_eq!(app.webhook(&picture("192.0.2.1", "opening", url)).await.to_string(), ALLOWED);
    }
    assert_eq!(app.operator().get(&sessions("app", "stream")).await.status, 404);
    app.webhook(&viewer("opening", 1, 0, URL)).await;
    assert_eq!(app.webhook(&picture("192.0.2.2", "opening", URL)).await.body["allowed"], false);
    assert_eq!(app.webhook(&picture("192.0.2.1", "closing", URL)).await.to_string(), "200 {}");
    assert_eq!(app.live_names("app", "stream").await, ["one"]);
    assert_eq!(app.operator().delete(&format!("{}/one", sessions("app", "stream"))).await.status, 200);
    for url in [nameless, URL] {
        assert_eq!(app.webhook(&picture("192.0.2.1", "opening", url)).await.body["allowed"], false);
    }
    assert_eq!(app.webhook(&picture("192.0.2.2", "opening", nameless)).await.to_string(), ALLOWED);
}

#[rstest]
#[case::more_than_a_day_ago(-86_401, false)]
#[case::just_within_a_day(-86_400, true)]
#[case::a_day_ahead_at_most(86_400, true)]
#[case::more_than_a_day_ahead(86_401, false)]
#[tokio::test]
async fn the_time_of_a_webhook_must_be_within_a_day_of_now(#[case] time: i64, #[case] allowed: bool) {
    let app = TestApp::new().await;
    assert_eq!(app.webhook(&viewer("opening", 1, time, URL)).await.body["allowed"], allowed);
}

#[tokio::test]
async fn only_a_webrtc_viewer_is_given_a_lifetime() {
    let app = TestApp::with([(Setting::StreamsLifetime, "3600")]).await;
    let lifetime = async |direction: &str, protocol: &str| {
        let mut body = viewer("opening", 1, 0, &format!("{URL}-{protocol}-{direction}"));
        body["request"]["direction"] = json!(direction);
        body["request"]["protocol"] = json!(protocol);
        app.webhook(&body).await.body["lifetime"].clone()
    };
    assert_eq!(lifetime("outgoing", "webrtc").await, 3_600_000);
    assert_eq!(lifetime("outgoing", "LLHLS").await, Value::Null);
    assert_eq!(lifetime("incoming", "WebRTC").await, Value::Null);
}
