//! Which actions end every login of a user, and which do not.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use super::{BLOCKED, OBTAIN, PASSWORD, log_in, obtain, part, refresh, request_with, with_ada};
use crate::support::{TestApp, basic};

const EXPIRED: &str = r#"401 {"detail":"Signature has expired."}"#;
const NOT_REFRESHED: &str = r#"400 {"non_field_errors":["Signature has expired."]}"#;
const REVOKE: &str = "/api/v2/token-auth/revoke/";

/// The user who performs the action.
#[derive(Clone, Copy)]
enum By {
    Ada,
    Admin,
}

async fn happens(app: &TestApp, ada: u64, by: By, token: &str, (method, path, body): (&str, &str, Value)) -> u16 {
    let caller = match by {
        By::Ada => app.with_authorization(format!("JWT {token}")),
        By::Admin => app.organiser(&app.admin().await),
    };
    let path = path.replace("{id}", &ada.to_string());
    let body = if body.is_null() { String::new() } else { body.to_string() };
    caller.send(method, &path, &[("content-type", "application/json")], body.into()).await.status.as_u16()
}

#[rstest]
#[case::a_changed_password(By::Ada, "POST", "/api/v2/users/{id}/password_change/", json!({ "oldPw": PASSWORD, "newPw": "battery staple", "newPwRepeat": "battery staple" }))]
#[case::a_password_from_an_admin(By::Admin, "POST", "/api/v2/users/{id}/password_set/", json!({ "newPw": "battery staple" }))]
#[case::another_role(By::Admin, "PATCH", "/api/v2/users/{id}/", json!({ "role": "manager" }))]
#[case::another_role_by_put(By::Admin, "PUT", "/api/v2/users/{id}/", json!({ "username": "Ada", "role": "admin" }))]
#[case::logging_out_everywhere(By::Ada, "POST", REVOKE, Value::Null)]
#[tokio::test]
async fn every_token_ends_when(#[case] by: By, #[case] method: &str, #[case] path: &str, #[case] body: Value) {
    let (app, ada) = with_ada().await;
    let (first, second) = (log_in(&app).await, log_in(&app).await);
    let other = app.again_with([]);
    assert!((200..300).contains(&happens(&app, ada, by, &first, (method, path, body)).await));
    for token in [first, second] {
        let answer = request_with(&other, &token).await;
        assert_eq!(answer.to_string(), EXPIRED);
        assert_eq!(answer.header("www-authenticate"), "JWT realm=\"api\"");
        assert_eq!(refresh(&other, &token).await.to_string(), NOT_REFRESHED);
        let as_password = other.with_authorization(basic(&format!("ada@localhost:{token}")));
        assert_eq!(as_password.get("/api/messages").await.status, 401);
    }
    let password = if obtain(&app, "Ada", PASSWORD).await.status == 200 { PASSWORD } else { "battery staple" };
    let next = obtain(&other, "Ada", password).await.body["token"].as_str().unwrap().to_owned();
    assert_eq!(part(&next, 1)["epoch"], 1);
    assert_eq!(request_with(&app, &next).await.status, 200);
    assert_eq!(refresh(&app, &next).await.status, 200);
    let as_password = app.with_authorization(basic(&format!("ada@localhost:{next}")));
    assert_eq!(as_password.get("/api/messages").await.status, 200);
}

#[rstest]
#[case::the_same_role("PATCH", "/api/v2/users/{id}/", json!({ "role": "partner" }))]
#[case::another_name("PATCH", "/api/v2/users/{id}/", json!({ "username": "Countess", "firstName": "A" }))]
#[case::unblocking_a_user_who_was_not_blocked("POST", "/api/v2/users/{id}/unblock/", Value::Null)]
#[case::a_password_that_is_refused("POST", "/api/v2/users/{id}/password_set/", json!({ "newPw": "short" }))]
#[tokio::test]
async fn no_token_ends_when(#[case] method: &str, #[case] path: &str, #[case] body: Value) {
    let (app, ada) = with_ada().await;
    let token = log_in(&app).await;
    happens(&app, ada, By::Admin, &token, (method, path, body)).await;
    assert_eq!(request_with(&app, &token).await.status, 200);
    assert_eq!(refresh(&app, &token).await.status, 200);
}

