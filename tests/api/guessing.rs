//! The guard against guessing: how many wrong values are allowed, who is locked out, and for how long.

mod addresses;
mod joining;
mod passwords;

use std::{collections::BTreeSet, time::Duration};

use futures_util::future::join_all;
use greenroom_core::{config::Setting, model::User};
use greenroom_store::Unique;
use rstest::rstest;
use serde_json::json;

use crate::{
    organisers::Account,
    participants::PASSWORD,
    support::{Answer, Caller, TestApp, basic},
};

const HERE: &str = "192.0.2.1";
const THERE: &str = "192.0.2.2";
const OBTAIN: &str = "/api/v2/token-auth/obtain/";
const JOIN: &str = "/api/v2/rtcsessions/";
const TOKEN: &str = "congress-2026";
const TEN_MINUTES: Duration = Duration::from_mins(10);
const DAY: Duration = Duration::from_hours(24);

/// A place where somebody enters a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    LogIn,
    Conversation,
    OwnPassword,
}

use Door::{Conversation, LogIn, OwnPassword};

impl TestApp {
    /// The answer to a password. `alice` is the first user; for `OwnPassword` she changes her password to the same one.
    async fn knock(&self, door: Door, name: &str, password: &str, address: &str) -> Answer {
        match door {
            LogIn => self.anyone().from(address).post(OBTAIN, json!({ "username": name, "password": password })).await,
            Conversation => {
                let caller = self.with_authorization(basic(&format!("{name}@localhost:{password}")));
                caller.from(address).get("/api/messages").await
            }
            OwnPassword => {
                let user = self.user(name).await;
                let account = self.again(&Account { id: user.id, jwt: String::new() }).await;
                let body = json!({ "oldPw": password, "newPw": PASSWORD, "newPwRepeat": PASSWORD });
                let path = format!("/api/v2/users/{}/password_change/", user.id);
                self.organiser(&account).from(address).post(&path, body).await
            }
        }
    }

    async fn try_password(&self, userid: &str, password: &str, address: &str) -> u16 {
        let caller = self.with_authorization(basic(&format!("{userid}:{password}"))).from(address);
        caller.get("/api/messages").await.status.as_u16()
    }

    async fn user(&self, name: &str) -> User {
        self.store.record_with(Unique::Username, name).await.unwrap().map(|stored| stored.record).unwrap()
    }

    /// Enters different wrong passwords, with these numbers, from this address.
    async fn enter_wrong_passwords(&self, name: &str, numbers: std::ops::Range<usize>, address: &str) {
        for number in numbers {
            let status = self.try_password(&format!("{name}@localhost"), &format!("wrong {number}"), address).await;
            assert_eq!(status, 401, "{number}");
        }
    }

    /// An event with a login token, and a client that joins it.
    async fn with_event(&self) -> u64 {
        let admin = self.admin().await;
        let caller = self.organiser(&admin);
        let event = caller.make_event("Congress").await;
        let token = json!({ "event": event, "token": TOKEN, "tokenType": "participant" });
        caller.make("/api/v2/logintokens/", token).await;
        event
    }
}

impl Caller<'_> {
    /// The same caller, at this address behind a trusted proxy.
    fn from(self, address: &str) -> Self {
        self.with_header("x-forwarded-for", address)
    }

    async fn join(&self, token: &str) -> Answer {
        self.post(JOIN, json!({ "loginToken": token })).await
    }
}

/// An API behind one proxy.
async fn behind_a_proxy() -> TestApp {
    TestApp::with([(Setting::TrustedProxies, "1")]).await
}

async fn with_alice() -> TestApp {
    let app = behind_a_proxy().await;
    app.participant("alice").await;
    app
}

