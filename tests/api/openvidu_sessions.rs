//! Sessions of `/openvidu/api`, and the same sessions in `/api`.

use axum::body::Body;
use insta::assert_snapshot;
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{NOW, TestApp};

const SESSIONS: &str = "/openvidu/api/sessions";

/// The text of an answer's body, with `[id]` in place of the first session's id.
async fn text(app: &TestApp, path: &str, id: &str) -> String {
    app.backend().text(path, &[]).await.replace(id, "[id]")
}

#[rstest]
#[case::an_empty_object("{}", Some("application/json"))]
#[case::null("null", Some("application/json; charset=utf-8"))]
#[case::an_empty_body("", None)]
#[case::an_empty_body_of_another_type("", Some("application/x-www-form-urlencoded"))]
#[case::unknown_keys(r#"{"x":{},"y":1e999,"mediaMode":null,"customSessionId":""}"#, Some("application/json"))]
#[tokio::test]
async fn every_property_is_optional(#[case] body: &'static str, #[case] content_type: Option<&str>) {
    let app = TestApp::new().await;
    let headers: Vec<_> = content_type.iter().map(|value| ("content-type", *value)).collect();
    let answer = app.backend().send("POST", SESSIONS, &headers, Body::from(body)).await;
    assert_eq!(answer.status, 200);
    let id = answer.body["id"].as_str().unwrap();
    assert!(id.starts_with("ses_"));
    let shown = text(&app, &format!("{SESSIONS}/{id}"), id).await;
    assert_eq!(serde_json::from_str::<Value>(&shown.replace("[id]", id)).unwrap(), answer.body);
    assert_snapshot!("openvidu_default_session", shown);
}

#[tokio::test]
async fn the_properties_are_kept_and_shown_in_order() {
    let app = TestApp::new().await;
    let body = json!({
        "mediaMode": "RELAYED", "recordingMode": "ALWAYS", "customSessionId": "Daily-standup_7",
        "forcedVideoCodec": "H264", "allowTranscoding": true, "mediaNode": {"id": "media_1", "x": 1},
        "defaultRecordingProperties": {
            "name": "a~b-c_1", "hasAudio": false, "hasVideo": true, "outputMode": "COMPOSED_QUICK_START",
            "recordingLayout": "CUSTOM", "resolution": "1999x100", "frameRate": 29.97, "shmSize": 134_217_728,
            "customLayout": "grid/3", "ignoreFailedStreams": true, "mediaNode": {"id": "media_2"},
        },
    });
    assert_eq!(app.backend().post(SESSIONS, body).await.status, 200);
    assert_snapshot!(text(&app, &format!("{SESSIONS}/Daily-standup_7"), "\u{0}").await);
}

