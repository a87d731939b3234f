//! The API document, the page that shows it, and the routes that it documents.

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use insta::assert_snapshot;
use serde_json::Value;
use tower::ServiceExt;

use crate::support::TestApp;

#[tokio::test]
async fn every_documented_route_is_served_on_lambda() {
    let app = TestApp::new().await;
    for function in greenroom::functions() {
        let missing = || async { StatusCode::IM_A_TEAPOT };
        let router = function.router.fallback(missing).method_not_allowed_fallback(missing);
        let router = router.with_state(app.shared.clone());
        for (method, path) in greenroom::routes(function.routes.get_openapi()) {
            let request = Request::builder().method(method.to_uppercase().as_str()).uri(path.replace(['{', '}'], ""));
            let answer = router.clone().oneshot(request.body(Body::empty()).unwrap());
            let answer = app.acting_as(function.name, answer).await.unwrap();
            assert_ne!(answer.status(), StatusCode::IM_A_TEAPOT, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn the_document_is_served_as_it_is_in_the_repository() {
    let app = TestApp::new().await;
    let answer = app.anyone().get("/openapi.json").await;
    assert_eq!(answer.status, StatusCode::OK);
    let document: Value = serde_json::from_str(include_str!("../../openapi.json")).unwrap();
    assert_eq!(answer.body, document);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "public, max-age=300");
    assert_eq!(answer.header("vary"), "accept-encoding");
}

#[tokio::test]
async fn a_client_that_has_the_current_version_gets_304() {
    let app = TestApp::new().await;
    let first = app.anyone().get("/openapi.json").await;
    let known = [("if-none-match", first.header("etag"))];
    let again = app.anyone().send("GET", "/openapi.json", &known, Body::empty()).await;
    assert_snapshot!(again, @"304 -");
    assert_eq!(again.header("etag"), first.header("etag"));
    let stale = app.anyone().send("GET", "/openapi.json", &[("if-none-match", "W/\"0\"")], Body::empty()).await;
    assert_eq!(stale.status, StatusCode::OK);
}

#[tokio::test]
async fn behind_a_prefix_the_paths_start_with_the_prefix() {
    let app = TestApp::new().await;
    let headers = [("x-forwarded-prefix", "/rooms"), ("accept-encoding", "gzip")];
    let answer = app.anyone().send("GET", "/openapi.json", &headers, Body::empty()).await;
    assert_eq!(answer.body["servers"][0]["url"], "/rooms/");
    let page = app.anyone().text("/docs", &headers).await;
    assert!(page.contains("<script src=\"/rooms/docs/start.js\">"), "{page}");
    // A prefix that could be anything other than a path is ignored.
    let page = app.anyone().text("/docs", &[("x-forwarded-prefix", "/\"><script>")]).await;
    assert!(page.contains("<script src=\"/docs/start.js\">"), "{page}");
}

#[tokio::test]
async fn the_page_loads_only_files_that_are_served_here() {
    let app = TestApp::new().await;
    for path in ["/docs", "/docs/"] {
        let page = app.anyone().text(path, &[]).await;
        let links = page.split(['"']).filter(|part| part.starts_with('/') || part.contains("//"));
        let links: Vec<_> = links.collect();
        assert_eq!(links.len(), 5, "{links:?}");
        for link in links {
            assert!(!app.anyone().text(link, &[]).await.is_empty(), "{link}");
        }
        assert_eq!(page.matches("<script").count(), page.matches("<script src=\"/docs/").count(), "no inline script");
    }
}

#[tokio::test]
async fn the_security_policy_of_the_page_allows_only_what_it_needs() {
    let app = TestApp::new().await;
    let request = app.anyone().request("GET", "/docs", &[], Body::empty());
    let answer = app.anyone().begin(request).await;
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_snapshot!(header("content-security-policy"), @"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    assert_snapshot!(header("x-content-type-options"), @"nosniff");
    assert_snapshot!(header("content-type"), @"text/html; charset=utf-8");
}

#[tokio::test]
async fn an_unknown_file_is_not_found() {
    let app = TestApp::new().await;
    for path in ["/docs/swagger-ui.js", "/docs/docs.html", "/docs/%ff", "/docs/..%2fopenapi.json"] {
        let answer = app.anyone().get(path).await;
        assert_eq!(answer.code(), "404 not_found", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}
