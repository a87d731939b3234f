//! `POST /api/sessions` by a device.

use std::{collections::HashSet, time::Duration};

use axum::body::Body;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use greenroom_core::{clock::Clock, config::Setting, model::api_token};
use insta::assert_snapshot;
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{NOW, TestApp, basic};

/// The decoded part of a token.
fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn a_device_gets_a_token_of_its_session() {
    let app = TestApp::new().await;
    let answer = app.anyone().post("/api/sessions", json!({ "identifier": "device_unique_id_here" })).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body.as_object().unwrap().keys().collect::<Vec<_>>(), ["data"]);
    assert_eq!(answer.body["data"].as_object().unwrap().keys().collect::<Vec<_>>(), ["token"]);

    let token = answer.body["data"]["token"].as_str().unwrap();
    assert_eq!(part(token, 0), json!({ "typ": "JWT", "alg": "HS256", "kid": "k1" }));
    let claims = part(token, 1);
    assert_eq!(claims["iat"], NOW / 1000);
    assert_eq!(claims["exp"], NOW / 1000 + 30 * 86_400);
    assert!(claims["session"].as_str().unwrap().len() >= 32);
    assert_eq!(app.bearer(token).get("/api/session").await.body["data"]["session"], claims["session"]);
}

#[tokio::test]
async fn every_call_makes_a_new_session_and_the_earlier_ones_stay() {
    let app = TestApp::new().await;
    let tokens = [app.register("phone").await, app.register("phone").await, app.register("tablet").await];
    assert_eq!(HashSet::from(tokens.clone()).len(), 3);
    for (token, sessions) in tokens.iter().zip([2, 2, 1]) {
        let list = app.bearer(token).get("/api/devices/current/sessions").await;
        assert_eq!(list.body["data"].as_array().unwrap().len(), sessions);
    }
}

#[rstest]
#[case::missing(json!({}))]
#[case::other_keys_only(json!({ "device": "phone" }))]
#[case::null(json!({ "identifier": null }))]
#[case::null_beside_a_back_ends_key(json!({ "identifier": null, "mediaMode": "ROUTED" }))]
#[case::empty(json!({ "identifier": "" }))]
#[case::white_space(json!({ "identifier": " \u{a0}\t" }))]
#[case::a_number(json!({ "identifier": 7 }))]
#[case::an_object(json!({ "identifier": { "a": 1 } }))]
#[case::too_long(json!({ "identifier": "é".repeat(257) }))]
#[case::a_control_character(json!({ "identifier": "phone\n" }))]
#[case::the_nil_uuid(json!({ "identifier": "00000000-0000-0000-0000-000000000000" }))]
#[case::an_identifier_that_many_devices_share(json!({ "identifier": "9774D56D682E549C" }))]
#[tokio::test]
async fn an_invalid_identifier_is_refused(#[case] body: Value) {
    let app = TestApp::new().await;
    let answer = app.anyone().post("/api/sessions", body).await;
    assert_eq!(answer.code(), "400 invalid_identifier");
    assert!(app.items().await.is_empty());
}

#[tokio::test]
async fn the_longest_identifier_is_taken() {
    let app = TestApp::new().await;
    let identifier = "é".repeat(256);
    let token = app.register(&identifier).await;
    assert_eq!(app.bearer(&token).get("/api/session").await.body["data"]["identifier"], identifier);
}

#[rstest]
#[case::nothing_but_white_space(" ")]
#[case::malformed("{\"identifier\":")]
#[case::a_trailing_comma("{\"identifier\":\"a\",}")]
#[case::an_array("[\"a\"]")]
#[case::a_string("\"a\"")]
#[case::null("null")]
#[case::a_key_twice("{\"identifier\":\"a\",\"identifier\":\"b\"}")]
#[tokio::test]
async fn a_body_that_is_not_an_object_is_refused(#[case] body: &'static str) {
    let app = TestApp::new().await;
    assert_eq!(app.anyone().post_text("/api/sessions", body).await.code(), "400 invalid_json");
    assert!(app.items().await.is_empty());
}