#[rstest]
#[case::individual(json!({"outputMode": "INDIVIDUAL", "resolution": "none", "frameRate": 0, "shmSize": 1, "recordingLayout": "NONE", "ignoreFailedStreams": true, "mediaNode": "m"}), r#"{"name":"","hasAudio":true,"hasVideo":true,"outputMode":"INDIVIDUAL","ignoreFailedStreams":true}"#)]
#[case::composed_without_video(json!({"hasVideo": false, "mediaNode": "m"}), r#"{"name":"","hasAudio":true,"hasVideo":false,"outputMode":"COMPOSED","mediaNode":"m"}"#)]
#[case::nulls(json!({"name": null, "hasAudio": null, "resolution": null}), r#"{"name":"","hasAudio":true,"hasVideo":true,"outputMode":"COMPOSED","recordingLayout":"BEST_FIT","resolution":"1280x720","frameRate":25,"shmSize":536870912}"#)]
#[tokio::test]
async fn a_session_shows_the_recording_properties_that_apply(#[case] sent: Value, #[case] shown: &str) {
    let app = TestApp::new().await;
    let body = json!({"customSessionId": "a", "defaultRecordingProperties": sent});
    assert_eq!(app.backend().post(SESSIONS, body).await.status, 200);
    let session = app.backend().text(&format!("{SESSIONS}/a"), &[]).await;
    let (_, properties) = session.split_once(r#""defaultRecordingProperties":"#).unwrap();
    assert_eq!(properties.split_inclusive('}').next(), Some(shown));
}

#[tokio::test]
async fn the_recording_defaults_of_2_16_are_understood() {
    let app = TestApp::new().await;
    let body = json!({
        "customSessionId": "a", "defaultOutputMode": "INDIVIDUAL", "defaultRecordingLayout": "CUSTOM",
        "defaultCustomLayout": "grid", "defaultRecordingProperties": {"outputMode": "COMPOSED"},
    });
    let properties = app.backend().post(SESSIONS, body).await.body["defaultRecordingProperties"].clone();
    assert_eq!(properties["outputMode"], "COMPOSED");
    assert_eq!(properties["recordingLayout"], "CUSTOM");
    assert_eq!(properties["customLayout"], "grid");
}

#[rstest]
#[case::media_mode(json!({"mediaMode": 1}), "Type error in some parameter: mediaMode has to be a string")]
#[case::recording_mode(json!({"recordingMode": true}), "Type error in some parameter: recordingMode has to be a string")]
#[case::custom_id(json!({"customSessionId": ["a"]}), "Type error in some parameter: customSessionId has to be a string")]
#[case::codec_type(json!({"forcedVideoCodec": {}}), "Type error in some parameter: forcedVideoCodec has to be a string")]
#[case::transcoding(json!({"allowTranscoding": "true"}), "Type error in some parameter: allowTranscoding has to be a boolean")]
#[case::types_come_first(json!({"forcedVideoCodec": "AV1", "allowTranscoding": 1}), "Type error in some parameter: allowTranscoding has to be a boolean")]
#[case::codec(json!({"forcedVideoCodec": "AV1", "mediaMode": "X"}), "Invalid value for parameter 'forcedVideoCodec': AV1")]
#[case::unknown_recording_mode(json!({"recordingMode": "always", "customSessionId": "?"}), "Some parameter is not valid. Parameter 'recordingMode' always is not defined")]
#[case::unknown_media_mode(json!({"mediaMode": "routed"}), "Some parameter is not valid. Parameter 'mediaMode' routed is not defined")]
#[case::a_space(json!({"customSessionId": "a b", "defaultRecordingProperties": 1}), "Some parameter is not valid. Parameter 'customSessionId' is wrong. Must be an alphanumeric string [a-zA-Z0-9_-]")]
#[case::a_long_id(json!({"customSessionId": "a".repeat(256)}), "Some parameter is not valid. Parameter 'customSessionId' is wrong. Must have at most 255 characters")]
#[case::a_mode_of_2_16(json!({"defaultOutputMode": 5, "defaultRecordingProperties": {"outputMode": "COMPOSED"}}), "Some parameter is not valid. Parameter 'defaultRecordingProperties' is not valid: Type error in some parameter: defaultOutputMode has to be a string")]
#[case::no_object(json!({"defaultRecordingProperties": "x", "mediaNode": 1}), "Some parameter is not valid. Error in parameter 'defaultRecordingProperties'. It is not a valid JSON object")]
#[case::node(json!({"mediaNode": "x"}), "Some parameter is not valid. Error in parameter 'mediaNode'. It is not a valid JSON object")]
#[case::node_without_id(json!({"mediaNode": {}}), "Some parameter is not valid. Error in parameter 'mediaNode'. Property 'id' not found")]
#[case::node_with_a_number(json!({"mediaNode": {"id": 1}}), "Some parameter is not valid. Type error in parameter 'mediaNode.id': id has to be a string")]
#[case::a_long_node(json!({"mediaNode": {"id": "a".repeat(10_001)}}), "Some parameter is not valid. Parameter 'mediaNode.id' is too long. At most 10000 bytes are allowed")]
#[tokio::test]
async fn an_invalid_property_is_refused(#[case] body: Value, #[case] message: &str) {
    let app = TestApp::new().await;
    assert_eq!(app.backend().post(SESSIONS, body).await.problem(), format!("400 {message}"));
    assert!(app.items().await.is_empty());
}

#[rstest]
#[case::a_type(json!({"hasAudio": "x", "name": "?"}), "Type error in some parameter: hasAudio has to be a boolean")]
#[case::a_type_that_does_not_matter(json!({"outputMode": "INDIVIDUAL", "resolution": 1}), "Type error in some parameter: resolution has to be a string")]
#[case::a_node(json!({"mediaNode": 1}), "Type error in some parameter: mediaNode has to be a string, or an object with the string id")]
#[case::a_node_without_id(json!({"mediaNode": {}}), "Type error in some parameter: mediaNode has to be a string, or an object with the string id")]
#[case::a_name(json!({"name": "a b", "hasAudio": false, "hasVideo": false}), "Parameter 'name' is wrong. Must be an alphanumeric string [a-zA-Z0-9_-~]")]
#[case::nothing(json!({"hasAudio": false, "hasVideo": false, "outputMode": "X"}), "Cannot start a recording with both \"hasAudio\" and \"hasVideo\" set to false")]
#[case::a_mode(json!({"outputMode": "X"}), "Type error in parameter 'outputMode'")]
#[case::a_layout(json!({"recordingLayout": "X"}), "Type error in parameter 'recordingLayout'")]
#[case::a_resolution(json!({"resolution": "099x100"}), "Wrong 'resolution' parameter. Must be a string of width and height, both from 100 to 1999, as 1280x720")]
#[case::a_low_frame_rate(json!({"frameRate": 0.9}), "Wrong 'frameRate' parameter. Must be a number from 1 to 120")]
#[case::a_high_frame_rate(json!({"frameRate": 121}), "Wrong 'frameRate' parameter. Must be a number from 1 to 120")]
#[case::memory(json!({"shmSize": 134_217_727}), "Wrong 'shmSize' parameter. Must be a number from 134217728 on")]
#[case::a_long_name(json!({"name": "a".repeat(10_001)}), "Parameter 'name' is too long. At most 10000 bytes are allowed")]
#[case::a_long_layout(json!({"customLayout": "a".repeat(10_001)}), "Parameter 'customLayout' is too long. At most 10000 bytes are allowed")]
#[tokio::test]
async fn an_invalid_recording_property_is_refused(#[case] properties: Value, #[case] message: &str) {
    let app = TestApp::new().await;
    let answer = app.backend().post(SESSIONS, json!({"defaultRecordingProperties": properties})).await;
    let beginning = "400 Some parameter is not valid. Parameter 'defaultRecordingProperties' is not valid:";
    assert_eq!(answer.problem(), format!("{beginning} {message}"));
    assert!(app.items().await.is_empty());
}

#[rstest]
#[case::malformed("{", "application/json", 400)]
#[case::an_array("[]", "application/json", 400)]
#[case::a_scalar("7", "application/json", 400)]
#[case::text("{}", "text/plain", 415)]
#[tokio::test]
async fn a_body_that_is_not_a_json_object_is_refused(
    #[case] body: &'static str,
    #[case] content_type: &str,
    #[case] status: u16,
) {
    let app = TestApp::new().await;
    let headers = [("content-type", content_type)];
    let answer = app.backend().send("POST", SESSIONS, &headers, Body::from(body)).await;
    assert!(answer.problem().starts_with(&status.to_string()));
}

#[rstest]
#[case(SESSIONS, "/api/sessions")]
#[case("/api/sessions", SESSIONS)]
#[case(SESSIONS, SESSIONS)]
#[tokio::test]
async fn a_custom_id_is_taken_in_both_families(#[case] first: &str, #[case] second: &str) {
    let app = TestApp::new().await;
    let body = json!({"customSessionId": "daily"});
    assert_eq!(app.backend().post(first, body.clone()).await.status, 200);
    let taken = app.backend().post(second, body.clone()).await;
    assert_eq!(taken.status, 409);
    assert_eq!(taken.body.is_null(), second == SESSIONS);
    assert_eq!(app.backend().delete(&format!("{second}/daily")).await.to_string(), "204 -");
    assert_eq!(app.backend().delete(&format!("{first}/daily")).await.to_string(), "404 -");
    assert_eq!(app.backend().post(second, body).await.status, 200);
}

#[tokio::test]
async fn of_many_racing_requests_for_a_custom_id_one_opens_the_session() {
    let app = TestApp::new().await;
    let backend = app.backend();
    let racers = (0..8).map(|_| backend.post(SESSIONS, json!({"customSessionId": "raced"})));
    let answers = futures_util::future::join_all(racers).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert!(answers.iter().all(|answer| answer.status == 200 || answer.to_string() == "409 -"));
}

#[tokio::test]
async fn sessions_of_both_families_are_listed_in_both_in_the_order_of_their_opening() {
    let app = TestApp::new().await;
    for (path, id) in [(SESSIONS, "b"), ("/api/sessions", "a"), (SESSIONS, "c")] {
        app.backend().post(path, json!({"customSessionId": id})).await;
        app.wait(std::time::Duration::from_secs(1));
    }
    for path in [SESSIONS, "/api/sessions"] {
        let list = app.backend().get(path).await.body;
        assert_eq!(list["numberOfElements"], 3);
        let ids: Vec<_> = list["content"].as_array().unwrap().iter().map(|session| &session["sessionId"]).collect();
        assert_eq!(ids, ["b", "a", "c"], "{path}");
    }
    assert_eq!(app.backend().get(&format!("{SESSIONS}/a")).await.body["createdAt"], NOW + 1000);
}

#[tokio::test]
async fn a_session_of_the_old_family_has_the_new_defaults_and_the_other_way_round() {
    let app = TestApp::new().await;
    let old = json!({
        "customSessionId": "old", "defaultRecordingLayout": "CUSTOM", "defaultCustomLayout": "grid",
    });
    app.backend().post("/api/sessions", old).await;
    let shown = app.backend().get(&format!("{SESSIONS}/old")).await.body;
    assert_eq!(
        shown["defaultRecordingProperties"],
        json!({
            "name": "", "hasAudio": true, "hasVideo": true, "outputMode": "COMPOSED", "recordingLayout": "CUSTOM",
            "resolution": "1280x720", "frameRate": 25, "shmSize": 536_870_912, "customLayout": "grid",
        })
    );
    let new = json!({
        "customSessionId": "new", "forcedVideoCodec": "VP8",
        "defaultRecordingProperties": {"recordingLayout": "CUSTOM", "customLayout": "grid"},
    });
    app.backend().post(SESSIONS, new).await;
    let mut sessions = Vec::new();
    for id in ["old", "new"] {
        let mut session = app.backend().get(&format!("/api/sessions/{id}")).await.body;
        for key in ["sessionId", "customSessionId"] {
            assert_eq!(session[key], id);
            session[key].take();
        }
        sessions.push(session);
    }
    assert_eq!(sessions[0], sessions[1]);
}

#[rstest]
#[case("?pendingConnections=YES", Some(1))]
#[case("?pendingConnections=1&webRtcStats=on", Some(1))]
#[case("?pendingConnections=off&x=y", Some(0))]
#[case("?pendingConnections=", Some(0))]
#[case("", Some(0))]
#[case("?pendingConnections=maybe", None)]
#[case("?webRtcStats=2", None)]
#[tokio::test]
async fn pending_connections_are_shown_where_they_are_asked_for(#[case] query: &str, #[case] shown: Option<u64>) {
    let app = TestApp::new().await;
    app.backend().post(SESSIONS, json!({"customSessionId": "a"})).await;
    app.backend().post(&format!("{SESSIONS}/a/connection"), json!({})).await;
    let one = app.backend().get(&format!("{SESSIONS}/a{query}")).await;
    let list = app.backend().get(&format!("{SESSIONS}{query}")).await;
    let Some(shown) = shown else {
        assert!(one.problem().starts_with("400 Parameter '"));
        assert!(list.problem().starts_with("400 Parameter '"));
        return;
    };
    assert_eq!(one.body["connections"]["numberOfElements"], shown);
    assert_eq!(list.body["content"][0], one.body);
}
