//! `/api/v2/token-auth`: logging in, staying logged in, and what the token gives access to.

mod ending;
mod headers;
mod passwords;

use std::time::Duration;

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use greenroom_core::{config::Setting, model::user::Role::Partner};
use hmac::{Hmac, KeyInit, Mac};
use insta::assert_snapshot;
use rstest::rstest;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::{Answer, NOW, TestApp};

const OBTAIN: &str = "/api/v2/token-auth/obtain/";
const REFRESH: &str = "/api/v2/token-auth/refresh/";
const PASSWORD: &str = "correct horse";
const WRONG: &str = r#"400 {"non_field_errors":["Unable to login with provided credentials."]}"#;
const BLOCKED: &str = r#"400 {"non_field_errors":["User account is blocked."]}"#;
/// The first signing key, and another one.
const BOTH_KEYS: &str = r#"[{"kid":"k2","secret":"3pT0iJvZ1cB6nq8sYd5mXo2LwQ7aRfUe9hKgVtCyMzE="},{"kid":"k1","secret":"x/Ny63SJJFAhRIRsCcGh7U2W0ak4Y0SVhwjvhrVqUgE="}]"#;
const OTHER_KEY: &str = r#"[{"kid":"k2","secret":"3pT0iJvZ1cB6nq8sYd5mXo2LwQ7aRfUe9hKgVtCyMzE="}]"#;
const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_hours(24);
const HOUR: Duration = Duration::from_hours(1);

/// An API with Ada, a partner with a password; her number.
async fn with_ada() -> (TestApp, u64) {
    let app = TestApp::new().await;
    let ada = app.account("Ada", Partner, None).await.id;
    app.give_passwords(&[ada], PASSWORD).await;
    (app, ada)
}

async fn obtain(app: &TestApp, username: &str, password: &str) -> Answer {
    app.anyone().post(OBTAIN, json!({ "username": username, "password": password })).await
}

/// Ada's token.
async fn log_in(app: &TestApp) -> String {
    let answer = obtain(app, "Ada", PASSWORD).await;
    assert_eq!(answer.status, 200, "{answer}");
    answer.body["token"].as_str().unwrap().to_owned()
}

async fn refresh(app: &TestApp, token: &str) -> Answer {
    app.anyone().post(REFRESH, json!({ "token": token })).await
}

/// The answer to a request with this token.
async fn request_with(app: &TestApp, token: &str) -> Answer {
    app.with_authorization(format!("JWT {token}")).get("/api/v2/").await
}

