//! Passwords in conversations: which are accepted, how soon a change takes effect, and what a check costs.

use std::time::Duration;

use greenroom_core::model::user::Role;
use secrecy::SecretString;
use serde_json::json;

use super::{Conversation, DAY, Door, HERE, LogIn, OBTAIN, THERE, with_alice};
use crate::{counted::Counted, participants::PASSWORD, support::basic};

#[tokio::test]
async fn a_right_password_costs_one_hash_a_minute_two_requests_and_one_more_a_day() {
    let app = with_alice().await;
    // The first instance that needs the deployment's key creates it. Later instances know it.
    app.store.settings().await.unwrap();
    let Counted { app, requests } = Counted::over(app).await;
    let count = || requests.load(std::sync::atomic::Ordering::SeqCst);
    let cost = async |door: Door, address: &str| {
        let before = count();
        assert!(app.knock(door, "alice", PASSWORD, address).await.status.is_success());
        count() - before
    };
    assert_eq!([cost(LogIn, HERE).await, cost(LogIn, HERE).await], [3, 2]);
    // The count includes the page of the archive.
    assert_eq!([cost(Conversation, THERE).await, cost(Conversation, THERE).await], [4, 3]);
    app.wait(Duration::from_mins(1));
    assert_eq!([cost(Conversation, THERE).await, cost(LogIn, THERE).await], [3, 2]);
    app.wait(DAY);
    // The count includes the record, once an hour, that the signing key is in use.
    assert_eq!([cost(LogIn, HERE).await, cost(LogIn, HERE).await], [4, 2]);
}

#[tokio::test]
async fn a_new_password_counts_at_once() {
    let app = with_alice().await;
    assert_eq!(app.try_password("alice@localhost", PASSWORD, HERE).await, 200);
    app.give_passwords(&[app.user("alice").await.id], "another one").await;
    assert_eq!(app.try_password("alice@localhost", PASSWORD, HERE).await, 401);
    assert_eq!(app.try_password("alice@localhost", "another one", HERE).await, 200);
}

#[tokio::test]
async fn a_blocked_user_is_refused_at_once() {
    let app = with_alice().await;
    let admin = app.account("root", Role::Admin, None).await;
    assert_eq!(app.try_password("alice@localhost", PASSWORD, HERE).await, 200);
    assert_eq!(app.organiser(&admin).post_nothing("/api/v2/users/1/block").await.status, 204);
    assert_eq!(app.try_password("alice@localhost", PASSWORD, HERE).await, 401);
    assert_eq!(app.organiser(&admin).post_nothing("/api/v2/users/1/unblock").await.status, 204);
    assert_eq!(app.try_password("alice@localhost", PASSWORD, HERE).await, 200);
}

#[tokio::test]
async fn the_jwt_of_a_user_works_in_place_of_their_password() {
    let app = with_alice().await;
    let login = json!({"username": "alice", "password": PASSWORD});
    let token = app.anyone().post(OBTAIN, login).await.body["token"].as_str().unwrap().to_owned();
    app.participant("bob").await;
    assert_eq!(app.try_password("alice@localhost", &token, HERE).await, 200);
    assert_eq!(app.try_password("bob@localhost", &token, HERE).await, 401);
    app.wait(Duration::from_hours(24 * 8));
    assert_eq!(app.try_password("alice@localhost", &token, HERE).await, 401);
}

#[tokio::test]
async fn everything_that_is_not_an_account_is_refused_alike() {
    let app = with_alice().await;
    let header = |text: &str| basic(text);
    let long: SecretString = "x".repeat(1_025).into();
    for authorization in [
        header(&format!("alice@elsewhere.example:{PASSWORD}")),
        header(&format!("alice:{PASSWORD}")),
        header(&format!("@x:{PASSWORD}")),
        header(&format!("bob@localhost:{PASSWORD}")),
        header("alice@localhost"),
        header("alice@localhost:"),
        header(&format!("alice@localhost:{}", secrecy::ExposeSecret::expose_secret(&long))),
        "Basic ???".to_owned(),
        "Basic".to_owned(),
        "Bearer alice".to_owned(),
    ] {
        let answer = app.with_authorization(authorization).get("/api/messages").await;
        assert_eq!(answer.to_string(), "401 -");
        assert_eq!(answer.header("www-authenticate"), r#"Basic realm="mongooseim""#);
    }
    assert_eq!(app.anyone().get("/api/messages").await.to_string(), "401 -");
}
