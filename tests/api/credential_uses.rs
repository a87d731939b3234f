//! The last use of each valid secret of a credential.

use std::{sync::atomic::Ordering, time::Duration};

use greenroom_core::config::Setting;
use greenroom_store::CredentialUse;
use serde_json::json;

use crate::{
    counted::Counted,
    support::{ACCESS_TOKEN, NOW, SECRET, TestApp, basic},
};

const HOUR: Duration = Duration::from_hours(1);
const SECOND_SECRET: &str = "another-secret-of-the-backend";
const BOTH_SECRETS: &str =
    r#"[{"secret":"test:secret-of-the-backend","createdAt":"2023-11-14T22:13:20Z"},"another-secret-of-the-backend"]"#;

/// The first and the last use of this secret, in hours since the beginning.
async fn uses(app: &TestApp, setting: Setting, secret: &str) -> Option<(i64, i64)> {
    let settings = app.store.present_settings().await.unwrap()?;
    let hours = |millis: i64| (millis - NOW) / 3_600_000;
    let CredentialUse { first, last } = settings.use_of(setting.name(), secret)?;
    Some((hours(first.millis()), hours(last.millis())))
}

#[tokio::test]
async fn the_last_use_is_recorded_to_the_hour() {
    let app = TestApp::new().await;
    app.backend().get("/api/sessions").await;
    assert_eq!(uses(&app, Setting::OpenviduSecret, SECRET).await, Some((0, 0)));
    app.wait(2 * HOUR);
    app.backend().get("/api/sessions").await;
    assert_eq!(uses(&app, Setting::OpenviduSecret, SECRET).await, Some((0, 2)));
}

#[tokio::test]
async fn recording_a_use_costs_one_write_an_hour_across_all_instances() {
    let Counted { app, requests } = Counted::over(TestApp::new().await).await;
    let path = "/v1/vhosts/default/apps/openvidu/streams/daily/sessions";
    let mut costs = Vec::new();
    for wait in [0, 1, 3, 1] {
        app.wait(wait * HOUR / 2);
        let before = requests.load(Ordering::SeqCst);
        app.with_authorization(basic(ACCESS_TOKEN)).get(path).await;
        costs.push(requests.load(Ordering::SeqCst) - before);
    }
    let usual = costs[0];
    assert_eq!(costs, [usual, usual, usual + 1, usual]);
}

#[tokio::test]
async fn the_record_tells_which_of_two_secrets_is_used() {
    let app = TestApp::new().await.again_with([(Setting::OpenviduSecret, BOTH_SECRETS)]);
    let answer = app.with_authorization(basic(&format!("OPENVIDUAPP:{SECOND_SECRET}"))).get("/api/sessions").await;
    assert_eq!(answer.status, 200);
    assert_eq!(uses(&app, Setting::OpenviduSecret, SECOND_SECRET).await, Some((0, 0)));
    assert_eq!(uses(&app, Setting::OpenviduSecret, SECRET).await, None);
}

#[tokio::test]
async fn a_wrong_secret_is_not_recorded_as_used() {
    let app = TestApp::new().await;
    app.register("phone").await;
    app.with_authorization(basic("OPENVIDUAPP:wrong")).get("/api/sessions").await;
    app.with_authorization(basic("wrong")).get("/v1/vhosts/default/apps/a/streams/b/sessions").await;
    assert_eq!(uses(&app, Setting::OpenviduSecret, SECRET).await, None);
    assert_eq!(uses(&app, Setting::StreamsAccessToken, ACCESS_TOKEN).await, None);
}

#[tokio::test]
async fn signing_and_verifying_both_count_as_uses_of_a_key() {
    let app = TestApp::new().await;
    let key = app.shared.config.signing_keys[0].clone();
    let secret = secrecy::ExposeSecret::expose_secret(&key.secret);
    let token = app.register("phone").await;
    assert_eq!(uses(&app, Setting::SigningKeys, secret).await, Some((0, 0)));
    app.wait(2 * HOUR);
    assert_eq!(app.bearer(&token).get("/api/session").await.status, 200);
    assert_eq!(uses(&app, Setting::SigningKeys, secret).await, Some((0, 2)));
}

#[tokio::test]
async fn the_time_of_a_use_is_not_moved_back() {
    let app = TestApp::new().await;
    let fingerprint = app.store.settings().await.unwrap().fingerprint("OPENVIDU_SECRET", SECRET);
    let now = app.clock.now();
    for time in [now, now + 3 * HOUR, now + HOUR] {
        app.store.note_use(&fingerprint, time).await.unwrap();
    }
    assert_eq!(uses(&app, Setting::OpenviduSecret, SECRET).await, Some((0, 3)));
}

#[tokio::test]
async fn a_record_of_a_secret_unused_for_long_is_deleted() {
    let app = TestApp::new().await;
    app.backend().get("/api/sessions").await;
    app.wait(91 * 24 * HOUR);
    let instance = app.again_with([(Setting::OpenviduSecret, SECOND_SECRET)]);
    instance.backend().get("/api/sessions").await;
    assert_eq!(uses(&app, Setting::OpenviduSecret, SECRET).await, None);
    assert_eq!(uses(&app, Setting::OpenviduSecret, SECOND_SECRET).await, Some((91 * 24, 91 * 24)));
}

#[tokio::test]
async fn the_table_holds_no_secret() {
    let app = TestApp::new().await;
    app.backend().post("/api/sessions", json!({ "customSessionId": "daily" })).await;
    let scan = app.client.scan().table_name(&*app.table).send().await.unwrap();
    assert!(scan.items().len() > 1);
    assert!(!format!("{:?}", scan.items()).contains(SECRET));
}
