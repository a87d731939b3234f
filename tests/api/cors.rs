//! Browsers of other origins (CORS).

use axum::body::Body;
use greenroom_core::config::Setting;

use crate::support::{Answer, TestApp};

const PREFLIGHT: [(&str, &str); 3] = [
    ("origin", "https://app.example"),
    ("access-control-request-method", "DELETE"),
    ("access-control-request-headers", "authorization,content-type,x-requested-with"),
];

/// All values of the `Vary` header.
fn vary(answer: &Answer) -> String {
    let lines = answer.headers.get_all("vary").iter().map(|line| line.to_str().unwrap().replace(' ', ""));
    lines.collect::<Vec<_>>().join(",")
}

#[tokio::test]
async fn a_preflight_is_answered_without_credentials_for_the_configured_origins() {
    let app = TestApp::with([(Setting::CorsOrigins, "https://app.example, https://b.example")]).await;
    for path in ["/api/sessions", "/api/sessions/daily/", "/api/tokens", "/api/session"] {
        let answer = app.anyone().send("OPTIONS", path, &PREFLIGHT, Body::empty()).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "https://app.example");
        assert!(answer.header("access-control-allow-methods").contains("DELETE"));
        assert_eq!(answer.header("access-control-allow-headers"), "authorization,content-type,x-requested-with");
        assert_eq!(answer.header("access-control-allow-credentials"), "true");
        // So no cache answers another origin with this.
        assert_eq!(vary(&answer), "origin,access-control-request-headers");
    }
    for origin in ["https://evil.example", "https://app.example.evil.example", "null"] {
        let other = [("origin", origin), PREFLIGHT[1]];
        let answer = app.anyone().send("OPTIONS", "/api/sessions", &other, Body::empty()).await;
        assert_eq!(answer.header("access-control-allow-origin"), "-");
        assert_eq!(answer.header("access-control-allow-credentials"), "-");
    }
}

#[tokio::test]
async fn configured_origins_may_read_every_answer_including_refusals() {
    let app = TestApp::with([(Setting::CorsOrigins, "https://app.example")]).await;
    let origin = [("origin", "https://app.example")];
    for caller in [app.anyone(), app.backend()] {
        let answer = caller.send("GET", "/api/sessions", &origin, Body::empty()).await;
        assert_eq!(answer.header("access-control-allow-origin"), "https://app.example");
        assert_eq!(answer.header("access-control-expose-headers"), "x-request-id,link,retry-after");
        assert_eq!(answer.header("access-control-allow-credentials"), "true");
        assert!(vary(&answer).contains("origin"));
    }
}

#[tokio::test]
async fn by_default_no_origin_is_allowed() {
    let app = TestApp::new().await;
    let answer = app.anyone().send("OPTIONS", "/api/sessions", &PREFLIGHT, Body::empty()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), "-");
}
