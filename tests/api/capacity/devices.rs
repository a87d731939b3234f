//! Devices, and media sessions with their tokens.

use std::time::Duration;

use axum::body::Body;
use serde_json::json;

use super::{Rows, instance};
use crate::support::Caller;

pub(super) async fn measure(rows: &mut Rows) {
    devices(rows).await;
    media_sessions(rows).await;
    openvidu(rows).await;
}

async fn devices(rows: &mut Rows) {
    const SESSIONS: &str = "/api/sessions";
    const SESSION: &str = "/api/session";
    let app = instance().await;
    // The first registration creates the key that hashes the identifiers.
    app.register("another").await;
    let body = || json!({ "identifier": "device_unique_id_here" });
    let answer = rows.note("a device registers", app.anyone().post(SESSIONS, body()).await);
    let token = answer.body["data"]["token"].as_str().unwrap().to_owned();
    let bearer = app.bearer(&token);
    rows.note("of a device with one", bearer.get(SESSION).await);
    rows.note("one", bearer.get("/api/devices/current/sessions").await);
    let answer = rows.note("any", bearer.post_nothing("/api/session/refresh").await);
    let token = answer.body["data"]["token"].as_str().unwrap().to_owned();
    rows.note("the last of its device", app.bearer(&token).delete(SESSION).await);
    let mut token = String::new();
    for _ in 0..10 {
        token = app.register("device_unique_id_here").await;
        // Among sessions of the same instant any one could count as the oldest.
        app.wait(Duration::from_millis(1));
    }
    rows.note("in place of the oldest of ten", app.anyone().post(SESSIONS, body()).await);
    let bearer = app.bearer(&token);
    rows.note("of a device with ten", bearer.get(SESSION).await);
    rows.note("ten", bearer.get("/api/devices/current/sessions").await);
    rows.note("one of ten", bearer.delete(SESSION).await);
}

async fn media_sessions(rows: &mut Rows) {
    const SESSIONS: &str = "/api/sessions";
    const TOKENS: &str = "/api/tokens";
    let app = instance().await;
    let backend = app.backend();
    rows.note("a media session is opened", backend.post(SESSIONS, json!({ "customSessionId": "daily" })).await);
    let issue = async || backend.post(TOKENS, json!({ "session": "daily", "data": "seat 7" })).await;
    rows.note("the first of its session", issue().await);
    let answer = rows.note("with one token", backend.get("/api/sessions/daily").await);
    rows.note("one, with one token", backend.get(SESSIONS).await);
    let connection = answer.body["connections"]["content"][0]["connectionId"].as_str().unwrap().to_owned();
    let path = format!("/api/sessions/daily/connection/{connection}");
    rows.note("the last of its session", backend.delete(&path).await);
    rows.note_any("any", backend.delete("/api/sessions/daily/stream/str_1").await);
    rows.note("without a token left", backend.delete("/api/sessions/daily").await);
    backend.post(SESSIONS, json!({ "customSessionId": "daily" })).await;
    for _ in 0..49 {
        issue().await;
    }
    rows.note("the fiftieth", issue().await);
    let answer = rows.note("with 50 tokens", backend.get("/api/sessions/daily").await);
    rows.note("one, with 50 tokens", backend.get(SESSIONS).await);
    let connection = answer.body["connections"]["content"][0]["connectionId"].as_str().unwrap().to_owned();
    rows.note("one of 50", backend.delete(&format!("/api/sessions/daily/connection/{connection}")).await);
    rows.note("with 49 tokens", backend.delete("/api/sessions/daily").await);
}

async fn openvidu(rows: &mut Rows) {
    const SESSIONS: &str = "/openvidu/api/sessions";
    const DAILY: &str = "/openvidu/api/sessions/daily";
    const CONNECTIONS: &str = "/openvidu/api/sessions/daily/connection";
    let app = instance().await;
    let backend = app.backend();
    rows.note("a media session is opened", backend.post(SESSIONS, json!({ "customSessionId": "daily" })).await);
    let connect = async || backend.post(CONNECTIONS, json!({ "data": "seat 7" })).await;
    let answer = rows.note("the first of its session", connect().await);
    let path = format!("{CONNECTIONS}/{}", answer.body["id"].as_str().unwrap());
    rows.note("any", backend.get(&path).await);
    let change = async |body: &'static str| {
        backend.send("PATCH", &path, &[("content-type", "application/json")], Body::from(body)).await
    };
    rows.note("another role", change(r#"{"role":"MODERATOR"}"#).await);
    rows.note("no change", change("{}").await);
    rows.note("with one connection", backend.get(DAILY).await);
    rows.note("one, with one connection", backend.get(SESSIONS).await);
    rows.note("one", backend.get(CONNECTIONS).await);
    rows.note_any("any", backend.post("/openvidu/api/signal", json!({ "session": "daily" })).await);
    rows.note("the last of its session", backend.delete(&path).await);
    rows.note_any("any", backend.delete(&format!("{DAILY}/stream/str_1")).await);
    let token = backend.post("/openvidu/api/tokens", json!({ "session": "daily" })).await;
    rows.note("the first of its session", token);
    rows.note("with one connection", backend.delete(DAILY).await);
    without_media(rows, &backend).await;
}

/// Requests that need media, so none succeeds.
async fn without_media(rows: &mut Rows, backend: &Caller<'_>) {
    for (method, path) in [
        ("GET", "/openvidu/api/recordings"),
        ("GET", "/openvidu/api/recordings/daily"),
        ("DELETE", "/openvidu/api/recordings/daily"),
        ("POST", "/openvidu/api/recordings/start"),
        ("POST", "/openvidu/api/recordings/stop/daily"),
        ("POST", "/openvidu/api/broadcast/start"),
        ("POST", "/openvidu/api/broadcast/stop"),
    ] {
        let body = if method == "POST" { Body::from("{}") } else { Body::empty() };
        rows.note_any("any", backend.send(method, path, &[], body).await);
    }
}
