//! Devices, and media sessions with their tokens.

use std::time::Duration;

use serde_json::json;

use super::{Rows, instance};

pub(super) async fn measure(rows: &mut Rows) {
    devices(rows).await;
    media_sessions(rows).await;
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
