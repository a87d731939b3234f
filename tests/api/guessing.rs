//! Passwords of participants: how often they are hashed, and how often one may be wrong.

use std::time::Duration;

use secrecy::SecretString;
use serde_json::json;
use shared::{model::User, store::Unique};

use crate::{
    counted::Counted,
    participants::PASSWORD,
    support::{TestApp, basic},
};

const HERE: &str = "192.0.2.1";
const THERE: &str = "192.0.2.2";

impl TestApp {
    /// The status of a request with this password from this address.
    async fn try_password(&self, userid: &str, password: &str, address: &str) -> u16 {
        let caller = self.with_authorization(basic(&format!("{userid}:{password}"))).at(address);
        caller.get("/api/messages").await.status.as_u16()
    }

    async fn err(&self, userid: &str, times: usize, address: &str) {
        for _ in 0..times {
            assert_eq!(self.try_password(userid, "wrong", address).await, 401);
        }
    }
}

async fn with_alice() -> TestApp {
    let app = TestApp::new().await;
    app.participant("alice").await;
    app
}

#[tokio::test]
async fn after_ten_wrong_passwords_an_account_is_closed_to_that_address_for_a_while() {
    let app = with_alice().await;
    app.err("alice@localhost", 10, HERE).await;
    let caller = app.as_participant("alice").at(HERE);
    let refused = caller.get("/api/messages").await;
    assert_eq!(refused.to_string(), r#"429 "Too many wrong passwords""#);
    assert_eq!(refused.header("retry-after"), "600");
    assert_eq!(app.try_password("ALICE@Localhost/phone", PASSWORD, HERE).await, 429);
    assert_eq!(app.try_password("alice@localhost", PASSWORD, THERE).await, 200);
    app.wait(Duration::from_mins(10));
    assert_eq!(app.try_password("alice@localhost", PASSWORD, HERE).await, 200);
}

#[tokio::test]
async fn a_right_password_makes_up_for_the_wrong_ones() {
    let app = with_alice().await;
    for _ in 0..3 {
        app.err("alice@localhost", 9, HERE).await;
        assert_eq!(app.try_password("alice@localhost", PASSWORD, HERE).await, 200);
        app.wait(Duration::from_mins(1));
    }
}

#[tokio::test]
async fn other_accounts_are_not_closed() {
    let app = with_alice().await;
    app.participant("bob").await;
    app.err("alice@localhost", 10, HERE).await;
    assert_eq!(app.try_password("bob@localhost", PASSWORD, HERE).await, 200);
}

#[tokio::test]
async fn accounts_that_do_not_exist_are_closed_all_the_same() {
    let app = TestApp::new().await;
    app.err("nobody@localhost", 10, HERE).await;
    assert_eq!(app.try_password("nobody@localhost", "wrong", HERE).await, 429);
}

#[tokio::test]
async fn a_closed_account_is_closed_to_who_was_right_before_and_to_who_is_logged_in() {
    let app = with_alice().await;
    let login = json!({"username": "alice", "password": PASSWORD});
    let token = app.anyone().post("/api/v2/token-auth/obtain", login).await.body["token"].as_str().unwrap().to_owned();
    assert_eq!(app.try_password("alice@localhost", PASSWORD, HERE).await, 200);
    app.err("alice@localhost", 10, HERE).await;
    // Else a guesser could tell the right password from the wrong ones.
    assert_eq!(app.try_password("alice@localhost", PASSWORD, HERE).await, 429);
    assert_eq!(app.try_password("alice@localhost", &token, HERE).await, 429);
    assert_eq!(app.try_password("alice@localhost", &token, THERE).await, 200);
}

#[tokio::test]
async fn a_right_password_that_is_remembered_makes_up_for_the_wrong_ones_too() {
    let app = with_alice().await;
    for _ in 0..4 {
        assert_eq!(app.try_password("alice@localhost", PASSWORD, HERE).await, 200);
        app.err("alice@localhost", 5, HERE).await;
    }
    let elsewhere = app.again_with([]);
    assert_eq!(elsewhere.try_password("alice@localhost", PASSWORD, HERE).await, 200);
}

#[tokio::test]
async fn wrong_passwords_at_once_are_answered_ten_times() {
    let app = with_alice().await;
    let attempts = (0..14).map(|_| app.try_password("alice@localhost", "wrong", HERE));
    let mut statuses = futures_util::future::join_all(attempts).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [vec![401; 10], vec![429; 4]].concat());
}

#[tokio::test]
async fn a_right_password_is_hashed_once_a_minute_and_costs_two_requests_else() {
    let Counted { app, requests } = Counted::over(with_alice().await).await;
    let cost = async || {
        let before = requests.load(std::sync::atomic::Ordering::SeqCst);
        assert_eq!(app.try_password("alice@localhost", PASSWORD, HERE).await, 200);
        requests.load(std::sync::atomic::Ordering::SeqCst) - before
    };
    // With the archive's page; one more to forget wrong passwords.
    assert_eq!([cost().await, cost().await], [4, 3]);
    app.wait(Duration::from_mins(1));
    assert_eq!([cost().await, cost().await], [4, 3]);
}

#[tokio::test]
async fn a_new_password_counts_at_once() {
    let app = with_alice().await;
    assert_eq!(app.try_password("alice@localhost", PASSWORD, HERE).await, 200);
    let alice: User =
        app.store.record_with(Unique::Username, "alice").await.unwrap().map(|stored| stored.record).unwrap();
    app.give_passwords(&[alice.id], "another one").await;
    assert_eq!(app.try_password("alice@localhost", PASSWORD, HERE).await, 401);
    assert_eq!(app.try_password("alice@localhost", "another one", HERE).await, 200);
}

#[tokio::test]
async fn a_blocked_user_is_out_at_once() {
    let app = with_alice().await;
    let admin = app.admin().await;
    assert_eq!(app.try_password("alice@localhost", PASSWORD, HERE).await, 200);
    assert_eq!(app.organiser(&admin).post_nothing("/api/v2/users/1/block").await.status, 204);
    assert_eq!(app.try_password("alice@localhost", PASSWORD, HERE).await, 401);
    assert_eq!(app.organiser(&admin).post_nothing("/api/v2/users/1/unblock").await.status, 204);
    assert_eq!(app.try_password("alice@localhost", PASSWORD, HERE).await, 200);
}

#[tokio::test]
async fn the_token_a_user_logged_in_for_does_in_place_of_the_password() {
    let app = with_alice().await;
    let login = json!({"username": "alice", "password": PASSWORD});
    let token = app.anyone().post("/api/v2/token-auth/obtain", login).await.body["token"].as_str().unwrap().to_owned();
    app.participant("bob").await;
    assert_eq!(app.try_password("alice@localhost", &token, HERE).await, 200);
    assert_eq!(app.try_password("bob@localhost", &token, HERE).await, 401);
    app.wait(Duration::from_hours(24 * 8));
    assert_eq!(app.try_password("alice@localhost", &token, HERE).await, 401);
}

#[tokio::test]
async fn what_is_no_account_is_refused_alike() {
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
