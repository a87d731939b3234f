//! `Basic OPENVIDUAPP:secret` is checked before everything else.

use axum::body::Body;
use greenroom_core::config::Setting;
use rstest::rstest;

use crate::support::{SECRET, TestApp, basic};

/// Every method and spelling of the media routes, including unsupported ones.
const ROUTES: [(&str, &str); 14] = [
    ("GET", "/api/sessions"),
    ("GET", "/api/sessions/"),
    ("DELETE", "/api/sessions"),
    ("PUT", "/api/sessions"),
    ("GET", "/api/sessions/ses_1"),
    ("DELETE", "/api/sessions/ses_1/"),
    ("PATCH", "/api/sessions/ses_1"),
    ("DELETE", "/api/sessions/ses_1/connection/con_1"),
    ("DELETE", "/api/sessions/ses_1/stream/str_1"),
    ("POST", "/api/sessions/ses_1/connection"),
    ("POST", "/api/tokens"),
    ("POST", "/api/tokens/"),
    ("GET", "/api/tokens"),
    ("GET", "/api/tokens/x"),
];

#[tokio::test]
async fn credentials_guard_every_method_and_spelling() {
    let app = TestApp::new().await;
    for (method, path) in ROUTES {
        let answer = app.anyone().send(method, path, &[], Body::empty()).await;
        assert_eq!(answer.status, 401, "{method} {path}");
        assert_eq!(answer.header("www-authenticate"), "Basic realm=\"Realm\"");
        assert_eq!(answer.header("allow"), "-");
        assert_eq!(answer.body["path"], path);
    }
}

#[rstest]
#[case::another_scheme("Bearer x".to_owned(), "Full authentication is required to access this resource")]
#[case::wrong_secret(basic("OPENVIDUAPP:wrong"), "Bad credentials")]
#[case::wrong_user(basic(&format!("openvidu:{SECRET}")), "Bad credentials")]
#[case::bad_base64("Basic ???".to_owned(), "Failed to decode basic authentication token")]
#[case::not_utf_8("Basic /////w==".to_owned(), "Failed to decode basic authentication token")]
#[case::no_colon(basic("OPENVIDUAPP"), "Invalid basic authentication token")]
#[tokio::test]
async fn a_refusal_describes_the_error(#[case] authorization: String, #[case] message: &str) {
    let app = TestApp::new().await;
    let answer = app.with_authorization(authorization).post_text("/api/tokens", "{").await;
    assert_eq!(answer.problem(), format!("401 {message}"));
}

#[tokio::test]
async fn an_error_has_the_body_that_clients_of_1_7_read() {
    let app = TestApp::new().await;
    let answer = app.anyone().post_nothing("/api/tokens").await;
    insta::assert_json_snapshot!(answer.body, @r#"
    {
      "error": "Unauthorized",
      "message": "Full authentication is required to access this resource",
      "path": "/api/tokens",
      "status": 401,
      "timestamp": 1700000000000
    }
    "#);
}

#[tokio::test]
async fn the_scheme_is_read_without_regard_to_case_and_the_secret_may_have_colons() {
    let app = TestApp::new().await;
    let value = basic(&format!("OPENVIDUAPP:{SECRET}")).replace("Basic", "bASIC");
    assert_eq!(app.with_authorization(value).get("/api/sessions").await.status, 200);
}

#[tokio::test]
async fn credentials_may_lack_their_padding_and_follow_a_tab() {
    let app = TestApp::new().await;
    let value = basic(&format!("OPENVIDUAPP:{SECRET}"));
    for value in [value.trim_end_matches('=').to_owned(), value.replace(' ', "\t")] {
        assert_eq!(app.with_authorization(value).get("/api/sessions").await.status, 200);
    }
}

#[tokio::test]
async fn credentials_of_a_back_end_never_register_a_device() {
    let app = TestApp::new().await;
    for value in ["Basic\tx", "Basic 🎵", "basic"] {
        let answer =
            app.with_authorization(value).post("/api/sessions", serde_json::json!({ "identifier": "a" })).await;
        assert_eq!(answer.status, 401, "{value}");
    }
    assert!(app.items().await.is_empty());
}

#[tokio::test]
async fn two_secrets_may_be_live() {
    let two = r#"["the-secret-of-today","the-secret-of-yesterday"]"#;
    let app = TestApp::with([(Setting::OpenviduSecret, two)]).await;
    for (secret, status) in [("the-secret-of-today", 200), ("the-secret-of-yesterday", 200), (two, 401)] {
        let caller = app.with_authorization(basic(&format!("OPENVIDUAPP:{secret}")));
        assert_eq!(caller.get("/api/sessions").await.status, status, "{secret}");
    }
}
