//! Media sessions: opening, reading, closing.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use axum::body::Body;
use greenroom_core::config::Setting;
use insta::assert_json_snapshot;
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{NOW, TestApp};

const HOUR: Duration = Duration::from_hours(1);
const FORM: [(&str, &str); 1] = [("content-type", "application/x-www-form-urlencoded")];

async fn ids(app: &TestApp) -> Vec<String> {
    let list = app.backend().get("/api/sessions").await;
    assert_eq!(list.status, 200);
    let content = list.body["content"].as_array().unwrap();
    assert_eq!(list.body["numberOfElements"], content.len());
    content.iter().map(|session| session["sessionId"].as_str().unwrap().to_owned()).collect()
}

#[rstest]
#[case::an_empty_object("{}", Some("application/json"))]
#[case::null("null", Some("application/json; charset=utf-8"))]
#[case::an_empty_body("", None)]
#[case::an_empty_body_of_another_type("", Some("application/x-www-form-urlencoded"))]
#[case::an_object_without_a_type("{}", None)]
#[case::unknown_keys(r#"{"forcedVideoCodec":"VP8","x":{},"y":1e999}"#, Some("application/json"))]
#[case::nulls(r#"{"mediaMode":null,"customSessionId":null}"#, Some("application/json"))]
#[case::an_empty_custom_id(r#"{"customSessionId":""}"#, Some("application/vnd.x+json"))]
#[tokio::test]
async fn every_property_is_optional(#[case] body: &'static str, #[case] content_type: Option<&str>) {
    let app = TestApp::new().await;
    let headers: Vec<_> = content_type.iter().map(|value| ("content-type", *value)).collect();
    let answer = app.backend().send("POST", "/api/sessions", &headers, Body::from(body)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body.as_object().unwrap().len(), 2);
    assert_eq!(answer.body["createdAt"], NOW);
    let id = answer.body["id"].as_str().unwrap();
    let session = app.backend().get(&format!("/api/sessions/{id}")).await.body;
    assert_json_snapshot!("default_session", session, { ".sessionId" => "[id]" });
}

