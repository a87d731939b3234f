//! Refused room requests, and the order of the refusals.

use axum::body::Body;
use rstest::rstest;

use crate::{
    rooms::JSON,
    support::{Caller, TestApp, basic},
};

/// All requests about a room, each with a body if it takes one.
const REQUESTS: [(&str, &str, Option<&str>); 7] = [
    ("GET", "", None),
    ("PUT", "", Some(r#"{"name":"R","subject":"S"}"#)),
    ("PUT", "/config", Some(r#"{"name":"R","subject":"S"}"#)),
    ("POST", "/users", Some(r#"{"user":"dave@localhost"}"#)),
    ("DELETE", "/users/alice@localhost", None),
    ("POST", "/messages", Some(r#"{"body":"Hi"}"#)),
    ("GET", "/messages", None),
];

#[tokio::test]
async fn every_request_of_a_non_member_is_refused() {
    let app = TestApp::with_lobby(&["alice"]).await;
    app.participants(&["eve"]).await;
    // A right password is recorded once a day.
    app.as_participant("eve").get("/api/rooms").await;
    let before = app.items().await.len();
    for (method, path, body) in REQUESTS.into_iter().chain([("DELETE", "/users/eve@localhost", None)]) {
        let body = body.map_or_else(Body::empty, Body::from);
        let answer = app.as_participant("eve").send(method, &format!("/api/rooms/lobby{path}"), &[JSON], body).await;
        assert_eq!(answer.to_string(), "403 -", "{method} {path}");
    }
    assert_eq!(app.items().await.len(), before);
}

/// A request starts with every error, and one error after the other is corrected. The refusals have to follow the order
/// of the contract.
#[tokio::test]
async fn the_refusals_come_in_the_documented_order() {
    let app = TestApp::with_lobby(&["alice", "bob"]).await;
    let wrong = app.with_authorization(basic("bob@localhost:wrong"));
    let (bob, alice) = (app.as_participant("bob"), app.as_participant("alice"));
    let html = ("accept", "text/html");
    for (method, path, body) in REQUESTS.into_iter().filter(|(method, ..)| *method != "GET") {
        let there = format!("/api/rooms/lobby{path}");
        let nowhere = format!("/api/rooms/nowhere{path}");
        let named = method == "PUT" && path.is_empty();
        let statuses = async |caller: &Caller<'_>, path: &str, headers: &[(&str, &str)], body: &'static str| {
            caller.send(method, path, headers, body.into()).await.status.as_u16()
        };
        assert_eq!(statuses(&wrong, &nowhere, &[html], "{").await, 401, "{method} {path}");
        assert_eq!(statuses(&bob, &nowhere, &[html], "{").await, 406, "{method} {path}");
        if body.is_none() {
            assert_eq!(statuses(&bob, &nowhere, &[], "").await, 404, "{method} {path}");
            continue;
        }
        let expected = if named { 415 } else { 404 };
        assert_eq!(statuses(&bob, &nowhere, &[("content-type", "text/plain")], "{").await, expected, "{method} {path}");
        for kind in ["text/plain", "application/jsonx", "application/ld+json"] {
            assert_eq!(statuses(&bob, &there, &[("content-type", kind)], "{").await, 415, "{method} {path}");
        }
        assert_eq!(statuses(&bob, &there, &[], "{").await, 415, "{method} {path}");
        let for_member = if path == "/messages" { 400 } else { 403 };
        assert_eq!(statuses(&bob, &there, &[JSON], "{").await, for_member, "{method} {path}");
        let kind = ("content-type", "Application/JSON; charset=utf-8");
        let for_owner = if named { 403 } else { 400 };
        assert_eq!(statuses(&alice, &there, &[kind], "{").await, for_owner, "{method} {path}");
    }
}

#[rstest]
#[case("PATCH", "/api/rooms", "GET, POST")]
#[case("DELETE", "/api/rooms", "GET, POST")]
#[case("PUT", "/api/rooms/", "GET, POST")]
#[case("DELETE", "/api/rooms/lobby", "GET, PUT")]
#[case("GET", "/api/rooms/lobby/config", "PUT")]
#[case("GET", "/api/rooms/lobby/users", "POST")]
#[case("GET", "/api/rooms/lobby/users/alice@localhost", "DELETE")]
#[case("PUT", "/api/rooms/lobby/messages", "GET, POST")]
#[case("HEAD", "/api/rooms/lobby/messages", "GET, POST")]
#[tokio::test]
async fn a_wrong_method_is_refused_before_the_credentials_are_checked(
    #[case] method: &str,
    #[case] path: &str,
    #[case] allow: &str,
) {
    let app = TestApp::new().await;
    let answer = app.anyone().send(method, path, &[], Body::empty()).await;
    assert_eq!((answer.to_string().as_str(), answer.header("allow")), ("405 -", allow));
}

#[rstest]
#[case("/api/rooms/lobby/topic")]
#[case("/api/rooms/lobby/users/alice@localhost/role")]
#[case("/api/roomsx")]
#[tokio::test]
async fn every_other_room_path_is_404(#[case] path: &str) {
    assert_eq!(TestApp::new().await.anyone().get(path).await.status, 404);
}
