//! The content of the answers, function by function, where one call builds on another.

use serde_json::json;

use crate::stage::{Fixture, IDENTIFIER, ORIGIN, Stage};

#[tokio::test]
async fn create_session_answers_devices_and_back_ends_by_their_contracts() {
    let (stage, fixture) = (Stage::new().await, Fixture::default());
    let device = stage.send("create-session/device-base64", &fixture).await;
    assert_eq!(device.at("/data/token").split('.').count(), 3, "a JWT");
    let nobody = stage.send("create-session/device-without-identifier", &fixture).await;
    assert_eq!(nobody.at("/error/code"), "invalid_identifier");

    let session = stage.send("create-session/openvidu-without-body", &fixture).await;
    assert!(session.at("/id").starts_with("ses_"));
    assert!(session.json()["createdAt"].is_u64());
    let refused = stage.send("create-session/openvidu-without-credentials", &fixture).await;
    assert_eq!(refused.header("www-authenticate"), Some(r#"Basic realm="Realm""#));
    assert_eq!(refused.at("/path"), "/api/sessions");
}

#[tokio::test]
async fn device_session_reads_refreshes_and_revokes() {
    let stage = Stage::new().await;
    let mut fixture = stage.fixture().await;
    let read = stage.send("device-session/read-rest", &fixture).await;
    assert_eq!(read.at("/data/identifier"), IDENTIFIER);
    let list = stage.send("device-session/list", &fixture).await;
    assert_eq!(list.at("/data/0/session"), read.at("/data/session"));

    let old = fixture.device_token.clone();
    fixture.device_token = stage.send("device-session/refresh", &fixture).await.at("/data/token");
    let again = stage.send("device-session/read", &fixture).await;
    assert_eq!(again.at("/data/session"), read.at("/data/session"));
    let refused = stage.send("device-session/read", &Fixture { device_token: old, ..fixture.clone() }).await;
    assert_eq!((refused.status(), refused.at("/error/code").as_str()), (401, "unauthenticated"));
    assert_eq!(refused.header("www-authenticate"), Some("Bearer"));

    assert_eq!(stage.send("device-session/revoke", &fixture).await.text(), "");
    assert_eq!(stage.send("device-session/read", &fixture).await.status(), 401);
}

#[tokio::test]
async fn issue_token_names_the_session_and_the_host_of_the_request() {
    let stage = Stage::new().await;
    let fixture = stage.fixture().await;
    for event in ["issue-token/issue-token", "issue-token/issue-token-rest"] {
        let token = stage.send(event, &fixture).await;
        let expected = json!({
            "id": token.at("/id"),
            "session": fixture.session,
            "role": "PUBLISHER",
            "data": r#"{"name":"Ada"}"#,
            "token": token.at("/id"),
        });
        assert_eq!(token.json(), expected);
        let address = format!("wss://api-id.execute-api.us-east-1.amazonaws.com?sessionId={}&token=", fixture.session);
        assert!(token.at("/id").starts_with(&address), "{token:?}");
    }
    let missing = stage.send("issue-token/issue-token-without-session", &fixture).await;
    assert_eq!(missing.at("/message"), r#""session" parameter is mandatory"#);
}

#[tokio::test]
async fn media_sessions_shows_a_session_until_it_is_closed() {
    let stage = Stage::new().await;
    let fixture = stage.fixture().await;
    let list = stage.send("media-sessions/list", &fixture).await.json();
    let read = stage.send("media-sessions/read-rest", &fixture).await.json();
    assert_eq!(list, json!({"numberOfElements": 1, "content": [read]}));
    assert_eq!(read["sessionId"], fixture.session);
    assert_eq!(read["connections"]["content"][0]["token"], fixture.token);

    stage.send("media-sessions/revoke-connection", &fixture).await;
    let read = stage.send("media-sessions/read", &fixture).await.json();
    assert_eq!(read["connections"], json!({"numberOfElements": 0, "content": []}));
    let gone = stage.send("media-sessions/revoke-connection", &fixture).await;
    assert_eq!(gone.status(), 404);

    stage.send("media-sessions/close", &fixture).await;
    assert_eq!(stage.send("media-sessions/read", &fixture).await.status(), 404);
    let late = stage.send("issue-token/issue-token", &fixture).await;
    assert_eq!(late.at("/message"), format!("Session {} not found", fixture.session));
}

#[tokio::test]
async fn fallback_names_the_allowed_methods_and_the_required_credentials() {
    let (stage, fixture) = (Stage::new().await, Fixture::default());
    let refused = stage.send("fallback/delete-sessions", &fixture).await;
    let allow = refused.header("allow").unwrap_or_else(|| panic!("no Allow: {refused:?}"));
    assert!(allow.contains("GET") && allow.contains("POST"), "{allow}");
    let preflight = stage.send("fallback/preflight", &fixture).await;
    assert_eq!(preflight.header("access-control-allow-origin"), Some(ORIGIN));
}

#[tokio::test]
async fn a_path_with_dot_segments_is_not_normalised_into_another() {
    let stage = Stage::new().await;
    let fixture = stage.fixture().await;
    for segment in ["..", "%2e%2e", "%2E.", ".", "..\\", ".\t.", "x\\..", "a b", "é", "..?x=1"] {
        for event in ["media-sessions/revoke-connection", "media-sessions/stop-stream"] {
            let mut event = fixture.event(event);
            let path = event["rawPath"].as_str().unwrap().rsplit_once('/').unwrap().0.to_owned();
            event["rawPath"] = json!(format!("{path}/{segment}"));
            let answer = stage.send_to("media-sessions", &event).await;
            assert_eq!(answer.status(), 404, "{segment}");
        }
        assert_eq!(stage.send("media-sessions/read", &fixture).await.status(), 200, "{segment}");
    }
}
