//! What OpenVidu's server says of itself below `/openvidu`, what it refuses, and who may ask.

use axum::body::Body;
use greenroom_core::config::Setting;
use insta::assert_snapshot;
use rstest::rstest;
use serde_json::json;

use crate::support::TestApp;

/// Every path below `/openvidu`, with the methods that it serves.
const ROUTES: [(&str, &str); 16] = [
    ("/openvidu/api/sessions", "GET, POST"),
    ("/openvidu/api/sessions/daily", "GET, DELETE"),
    ("/openvidu/api/sessions/daily/connection", "GET, POST"),
    ("/openvidu/api/sessions/daily/connection/con_1", "GET, PATCH, DELETE"),
    ("/openvidu/api/sessions/daily/stream/str_1", "DELETE"),
    ("/openvidu/api/tokens", "POST"),
    ("/openvidu/api/signal", "POST"),
    ("/openvidu/api/recordings", "GET"),
    ("/openvidu/api/recordings/start", "POST"),
    ("/openvidu/api/recordings/stop/daily", "POST"),
    ("/openvidu/api/recordings/daily", "GET, DELETE"),
    ("/openvidu/api/broadcast/start", "POST"),
    ("/openvidu/api/broadcast/stop", "POST"),
    ("/openvidu/api/config", "GET"),
    ("/openvidu/api/health", "GET"),
    ("/openvidu/cdr", "GET"),
];

#[tokio::test]
async fn credentials_guard_every_path_and_come_before_the_method_and_the_body() {
    let app = TestApp::new().await;
    let unserved = ["/openvidu/api", "/openvidu/api/media-nodes", "/openvidu/api/restart", "/openvidu/cdr/x"];
    for path in ROUTES.map(|(path, _)| path).into_iter().chain(unserved) {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            for path in [path.to_owned(), format!("{path}/")] {
                let body = Body::from(r#"{"identifier":"device"}"#);
                let answer = app.anyone().send(method, &path, &[("content-type", "application/json")], body).await;
                assert_eq!(answer.problem(), "401 Full authentication is required to access this resource", "{path}");
                assert_eq!(answer.header("www-authenticate"), "Basic realm=\"Realm\"");
                assert_eq!(answer.body["path"], path);
            }
        }
    }
}

#[tokio::test]
async fn another_method_is_answered_with_those_that_are_served() {
    let app = TestApp::new().await;
    for (path, served) in ROUTES {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] {
            if served.split(", ").any(|served| served == method) {
                continue;
            }
            let answer = app.backend().send(method, path, &[], Body::empty()).await;
            assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, served), "{method} {path}");
            assert_eq!(answer.body["path"], path);
        }
    }
}

#[rstest]
#[case("/openvidu/api")]
#[case("/openvidu/api/media-nodes")]
#[case("/openvidu/api/restart")]
#[case("/openvidu/api/speech-to-text")]
#[case("/openvidu/api/config/openvidu-recording-path")]
#[case("/openvidu/api/sessions/daily/streams")]
#[tokio::test]
async fn a_path_that_is_not_served_is_not_found(#[case] path: &str) {
    let app = TestApp::new().await;
    assert_eq!(app.backend().get(path).await.problem(), "404 There is no such resource");
}

#[tokio::test]
async fn the_files_of_recordings_are_not_found_by_anybody() {
    let app = TestApp::new().await;
    assert_eq!(
        app.anyone().get("/openvidu/recordings/daily/daily.mp4").await.problem(),
        "404 There is no such resource"
    );
}

#[tokio::test]
async fn the_settings_are_shown_in_order() {
    let app =
        TestApp::with([(Setting::PublicUrl, "https://media.example:4443/"), (Setting::MediaSessionGrace, "600")]).await;
    assert_snapshot!(app.backend().text("/openvidu/api/config", &[]).await);
}

#[rstest]
#[case(Some("https://media.example/"), "media.example", 443)]
#[case(Some("http://media.example"), "media.example", 80)]
#[case(Some("http://[2001:db8::1]:8080"), "[2001:db8::1]", 8080)]
#[case(None, "greenroom.example", 80)]
#[tokio::test]
async fn the_public_address_is_the_configured_one_or_the_one_that_was_asked(
    #[case] configured: Option<&str>,
    #[case] host: &str,
    #[case] port: u16,
) {
    let app = TestApp::with(configured.map(|url| (Setting::PublicUrl, url))).await;
    let config = app.backend().get("/openvidu/api/config").await.body;
    assert_eq!((&config["DOMAIN_OR_PUBLIC_IP"], &config["HTTPS_PORT"]), (&json!(host), &json!(port)));
    let url = configured.unwrap_or("http://greenroom.example").trim_end_matches('/');
    assert_eq!(config["OPENVIDU_PUBLICURL"], url);
    let shown = app.anyone().text("/openvidu/api/config/openvidu-publicurl", &[]).await;
    assert_eq!(shown, format!("{url}/"));
}

