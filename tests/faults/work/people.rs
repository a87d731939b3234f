//! Admins create, block and delete users, and create and delete API tokens.

use greenroom_core::model::user::Role;
use serde_json::{Value, json};

use super::{ROUNDS, Work, organisers::Setting};
use crate::{
    bed::{Bed, Call, Instance},
    world::Account,
};

const USERS: &str = "/api/v2/users";
const TOKENS: &str = "/api/v2/apitokens";

/// The acknowledged state of an admin.
pub(super) struct Admin {
    /// A user who is blocked and unblocked, and whether they are blocked.
    guest: Account,
    is_blocked: bool,
    /// Whether they were blocked since they logged in.
    is_logged_out: bool,
    users: Vec<User>,
    deleted: Vec<User>,
    /// The valid API tokens, with their numbers.
    tokens: Vec<(u64, String)>,
    /// The deleted API tokens.
    taken: Vec<String>,
}

/// The acknowledged state of a user.
struct User {
    id: u64,
    name: String,
    /// The possible first names; exactly one if the last change was acknowledged.
    first_names: Vec<Value>,
}

fn path(id: u64) -> String {
    format!("{USERS}/{id}")
}

impl Admin {
    pub(super) async fn make(bed: &Bed, hand: u64) -> Self {
        let guest = bed.sound.account(&format!("guest{hand}"), Role::Partner).await;
        let (users, deleted, tokens, taken) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { guest, is_blocked: false, is_logged_out: false, users, deleted, tokens, taken }
    }

    pub(super) async fn work(mut self, work: &Work<'_>, setting: &Setting, hand: u64) -> Self {
        let (by, mut chance) = (&setting.admin, work.chance("people", hand));
        for round in 0..ROUNDS {
            match chance.below(7) {
                0 | 1 => self.users.push(made(work, by, format!("user-{hand}-{round}")).await),
                2 => {
                    let action = if self.is_blocked { "unblock" } else { "block" };
                    let call = Call::new("POST", format!("{}/{action}", path(self.guest.id))).by(by);
                    let changed = work.insist(&call).await.answer;
                    assert_eq!(changed.status, 204, "{changed}");
                    self.is_blocked = !self.is_blocked;
                    // Unblocking revives no token.
                    self.is_logged_out = true;
                }
                3 => {
                    if let Some(user) = chance.take(&mut self.users) {
                        let deleted = work.insist(&Call::new("DELETE", path(user.id)).by(by)).await;
                        assert!(deleted.is(204, 404), "{}", deleted.answer);
                        self.deleted.push(user);
                    }
                }
                4 => {
                    if let Some(user) = self.users.last_mut() {
                        user.rename(work, by, json!(format!("Name {round}"))).await;
                    }
                }
                5 => {
                    let made = work.send(&Call::new("POST", TOKENS).by(by).json(json!({ "name": "client" }))).await;
                    if made.status == 201 {
                        let token = made.body["token"].as_str().unwrap().to_owned();
                        self.tokens.push((made.body["id"].as_u64().unwrap(), token));
                    }
                }
                _ => {
                    if let Some((id, token)) = chance.take(&mut self.tokens) {
                        let taken = work.insist(&Call::new("DELETE", format!("{TOKENS}/{id}")).by(by)).await;
                        assert!(taken.is(204, 404), "{}", taken.answer);
                        self.taken.push(token);
                    }
                }
            }
        }
        self
    }

    pub(super) async fn check(&self, instance: &Instance, setting: &Setting) {
        let by = &setting.admin;
        let root = instance.send(&Call::new("GET", "/api/v2").by(&self.guest.jwt)).await;
        assert_eq!(root.status, if self.is_logged_out { 401 } else { 200 }, "{root}");
        for user in &self.users {
            let read = instance.does(Call::new("GET", path(user.id)).by(by)).await;
            assert_eq!(read.body["username"], user.name.as_str());
            assert!(user.first_names.contains(&read.body["firstName"]), "{read}");
        }
        for user in &self.deleted {
            assert_eq!(instance.send(&Call::new("GET", path(user.id)).by(by)).await.status, 404);
            instance.makes(USERS, by, json!({ "username": user.name, "role": "partner" })).await;
        }
        let test = |token: &str| Call::new("POST", "/api/v2/networktestsession").by(&format!("Token {token}"));
        for (_, token) in &self.tokens {
            instance.does(test(token)).await;
        }
        for token in &self.taken {
            assert_eq!(instance.send(&test(token)).await.status, 401);
        }
    }
}

async fn made(work: &Work<'_>, by: &str, name: String) -> User {
    let body = json!({ "username": name, "role": "partner" });
    let made = work.insist(&Call::new("POST", USERS).by(by).json(body)).await;
    assert!(made.is(201, 400), "{}", made.answer);
    let found = work.insist(&Call::new("GET", format!("{USERS}?username={name}")).by(by)).await.answer;
    let id = found.body["results"][0]["id"].as_u64().unwrap();
    User { id, name, first_names: vec![json!("")] }
}

impl User {
    async fn rename(&mut self, work: &Work<'_>, by: &str, name: Value) {
        let answer = work.send(&Call::new("PATCH", path(self.id)).by(by).json(json!({ "firstName": name }))).await;
        match answer.status {
            200 => self.first_names = vec![name],
            503 => self.first_names.push(name),
            _ => panic!("{answer}"),
        }
    }
}
