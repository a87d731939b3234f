//! The people of `/api/v2`: users who are logged in, and clients with a static API token.

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use shared::{
    auth::UserClaims,
    model::{User, api_token, user::Role},
    password,
};

use crate::support::{Caller, TestApp};

/// A user with a token of theirs.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) id: u64,
    pub(crate) jwt: String,
}

impl TestApp {
    /// Makes a user in the table, without a password, and logs them in.
    pub(crate) async fn account(&self, username: &str, role: Role, creator: Option<u64>) -> Account {
        let id = self.store.new_id::<User>().await.unwrap();
        let user = User {
            id,
            username: username.to_owned(),
            email: format!("{username}@greenroom.example"),
            first_name: String::new(),
            last_name: String::new(),
            blocked: false,
            role,
            creator,
        };
        self.store.insert_record(&user).await.unwrap().unwrap();
        let jwt = self.keys.sign_user(&UserClaims::first(&user, self.clock.now())).unwrap();
        Account { id, jwt }
    }

    /// Gives users a password, all the same one.
    pub(crate) async fn give_passwords(&self, users: &[u64], password: &str) {
        let hash = password::hash(password.to_owned().into()).await.unwrap();
        for user in users {
            self.store.set_password(*user, &hash, None).await.unwrap().unwrap();
        }
    }

    /// An admin whom nobody made.
    pub(crate) async fn admin(&self) -> Account {
        self.account("admin", Role::Admin, None).await
    }

    /// Sends requests as a user.
    pub(crate) fn organiser(&self, account: &Account) -> Caller<'_> {
        self.with_authorization(format!("JWT {}", account.jwt))
    }

    /// Sends requests as a client with a new static API token.
    pub(crate) async fn client(&self, mobile: bool) -> Caller<'_> {
        let (token, hash) = api_token::generate();
        self.store.insert_api_token(&hash, "client", mobile, self.clock.now()).await.unwrap();
        self.with_authorization(format!("Token {}", token.expose_secret()))
    }
}

impl Caller<'_> {
    /// Puts JSON.
    pub(crate) async fn put(&self, path: &str, body: Value) -> crate::support::Answer {
        self.send("PUT", path, &[("content-type", "application/json")], body.to_string().into()).await
    }

    /// Patches with JSON.
    pub(crate) async fn patch(&self, path: &str, body: Value) -> crate::support::Answer {
        self.send("PATCH", path, &[("content-type", "application/json")], body.to_string().into()).await
    }

    /// Makes something; its number.
    pub(crate) async fn make(&self, path: &str, body: Value) -> u64 {
        let answer = self.post(path, body).await;
        assert_eq!(answer.status, 201, "{answer}");
        answer.body["id"].as_u64().unwrap()
    }

    /// Makes an event; its number.
    pub(crate) async fn make_event(&self, name: &str) -> u64 {
        self.make("/api/v2/events/", json!({ "name": name })).await
    }
}
