//! The cost of a request: its round trips to DynamoDB on a warm instance.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::body::Body;
use greenroom_core::{config::Setting, model::api_token};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::{counted::Counted, support::TestApp};

/// How many requests to DynamoDB `request` makes.
async fn cost<T>(requests: &Arc<AtomicUsize>, request: impl Future<Output = T>) -> (usize, T) {
    requests.store(0, Ordering::SeqCst);
    let answer = request.await;
    (requests.load(Ordering::SeqCst), answer)
}

#[tokio::test]
async fn requests_take_the_expected_round_trips() {
    let Counted { app, requests } = Counted::over(TestApp::new().await).await;
    let (backend, anyone) = (app.backend(), app.anyone());
    // The first registration creates the key that hashes the identifiers.
    app.register("phone").await;

    let (n, _) = cost(&requests, anyone.post("/api/sessions", json!({ "identifier": "phone" }))).await;
    assert_eq!(n, 1, "a device registers");
    let (n, answer) = cost(&requests, anyone.post("/api/sessions", json!({ "identifier": "tablet" }))).await;
    assert_eq!(n, 1, "a new device registers");
    let token = answer.body["data"]["token"].as_str().unwrap().to_owned();
    let (n, _) = cost(&requests, app.bearer(&token).get("/api/session")).await;
    assert_eq!(n, 1, "a device's token is checked");
    let (n, answer) = cost(&requests, app.bearer(&token).post_nothing("/api/session/refresh")).await;
    assert_eq!(n, 1, "a token is refreshed");
    let token = answer.body["data"]["token"].as_str().unwrap().to_owned();
    let (n, _) = cost(&requests, app.bearer(&token).delete("/api/session")).await;
    assert_eq!(n, 2, "a device's last session ends");
    for _ in 0..10 {
        app.register("phone").await;
    }
    let (n, _) = cost(&requests, anyone.post("/api/sessions", json!({ "identifier": "phone" }))).await;
    assert_eq!(n, 2, "a device registers in place of its oldest session");

    let (n, _) = cost(&requests, backend.post("/api/sessions", json!({ "customSessionId": "daily" }))).await;
    assert_eq!(n, 1, "a session is opened");
    let (n, _) = cost(&requests, backend.post("/api/tokens", json!({ "session": "daily" }))).await;
    assert_eq!(n, 1, "a token is issued");
    let (n, answer) = cost(&requests, backend.get("/api/sessions/daily")).await;
    assert_eq!(n, 1, "a session is read");
    let connection = answer.body["connections"]["content"][0]["connectionId"].as_str().unwrap().to_owned();
    let (n, _) = cost(&requests, backend.get("/api/sessions")).await;
    assert_eq!(n, 16, "the sessions are listed");
    let path = format!("/api/sessions/daily/connection/{connection}");
    let (n, _) = cost(&requests, backend.delete(&path)).await;
    assert_eq!(n, 3, "the last participant is disconnected");
    let (n, _) = cost(&requests, backend.delete("/api/sessions/daily")).await;
    assert_eq!(n, 4, "a session is closed that had a token");
    let path = format!("/api/sessions/{}", app.open_session().await);
    let (n, _) = cost(&requests, backend.delete(&path)).await;
    assert_eq!(n, 2, "a session is closed that had none");
    app.backend().post("/api/sessions", json!({ "customSessionId": "daily" })).await;
    for _ in 0..50 {
        app.backend().post("/api/tokens", json!({ "session": "daily" })).await;
    }
    let (n, _) = cost(&requests, backend.delete("/api/sessions/daily")).await;
    assert_eq!(n, 6, "a session is closed that has fifty tokens");
}

#[tokio::test]
async fn a_static_api_token_costs_one_request_more() {
    let app = TestApp::with([(Setting::DeviceRegistration, "token")]).await;
    let (token, hash) = api_token::generate();
    app.store.insert_api_token(&hash, "app", true, app.clock.now()).await.unwrap().unwrap();
    let Counted { app, requests } = Counted::over(app).await;
    let caller = app.bearer(token.expose_secret());
    caller.post("/api/sessions", json!({ "identifier": "phone" })).await;
    let (n, answer) = cost(&requests, caller.post("/api/sessions", json!({ "identifier": "phone" }))).await;
    assert_eq!((n, answer.status.as_u16()), (2, 200));
}

#[tokio::test]
async fn requests_of_openvidu_2_32_take_the_expected_round_trips() {
    const SESSIONS: &str = "/openvidu/api/sessions";
    const DAILY: &str = "/openvidu/api/sessions/daily";
    let Counted { app, requests } = Counted::over(TestApp::new().await).await;
    let backend = app.backend();
    let open = || backend.post(SESSIONS, json!({ "customSessionId": "daily" }));
    assert_eq!(cost(&requests, open()).await.0, 1, "a session is opened");
    let path = format!("{DAILY}/connection");
    let (n, answer) = cost(&requests, backend.post(&path, json!({ "role": "SUBSCRIBER" }))).await;
    assert_eq!(n, 1, "a connection is made");
    let connection = format!("{path}/{}", answer.body["id"].as_str().unwrap());
    assert_eq!(cost(&requests, backend.get(&connection)).await.0, 1, "a connection is read");
    let change = async |body: &'static str| {
        let headers = [("content-type", "application/json")];
        cost(&requests, backend.send("PATCH", &connection, &headers, Body::from(body))).await.0
    };
    assert_eq!(change("{}").await, 1, "nothing is changed");
    assert_eq!(change(r#"{"role":"MODERATOR"}"#).await, 2, "a role is changed");
    assert_eq!(cost(&requests, backend.get(&path)).await.0, 1, "the connections are listed");
    assert_eq!(cost(&requests, backend.get(DAILY)).await.0, 1, "a session is read");
    assert_eq!(cost(&requests, backend.get(SESSIONS)).await.0, 16, "the sessions are listed");
    let issue = backend.post("/openvidu/api/tokens", json!({ "session": "daily" }));
    assert_eq!(cost(&requests, issue).await.0, 1, "a token is issued");
}
