//! Requests that no route matches.

use axum::body::Body;
use insta::assert_snapshot;
use rstest::rstest;

use crate::support::TestApp;

#[rstest]
#[case("DELETE", "/api/sessions", "GET, POST")]
#[case("PUT", "/api/sessions/", "GET, POST")]
#[case("PATCH", "/api/sessions/daily", "GET, DELETE")]
#[case("GET", "/api/sessions/daily/connection/con_1", "DELETE")]
#[case("POST", "/api/sessions/daily/stream/str_1", "DELETE")]
#[case("GET", "/api/tokens", "POST")]
#[tokio::test]
async fn an_unsupported_method_is_405_with_the_supported_ones(
    #[case] method: &str,
    #[case] path: &str,
    #[case] allow: &str,
) {
    let app = TestApp::new().await;
    let answer = app.backend().send(method, path, &[], Body::empty()).await;
    assert_eq!(answer.problem(), "405 The method is not allowed here");
    assert_eq!(answer.header("allow"), allow);
}

#[tokio::test]
async fn head_and_options_are_unsupported_methods() {
    let app = TestApp::new().await;
    for method in ["HEAD", "OPTIONS"] {
        let answer = app.anyone().send(method, "/api/sessions/", &[], Body::empty()).await;
        assert_eq!(answer.status, 401, "{method}");
        let answer = app.backend().send(method, "/api/sessions/", &[], Body::empty()).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "GET, POST"), "{method}");
        let answer = app.anyone().send(method, "/api/session", &[], Body::empty()).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "GET, DELETE"), "{method}");
        assert_eq!(app.anyone().send(method, "/nowhere", &[], Body::empty()).await.status, 404, "{method}");
    }
}

#[tokio::test]
async fn an_answer_of_the_fallback_is_not_cacheable() {
    let app = TestApp::new().await;
    assert_eq!(app.anyone().get("/nowhere").await.header("cache-control"), "no-store");
}

#[tokio::test]
async fn device_routes_refuse_methods_in_their_own_dialect() {
    let app = TestApp::new().await;
    let answer = app.anyone().send("PUT", "/api/session", &[], Body::empty()).await;
    assert_eq!(answer.header("allow"), "GET, DELETE");
    assert_snapshot!(answer, @r#"405 {"error":{"code":"method_not_allowed","message":"The method is not allowed here"}}"#);
}

#[tokio::test]
async fn an_unknown_path_is_404_in_the_dialect_of_its_api() {
    let app = TestApp::new().await;
    assert_snapshot!(app.anyone().get("/nowhere").await, @r#"404 {"error":{"code":"not_found","message":"There is no such resource"}}"#);
    assert_snapshot!(app.anyone().get("/api/sessionsx").await, @r#"404 {"error":{"code":"not_found","message":"There is no such resource"}}"#);
    assert_eq!(app.backend().get("/api/sessions/a/b").await.problem(), "404 There is no such resource");
}

#[tokio::test]
async fn unsupported_openvidu_routes_are_refused_in_its_dialect() {
    let app = TestApp::new().await;
    for (method, path) in [
        ("POST", "/api/recordings/start"),
        ("POST", "/api/recordings/stop/rec"),
        ("GET", "/api/recordings"),
        ("GET", "/api/recordings/rec/"),
        ("DELETE", "/api/recordings/rec"),
        ("POST", "/api/signal"),
        ("GET", "/config"),
        ("GET", "/config/openvidu-publicurl"),
    ] {
        let refused = app.anyone().send(method, path, &[], Body::empty()).await;
        assert_eq!(refused.problem(), "401 Full authentication is required to access this resource", "{path}");
        assert_eq!(refused.header("www-authenticate"), "Basic realm=\"Realm\"");
        let answer = app.backend().send(method, path, &[], Body::empty()).await;
        let expected = match (method, path.contains("recordings")) {
            // OpenVidu's clients read the body of a failed POST and of no other failed request.
            ("POST", true) => "501 Recording is switched off",
            (_, true) => "501 -",
            _ => "404 There is no such resource",
        };
        let shown = if answer.body.is_null() { answer.to_string() } else { answer.problem() };
        assert_eq!(shown, expected, "{method} {path}");
    }
    assert_snapshot!(app.anyone().get("/configuration").await, @r#"404 {"error":{"code":"not_found","message":"There is no such resource"}}"#);
}

#[tokio::test]
async fn every_answer_has_a_request_id_of_its_own() {
    let app = TestApp::new().await;
    let caller = app.anyone();
    let sent = [("x-request-id", "mine")];
    let ids = [
        caller.get("/nowhere").await.header("x-request-id").to_owned(),
        caller.send("GET", "/api/session", &sent, Body::empty()).await.header("x-request-id").to_owned(),
    ];
    assert!(ids.iter().all(|id| id.len() == 32) && ids[0] != ids[1], "{ids:?}");
}