#[tokio::test]
async fn unblocking_a_user_does_not_revive_their_tokens() {
    let (app, ada) = with_ada().await;
    let token = log_in(&app).await;
    let admin = app.admin().await;
    let admin = app.organiser(&admin);
    assert_eq!(admin.post_nothing(&format!("/api/v2/users/{ada}/block/")).await.status, 204);
    // A blocked user still gets the older error texts.
    assert_eq!(request_with(&app, &token).await.to_string(), r#"401 {"detail":"User account is disabled."}"#);
    assert_eq!(refresh(&app, &token).await.to_string(), BLOCKED);
    assert_eq!(admin.post_nothing(&format!("/api/v2/users/{ada}/unblock/")).await.status, 204);
    assert_eq!(request_with(&app, &token).await.to_string(), EXPIRED);
    assert_eq!(refresh(&app, &token).await.to_string(), NOT_REFRESHED);
    assert_eq!(request_with(&app, &log_in(&app).await).await.status, 200);
}

#[tokio::test]
async fn a_token_without_an_epoch_belongs_to_the_first_epoch() {
    let (app, ada) = with_ada().await;
    let now = app.clock.now().seconds();
    let claims = json!({ "user_id": ada, "username": "Ada", "email": "", "exp": now + 60, "orig_iat": now });
    let token = super::signed(&claims);
    assert_eq!(request_with(&app, &token).await.status, 200);
    assert_eq!(app.with_authorization(format!("JWT {token}")).post_nothing(REVOKE).await.to_string(), "204 -");
    assert_eq!(request_with(&app, &token).await.to_string(), EXPIRED);
}

#[tokio::test]
async fn the_token_epoch_is_never_shown() {
    let (app, ada) = with_ada().await;
    let caller = app.with_authorization(format!("JWT {}", log_in(&app).await));
    for path in [format!("/api/v2/users/{ada}/"), "/api/v2/users/?tokenEpoch=0".to_owned()] {
        let answer = caller.get(&path).await;
        assert_eq!(answer.status, 200);
        assert!(!answer.to_string().contains("poch\""), "{answer}");
    }
}

#[tokio::test]
async fn only_a_logged_in_user_can_log_out_everywhere() {
    let (app, _) = with_ada().await;
    let missing = r#"401 {"detail":"Authentication credentials were not provided."}"#;
    assert_eq!(app.anyone().post_nothing(REVOKE).await.to_string(), missing);
    assert_eq!(app.anyone().get(REVOKE).await.to_string(), missing);
    let token = log_in(&app).await;
    let caller = app.with_authorization(format!("JWT {token}"));
    assert_eq!(caller.get(REVOKE).await.status, 405);
    // The body is ignored.
    assert_eq!(caller.post(REVOKE, json!({ "token": token })).await.status, 204);
    assert_eq!(caller.post_nothing(REVOKE).await.to_string(), EXPIRED);
}

#[tokio::test]
async fn a_stream_ends_when_its_password_or_token_becomes_invalid() {
    let (app, ada) = with_ada().await;
    let token = log_in(&app).await;
    let [by_token, by_password] =
        [&token, PASSWORD].map(|password| app.with_authorization(basic(&format!("ada@localhost:{password}"))));
    let (mut with_token, mut with_password) = (by_token.listen().await, by_password.listen().await);
    with_token.is_quiet().await;
    with_password.is_quiet().await;
    assert_eq!(happens(&app, ada, By::Ada, &token, ("POST", REVOKE, Value::Null)).await, 204);
    assert_eq!(with_token.chunk().await, None);
    // The password is still valid.
    with_password.is_quiet().await;
    let body = json!({ "newPw": "battery staple" });
    assert_eq!(happens(&app, ada, By::Admin, &token, ("POST", "/api/v2/users/{id}/password_set/", body)).await, 204);
    assert_eq!(with_password.chunk().await, None);
}

#[tokio::test]
async fn a_stream_ends_when_the_token_that_opened_it_expires() {
    let (app, _) = with_ada().await;
    let token = log_in(&app).await;
    let mut listener = app.with_authorization(basic(&format!("ada@localhost:{token}"))).listen().await;
    listener.is_quiet().await;
    app.wait(Duration::from_hours(7 * 24 + 1));
    listener.is_quiet().await;
    app.wait(Duration::from_secs(1));
    assert_eq!(listener.chunk().await, None);
}

#[tokio::test]
async fn ending_logins_and_a_concurrent_change_both_take_effect() {
    let (app, ada) = with_ada().await;
    let token = log_in(&app).await;
    let admin = app.admin().await;
    let (caller, admin) = (app.with_authorization(format!("JWT {token}")), app.organiser(&admin));
    let path = format!("/api/v2/users/{ada}/");
    let change = json!({ "firstName": "Augusta" });
    let (revoked, changed) = tokio::join!(caller.post_nothing(REVOKE), admin.patch(&path, change));
    assert_eq!((revoked.status.as_u16(), changed.status.as_u16()), (204, 200));
    assert_eq!(request_with(&app, &token).await.to_string(), EXPIRED);
    let answer = app.anyone().post(OBTAIN, json!({ "username": "ada", "password": PASSWORD })).await;
    let token = answer.body["token"].as_str().unwrap();
    assert_eq!(part(token, 1)["epoch"], 1);
    let user = app.with_authorization(format!("JWT {token}")).get(&path).await;
    assert_eq!(user.body["firstName"], "Augusta");
}
