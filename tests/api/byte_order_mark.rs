//! A UTF-8 byte order mark before JSON. Some editors and libraries write one.

use serde_json::{Value, json};

use crate::{
    participants::PASSWORD,
    stream_sessions::viewer,
    support::{CALLBACK_SECRET, Caller, TestApp},
};

/// This JSON behind a byte order mark.
fn marked(body: &Value) -> String {
    format!("\u{feff}{body}")
}

async fn post(caller: &Caller<'_>, path: &str, body: &Value) -> u16 {
    caller.post_text(path, marked(body)).await.status.as_u16()
}

#[tokio::test]
async fn every_dialect_skips_a_byte_order_mark() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    app.participant("alice").await;
    let (backend, organiser, alice) = (app.backend(), app.organiser(&admin), app.as_participant("alice"));
    let login = json!({ "username": "alice", "password": PASSWORD });
    for (caller, path, body, status) in [
        (&app.anyone(), "/api/sessions", json!({ "identifier": "phone" }), 200),
        (&backend, "/api/sessions", json!({ "customSessionId": "daily" }), 200),
        (&backend, "/api/sessions", Value::Null, 200),
        (&backend, "/api/tokens", json!({ "session": "daily" }), 200),
        (&app.anyone(), "/api/v2/token-auth/obtain/", login, 200),
        (&organiser, "/api/v2/events/", json!({ "name": "A" }), 201),
        (&alice, "/api/messages", json!({ "to": "alice@localhost", "body": "Hi" }), 200),
        (&app.anyone(), &format!("/webhooks/opentok?key={CALLBACK_SECRET}"), json!({}), 200),
    ] {
        assert_eq!(post(caller, path, &body).await, status, "{path} {body}");
    }
    let admission = viewer("opening", 1, 0, "ws://live.example:3333/app/stream?session=one");
    let admitted = app.webhook_bytes(marked(&admission).into_bytes()).await;
    assert_eq!(admitted.to_string(), r#"200 {"allowed":true}"#);
}

#[tokio::test]
async fn a_byte_order_mark_alone_is_an_empty_body() {
    let app = TestApp::new().await;
    assert_eq!(app.backend().post_text("/api/sessions", "\u{feff}").await.status, 200);
    // A second byte order mark is a character that no JSON begins with.
    let answer = app.anyone().post_text("/api/sessions", "\u{feff}\u{feff}{\"identifier\":\"a\"}").await;
    assert_eq!(answer.code(), "400 invalid_json");
}