#[tokio::test]
async fn the_errors_tell_the_developer_what_to_do() {
    let app = TestApp::new().await;
    assert_snapshot!(app.anyone().post("/api/sessions", json!({})).await, @r#"400 {"error":{"code":"invalid_identifier","message":"identifier must be a string of 1 to 256 characters, not blank, without control characters, and none that many devices share"}}"#);
    assert_snapshot!(app.anyone().post_text("/api/sessions", "{").await, @r#"400 {"error":{"code":"invalid_json","message":"The body is not JSON: line 1 column 1"}}"#);
}

#[rstest]
#[case::a_bearer_token("Bearer YOUR_ACCESS_TOKEN")]
#[case::another_scheme("Digest x")]
#[tokio::test]
async fn open_registration_ignores_the_credentials(#[case] authorization: &str) {
    let app = TestApp::new().await;
    let caller = app.with_authorization(authorization);
    assert_eq!(caller.post("/api/sessions", json!({ "identifier": "phone" })).await.status, 200);
    // With other credentials than Basic the request is a device's, whatever its body.
    assert_eq!(caller.post("/api/sessions", json!({ "mediaMode": "ROUTED" })).await.code(), "400 invalid_identifier");
    assert_eq!(caller.post_nothing("/api/sessions").await.code(), "400 invalid_json");
}

#[rstest]
#[case::no_body(Body::empty())]
#[case::a_back_ends_key(Body::from(r#"{"customSessionId":"daily"}"#))]
#[tokio::test]
async fn without_credentials_a_back_ends_call_is_challenged(#[case] body: Body) {
    let app = TestApp::new().await;
    let answer = app.anyone().post_text("/api/sessions", body).await;
    assert_eq!(answer.problem(), "401 Full authentication is required to access this resource");
    assert_eq!(answer.header("www-authenticate"), "Basic realm=\"Realm\"");
}

#[tokio::test]
async fn basic_credentials_are_a_back_ends_whatever_the_body() {
    let app = TestApp::new().await;
    let wrong = app.with_authorization(basic("OPENVIDUAPP:wrong"));
    assert_eq!(wrong.post("/api/sessions", json!({ "identifier": "phone" })).await.problem(), "401 Bad credentials");
    let right = app.backend().post("/api/sessions", json!({ "identifier": "phone" })).await;
    assert!(right.body["id"].as_str().unwrap().starts_with("ses_"));
}

#[tokio::test]
async fn registration_by_token_requires_a_valid_static_api_token() {
    let app = TestApp::with([(Setting::DeviceRegistration, "token")]).await;
    let (token, hash) = api_token::generate();
    let token = secrecy::ExposeSecret::expose_secret(&token).to_owned();
    let kept = app.store.insert_api_token(&hash, "app", true, Clock::system().now()).await.unwrap().unwrap();
    let body = json!({ "identifier": "phone" });

    let refused = app.anyone().post("/api/sessions", body.clone()).await;
    assert_eq!(refused.code(), "401 unauthenticated");
    assert_eq!(refused.header("www-authenticate"), "Bearer");
    for authorization in ["Bearer wrong".to_owned(), "Bearer".to_owned(), format!("Digest {token}")] {
        let refused = app.with_authorization(&authorization).post("/api/sessions", body.clone()).await;
        assert_eq!(refused.code(), "401 unauthenticated", "{authorization}");
    }
    for authorization in [format!("Bearer {token}"), format!("token {token}")] {
        let registered = app.with_authorization(&authorization).post("/api/sessions", body.clone()).await;
        assert_eq!(registered.status, 200, "{authorization}");
    }

    assert!(app.store.delete_api_token(kept.id).await.unwrap());
    let deleted = app.with_authorization(format!("Bearer {token}")).post("/api/sessions", body).await;
    assert_eq!(deleted.code(), "401 unauthenticated");
}

#[tokio::test]
async fn the_eleventh_session_ends_the_oldest() {
    let app = TestApp::new().await;
    let mut tokens = Vec::new();
    for _ in 0..12 {
        tokens.push(app.register("phone").await);
        app.wait(Duration::from_secs(1));
    }
    for (index, token) in tokens.iter().enumerate() {
        let status = app.bearer(token).get("/api/session").await.status;
        assert_eq!(status, if index < 2 { 401 } else { 200 }, "session {index}");
    }
    // Ending a younger session brings none of them back, but makes room for another one.
    app.bearer(&tokens[11]).delete("/api/session").await;
    assert_eq!(app.bearer(&tokens[1]).get("/api/session").await.status, 401);
    app.register("phone").await;
    assert_eq!(app.bearer(&tokens[2]).get("/api/session").await.status, 200);
}

#[tokio::test]
async fn expired_sessions_do_not_count_towards_the_limit() {
    let app = TestApp::with([(Setting::DeviceSessionsMax, "2"), (Setting::DeviceSessionTtl, "60")]).await;
    app.register("phone").await;
    app.wait(Duration::from_secs(30));
    let younger = app.register("phone").await;
    app.wait(Duration::from_secs(30));
    app.register("phone").await;
    assert_eq!(app.bearer(&younger).get("/api/session").await.status, 200);
}

#[tokio::test]
async fn a_shorter_lifetime_of_new_sessions_does_not_shorten_older_ones() {
    let app = TestApp::new().await;
    let older = app.register("phone").await;
    let shorter = app.again_with([(Setting::DeviceSessionTtl, "60")]);
    let younger = shorter.register("phone").await;
    let refreshed = shorter.bearer(&younger).post_nothing("/api/session/refresh").await;
    assert_eq!(refreshed.status, 200);
    // TTL may not delete the item before the older session has ended.
    let [item] = &app.items().await.into_iter().filter(|item| item.contains("DEVICE")).collect::<Vec<_>>()[..] else {
        panic!("one device is one item");
    };
    assert!(item.contains(&format!("\"expiresAt\": N(\"{}\")", NOW / 1000 + 30 * 86_400)), "{item}");
    app.wait(Duration::from_secs(61));
    assert_eq!(app.bearer(&older).get("/api/session").await.status, 200);
    assert_eq!(app.bearer(&younger).get("/api/session").await.status, 401);
}

#[tokio::test]
async fn no_key_in_the_table_contains_an_identifier() {
    let app = TestApp::new().await;
    app.register("a-very-personal-identifier").await;
    let scan = app.client.scan().table_name(&*app.table).send().await.unwrap();
    for item in scan.items() {
        for key in ["PK", "SK"] {
            assert!(!item[key].as_s().unwrap().contains("personal"));
        }
    }
}
