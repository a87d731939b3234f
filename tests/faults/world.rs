//! The users and records that exist before anything fails.

use base64::{Engine, prelude::BASE64_STANDARD};
use greenroom_core::{
    model::{User, api_token, user::Role},
    password::{self, PasswordHash},
};
use greenroom_http::auth::UserClaims;
use greenroom_store::{Replacing, Stored};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use testbed::admission_signature;
use tokio::sync::OnceCell;

use crate::bed::{ACCESS_TOKEN, Answer, Call, Instance, SECRET, WEBHOOK_SECRET};

/// The password of every participant.
pub(crate) const PASSWORD: &str = "correct horse: battery";

/// The hash of the password. It is computed once, because hashing takes longer than everything else.
static HASH: OnceCell<PasswordHash> = OnceCell::const_new();

/// A user with a valid token.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) id: u64,
    /// The token for `/api/v2`.
    pub(crate) jwt: String,
}

impl Instance {
    /// Creates a user without a password.
    pub(crate) async fn account(&self, username: &str, role: Role) -> Account {
        let store = &self.store;
        let id = store.new_id::<User>().await.unwrap();
        let email = format!("{username}@greenroom.example");
        let user = User { email, ..User::named(id, username, role) };
        store.insert_record(&user).await.unwrap().unwrap();
        Account { id, jwt: self.jwt(&user) }
    }

    /// A token for `/api/v2`.
    pub(crate) fn jwt(&self, user: &User) -> String {
        format!("JWT {}", self.app.keys.sign_user(&UserClaims::first(user, self.app.clock.now())).unwrap())
    }

    /// Creates a participant of conversations.
    pub(crate) async fn participant(&self, username: &str) -> Account {
        let account = self.account(username, Role::Partner).await;
        let hash = HASH.get_or_init(async || password::hash(PASSWORD.to_owned().into()).await.unwrap()).await;
        let user: Stored<User> = self.store.record(account.id).await.unwrap().unwrap();
        self.store.set_password(user, hash, Replacing::Any, |_| true).await.unwrap().unwrap();
        // Setting the password ended their logins.
        let user = self.store.record::<User>(account.id).await.unwrap().unwrap().record;
        let jwt = self.app.keys.sign_user(&UserClaims::first(&user, self.app.clock.now())).unwrap();
        Account { jwt: format!("JWT {jwt}"), ..account }
    }

    /// The credentials of a new client with a static API token.
    pub(crate) async fn client(&self) -> String {
        let (token, hash) = api_token::generate();
        let now = self.app.clock.now();
        let name = format!("client {}", hash.as_str());
        self.store.insert_api_token(&hash, &name, false, now).await.unwrap().unwrap();
        format!("Token {}", token.expose_secret())
    }

    /// Sends a call that has to succeed; its answer.
    pub(crate) async fn does(&self, call: Call) -> Answer {
        let answer = self.send(&call).await;
        assert!((200..300).contains(&answer.status), "{call}: {answer}");
        answer
    }

    /// Creates a record of `/api/v2`; its number.
    pub(crate) async fn makes(&self, path: &str, by: &str, body: Value) -> u64 {
        self.does(Call::new("POST", path).by(by).json(body)).await.body["id"].as_u64().unwrap()
    }
}

/// The credentials of a participant.
pub(crate) fn participant(username: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{username}@localhost:{PASSWORD}")))
}

/// The credentials of the back-ends.
pub(crate) fn backend() -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("OPENVIDUAPP:{SECRET}")))
}

/// The credentials of the operators.
pub(crate) fn operator() -> String {
    format!("Basic {}", BASE64_STANDARD.encode(ACCESS_TOKEN))
}

/// The webhook of a media server about a viewer of a stream of the application `app`.
pub(crate) fn webhook(status: &str, stream: &str, name: &str) -> Call {
    webhook_from("192.0.2.1", status, stream, name)
}

/// The later webhook of a viewer who was refused and tries again.
pub(crate) fn webhook_again(stream: &str, name: &str) -> Call {
    webhook_at("2023-11-14T22:13:21Z", "192.0.2.1", "opening", stream, name)
}

/// The same webhook about a viewer at this address.
pub(crate) fn webhook_from(address: &str, status: &str, stream: &str, name: &str) -> Call {
    webhook_at("2023-11-14T22:13:20Z", address, status, stream, name)
}

fn webhook_at(time: &str, address: &str, status: &str, stream: &str, name: &str) -> Call {
    let body = json!({
        "client": { "address": address, "port": 1 },
        "request": {
            "direction": "outgoing", "protocol": "WebRTC", "status": status, "time": time,
            "url": format!("ws://live.example:3333/app/{stream}?session={name}"),
        },
    });
    let signature = admission_signature(WEBHOOK_SECRET, body.to_string());
    Call::new("POST", "/v1/admission").with("x-ome-signature", signature).json(body)
}
