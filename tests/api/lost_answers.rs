//! Writes whose answers are lost on the way. The SDK sends them again, and they take effect exactly once.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::json;
use tokio::sync::Notify;

use crate::{meddler::Meddler, support::TestApp};

/// Loses the answer to the first request of an operation.
#[derive(Debug)]
struct LosesOne {
    operation: &'static str,
    lost: AtomicBool,
}

impl Meddler for LosesOne {
    async fn before(&self, _: &str) {}

    fn loses_answer(&self, operation: &str) -> bool {
        operation == self.operation && !self.lost.swap(true, Ordering::SeqCst)
    }
}

/// The same API, which loses the answer to its next request of this operation.
pub(crate) fn losing(app: &TestApp, operation: &'static str) -> TestApp {
    app.clone().with_meddler(LosesOne { operation, lost: AtomicBool::new(false) })
}

#[tokio::test]
async fn a_device_registers_once() {
    let app = TestApp::new().await;
    app.register("phone").await;
    let token = losing(&app, "UpdateItem").register("phone").await;
    let list = app.bearer(&token).get("/api/devices/current/sessions").await;
    assert_eq!(list.body["data"].as_array().unwrap().len(), 2);
    for _ in 0..8 {
        app.register("phone").await;
    }
    // This is the tenth session beside the two: the session counter is right.
    assert_eq!(app.bearer(&token).get("/api/session").await.status, 200);
}

#[tokio::test]
async fn a_token_is_replaced_once() {
    let app = TestApp::new().await;
    let old = app.register("phone").await;
    let answer = losing(&app, "UpdateItem").bearer(&old).post_nothing("/api/session/refresh").await;
    let new = answer.body["data"]["token"].as_str().unwrap();
    assert_eq!(app.bearer(new).get("/api/session").await.status, 200);
}

#[tokio::test]
async fn a_session_ends_and_nothing_is_kept() {
    let app = TestApp::new().await;
    let tokens = [app.register("phone").await, app.register("phone").await];
    for (token, operation) in tokens.iter().zip(["UpdateItem", "DeleteItem"]) {
        let answer = losing(&app, operation).bearer(token).delete("/api/session").await;
        assert_eq!(answer.status, 204);
    }
    assert!(!app.items().await.iter().any(|item| item.contains("phone")));
}

#[tokio::test]
async fn a_media_session_is_opened_and_closed_once() {
    let app = TestApp::new().await;
    let body = json!({ "customSessionId": "daily" });
    let opened = losing(&app, "PutItem").backend().post("/api/sessions", body.clone()).await;
    assert_eq!(opened.status, 200);
    assert_eq!(app.backend().post("/api/sessions", body).await.status, 409);
    assert_eq!(losing(&app, "UpdateItem").backend().delete("/api/sessions/daily").await.status, 204);
    assert_eq!(app.backend().delete("/api/sessions/daily").await.status, 404);
}

#[tokio::test]
async fn a_token_is_issued_once() {
    let app = TestApp::new().await;
    let body = json!({ "session": app.open_session().await });
    let path = format!("/api/sessions/{}", body["session"].as_str().unwrap());
    assert_eq!(losing(&app, "TransactWriteItems").backend().post("/api/tokens", body).await.status, 200);
    assert_eq!(app.backend().get(&path).await.body["connections"]["numberOfElements"], 1);
}

/// Holds back one request of an operation.
#[derive(Debug)]
struct Holds {
    operation: &'static str,
    /// The number of requests to let pass before that one.
    pass: AtomicUsize,
    arrived: &'static Notify,
    released: &'static Notify,
}

impl Meddler for Holds {
    async fn before(&self, operation: &str) {
        // Below zero the counter wraps around, so that no further request is held.
        if operation == self.operation && self.pass.fetch_sub(1, Ordering::SeqCst) == 0 {
            self.arrived.notify_one();
            self.released.notified().await;
        }
    }

    fn loses_answer(&self, _: &str) -> bool {
        false
    }
}

/// The same API. It lets `pass` requests of this operation through and holds the next one until it is released.
pub(crate) fn holding(
    app: &TestApp,
    operation: &'static str,
    pass: usize,
) -> (TestApp, &'static Notify, &'static Notify) {
    let [arrived, released] = [(); 2].map(|()| &*Box::leak(Box::new(Notify::new())));
    let holds = Holds { operation, pass: AtomicUsize::new(pass), arrived, released };
    (app.clone().with_meddler(holds), arrived, released)
}

#[tokio::test]
async fn a_slow_close_does_not_touch_the_next_session_with_the_same_id() {
    let app = TestApp::new().await;
    let body = json!({ "customSessionId": "daily" });
    app.backend().post("/api/sessions", body.clone()).await;
    app.backend().post("/api/tokens", json!({ "session": "daily" })).await;
    // The first transaction closes the session, the next one deletes its items.
    let (slow, arrived, released) = holding(&app, "TransactWriteItems", 1);
    let closing = tokio::spawn(async move { slow.backend().delete("/api/sessions/daily").await });
    arrived.notified().await;
    // Another opening finishes the slow close, and tokens are issued.
    assert_eq!(app.backend().post("/api/sessions", body).await.status, 200);
    assert_eq!(app.backend().post("/api/tokens", json!({ "session": "daily" })).await.status, 200);
    released.notify_one();
    assert_eq!(closing.await.unwrap().status, 204);
    assert_eq!(app.backend().get("/api/sessions/daily").await.body["connections"]["numberOfElements"], 1);
}

#[tokio::test]
async fn a_token_keeps_its_session_even_if_a_longer_lived_token_is_removed_meanwhile() {
    let app = TestApp::new().await;
    let id = app.open_session().await;
    let path = format!("/api/sessions/{id}");
    app.wait(std::time::Duration::from_secs(5));
    app.backend().post("/api/tokens", json!({ "session": id })).await;
    let session = app.backend().get(&path).await.body;
    let longest = session["connections"]["content"][0]["connectionId"].as_str().unwrap().to_owned();
    let shorter = app.again_with([(greenroom_core::config::Setting::MediaTokenTtl, "80000")]);
    let (slow, arrived, released) = holding(&shorter, "TransactWriteItems", 1);
    let issuing = {
        let id = id.clone();
        tokio::spawn(async move { slow.backend().post("/api/tokens", json!({ "session": id })).await })
    };
    arrived.notified().await;
    assert_eq!(app.backend().delete(&format!("{path}/connection/{longest}")).await.status, 204);
    released.notify_one();
    assert_eq!(issuing.await.unwrap().status, 200);
    app.wait(std::time::Duration::from_secs(79_000));
    assert_eq!(app.backend().get(&path).await.body["connections"]["numberOfElements"], 1);
}
