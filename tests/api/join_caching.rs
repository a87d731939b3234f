//! What joining caches in memory, and what it writes to the table.

use std::{
    collections::{BTreeSet, HashMap},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use aws_sdk_dynamodb::{config::retry::RetryConfig, types::AttributeValue};
use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    counted::Counted,
    joining::{JOIN, t1},
    meddler::Meddler,
    organisers::Account,
    support::{NOW, TestApp},
};

/// The live connections in the table, attribute by attribute.
async fn live(app: &TestApp) -> Vec<HashMap<String, AttributeValue>> {
    let scan = app.client.scan().table_name(&*app.table).consistent_read(true).into_paginator().items().send();
    let items = scan.collect::<Result<Vec<_>, _>>().await.unwrap();
    items.into_iter().filter(|item| item["Type"].as_s().unwrap() == "LiveConnection").collect()
}

async fn another_admin(app: &TestApp) -> Account {
    app.account("another", greenroom_core::model::user::Role::Admin, None).await
}

fn body() -> Value {
    json!({ "loginToken": "the token" })
}

#[tokio::test]
async fn every_token_is_fresh_and_its_connection_is_live() {
    let app = TestApp::new().await;
    let event = app.event_to_join(json!({}), "moderator").await;
    let client = app.client(false).await;
    let mut names = BTreeSet::new();
    for joined in 1..=2 {
        let answer = client.post(JOIN, body()).await;
        for session in answer.body["sessions"].as_array().unwrap() {
            let token = t1(&session["tokbox"]["sessionToken"]);
            let (created, expires) = (token["create_time"].as_str().unwrap(), token["expire_time"].as_str().unwrap());
            assert_eq!((created, expires), ("1700000000", "1700086400"));
            let name = token["connection_data"].as_str().unwrap().to_owned();
            assert_eq!(name.len(), 36);
            let live = live(&app).await;
            let key = format!("{}/{name}", session["id"]);
            let connection = live.iter().find(|item| item["SK"].as_s() == Ok(&key)).unwrap();
            let text = |key: &str| connection[key].as_s().unwrap().clone();
            assert!(text("PK").starts_with(&format!("LIVE#default/{event}#")), "{}", text("PK"));
            assert_eq!([text("vhost"), text("app")], ["default".to_owned(), event.to_string()]);
            assert_eq!([text("stream"), text("role")], [session["id"].to_string(), "moderator".to_owned()]);
            let end = NOW / 1000 + 86_400;
            assert_eq!(connection["endsAt"].as_n().unwrap(), &(end * 1000).to_string());
            assert_eq!(connection["expiresAt"].as_n().unwrap(), &(end + 3600).to_string());
            assert!(names.insert(name));
        }
        assert_eq!((live(&app).await.len(), names.len()), (2 * joined, 2 * joined));
    }
    // The stored data, which other participants see, does not contain the login token.
    assert!(!format!("{:?}", live(&app).await).contains("the token"));
}

#[tokio::test]
async fn joining_an_event_of_many_sessions_joins_all_of_them() {
    let app = TestApp::new().await;
    let event = app.event_to_join(json!({}), "moderator").await;
    let admin = another_admin(&app).await;
    for _ in 0..28 {
        app.organiser(&admin).make("/api/v2/sessions/", json!({ "event": event, "language": "x" })).await;
    }
    let token = app.client_token(false).await;
    let Counted { app: counted, requests } = Counted::over(app.clone()).await;
    for cost in [7, 2] {
        requests.store(0, Ordering::SeqCst);
        let answer = counted.with_authorization(&token).post(JOIN, body()).await;
        let ids: Vec<_> = answer.body["sessions"].as_array().unwrap().iter().map(|s| s["id"].clone()).collect();
        assert_eq!(ids, (1..=30).map(|id| json!(id)).collect::<Vec<_>>());
        assert_eq!(requests.load(Ordering::SeqCst), cost);
    }
    assert_eq!(live(&app).await.len(), 60);
}

/// Loses the answer to the second batch write, as if the table could no longer be reached.
#[derive(Debug, Default)]
struct LosesTheSecondBatch(AtomicUsize);

impl Meddler for LosesTheSecondBatch {
    async fn before(&self, _: &str) {}

    fn loses_answer(&self, operation: &str) -> bool {
        operation == "BatchWriteItem" && self.0.fetch_add(1, Ordering::SeqCst) == 1
    }
}

