//! `POST /api/tokens`, and the connections that come with tokens.

use std::{collections::HashSet, time::Duration};

use axum::body::Body;
use greenroom_core::config::Setting;
use insta::assert_json_snapshot;
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Answer, TestApp};

const HOUR: Duration = Duration::from_hours(1);

async fn issue(app: &TestApp, body: Value) -> Answer {
    app.backend().post("/api/tokens", body).await
}

async fn session(app: &TestApp, id: &str) -> Value {
    app.backend().get(&format!("/api/sessions/{id}")).await.body
}

/// The ids of a session's connections.
async fn connections(app: &TestApp, id: &str) -> Vec<String> {
    let session = session(app, id).await;
    let content = session["connections"]["content"].as_array().unwrap();
    content.iter().map(|connection| connection["connectionId"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_token_has_exactly_five_keys() {
    let app = TestApp::new().await;
    let id = app.open_session().await;
    let answer = issue(&app, json!({ "session": id })).await;
    assert_eq!(answer.status, 200);
    let token = answer.body["token"].as_str().unwrap().to_owned();
    assert_eq!(answer.body, json!({ "id": token, "session": id, "role": "PUBLISHER", "data": "", "token": token }));
    let (before, after) = token.split_once("&token=").unwrap();
    assert_eq!(before, format!("wss://greenroom.example?sessionId={id}"));
    let (secret, after) = after.split_once('&').unwrap();
    assert_eq!(after, "role=PUBLISHER&version=2.15.0");
    assert!(secret.starts_with("tok_") && secret.len() >= 36);
}

#[tokio::test]
async fn every_call_gives_a_new_token() {
    let app = TestApp::new().await;
    let id = app.open_session().await;
    let mut tokens = HashSet::new();
    for _ in 0..20 {
        let answer = issue(&app, json!({ "session": id })).await;
        assert!(tokens.insert(answer.body["token"].as_str().unwrap().to_owned()));
    }
    assert_eq!(connections(&app, &id).await.into_iter().collect::<HashSet<_>>().len(), 20);
}

#[tokio::test]
async fn a_connection_is_made_with_its_token() {
    let app = TestApp::with([(Setting::PublicUrl, "https://media.example:4443/")]).await;
    let body = json!({ "session": app.open_session().await, "role": "MODERATOR", "data": "{\"name\":\"Ada\"}", "kurentoOptions": { "videoMaxRecvBandwidth": 1000, "allowedFilters": ["X"] } });
    let answer = issue(&app, body.clone()).await;
    assert_eq!(answer.body["kurentoOptions"], body["kurentoOptions"]);
    assert_eq!(answer.body.as_object().unwrap().len(), 6);
    let token = answer.body["token"].as_str().unwrap();
    assert!(token.starts_with("wss://media.example:4443?sessionId=ses_"), "{token}");
    let session = session(&app, body["session"].as_str().unwrap()).await;
    assert_eq!(session["connections"]["content"][0]["token"], token);
    assert_json_snapshot!(session["connections"], { ".content[].connectionId" => "[id]", ".content[].token" => "[token]" }, @r#"
    {
      "content": [
        {
          "clientData": "",
          "connectionId": "[id]",
          "createdAt": 1700000000000,
          "location": "unknown",
          "platform": "unknown",
          "publishers": [],
          "role": "MODERATOR",
          "serverData": "{\"name\":\"Ada\"}",
          "subscribers": [],
          "token": "[token]"
        }
      ],
      "numberOfElements": 1
    }
    "#);
}

#[tokio::test]
async fn the_options_come_back_as_they_were_sent() {
    let app = TestApp::new().await;
    let id = app.open_session().await;
    let options = format!(r#"{{ "z":12345678901234567890123, "b":1e2, "a":{}{} }}"#, "[".repeat(500), "]".repeat(500));
    let body = format!(r#"{{"session":"{id}","kurentoOptions":{options}}}"#);
    let answer = app.backend().post_for_text("/api/tokens", body).await;
    assert!(answer.contains(&options), "{answer}");
}

#[rstest]
#[case::nulls(json!({ "role": null, "data": null, "kurentoOptions": null, "x": 1 }), "PUBLISHER")]
#[case::empty_options(json!({ "role": "SUBSCRIBER", "kurentoOptions": {} }), "SUBSCRIBER")]
#[case::the_longest_data(json!({ "data": "é".repeat(10_000) }), "PUBLISHER")]
#[tokio::test]
async fn null_and_empty_values_count_as_absent(#[case] mut body: Value, #[case] role: &str) {
    let app = TestApp::new().await;
    body["session"] = json!(app.open_session().await);
    let answer = issue(&app, body).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["role"], role);
    assert_eq!(answer.body.as_object().unwrap().len(), 5);
}

#[rstest]
#[case::role(json!({ "role": "publisher" }), "Parameter role publisher is not defined")]
#[case::empty_role(json!({ "role": "" }), "Parameter role  is not defined")]
#[case::long_data(json!({ "data": "a".repeat(10_001) }), "Metadata unexpected format. Max length allowed is 10000 chars")]
#[case::number_as_role(json!({ "role": 1 }), "Type error in some parameter")]
#[case::object_as_data(json!({ "data": {} }), "Type error in some parameter")]
#[case::text_as_options(json!({ "kurentoOptions": "x" }), "Type error in some parameter")]
#[case::list_as_options(json!({ "kurentoOptions": [] }), "Type error in some parameter")]
#[tokio::test]
async fn an_invalid_parameter_is_refused(#[case] mut body: Value, #[case] message: &str) {
    let app = TestApp::new().await;
    let id = app.open_session().await;
    body["session"] = json!(id);
    assert_eq!(issue(&app, body).await.problem(), format!("400 {message}"));
    assert!(connections(&app, &id).await.is_empty());
}

#[rstest]
#[case::types_before_the_session_is_missing(json!({ "role": 1 }), "400 Type error in some parameter")]
#[case::options_before_the_session_is_missing(json!({ "kurentoOptions": [] }), "400 Type error in some parameter")]
#[case::missing(json!({ "role": "x" }), "400 \"session\" parameter is mandatory")]
#[case::null(json!({ "session": null }), "400 \"session\" parameter is mandatory")]
#[case::number(json!({ "session": 7 }), "400 Type error in some parameter")]
#[case::unknown_before_the_role(json!({ "session": "ses_1", "role": "x" }), "404 Session ses_1 not found")]
#[case::unknown_before_the_data(json!({ "session": "ses_1", "data": "a".repeat(10_001) }), "404 Session ses_1 not found")]
#[case::not_an_id(json!({ "session": "a/b" }), "404 Session a/b not found")]
#[tokio::test]
async fn checks_come_in_the_documented_order(#[case] body: Value, #[case] problem: &str) {
    let app = TestApp::new().await;
    assert_eq!(issue(&app, body).await.problem(), problem);
    assert!(app.items().await.is_empty());
}

#[rstest]
#[case::nothing("", "application/json", "400 \"session\" parameter is mandatory")]
#[case::null("null", "application/json", "400 \"session\" parameter is mandatory")]
#[case::text("{}", "text/plain", "415 The body must be application/json")]
#[case::malformed("{\"session\":", "application/json", "400 The body is not JSON: line 1 column 11")]
#[case::malformed_behind_a_type_error(
    "{\"role\":1,}",
    "application/json",
    "400 The body is not JSON: line 1 column 11"
)]
#[case::array("[1]", "application/json", "400 The body must be a JSON object")]
#[tokio::test]
async fn the_body_must_be_a_json_object(#[case] body: &'static str, #[case] content_type: &str, #[case] problem: &str) {
    let app = TestApp::new().await;
    let headers = [("content-type", content_type)];
    let answer = app.backend().send("POST", "/api/tokens", &headers, Body::from(body)).await;
    assert_eq!(answer.problem(), problem);
}

#[tokio::test]
async fn an_invalid_host_header_does_not_get_into_a_token() {
    let app = TestApp::new().await;
    let body = Body::from(json!({ "session": app.open_session().await }).to_string());
    let answer = app.backend().send("POST", "/api/tokens", &[("host", "evil?x=/")], body).await;
    // The Host header of this test comes first.
    assert!(answer.body["token"].as_str().unwrap().starts_with("wss://greenroom.example?"));
}

#[tokio::test]
async fn a_token_is_good_for_a_day() {
    let app = TestApp::new().await;
    let id = app.open_session().await;
    issue(&app, json!({ "session": id })).await;
    app.wait(24 * HOUR - Duration::from_millis(1));
    let [connection] = &connections(&app, &id).await[..] else { panic!("one connection") };
    app.wait(Duration::from_millis(1));
    assert!(connections(&app, &id).await.is_empty());
    let path = format!("/api/sessions/{id}/connection/{connection}");
    assert_eq!(app.backend().delete(&path).await.to_string(), "404 -");
}

#[tokio::test]
async fn a_participant_is_disconnected_once() {
    let app = TestApp::new().await;
    let (id, other) = (app.open_session().await, app.open_session().await);
    for session in [&id, &id, &other] {
        issue(&app, json!({ "session": session })).await;
    }
    let mut left = connections(&app, &id).await;
    let gone = left.remove(0);
    let path = |session: &str| format!("/api/sessions/{session}/connection/{gone}");
    assert_eq!(app.backend().delete(&path(&other)).await.to_string(), "404 -");
    assert_eq!(app.backend().delete(&path("ses_1")).await.to_string(), "400 -");
    assert_eq!(app.backend().delete(&path(&id)).await.to_string(), "204 -");
    assert_eq!(app.backend().delete(&path(&id)).await.to_string(), "404 -");
    assert_eq!(connections(&app, &id).await, left);
    assert_eq!(connections(&app, &other).await.len(), 1);
}

#[rstest]
#[case::unknown("con_00000000000000000000000000000000000000000000")]
#[case::not_an_id("x")]
#[case::not_utf_8("%ff")]
#[tokio::test]
async fn an_unknown_connection_is_an_empty_404(#[case] connection: &str) {
    let app = TestApp::new().await;
    let id = app.open_session().await;
    let answer = app.backend().delete(&format!("/api/sessions/{id}/connection/{connection}")).await;
    assert_eq!(answer.to_string(), "404 -");
}

#[tokio::test]
async fn stopping_a_stream_is_an_empty_404() {
    let app = TestApp::new().await;
    let id = app.open_session().await;
    assert_eq!(app.backend().delete(&format!("/api/sessions/{id}/stream/str_1")).await.to_string(), "404 -");
}

#[tokio::test]
async fn a_session_is_collected_an_hour_after_its_last_participant_was_disconnected() {
    let app = TestApp::new().await;
    let id = app.open_session().await;
    let disconnect = async |connection: &String| {
        let path = format!("/api/sessions/{id}/connection/{connection}");
        assert_eq!(app.backend().delete(&path).await.status, 204);
    };
    for _ in 0..3 {
        issue(&app, json!({ "session": id })).await;
        app.wait(HOUR);
    }
    let [first, second, third] = &connections(&app, &id).await[..] else { panic!("three connections") };
    disconnect(second).await;
    disconnect(third).await;
    // The first token ends 24 hours after it was issued: 21 hours from now.
    app.wait(22 * HOUR - Duration::from_secs(1));
    assert_eq!(session(&app, &id).await["connections"]["numberOfElements"], 0);
    app.wait(Duration::from_secs(1));
    assert!(session(&app, &id).await.is_null());

    let id = app.open_session().await;
    issue(&app, json!({ "session": id })).await;
    let connection = connections(&app, &id).await.remove(0);
    assert_ne!(&connection, first);
    app.wait(2 * HOUR);
    let path = format!("/api/sessions/{id}/connection/{connection}");
    assert_eq!(app.backend().delete(&path).await.status, 204);
    app.wait(HOUR - Duration::from_secs(1));
    assert!(!session(&app, &id).await.is_null());
    app.wait(Duration::from_secs(1));
    assert!(session(&app, &id).await.is_null());
}

#[tokio::test]
async fn a_shorter_lifetime_of_new_tokens_keeps_sessions_with_older_tokens() {
    let app = TestApp::new().await;
    let id = app.open_session().await;
    issue(&app, json!({ "session": id })).await;
    let shorter = app.again_with([(Setting::MediaTokenTtl, "60"), (Setting::MediaSessionGrace, "60")]);
    issue(&shorter, json!({ "session": id })).await;
    app.wait(23 * HOUR);
    assert_eq!(connections(&app, &id).await.len(), 1);
}
