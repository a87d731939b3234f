//! Organisers: the root, logging in, users and API tokens.

use greenroom_core::model::user::Role;
use serde_json::{Value, json};

use super::Rows;
use crate::{
    organisers::Account,
    support::{Answer, Caller, TestApp},
};

const USERS: &str = "/api/v2/users/";
const TOKENS: &str = "/api/v2/apitokens/";
const PASSWORD: &str = "correct horse";

pub(super) async fn measure(rows: &mut Rows) {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let caller = app.organiser(&admin);
    rows.note("the first in an hour on its instance", caller.get("/api/v2/").await);
    rows.note("any", caller.get("/api/v2/").await);
    app.give_passwords(&[admin.id], PASSWORD).await;
    log_in(rows, &app).await;
    users(rows, &caller, &admin).await;
    manager(rows, &app).await;
    let admin = app.again(&admin).await;
    api_tokens(rows, &app.organiser(&admin)).await;
}

async fn log_in(rows: &mut Rows, app: &TestApp) {
    let obtain = async |password: &str| {
        let body = json!({ "username": "admin", "password": password });
        app.anyone().at("192.0.2.1").post("/api/v2/token-auth/obtain/", body).await
    };
    let answer = rows.note("with the right password", obtain(PASSWORD).await);
    rows.note_any("with a wrong password", obtain("wrong").await);
    rows.note("refreshed", app.anyone().post("/api/v2/token-auth/refresh/", answer.body).await);
    let elsewhere = app.account("elsewhere", Role::Partner, None).await;
    rows.note("all of them", app.organiser(&elsewhere).post_nothing("/api/v2/token-auth/revoke/").await);
}

fn user(username: &str, role: &str) -> Value {
    json!({ "username": username, "email": "ada@greenroom.example", "password": PASSWORD, "role": role })
}

/// Creates a user; their path.
async fn made(rows: &mut Rows, caller: &Caller<'_>, case: &str, body: Value) -> String {
    let answer = rows.note(case, caller.post(USERS, body).await);
    format!("{USERS}{}/", answer.body["id"])
}

async fn users(rows: &mut Rows, caller: &Caller<'_>, admin: &Account) {
    let path = made(rows, caller, "a partner", user("partner", "partner")).await;
    rows.note("of all, by an admin", caller.get(USERS).await);
    rows.note("any", caller.get(&path).await);
    rows.note("any", caller.put(&path, user("partner", "partner")).await);
    rows.note("their name", caller.patch(&path, json!({ "first_name": "Ada" })).await);
    rows.note("renamed", caller.patch(&path, json!({ "username": "other" })).await);
    rows.note("any", caller.post_nothing(&format!("{path}block/")).await);
    rows.note("any", caller.post_nothing(&format!("{path}unblock/")).await);
    let set = caller.post(&format!("{path}password_set/"), json!({ "newPw": "another password" })).await;
    rows.note("any", set);
    let change = json!({ "oldPw": PASSWORD, "newPw": "long enough", "newPwRepeat": "long enough" });
    rows.note("who has nothing", caller.delete(&path).await);
    // Changing the password ends the caller's login.
    rows.note("any", caller.post(&format!("{USERS}{}/password_change/", admin.id), change).await);
}

/// A partner with 20 managers. One of them manages ten events.
async fn manager(rows: &mut Rows, app: &TestApp) {
    let partner = app.account("partner", Role::Partner, None).await;
    let caller = app.organiser(&partner);
    let mut managers = Vec::new();
    for number in 0..20 {
        managers.push(app.account(&format!("manager{number}"), Role::Manager, Some(partner.id)).await.id);
    }
    for number in 0..10 {
        let event = json!({ "name": format!("Congress {number}"), "managers": [managers[0]] });
        assert_eq!(caller.post("/api/v2/events/", event).await.status, 201);
    }
    rows.note("20, by a partner", caller.get(USERS).await);
    rows.note("who manages ten events", caller.delete(&format!("{USERS}{}/", managers[0])).await);
}

async fn api_tokens(rows: &mut Rows, caller: &Caller<'_>) {
    let make = async || caller.post(TOKENS, json!({ "name": "web" })).await;
    let answer: Answer = rows.note("any", make().await);
    rows.note("one", caller.get(TOKENS).await);
    rows.note("any", caller.delete(&format!("{TOKENS}{}/", answer.body["id"])).await);
}