/// The answers to a wrong password, to a right one, and to everybody during the lock.
fn answers(door: Door, wait: u64) -> (u16, u16, String) {
    let throttled = format!(r#"429 {{"detail":"Request was throttled. Expected available in {wait} seconds."}}"#);
    match door {
        LogIn => (400, 200, throttled),
        Conversation => (401, 200, r#"429 "Too many wrong passwords""#.to_owned()),
        OwnPassword => (400, 204, throttled),
    }
}

#[rstest]
#[tokio::test]
async fn ten_wrong_passwords_in_a_row_lock_the_account_for_that_address(
    #[values(LogIn, Conversation, OwnPassword)] door: Door,
) {
    let app = with_alice().await;
    let (wrong, right, shut) = answers(door, 571);
    for number in 0..10 {
        assert_eq!(app.knock(door, "alice", &format!("wrong {number}"), HERE).await.status, wrong, "{number}");
        app.wait(if number == 0 { Duration::from_millis(29_500) } else { Duration::ZERO });
    }
    let elsewhere = app.again_with([]);
    for (app, password) in [(&app, "wrong 10"), (&app, PASSWORD), (&elsewhere, "wrong 0"), (&elsewhere, PASSWORD)] {
        let answer = app.knock(door, "alice", password, HERE).await;
        assert_eq!(answer.to_string(), shut);
        assert_eq!(answer.header("retry-after"), "571");
    }
    assert_eq!(app.knock(door, "alice", PASSWORD, THERE).await.status, right);
    app.wait(TEN_MINUTES - Duration::from_secs(30));
    assert_eq!(app.knock(door, "alice", PASSWORD, HERE).await.status, 429);
    app.wait(Duration::from_secs(1));
    assert_eq!(app.knock(door, "alice", PASSWORD, HERE).await.status, right);
}

#[tokio::test]
async fn all_logins_share_one_count_of_wrong_passwords() {
    let app = with_alice().await;
    for (number, door) in [LogIn, Conversation, OwnPassword, LogIn, Conversation].into_iter().enumerate() {
        for half in [0, 1] {
            app.knock(door, "alice", &format!("wrong {number} {half}"), HERE).await;
        }
    }
    for door in [LogIn, Conversation, OwnPassword] {
        assert_eq!(app.knock(door, "alice", PASSWORD, HERE).await.status, 429, "{door:?}");
    }
    // Every spelling of her name is locked.
    assert_eq!(app.knock(LogIn, " ALICE ", PASSWORD, HERE).await.status, 429);
    assert_eq!(app.try_password("ALICE@Localhost/phone", PASSWORD, HERE).await, 429);
}

#[rstest]
#[tokio::test]
async fn a_repeated_wrong_password_counts_once(#[values(LogIn, Conversation, OwnPassword)] door: Door) {
    let app = with_alice().await;
    let (wrong, right, _) = answers(door, 0);
    app.enter_wrong_passwords("alice", 0..8, HERE).await;
    for _ in 0..12 {
        assert_eq!(app.knock(door, "alice", "an old one", HERE).await.status, wrong);
    }
    assert_eq!(app.knock(door, "alice", PASSWORD, HERE).await.status, right);
}

#[rstest]
#[tokio::test]
async fn a_right_password_resets_the_count_of_wrong_ones(#[values(LogIn, Conversation, OwnPassword)] door: Door) {
    let app = with_alice().await;
    for _ in 0..3 {
        app.enter_wrong_passwords("alice", 0..9, HERE).await;
        assert_eq!(app.knock(door, "alice", PASSWORD, HERE).await.status, answers(door, 0).1);
    }
}

#[tokio::test]
async fn other_accounts_stay_open_and_unknown_accounts_are_locked_too() {
    let app = with_alice().await;
    app.participant("bob").await;
    app.enter_wrong_passwords("alice", 0..10, HERE).await;
    assert_eq!(app.try_password("bob@localhost", PASSWORD, HERE).await, 200);
    app.enter_wrong_passwords("nobody", 0..10, HERE).await;
    for door in [LogIn, Conversation] {
        assert_eq!(app.knock(door, "Nobody", "wrong", HERE).await.status, 429);
    }
}

/// Enters a hundred different wrong passwords for an account, from ten addresses.
async fn enter_a_hundred_wrong_passwords(app: &TestApp, name: &str) {
    for host in 0..10 {
        app.enter_wrong_passwords(name, host * 10..host * 10 + 10, &format!("198.51.100.{host}")).await;
    }
}

#[tokio::test]
async fn a_hundred_wrong_passwords_lock_an_account_except_for_its_owners_address() {
    let app = with_alice().await;
    app.participant("bob").await;
    assert_eq!(app.try_password("alice@localhost", PASSWORD, HERE).await, 200);
    app.wait(DAY - Duration::from_secs(1));
    enter_a_hundred_wrong_passwords(&app, "alice").await;
    for door in [LogIn, Conversation, OwnPassword] {
        assert_eq!(app.knock(door, "alice", PASSWORD, THERE).await.to_string(), answers(door, 600).2);
    }
    assert_eq!(app.try_password("bob@localhost", PASSWORD, THERE).await, 200);
    // Her own address still has its usual ten attempts.
    assert_eq!(app.try_password("alice@localhost", "wrong once more", HERE).await, 401);
    assert_eq!(app.try_password("alice@localhost", PASSWORD, HERE).await, 200);
    app.wait(TEN_MINUTES);
    assert_eq!(app.try_password("alice@localhost", PASSWORD, THERE).await, 200);
}

#[tokio::test]
async fn the_owners_address_is_forgotten_after_a_day() {
    let app = with_alice().await;
    assert_eq!(app.try_password("alice@localhost", PASSWORD, HERE).await, 200);
    app.wait(DAY);
    enter_a_hundred_wrong_passwords(&app, "alice").await;
    assert_eq!(app.try_password("alice@localhost", PASSWORD, HERE).await, 429);
}

#[tokio::test]
async fn wrong_passwords_for_a_hundred_accounts_lock_an_address_except_for_its_known_user() {
    let app = with_alice().await;
    app.participant("bob").await;
    assert_eq!(app.try_password("alice@localhost", PASSWORD, HERE).await, 200);
    for number in 0..100 {
        // Each account counts once.
        app.enter_wrong_passwords(&format!("nobody{number}"), 0..1 + usize::from(number == 50), HERE).await;
    }
    for door in [LogIn, Conversation, OwnPassword] {
        assert_eq!(app.knock(door, "bob", PASSWORD, HERE).await.to_string(), answers(door, 600).2);
    }
    assert_eq!(app.try_password("bob@localhost", PASSWORD, THERE).await, 200);
    assert_eq!(app.try_password("alice@localhost", PASSWORD, HERE).await, 200);
    app.wait(TEN_MINUTES);
    assert_eq!(app.try_password("bob@localhost", PASSWORD, HERE).await, 200);
}

#[tokio::test]
async fn a_token_still_works_while_the_password_is_locked() {
    let app = with_alice().await;
    let login = json!({ "username": "alice", "password": PASSWORD });
    let token = app.anyone().from(THERE).post(OBTAIN, login).await.body["token"].as_str().unwrap().to_owned();
    app.enter_wrong_passwords("alice", 0..10, HERE).await;
    // A guesser could otherwise tell the right password from the wrong ones.
    assert_eq!(app.try_password("alice@localhost", PASSWORD, HERE).await, 429);
    assert_eq!(app.try_password("alice@localhost", &token, HERE).await, 200);
    let jwt = app.with_authorization(format!("JWT {token}")).from(HERE);
    assert_eq!(jwt.get("/api/v2/users/").await.status, 200);
    let refreshed = app.anyone().from(HERE).post("/api/v2/token-auth/refresh/", json!({ "token": token })).await;
    assert_eq!(refreshed.status, 200);
}

#[rstest]
#[tokio::test]
async fn concurrent_wrong_passwords_are_answered_ten_times(#[values(LogIn, Conversation)] door: Door) {
    let app = with_alice().await;
    let passwords: Vec<_> = (0..14).map(|number| format!("wrong {number}")).collect();
    let attempts = passwords.iter().map(|password| app.knock(door, "alice", password, HERE));
    let mut statuses: Vec<_> = join_all(attempts).await.iter().map(|answer| answer.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [vec![answers(door, 0).0; 10], vec![429; 4]].concat());
}

#[tokio::test]
async fn the_counters_in_the_table_reveal_no_name_and_no_password() {
    let app = with_alice().await;
    app.with_event().await;
    app.enter_wrong_passwords("alice", 0..2, HERE).await;
    app.enter_wrong_passwords("somebody-else", 0..1, HERE).await;
    assert_eq!(app.try_password("alice@localhost", PASSWORD, HERE).await, 200);
    let client = app.client(false).await.from(HERE);
    client.join("wrong-token-0").await;
    client.join(TOKEN).await;
    let items: Vec<_> = app.items().await.into_iter().filter(|item| item.contains("GUESSES#")).collect();
    assert_eq!(items.len(), 7, "{items:#?}");
    for secret in ["alice", HERE, "wrong 0", "wrong-token", "somebody", TOKEN, "localhost"] {
        assert!(!items.iter().any(|item| item.contains(secret)), "{secret}");
    }
    assert!(items.iter().all(|item| item.contains("expiresAt")));
    // Another deployment hashes with another key.
    let other = with_alice().await;
    other.enter_wrong_passwords("alice", 0..2, HERE).await;
    let keys = |items: Vec<String>| -> BTreeSet<String> {
        items.iter().filter_map(|item| Some(item.split("GUESSES#").nth(1)?.get(..32)?.to_owned())).collect()
    };
    assert!(keys(items).is_disjoint(&keys(other.items().await)));
}
