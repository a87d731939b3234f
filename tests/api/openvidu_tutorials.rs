//! The requests that the server code of OpenVidu's tutorials makes, which many applications were copied from.

use serde_json::{Value, json};

use crate::support::{Answer, TestApp};

/// The properties that `openvidu-node-client` sends where the application gives none.
fn node_defaults(custom_id: &str) -> Value {
    json!({
        "mediaMode": "ROUTED", "recordingMode": "MANUAL", "customSessionId": custom_id,
        "forcedVideoCodec": "MEDIA_SERVER_PREFERRED", "allowTranscoding": false,
        "defaultRecordingProperties": {
            "name": "", "hasAudio": true, "hasVideo": true, "outputMode": "COMPOSED", "recordingLayout": "BEST_FIT",
            "resolution": "1280x720", "frameRate": 25, "shmSize": 536_870_912,
        },
    })
}

/// The options of a connection that `openvidu-node-client` sends where the application gives only these.
fn node_connection(role: &str, data: &str) -> Value {
    json!({
        "type": "WEBRTC", "data": data, "record": true, "role": role, "kurentoOptions": null, "rtspUri": null,
        "adaptativeBitrate": null, "onlyPlayWithSubscribers": null, "networkCache": null, "customIceServers": [],
    })
}

fn token(answer: &Answer) -> &str {
    assert_eq!(answer.status, 200, "{answer}");
    answer.body["token"].as_str().unwrap()
}

#[tokio::test]
async fn openvidu_basic_node_lets_two_participants_into_one_session() {
    let app = TestApp::new().await;
    let mut tokens = Vec::new();
    for (participant, status) in [("Ada", 200), ("Grace", 409)] {
        // 409 tells the client that the session is open already. The client then uses the custom id as the session's id.
        let made = app.backend().post("/openvidu/api/sessions", node_defaults("SessionA")).await;
        assert_eq!(made.status, status);
        assert!(made.status == 409 || made.body["id"] == "SessionA");
        let options = node_connection("PUBLISHER", participant);
        let connection = app.backend().post("/openvidu/api/sessions/SessionA/connection", options).await;
        tokens.push(token(&connection).to_owned());
    }
    assert_ne!(tokens[0], tokens[1]);
    let session = app.backend().get("/openvidu/api/sessions/SessionA?pendingConnections=true").await.body;
    assert_eq!(session["connections"]["numberOfElements"], 2);
}

#[tokio::test]
async fn openvidu_basic_java_finds_the_session_again_before_it_makes_a_connection() {
    let app = TestApp::new().await;
    let backend = app.backend();
    for status in [200, 409] {
        let made = backend.post("/openvidu/api/sessions", node_defaults("SessionA")).await;
        assert_eq!(made.status, status);
        let list = backend.get("/openvidu/api/sessions?pendingConnections=true").await.body;
        assert_eq!(list["content"][0]["sessionId"], "SessionA");
        // The Java client leaves out what the application did not set.
        let made = backend.post("/openvidu/api/sessions/SessionA/connection", json!({"type": "WEBRTC"})).await;
        assert!(token(&made).starts_with("wss://greenroom.example?sessionId=SessionA&token=tok_"));
    }
    assert_eq!(backend.post("/openvidu/api/sessions/SessionB/connection", json!({})).await.to_string(), "404 -");
}

#[tokio::test]
async fn openvidu_roles_node_gives_a_token_for_each_role_until_the_session_is_closed() {
    let app = TestApp::new().await;
    let backend = app.backend();
    let made = backend.post("/openvidu/api/sessions", node_defaults("")).await;
    let id = made.body["id"].as_str().unwrap();
    let path = format!("/openvidu/api/sessions/{id}");
    for (user, role) in [("publisher1", "PUBLISHER"), ("publisher2", "PUBLISHER"), ("subscriber", "SUBSCRIBER")] {
        let data = json!({"serverData": user}).to_string();
        let answer = backend.post(&format!("{path}/connection"), node_connection(role, &data)).await;
        assert!(!token(&answer).is_empty());
        assert_eq!([&answer.body["role"], &answer.body["serverData"]], [role, data.as_str()]);
    }
    assert_eq!(backend.delete(&path).await.to_string(), "204 -");
    let answer = backend.post(&format!("{path}/connection"), node_connection("PUBLISHER", "")).await;
    assert_eq!(answer.to_string(), "404 -");
}
