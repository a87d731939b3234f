//! Viewers of playlists behind a proxy. Their closing webhook has the proxy's address instead of theirs.

use std::time::Duration;

use greenroom_core::config::Setting;
use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    publishers::publish,
    stream_sessions::{sessions, viewer},
    support::TestApp,
};

const NAMELESS: &str = "https://live.example:3334/app/stream/llhls.m3u8";
const PROXY: &str = "192.0.2.200";

/// The webhook of a media server about a viewer behind the proxy.
fn webhook_behind_the_proxy(status: &str, real_ip: &str, port: u16, time: i64, url: &str) -> Value {
    let mut body = viewer(status, port, time, url);
    body["client"]["address"] = json!(PROXY);
    body["client"]["real_ip"] = json!(real_ip);
    body["request"]["protocol"] = json!("LLHLS");
    body
}

/// Admits a viewer from each of these hosts, one after another.
async fn viewers_come(app: &TestApp, hosts: &[u8]) {
    for (second, host) in (0..).zip(hosts) {
        let opening = webhook_behind_the_proxy("opening", &format!("198.51.100.{host}"), 1, second, NAMELESS);
        assert_eq!(app.webhook(&opening).await.body["allowed"], true);
    }
}

/// Closes a viewer. The media server knows only the proxy's address.
async fn viewer_leaves(app: &TestApp, port: u16, time: i64) {
    assert_eq!(
        app.webhook(&webhook_behind_the_proxy("closing", PROXY, port, time, NAMELESS)).await.to_string(),
        "200 {}"
    );
}

async fn viewers_left(app: &TestApp) -> usize {
    app.live_names("app", "stream").await.len()
}

#[rstest]
#[case::without_a_name(NAMELESS)]
#[case::with_a_name("https://live.example:3334/app/stream/llhls.m3u8?session=one")]
#[tokio::test]
async fn a_closing_with_only_the_proxy_address_ends_the_viewer(#[case] url: &str) {
    let app = TestApp::new().await;
    publish(&app, "opening", 0).await;
    app.webhook(&webhook_behind_the_proxy("opening", "198.51.100.1", 1, 1, url)).await;
    assert_eq!(viewers_left(&app).await, 1);
    app.webhook(&webhook_behind_the_proxy("closing", PROXY, 7, 9, url)).await;
    assert_eq!(viewers_left(&app).await, 0);
    let admin = app.admin().await;
    let ended = app.entry(&admin, "state=ended&app=app").await;
    assert_eq!(json!([ended["reason"], ended["endedBy"]["kind"]]), json!(["closed", "participant"]));
}

#[tokio::test]
async fn each_distinct_closing_ends_one_viewer() {
    let app = TestApp::new().await;
    publish(&app, "opening", 0).await;
    viewers_come(&app, &[1, 2, 3]).await;
    let names = app.live_names("app", "stream").await;
    assert_eq!(names.len(), 3);
    viewer_leaves(&app, 7, 10).await;
    viewer_leaves(&app, 7, 10).await;
    assert_eq!(viewers_left(&app).await, 2);
    viewer_leaves(&app, 8, 10).await;
    viewer_leaves(&app, 7, 11).await;
    assert_eq!(viewers_left(&app).await, 0);
    // No viewer is left to end. A viewer who comes after that stays.
    viewer_leaves(&app, 7, 12).await;
    app.webhook(&webhook_behind_the_proxy("opening", "198.51.100.4", 1, 20, NAMELESS)).await;
    viewer_leaves(&app, 7, 19).await;
    assert_eq!(viewers_left(&app).await, 1);
}

#[tokio::test]
async fn a_viewer_on_the_proxy_host_ends_by_its_own_closing() {
    let app = TestApp::new().await;
    publish(&app, "opening", 0).await;
    viewers_come(&app, &[1]).await;
    let own = webhook_behind_the_proxy("opening", PROXY, 1, 5, NAMELESS);
    app.webhook(&own).await;
    assert_eq!(viewers_left(&app).await, 2);
    viewer_leaves(&app, 7, 10).await;
    viewer_leaves(&app, 7, 11).await;
    assert_eq!(viewers_left(&app).await, 0);
}

#[tokio::test]
async fn the_closing_of_a_terminated_viewer_ends_nobody_else() {
    let app = TestApp::new().await;
    publish(&app, "opening", 0).await;
    viewers_come(&app, &[1, 2]).await;
    let admin = app.admin().await;
    let first = app.organiser(&admin).get("/api/live/?app=app").await.body["results"]
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["address"] == "198.51.100.1")
        .unwrap()["name"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(app.operator().delete(&format!("{}/{first}", sessions("app", "stream"))).await.status, 200);
    viewer_leaves(&app, 7, 10).await;
    assert_eq!(viewers_left(&app).await, 1);
    viewer_leaves(&app, 7, 11).await;
    assert_eq!(viewers_left(&app).await, 0);
}

#[tokio::test]
async fn viewers_ended_by_their_publisher_or_by_expiry_need_no_closing() {
    let app = TestApp::with([(Setting::StreamsSessionTtl, "100")]).await;
    publish(&app, "opening", 0).await;
    viewers_come(&app, &[1, 2]).await;
    publish(&app, "closing", 10).await;
    publish(&app, "opening", 20).await;
    app.webhook(&webhook_behind_the_proxy("opening", "198.51.100.3", 1, 21, NAMELESS)).await;
    assert_eq!(viewers_left(&app).await, 1);
    viewer_leaves(&app, 7, 30).await;
    assert_eq!(viewers_left(&app).await, 0);
    app.webhook(&webhook_behind_the_proxy("opening", "198.51.100.4", 1, 40, NAMELESS)).await;
    app.wait(Duration::from_secs(100));
    app.webhook(&webhook_behind_the_proxy("opening", "198.51.100.5", 1, 141, NAMELESS)).await;
    viewer_leaves(&app, 7, 150).await;
    assert_eq!(viewers_left(&app).await, 0);
}