#[tokio::test]
async fn anybody_may_ask_for_the_public_address() {
    let app = TestApp::new().await;
    let path = "/openvidu/api/config/openvidu-publicurl";
    for path in [path.to_owned(), format!("{path}/")] {
        let head = app.anyone().send("HEAD", &path, &[], Body::empty()).await;
        assert_eq!((head.status.as_u16(), head.header("content-type")), (200, "text/plain; charset=utf-8"));
        assert!(head.body.is_null());
    }
    let answer = app.anyone().send("POST", path, &[], Body::empty()).await;
    assert_eq!(answer.status, 401);
    let answer = app.backend().send("POST", path, &[], Body::empty()).await;
    assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "GET, HEAD"));
}

#[tokio::test]
async fn single_settings_are_shown_as_they_are() {
    let app = TestApp::new().await;
    for (path, shown) in [
        ("/openvidu/api/config/openvidu-version", "2.32.2"),
        ("/openvidu/api/config/openvidu-recording", "false"),
        ("/openvidu/api/config/openvidu-cdr", "false"),
        ("/openvidu/api/health", r#"{"status":"UP","disconnectedMediaNodes":[]}"#),
        ("/openvidu/cdr", "[]"),
    ] {
        assert_eq!(app.backend().text(path, &[]).await, shown, "{path}");
    }
}

#[rstest]
#[case("POST", "/openvidu/api/recordings/start", "{}")]
#[case("POST", "/openvidu/api/broadcast/start", "{}")]
#[case("POST", "/openvidu/api/broadcast/stop", r#"{"session":1}"#)]
#[case("POST", "/openvidu/api/recordings/stop/daily", "")]
#[case("POST", "/openvidu/api/recordings/stop/daily", "[")]
#[case("GET", "/openvidu/api/recordings", "")]
#[case("GET", "/openvidu/api/recordings/daily", "")]
#[case("DELETE", "/openvidu/api/recordings/daily", "")]
#[tokio::test]
async fn what_only_media_could_do_is_not_implemented(
    #[case] method: &str,
    #[case] path: &str,
    #[case] body: &'static str,
) {
    let app = TestApp::new().await;
    let answer = app.backend().send(method, path, &[], Body::from(body)).await;
    assert_eq!(answer.to_string(), "501 -");
}

#[rstest]
#[case("/openvidu/api/recordings/start")]
#[case("/openvidu/api/broadcast/start")]
#[case("/openvidu/api/broadcast/stop")]
#[case("/openvidu/api/signal")]
#[tokio::test]
async fn the_rules_for_bodies_come_first(#[case] path: &str) {
    let app = TestApp::new().await;
    for (kind, body, problem) in [
        ("application/json", "", "400 The body is missing"),
        ("application/json", "null", "400 The body is missing"),
        ("application/json", "[]", "400 The body must be a JSON object"),
        ("text/plain", "{}", "415 The body must be application/json"),
    ] {
        let answer = app.backend().send("POST", path, &[("content-type", kind)], Body::from(body)).await;
        assert_eq!(answer.problem(), problem);
    }
}

#[tokio::test]
async fn a_signal_has_nobody_to_go_to() {
    let app = TestApp::new().await;
    app.backend().post("/openvidu/api/sessions", json!({"customSessionId": "daily"})).await;
    for (body, answer) in [
        (json!({"session": "daily"}), "406 -"),
        (json!({"session": "daily", "to": ["con_1"], "type": "chat", "data": "hello"}), "406 -"),
        (json!({"session": "weekly"}), "404 -"),
        (json!({"session": "?"}), "404 -"),
    ] {
        assert_eq!(app.backend().post("/openvidu/api/signal", body).await.to_string(), answer);
    }
    for (body, problem) in [
        (json!({}), "400 \"session\" parameter is mandatory"),
        (json!({"to": [1]}), "400 Type error in some parameter"),
        (json!({"session": "daily", "to": "con_1"}), "400 Type error in some parameter"),
        (json!({"session": "daily", "data": {}}), "400 Type error in some parameter"),
        (json!({"session": 1}), "400 Type error in some parameter"),
    ] {
        assert_eq!(app.backend().post("/openvidu/api/signal", body).await.problem(), problem);
    }
}

#[tokio::test]
async fn a_stream_is_never_there() {
    let app = TestApp::new().await;
    let path = "/openvidu/api/sessions/daily/stream/str_1";
    assert_eq!(app.backend().delete(path).await.to_string(), "400 -");
    app.backend().post("/openvidu/api/sessions", json!({"customSessionId": "daily"})).await;
    assert_eq!(app.backend().delete(path).await.to_string(), "404 -");
}
