//! The home page for people who have only the address, and the headers that every answer has for browsers.

use axum::{
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use greenroom_core::config::Setting;
use greenroom_http::App;
use greenroom_store::Store;
use insta::assert_snapshot;
use tower::ServiceExt;

use crate::support::TestApp;

const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");

#[tokio::test]
async fn a_program_gets_the_address_of_the_api_document() {
    let app = TestApp::new().await;
    for accept in ["*/*", "application/json", "text/html;q=0, */*"] {
        let answer = app.anyone().send("GET", "/", &[("accept", accept)], Body::empty()).await;
        let base = "http://greenroom.example";
        let links = [("documentation", "/docs"), ("specification", "/openapi.json"), ("health", "/health")];
        let links: serde_json::Map<_, _> =
            links.map(|(name, path)| (name.to_owned(), format!("{base}{path}").into())).into_iter().collect();
        assert_eq!((answer.status, &answer.body), (StatusCode::OK, &links.into()), "{accept}");
        assert_eq!(answer.header("vary"), "accept");
    }
}

#[tokio::test]
async fn a_browser_gets_a_page_whose_links_are_served() {
    let app = TestApp::new().await;
    let page = app.anyone().text("/", &[BROWSER]).await;
    let links: Vec<_> = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(links, ["/docs", "/openapi.json", "/health"]);
    for link in links {
        assert!(!app.anyone().text(link, &[]).await.is_empty(), "{link}");
    }
    let moved = app.anyone().text("/", &[BROWSER, ("x-forwarded-prefix", "/rooms")]).await;
    assert!(moved.contains("href=\"/rooms/docs\""), "{moved}");
}

#[tokio::test]
async fn health_says_whether_the_table_answers() {
    let app = TestApp::new().await;
    assert_snapshot!(app.anyone().get("/health").await, @r#"200 {"status":"ok"}"#);
    let lost = Store::new(app.client.clone(), "no such table");
    let lost = App::new((*app.shared.config).clone(), lost, app.clock.clone());
    let request = Request::builder().uri("/health/").body(Body::empty()).unwrap();
    let answer = greenroom::service(&lost).oneshot(request).await.unwrap();
    assert_eq!(
        (answer.status(), &answer.headers()["retry-after"]),
        (StatusCode::SERVICE_UNAVAILABLE, &"1".parse().unwrap())
    );
    let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    assert_snapshot!(String::from_utf8_lossy(&body), @r#"{"error":{"code":"unavailable","message":"The service is busy; try again"}}"#);
}

#[tokio::test]
async fn the_home_page_and_health_allow_only_get() {
    let app = TestApp::new().await;
    for path in ["/", "/health"] {
        let answer = app.anyone().send("POST", path, &[], Body::empty()).await;
        assert_eq!((answer.status, answer.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "GET"), "{path}");
    }
}

#[tokio::test]
async fn every_answer_forbids_mime_sniffing_and_requires_https_if_the_public_url_does() {
    let app = TestApp::new().await;
    let encrypted = app.again_with([(Setting::PublicUrl, "https://public.example")]);
    let plain = app.again_with([(Setting::PublicUrl, "http://public.example")]);
    let requests = [
        ("GET", "/"),
        ("GET", "/docs/start.js"),
        ("GET", "/nobody/knows"),
        ("GET", "/api/sessions"),
        ("PUT", "/api/v2/events/"),
        ("OPTIONS", "/api/session"),
    ];
    for (app, transport) in [(&app, "-"), (&plain, "-"), (&encrypted, "max-age=31536000")] {
        for (method, path) in requests {
            let caller = app.anyone();
            let answer = caller.begin(caller.request(method, path, &[("origin", "x")], Body::empty())).await;
            let header = |name| answer.headers().get(name).map_or("-", |value| value.to_str().unwrap());
            assert_eq!(header("x-content-type-options"), "nosniff", "{method} {path}");
            assert_eq!(header("strict-transport-security"), transport, "{method} {path}");
        }
    }
}