#[tokio::test]
async fn if_a_connection_cannot_be_recorded_joining_fails_and_leaves_nothing() {
    let app = TestApp::new().await;
    let event = app.event_to_join(json!({}), "moderator").await;
    let admin = another_admin(&app).await;
    for _ in 0..28 {
        app.organiser(&admin).make("/api/v2/sessions/", json!({ "event": event, "language": "x" })).await;
    }
    let token = app.client_token(false).await;
    let config = app.client.config().to_builder().retry_config(RetryConfig::disabled()).build();
    let losing = app.clone().with_client(config).with_meddler(LosesTheSecondBatch::default());
    let answer = losing.with_authorization(&token).post(JOIN, body()).await;
    assert_eq!(answer.to_string(), r#"503 {"detail":"The service is busy; try again."}"#);
    assert_eq!(answer.header("retry-after"), "1");
    assert!(live(&app).await.is_empty());
}

#[rstest]
#[case::disabled("PATCH", "/api/v2/events/1/", json!({ "disabled": true }), 404, "moderator")]
#[case::not_for_mobiles("PATCH", "/api/v2/events/1/", json!({ "mobileDisallow": true }), 403, "moderator")]
#[case::event_deleted("DELETE", "/api/v2/events/1/", json!({}), 403, "moderator")]
#[case::deleted("DELETE", "/api/v2/logintokens/1/", json!({}), 403, "moderator")]
#[case::renamed("PATCH", "/api/v2/logintokens/1/", json!({ "token": "another token" }), 403, "moderator")]
#[case::another_type("PATCH", "/api/v2/logintokens/1/", json!({ "tokenType": "floor" }), 201, "publisher")]
#[tokio::test]
async fn a_cached_record_is_read_again_after_five_seconds(
    #[case] method: &str,
    #[case] path: &str,
    #[case] change: Value,
    #[case] status: u16,
    #[case] role: &str,
) {
    let app = TestApp::new().await;
    app.event_to_join(json!({}), "moderator").await;
    let admin = another_admin(&app).await;
    let token = app.client_token(true).await;
    let Counted { app: other, requests } = Counted::over(app.clone()).await;
    let caller = other.with_authorization(&token);
    assert_eq!(caller.post(JOIN, body()).await.status, 201);
    let headers = [("content-type", "application/json")];
    let changed = app.organiser(&admin).send(method, path, &headers, change.to_string().into()).await;
    assert!(changed.status.is_success(), "{changed}");
    for wait in [0, 4_999] {
        app.wait(Duration::from_millis(wait));
        requests.store(0, Ordering::SeqCst);
        let answer = caller.post(JOIN, body()).await;
        assert_eq!((answer.status.as_u16(), requests.load(Ordering::SeqCst)), (201, 1));
        assert_eq!(t1(&answer.body["sessions"][1]["tokbox"]["sessionToken"])["role"], "moderator");
    }
    app.wait(Duration::from_millis(1));
    let answer = caller.post(JOIN, body()).await;
    assert_eq!(answer.status, status);
    if status == 201 {
        assert_eq!(t1(&answer.body["sessions"][0]["tokbox"]["sessionToken"])["role"], role);
    }
}

#[tokio::test]
async fn a_new_login_token_works_at_once() {
    let app = TestApp::new().await;
    let event = app.event_to_join(json!({}), "moderator").await;
    let token = app.client_token(false).await;
    let other = app.again_with([]);
    let caller = other.with_authorization(&token);
    assert_eq!(caller.post(JOIN, json!({ "loginToken": "late 000001" })).await.status, 403);
    app.login_tokens(event, "late", 1).await;
    assert_eq!(caller.post(JOIN, json!({ "loginToken": "late 000001" })).await.status, 201);
}

#[tokio::test]
async fn a_new_device_token_works_at_once_and_the_old_one_for_five_more_seconds() {
    let app = TestApp::new().await;
    app.event_to_join(json!({}), "moderator").await;
    let old = app.register("phone").await;
    let Counted { app: other, requests } = Counted::over(app.clone()).await;
    assert_eq!(other.bearer(&old).post(JOIN, body()).await.status, 201);
    let refreshed = app.bearer(&old).post_nothing("/api/session/refresh").await;
    let new = refreshed.body["data"]["token"].as_str().unwrap();
    assert_eq!(other.bearer(new).post(JOIN, body()).await.status, 201);
    requests.store(0, Ordering::SeqCst);
    assert_eq!(other.bearer(new).post(JOIN, body()).await.status, 201);
    assert_eq!(requests.load(Ordering::SeqCst), 1, "a device that was read lately");
    app.wait(Duration::from_secs(5));
    assert_eq!(other.bearer(&old).post(JOIN, body()).await.status, 401);
    assert_eq!(other.bearer(new).post(JOIN, body()).await.status, 201);
    assert_eq!(app.bearer(new).delete("/api/session").await.status, 204);
    app.wait(Duration::from_secs(5));
    assert_eq!(other.bearer(new).post(JOIN, body()).await.status, 401);
}