/// A decoded part of a token.
fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// A token with these claims, signed with the first key.
fn signed(claims: &Value) -> String {
    let header = json!({ "typ": "JWT", "alg": "HS256", "kid": "k1" });
    let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let input = format!("{}.{}", encode(&header), encode(claims));
    let key = BASE64_STANDARD.decode("x/Ny63SJJFAhRIRsCcGh7U2W0ak4Y0SVhwjvhrVqUgE=").unwrap();
    let mac = Hmac::<Sha256>::new_from_slice(&key).unwrap().chain_update(&input).finalize();
    format!("{input}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac.into_bytes()))
}

#[tokio::test]
async fn a_token_says_who_it_is_for() {
    let (app, _) = with_ada().await;
    let answer = obtain(&app, "Ada", PASSWORD).await;
    assert_eq!(answer.body.as_object().unwrap().len(), 1);
    let token = answer.body["token"].as_str().unwrap();
    assert_eq!(part(token, 0), json!({ "typ": "JWT", "alg": "HS256", "kid": "k1" }));
    let now = NOW / 1000;
    let claims = json!({
        "user_id": 1, "username": "Ada", "email": "Ada@greenroom.example", "exp": now + 7 * 86_400, "orig_iat": now, "epoch": 0,
    });
    assert_eq!(part(token, 1), claims);
    assert_eq!(request_with(&app, token).await.status, 200);
}

#[rstest]
#[case("ada")]
#[case(" ADA\t")]
#[tokio::test]
async fn a_username_is_trimmed_and_case_insensitive(#[case] username: &str) {
    let (app, _) = with_ada().await;
    let answer = obtain(&app, username, PASSWORD).await;
    assert_eq!(part(answer.body["token"].as_str().unwrap(), 1)["username"], "Ada");
}

#[tokio::test]
async fn all_wrong_credentials_get_the_same_answer() {
    let (app, ada) = with_ada().await;
    app.account("nopassword", Partner, None).await;
    for (username, password) in
        [("Ada", "wrong horse"), ("nobody", PASSWORD), ("nopassword", PASSWORD), ("Ada", "correct horse ")]
    {
        assert_eq!(obtain(&app, username, password).await.to_string(), WRONG);
    }
    let admin = app.admin().await;
    app.organiser(&admin).post_nothing(&format!("/api/v2/users/{ada}/block/")).await;
    assert_eq!(obtain(&app, "Ada", "wrong horse").await.to_string(), WRONG);
    assert_eq!(obtain(&app, "Ada", PASSWORD).await.to_string(), BLOCKED);
    app.organiser(&admin).post_nothing(&format!("/api/v2/users/{ada}/unblock/")).await;
    assert_eq!(obtain(&app, "Ada", PASSWORD).await.status, 200);
}

#[rstest]
#[case(json!({}), json!({ "username": ["This field is required."], "password": ["This field is required."] }))]
#[case(json!({ "username": " ", "password": "" }), json!({ "username": ["This field may not be blank."], "password": ["This field may not be blank."] }))]
#[case(json!({ "username": null, "password": null }), json!({ "username": ["This field may not be null."], "password": ["This field may not be null."] }))]
#[case(json!({ "username": ["a"], "password": true }), json!({ "username": ["Not a valid string."], "password": ["Not a valid string."] }))]
#[tokio::test]
async fn missing_credentials_are_reported_under_their_fields(#[case] body: Value, #[case] errors: Value) {
    let (app, _) = with_ada().await;
    let answer = app.anyone().post(OBTAIN, body).await;
    assert_eq!((answer.status.as_u16(), answer.body), (400, errors));
}

#[tokio::test]
async fn a_missing_token_is_reported_under_its_field() {
    let app = TestApp::new().await;
    let anyone = app.anyone();
    assert_snapshot!(anyone.post_nothing(REFRESH).await, @r#"400 {"token":["This field is required."]}"#);
    assert_snapshot!(anyone.post(REFRESH, json!({ "token": "" })).await, @r#"400 {"token":["This field may not be blank."]}"#);
    assert_snapshot!(anyone.post(REFRESH, json!({ "token": null })).await, @r#"400 {"token":["This field may not be null."]}"#);
    assert_snapshot!(anyone.post(REFRESH, json!({ "token": {} })).await, @r#"400 {"token":["Not a valid string."]}"#);
    for undecodable in [json!("x"), json!("a.b.c"), json!(5)] {
        let answer = anyone.post(REFRESH, json!({ "token": undecodable })).await;
        assert_eq!(answer.to_string(), r#"400 {"non_field_errors":["Error decoding signature."]}"#);
    }
}

#[tokio::test]
async fn a_refreshed_token_expires_later_but_keeps_its_issue_time() {
    let (app, ada) = with_ada().await;
    let first = log_in(&app).await;
    app.wait(DAY);
    let change = json!({ "email": "lovelace@example.com" });
    assert_eq!(
        app.with_authorization(format!("JWT {first}")).patch(&format!("/api/v2/users/{ada}/"), change).await.status,
        200
    );
    let answer = refresh(&app, &first).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_object().unwrap().len()), (200, 1));
    let second = answer.body["token"].as_str().unwrap();
    let now = NOW / 1000;
    let claims = json!({
        "user_id": 1, "username": "Ada", "email": "lovelace@example.com", "exp": now + 8 * 86_400, "orig_iat": now, "epoch": 0,
    });
    assert_eq!(part(second, 1), claims);
    assert_eq!(request_with(&app, second).await.status, 200);
    // The old token stays valid.
    assert_eq!(request_with(&app, &first).await.status, 200);
}

#[tokio::test]
async fn a_token_is_accepted_for_exactly_one_hour_after_it_expires() {
    let (app, _) = with_ada().await;
    let token = log_in(&app).await;
    app.wait(7 * DAY + HOUR);
    assert_eq!(request_with(&app, &token).await.status, 200);
    assert_eq!(refresh(&app, &token).await.status, 200);
    app.wait(SECOND);
    let answer = request_with(&app, &token).await;
    assert_snapshot!(answer, @r#"401 {"detail":"Signature has expired."}"#);
    assert_eq!(answer.header("www-authenticate"), "JWT realm=\"api\"");
    assert_snapshot!(refresh(&app, &token).await, @r#"400 {"non_field_errors":["Signature has expired."]}"#);
}

#[tokio::test]
async fn tokens_can_be_refreshed_for_exactly_thirty_days() {
    let (app, _) = with_ada().await;
    let mut token = log_in(&app).await;
    for _ in 0..5 {
        app.wait(6 * DAY);
        token = refresh(&app, &token).await.body["token"].as_str().unwrap().to_owned();
    }
    assert_eq!(refresh(&app, &token).await.status, 200);
    app.wait(SECOND);
    assert_snapshot!(refresh(&app, &token).await, @r#"400 {"non_field_errors":["Refresh has expired."]}"#);
    assert_eq!(request_with(&app, &token).await.status, 200);
    assert_eq!(part(&log_in(&app).await, 1)["orig_iat"], NOW / 1000 + 30 * 86_400 + 1);
}

#[tokio::test]
async fn a_blocked_user_is_refused_at_once_on_every_instance() {
    let (app, ada) = with_ada().await;
    let (token, other) = (log_in(&app).await, app.again_with([]));
    assert_eq!(request_with(&other, &token).await.status, 200);
    let admin = app.admin().await;
    app.organiser(&admin).post_nothing(&format!("/api/v2/users/{ada}/block/")).await;
    let answer = request_with(&other, &token).await;
    assert_snapshot!(answer, @r#"401 {"detail":"User account is disabled."}"#);
    assert_eq!(answer.header("www-authenticate"), "JWT realm=\"api\"");
    assert_eq!(refresh(&other, &token).await.to_string(), BLOCKED);
    app.organiser(&admin).post_nothing(&format!("/api/v2/users/{ada}/unblock/")).await;
    assert_eq!(obtain(&other, "Ada", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_deleted_user_is_refused_at_once_even_if_the_name_is_taken_again() {
    let (app, ada) = with_ada().await;
    let (token, other) = (log_in(&app).await, app.again_with([]));
    let admin = app.admin().await;
    let admin = app.organiser(&admin);
    assert_eq!(admin.delete(&format!("/api/v2/users/{ada}/")).await.status, 204);
    admin.make("/api/v2/users/", json!({ "username": "Ada", "role": "admin" })).await;
    let answer = request_with(&other, &token).await;
    assert_snapshot!(answer, @r#"401 {"detail":"Invalid signature."}"#);
    assert_eq!(answer.header("www-authenticate"), "JWT realm=\"api\"");
    assert_snapshot!(refresh(&other, &token).await, @r#"400 {"non_field_errors":["User doesn't exist."]}"#);
    assert_eq!(obtain(&other, "Ada", PASSWORD).await.to_string(), WRONG);
}

#[tokio::test]
async fn a_renamed_user_is_still_logged_in() {
    let (app, ada) = with_ada().await;
    let token = log_in(&app).await;
    let caller = app.with_authorization(format!("JWT {token}"));
    let renamed = caller.patch(&format!("/api/v2/users/{ada}/"), json!({ "username": "Countess" })).await;
    assert_eq!(renamed.status, 200);
    assert_eq!(request_with(&app, &token).await.status, 200);
    let next = refresh(&app, &token).await;
    assert_eq!(part(next.body["token"].as_str().unwrap(), 1)["username"], "Countess");
    assert_eq!(obtain(&app, "Ada", PASSWORD).await.to_string(), WRONG);
    assert_eq!(obtain(&app, "countess", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_token_is_good_while_its_key_is() {
    let (app, _) = with_ada().await;
    let token = log_in(&app).await;
    let rotated = app.again_with([(Setting::SigningKeys, BOTH_KEYS)]);
    assert_eq!(request_with(&rotated, &token).await.status, 200);
    let next = refresh(&rotated, &token).await.body["token"].as_str().unwrap().to_owned();
    assert_eq!(part(&next, 0)["kid"], "k2");
    let after = app.again_with([(Setting::SigningKeys, OTHER_KEY)]);
    assert_snapshot!(request_with(&after, &token).await, @r#"401 {"detail":"Error decoding signature."}"#);
    assert_snapshot!(refresh(&after, &token).await, @r#"400 {"non_field_errors":["Error decoding signature."]}"#);
    assert_eq!(request_with(&after, &next).await.status, 200);
}

#[tokio::test]
async fn a_bad_authorization_header_does_not_prevent_logging_in() {
    let (app, _) = with_ada().await;
    for authorization in ["JWT x", "JWT", "Basic x", "🎵", "Bearer a b"] {
        let caller = app.with_authorization(authorization);
        let answer = caller.post(OBTAIN, json!({ "username": "Ada", "password": PASSWORD })).await;
        assert_eq!(answer.status, 200);
        assert_eq!(caller.post(REFRESH, answer.body).await.status, 200);
        assert_eq!(caller.get(OBTAIN).await.status, 405);
    }
}
