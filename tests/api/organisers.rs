//! The callers of `/api/v2`: users who are logged in, and clients with a static API token.

use aws_sdk_dynamodb::types::AttributeValue;
use greenroom_core::{
    model::{User, api_token, user::Role},
    password::{self, PasswordHash},
};
use greenroom_http::auth::UserClaims;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::support::{Caller, TestApp};

/// A user with a valid token.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) id: u64,
    pub(crate) jwt: String,
}

impl TestApp {
    /// Creates a user in the table, without a password, and logs them in.
    pub(crate) async fn account(&self, username: &str, role: Role, creator: Option<u64>) -> Account {
        let id = self.store.new_id::<User>().await.unwrap();
        let email = format!("{username}@greenroom.example");
        let user = User { email, creator, ..User::named(id, username, role) };
        self.store.insert_record(&user).await.unwrap().unwrap();
        let jwt = self.keys.sign_user(&UserClaims::first(&user, self.clock.now())).unwrap();
        Account { id, jwt }
    }

    /// The same user, logged in again.
    pub(crate) async fn again(&self, account: &Account) -> Account {
        let Some(user) = self.store.record::<User>(account.id).await.unwrap() else { return account.clone() };
        let jwt = self.keys.sign_user(&UserClaims::first(&user.record, self.clock.now())).unwrap();
        Account { jwt, ..*account }
    }

    /// Gives all these users the same password.
    pub(crate) async fn give_passwords(&self, users: &[u64], password: &str) {
        let hash = password::hash(password.to_owned().into()).await.unwrap();
        for user in users {
            self.keep_password(*user, &hash).await;
        }
    }

    /// Gives a user a password by its hash. Their logins stay valid, as if they had always had it.
    pub(crate) async fn keep_password(&self, user: u64, hash: &PasswordHash) {
        let [key, sort, kind, hash] = [&format!("USER#{user}"), "PASSWORD", "Password", hash.as_str()]
            .map(|text| AttributeValue::S(text.to_owned()));
        let put = self.client.put_item().table_name(&*self.table).item("PK", key).item("SK", sort);
        put.item("Type", kind).item("hash", hash).send().await.unwrap();
    }

    /// An admin without a creator.
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
        let name = format!("client {}", hash.as_str());
        self.store.insert_api_token(&hash, &name, mobile, self.clock.now()).await.unwrap().unwrap();
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

    /// Creates something; its number.
    pub(crate) async fn make(&self, path: &str, body: Value) -> u64 {
        let answer = self.post(path, body).await;
        assert_eq!(answer.status, 201, "{answer}");
        answer.body["id"].as_u64().unwrap()
    }

    /// Creates an event; its number.
    pub(crate) async fn make_event(&self, name: &str) -> u64 {
        self.make("/api/v2/events/", json!({ "name": name })).await
    }
}
