//! Malformed input gets a clear error in the API's own dialect, and nothing is written.

use axum::body::{Body, Bytes};
use futures_util::stream;
use serde_json::json;

use crate::support::TestApp;

const LIMIT: usize = 1024 * 1024;

/// An object of this many bytes that starts with this member.
fn padded(member: &str, bytes: usize) -> String {
    let padding = bytes - member.len() - 11;
    format!("{{{member},\"pad\":\"{}\"}}", "x".repeat(padding))
}

/// Sends a body to everything that takes one, as a device and as a back-end. Returns the statuses.
async fn everywhere(body: impl Fn() -> Body) -> [u16; 3] {
    let app = TestApp::new().await;
    let device = app.anyone().post_text("/api/sessions", body()).await;
    let opened = app.backend().post_text("/api/sessions", body()).await;
    let issued = app.backend().post_text("/api/tokens", body()).await;
    if device.status != 200 {
        assert!(device.body["error"]["message"].is_string());
    }
    for answer in [&opened, &issued] {
        assert!(answer.status == 200 || answer.body["message"].is_string());
    }
    if [&device, &opened, &issued].iter().all(|answer| answer.status != 200) {
        assert!(app.items().await.is_empty());
    }
    [device, opened, issued].map(|answer| answer.status.as_u16())
}

#[tokio::test]
async fn a_mebibyte_is_too_large_and_a_byte_less_is_not() {
    let fits = padded(r#""identifier":"a","session":"ses_1""#, LIMIT - 1);
    assert_eq!(fits.len(), LIMIT - 1);
    assert_eq!(everywhere(|| Body::from(fits.clone())).await, [200, 200, 404]);
    let too_large = padded(r#""identifier":"a","session":"ses_1""#, LIMIT);
    assert_eq!(everywhere(|| Body::from(too_large.clone())).await, [413; 3]);
}

#[tokio::test]
async fn a_body_of_unknown_length_is_cut_off_at_the_limit() {
    let endless = || {
        let chunks = stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b' '; 4096])));
        Body::from_stream(chunks)
    };
    assert_eq!(everywhere(endless).await, [413; 3]);
}

#[tokio::test]
async fn a_body_announced_too_large_is_not_read() {
    let app = TestApp::new().await;
    let never = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
    let headers = [("content-type", "application/json"), ("content-length", "1048576")];
    assert_eq!(app.backend().send("POST", "/api/tokens", &headers, never).await.status, 413);
}

#[tokio::test]
async fn a_body_that_is_cut_short_is_malformed() {
    let broken = || {
        let chunks = [Ok(Bytes::from_static(b"{\"identifier\":\"a\"")), Err(std::io::Error::other("gone"))];
        Body::from_stream(stream::iter(chunks))
    };
    assert_eq!(everywhere(broken).await, [400; 3]);
}

#[tokio::test]
async fn deeply_nested_json_does_no_harm() {
    for depth in [200, 100_000] {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        let endless = format!(r#"{{"identifier":"a","x":{open}"#);
        assert_eq!(everywhere(|| Body::from(endless.clone())).await, [400; 3]);
        // An unknown key is not looked at. A known key has the wrong type.
        let ignored = format!(r#"{{"identifier":"a","session":"s","x":{open}1{close}}}"#);
        assert_eq!(everywhere(|| Body::from(ignored.clone())).await, [200, 200, 404]);
        let asked_for = format!(r#"{{"identifier":{open}{close},"mediaMode":{open}{close},"role":{open}{close}}}"#);
        assert_eq!(everywhere(|| Body::from(asked_for.clone())).await, [400; 3]);
    }
}

#[tokio::test]
async fn a_body_that_is_not_utf_8_is_malformed() {
    let bytes = b"{\"identifier\":\"\xff\xfe\",\"session\":\"\xff\"}";
    assert_eq!(everywhere(|| Body::from(&bytes[..])).await, [400; 3]);
    let ignored = b"{\"identifier\":\"a\",\"session\":\"a\",\"x\":\"\xff\"}";
    assert_eq!(everywhere(|| Body::from(&ignored[..])).await, [400; 3]);
    // Half of a surrogate pair is not a character.
    let half = r#"{"identifier":"\ud800","mediaMode":"\ud800","session":"\ud800"}"#;
    assert_eq!(everywhere(|| Body::from(half)).await, [400; 3]);
}

#[tokio::test]
async fn a_duplicate_key_is_refused() {
    let body = r#"{"identifier":"a","session":"s","session":"t","identifier":"b"}"#;
    assert_eq!(everywhere(|| Body::from(body)).await, [400; 3]);
}

#[tokio::test]
async fn characters_with_a_special_meaning_elsewhere_are_kept_unchanged() {
    let app = TestApp::new().await;
    for text in ["\u{0}x", "'; DROP TABLE", "#PK", ":v", "\u{202e}abc", "🎵", "</script>", "%00"] {
        let body = json!({ "session": app.open_session().await, "data": text });
        let issued = app.backend().post("/api/tokens", body).await;
        assert_eq!(issued.body["data"], text);
        let device = app.anyone().post("/api/sessions", json!({ "identifier": text })).await;
        assert_eq!(device.status, if text.starts_with('\u{0}') { 400 } else { 200 });
    }
}

#[tokio::test]
async fn a_header_that_is_not_text_is_refused_like_a_missing_one() {
    let app = TestApp::new().await;
    for authorization in ["Basic", "Basic  ", "Basic\t🎵", "basic:x", "Bearer a b c", "🎵"] {
        let caller = app.with_authorization(authorization);
        assert_eq!(caller.get("/api/sessions").await.status, 401);
        assert_eq!(caller.get("/api/session").await.status, 401);
    }
}