#[tokio::test]
async fn the_properties_are_kept() {
    let app = TestApp::new().await;
    let properties = json!({
        "mediaMode": "RELAYED", "recordingMode": "ALWAYS", "defaultOutputMode": "COMPOSED_QUICK_START",
        "defaultRecordingLayout": "CUSTOM", "defaultCustomLayout": "grid/3", "customSessionId": "Daily-standup_7",
    });
    let answer = app.backend().post("/api/sessions", properties).await;
    assert_eq!(answer.to_string(), format!(r#"200 {{"createdAt":{NOW},"id":"Daily-standup_7"}}"#));
    let session = app.backend().get("/api/sessions/Daily-standup_7").await.body;
    assert_json_snapshot!(session, @r#"
    {
      "connections": {
        "content": [],
        "numberOfElements": 0
      },
      "createdAt": 1700000000000,
      "customSessionId": "Daily-standup_7",
      "defaultCustomLayout": "grid/3",
      "defaultOutputMode": "COMPOSED_QUICK_START",
      "defaultRecordingLayout": "CUSTOM",
      "mediaMode": "RELAYED",
      "recording": false,
      "recordingMode": "ALWAYS",
      "sessionId": "Daily-standup_7"
    }
    "#);
}

#[tokio::test]
async fn the_property_names_of_openvidu_1_7_are_understood() {
    let app = TestApp::new().await;
    let body = json!({ "archiveMode": "ALWAYS", "archiveLayout": "PICTURE_IN_PICTURE", "customSessionId": "a" });
    app.backend().post("/api/sessions", body).await;
    let session = app.backend().get("/api/sessions/a").await.body;
    assert_eq!(session["recordingMode"], "ALWAYS");
    assert_eq!(session["defaultRecordingLayout"], "PICTURE_IN_PICTURE");
}

#[tokio::test]
async fn an_individual_recording_has_no_layout() {
    let app = TestApp::new().await;
    let body = json!({ "defaultOutputMode": "INDIVIDUAL", "customSessionId": "a" });
    app.backend().post("/api/sessions", body).await;
    let session = app.backend().get("/api/sessions/a").await.body;
    assert!(session.get("defaultRecordingLayout").is_none());
    assert!(session.get("defaultCustomLayout").is_none());
}

#[rstest]
#[case::media_mode(json!({ "mediaMode": "routed" }), "RecordingMode null | Default OutputMode null | Default RecordingLayout null | MediaMode routed. Some parameter is not defined")]
#[case::all(json!({ "recordingMode": "A", "defaultOutputMode": "B", "defaultRecordingLayout": "C", "mediaMode": "D" }), "RecordingMode A | Default OutputMode B | Default RecordingLayout C | MediaMode D. Some parameter is not defined")]
#[case::a_name_of_1_7(json!({ "archiveMode": "SOMETIMES" }), "RecordingMode SOMETIMES | Default OutputMode null | Default RecordingLayout null | MediaMode null. Some parameter is not defined")]
#[case::a_number(json!({ "mediaMode": 1 }), "Type error in some parameter")]
#[case::a_boolean(json!({ "recordingMode": true }), "Type error in some parameter")]
#[case::an_object(json!({ "defaultCustomLayout": {} }), "Type error in some parameter")]
#[case::an_array(json!({ "customSessionId": ["a"] }), "Type error in some parameter")]
#[case::a_space(json!({ "customSessionId": "a b" }), "Parameter \"customSessionId\" is wrong. Must be an alphanumeric string")]
#[case::an_umlaut(json!({ "customSessionId": "tür" }), "Parameter \"customSessionId\" is wrong. Must be an alphanumeric string")]
#[case::a_long_id(json!({ "customSessionId": "a".repeat(256) }), "Parameter \"customSessionId\" must have at most 255 characters")]
#[case::a_long_layout(json!({ "defaultCustomLayout": "a".repeat(10_001) }), "Parameter \"defaultCustomLayout\" is too long")]
#[tokio::test]
async fn an_invalid_property_is_refused(#[case] body: Value, #[case] message: &str) {
    let app = TestApp::new().await;
    assert_eq!(app.backend().post("/api/sessions", body).await.problem(), format!("400 {message}"));
    assert!(app.items().await.is_empty());
}

#[rstest]
#[case::malformed("{", "application/json", 400)]
#[case::an_array("[]", "application/json", 400)]
#[case::a_scalar("7", "application/json", 400)]
#[case::a_key_twice(r#"{"mediaMode":"ROUTED","mediaMode":"RELAYED"}"#, "application/json", 400)]
#[case::text("{}", "text/plain", 415)]
#[case::a_form("a=b", "application/x-www-form-urlencoded", 415)]
#[tokio::test]
async fn a_body_that_is_not_a_json_object_is_refused(
    #[case] body: &'static str,
    #[case] content_type: &str,
    #[case] status: u16,
) {
    let app = TestApp::new().await;
    let headers = [("content-type", content_type)];
    let answer = app.backend().send("POST", "/api/sessions", &headers, Body::from(body)).await;
    assert!(answer.problem().starts_with(&status.to_string()));
}

#[tokio::test]
async fn a_custom_id_is_taken_while_its_session_is_open() {
    let app = TestApp::new().await;
    let body = json!({ "customSessionId": "daily" });
    assert_eq!(app.backend().post("/api/sessions", body.clone()).await.status, 200);
    let taken = app.backend().post("/api/sessions", body.clone()).await;
    assert_eq!(taken.problem(), "409 A session with this customSessionId exists already");
    app.backend().delete("/api/sessions/daily").await;
    assert_eq!(app.backend().post("/api/sessions", body.clone()).await.status, 200);
    app.wait(HOUR);
    assert_eq!(app.backend().post("/api/sessions", body).await.status, 200);
}

#[tokio::test]
async fn the_list_is_complete_and_oldest_first() {
    let app = TestApp::new().await;
    assert!(ids(&app).await.is_empty());
    let mut opened = Vec::new();
    for _ in 0..40 {
        opened.push(app.open_session().await);
        app.wait(Duration::from_millis(1));
        assert_eq!(ids(&app).await, opened);
    }
    app.backend().delete(&format!("/api/sessions/{}", opened.remove(7))).await;
    assert_eq!(ids(&app).await, opened);
}

#[tokio::test]
async fn session_lists_are_complete_even_if_the_table_answers_in_pages() {
    let app = TestApp::new().await;
    // Each item has about 40 KB, so a page of 1 MB ends within the connections of a session.
    let data = "\u{1f3b5}".repeat(10_000);
    let ids = [app.open_session().await, app.open_session().await];
    for index in 0..60 {
        let body = json!({ "session": ids[index % 2], "data": data });
        assert_eq!(app.backend().post("/api/tokens", body).await.status, 200);
    }
    let list = app.backend().get("/api/sessions").await.body;
    for session in list["content"].as_array().unwrap() {
        assert_eq!(session["connections"]["numberOfElements"], 30);
    }
    assert_eq!(list["numberOfElements"], 2);
    let session = app.backend().get(&format!("/api/sessions/{}", ids[0])).await.body;
    assert_eq!(session["connections"]["content"].as_array().unwrap().len(), 30);
    // Closing deletes the connections in batches.
    assert_eq!(app.backend().delete(&format!("/api/sessions/{}", ids[0])).await.status, 204);
    let items = app.items().await;
    let left = items.iter().filter(|item| item.contains(&ids[0]) && !item.contains("LedgerEntry"));
    assert_eq!(left.count(), 0);
}

#[tokio::test]
async fn ids_with_a_common_prefix_are_different_sessions() {
    let app = TestApp::new().await;
    for id in ["a", "ab", "a-b"] {
        app.backend().post("/api/sessions", json!({ "customSessionId": id })).await;
        app.backend().post("/api/tokens", json!({ "session": id })).await;
    }
    app.backend().delete("/api/sessions/a").await;
    for (id, status) in [("a", 404), ("ab", 200), ("a-b", 200)] {
        let answer = app.backend().get(&format!("/api/sessions/{id}")).await;
        assert_eq!(answer.status, status);
        if status == 200 {
            assert_eq!(answer.body["connections"]["numberOfElements"], 1);
        }
    }
}

#[tokio::test]
async fn reading_and_closing_take_the_content_type_that_the_official_client_sends() {
    let app = TestApp::new().await;
    let path = format!("/api/sessions/{}", app.open_session().await);
    assert_eq!(app.backend().send("GET", &path, &FORM, Body::empty()).await.status, 200);
    assert_eq!(app.backend().send("GET", "/api/sessions?webRtcStats=true", &FORM, Body::empty()).await.status, 200);
    assert_eq!(app.backend().send("DELETE", &path, &FORM, Body::empty()).await.to_string(), "204 -");
}

#[rstest]
#[case::unknown("ses_00000000000000000000000000000000")]
#[case::not_an_id("a.b")]
#[case::percent_encoded("%2e%2e")]
#[case::not_utf_8("%ff")]
#[tokio::test]
async fn an_unknown_session_is_an_empty_404(#[case] id: &str) {
    let app = TestApp::new().await;
    let path = format!("/api/sessions/{id}");
    assert_eq!(app.backend().get(&path).await.to_string(), "404 -");
    assert_eq!(app.backend().delete(&path).await.to_string(), "404 -");
    assert_eq!(app.backend().delete(&format!("{path}/connection/con_1")).await.to_string(), "400 -");
    assert_eq!(app.backend().delete(&format!("{path}/stream/str_1")).await.to_string(), "400 -");
}

#[tokio::test]
async fn a_closed_session_is_gone_and_so_are_its_tokens() {
    let app = TestApp::new().await;
    app.backend().post("/api/sessions", json!({ "customSessionId": "daily" })).await;
    app.backend().post("/api/tokens", json!({ "session": "daily" })).await;
    assert_eq!(app.backend().delete("/api/sessions/daily").await.to_string(), "204 -");
    assert_eq!(app.backend().delete("/api/sessions/daily").await.to_string(), "404 -");
    assert_eq!(app.backend().get("/api/sessions/daily").await.to_string(), "404 -");
    let refused = app.backend().post("/api/tokens", json!({ "session": "daily" })).await;
    assert_eq!(refused.problem(), "404 Session daily not found");
    // A new session with this id has none of the old session's connections.
    app.backend().post("/api/sessions", json!({ "customSessionId": "daily" })).await;
    assert_eq!(app.backend().get("/api/sessions/daily").await.body["connections"]["numberOfElements"], 0);
}

#[tokio::test]
async fn a_closed_session_is_gone_and_its_id_free_even_before_cleanup() {
    let app = TestApp::new().await;
    app.backend().post("/api/sessions", json!({ "customSessionId": "daily" })).await;
    app.backend().post("/api/tokens", json!({ "session": "daily" })).await;
    // The state that a process leaves if it dies while closing.
    let scan = app.client.scan().table_name(&*app.table).send().await.unwrap();
    let item = scan.items().iter().find(|item| item["SK"].as_s().unwrap() == "daily/").unwrap();
    let update = app.client.update_item().table_name(&*app.table);
    let update = update.key("PK", item["PK"].clone()).key("SK", item["SK"].clone());
    let closed_at = AttributeValue::N(NOW.to_string());
    let update = update.update_expression("SET closedAt = :now, closing = :closing");
    let update = update.expression_attribute_values(":now", closed_at);
    let update = update.expression_attribute_values(":closing", AttributeValue::S("a closing".to_owned()));
    update.send().await.unwrap();

    assert_eq!(app.backend().get("/api/sessions/daily").await.status, 404);
    assert!(ids(&app).await.is_empty());
    assert_eq!(app.backend().post("/api/tokens", json!({ "session": "daily" })).await.status, 404);
    let opened = app.backend().post("/api/sessions", json!({ "customSessionId": "daily" })).await;
    assert_eq!(opened.status, 200);
    assert_eq!(app.backend().get("/api/sessions/daily").await.body["connections"]["numberOfElements"], 0);
}

#[tokio::test]
async fn a_session_nobody_joins_is_collected_after_an_hour() {
    let app = TestApp::new().await;
    let id = app.open_session().await;
    let path = format!("/api/sessions/{id}");
    app.wait(HOUR - Duration::from_millis(1));
    assert_eq!(app.backend().get(&path).await.status, 200);
    app.wait(Duration::from_millis(1));
    assert_eq!(app.backend().get(&path).await.status, 404);
    assert!(ids(&app).await.is_empty());
    assert_eq!(app.backend().delete(&path).await.status, 404);
    assert_eq!(app.backend().post("/api/tokens", json!({ "session": id })).await.status, 404);
}

#[tokio::test]
async fn a_session_is_collected_an_hour_after_its_last_token_ended() {
    let app = TestApp::with([(Setting::MediaTokenTtl, "7200")]).await;
    let id = app.open_session().await;
    let path = format!("/api/sessions/{id}");
    app.backend().post("/api/tokens", json!({ "session": id })).await;
    app.wait(HOUR / 2);
    app.backend().post("/api/tokens", json!({ "session": id })).await;
    app.wait(2 * HOUR);
    assert_eq!(app.backend().get(&path).await.body["connections"]["numberOfElements"], 0);
    app.wait(HOUR - Duration::from_secs(1));
    assert_eq!(app.backend().get(&path).await.status, 200);
    app.wait(Duration::from_secs(1));
    assert_eq!(app.backend().get(&path).await.status, 404);
}

#[tokio::test]
async fn the_grace_period_of_an_unused_session_is_configurable() {
    let app = TestApp::with([(Setting::MediaSessionGrace, "60")]).await;
    let path = format!("/api/sessions/{}", app.open_session().await);
    app.wait(Duration::from_mins(1));
    assert_eq!(app.backend().get(&path).await.status, 404);
}
