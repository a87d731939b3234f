//! `/api/v2/users`: the fields of a user, and the errors of invalid ones.

mod fields;
mod paths;
mod races;

use greenroom_core::model::user::Role::{Admin, Manager, Partner};
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::TestApp;

const USERS: &str = "/api/v2/users/";
const TAKEN: &str = r#"400 {"username":["A user with that username already exists."]}"#;

/// A user's path.
fn path(id: u64) -> String {
    format!("{USERS}{id}/")
}

/// Creates a user whose field has this value; the body of the answer.
async fn with(app: &TestApp, field: &str, value: Value) -> Value {
    let admin = app.admin().await;
    let mut body = json!({ "username": "new", "role": "manager" });
    body[field] = value;
    app.organiser(&admin).post(USERS, body).await.body
}

#[tokio::test]
async fn a_user_is_shown_with_all_fields() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let admin = app.organiser(&admin);
    let body = json!({
        "username": "ada", "role": "partner", "email": "ada@example.com", "firstName": "Ada", "lastName": "Lovelace",
    });
    assert_snapshot!(
        admin.post(USERS, body).await,
        @r#"201 {"blocked":false,"creator":1,"email":"ada@example.com","firstName":"Ada","id":2,"lastName":"Lovelace","role":"partner","username":"ada"}"#
    );
    assert_snapshot!(
        admin.post(USERS, json!({ "username": "bob", "role": "admin" })).await,
        @r#"201 {"blocked":false,"creator":1,"email":"","firstName":"","id":3,"lastName":"","role":"admin","username":"bob"}"#
    );
    let got = admin.get("/api/v2/users/2/").await;
    assert_eq!(got.body["username"], "ada");
    assert_eq!(admin.get(USERS).await.body["results"][1], got.body);
}

#[tokio::test]
async fn put_requires_the_required_fields_and_keeps_the_rest() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let admin = app.organiser(&admin);
    let body = json!({ "username": "ada", "role": "partner", "email": "ada@example.com", "firstName": "Ada" });
    let user = path(admin.make(USERS, body).await);
    assert_snapshot!(
        admin.put(&user, json!({ "firstName": "x" })).await,
        @r#"400 {"role":["This field is required."],"username":["This field is required."]}"#
    );
    assert_snapshot!(
        admin.put(&user, json!({ "username": "ada", "role": "manager", "lastName": "Lovelace" })).await,
        @r#"200 {"blocked":false,"creator":1,"email":"ada@example.com","firstName":"Ada","id":2,"lastName":"Lovelace","role":"manager","username":"ada"}"#
    );
}

#[tokio::test]
async fn patch_requires_nothing_and_changes_only_the_given_fields() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let admin = app.organiser(&admin);
    let user = path(admin.make(USERS, json!({ "username": "ada", "role": "partner", "firstName": "Ada" })).await);
    let whole = r#"{"blocked":false,"creator":1,"email":"","firstName":"Ada","id":2,"lastName":"","role":"partner","username":"ada"}"#;
    assert_eq!(admin.patch(&user, json!({})).await.to_string(), format!("200 {whole}"));
    assert_eq!(admin.send("PATCH", &user, &[], "".into()).await.to_string(), format!("200 {whole}"));
    let unknown = json!({ "id": 99, "blocked": true, "password": "long enough", "nothing": 1, "first_name": "x" });
    assert_eq!(admin.patch(&user, unknown).await.to_string(), format!("200 {whole}"));
    let changed = admin.patch(&user, json!({ "firstName": "", "email": "a@b.example" })).await;
    assert_eq!((&changed.body["firstName"], &changed.body["email"]), (&json!(""), &json!("a@b.example")));
    assert_eq!(admin.get(&user).await.body, changed.body);
    assert_eq!(admin.get(USERS).await.body["results"][1], changed.body);
}

#[tokio::test]
async fn a_password_in_the_body_is_ignored_and_never_echoed() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let admin = app.organiser(&admin);
    let passwords = [json!("correct horse"), json!(null), json!([1]), json!("x")];
    for (turn, password) in passwords.into_iter().enumerate() {
        let body = json!({ "username": format!("user {turn}"), "role": "manager", "password": password });
        let made = admin.post(USERS, body.clone()).await;
        assert_eq!(made.status, 201);
        assert!(made.body.get("password").is_none());
        let put = admin.put(&path(made.body["id"].as_u64().unwrap()), body).await;
        assert_eq!((put.status.as_u16(), put.body), (200, made.body));
    }
    assert!(!app.items().await.iter().any(|item| item.contains("correct horse")));
    let body = json!({ "username": "user 0", "password": "correct horse" });
    assert_eq!(app.anyone().post("/api/v2/token-auth/obtain/", body).await.status, 400);
}

#[tokio::test]
async fn usernames_are_unique_regardless_of_case_and_shown_as_typed() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let admin = app.organiser(&admin);
    let id = admin.make(USERS, json!({ "username": "ÉmilE Οδυσσεύς", "role": "manager" })).await;
    for taken in ["ÉmilE Οδυσσεύς", "émile οδυσσεύς", "ÉMILE ΟΔΥΣΣΕΎΣ", " Émile Οδυσσεύς "]
    {
        let answer = admin.post(USERS, json!({ "username": taken, "role": "manager" })).await;
        assert_eq!(answer.to_string(), TAKEN, "{taken}");
    }
    assert_eq!(admin.get(&path(id)).await.body["username"], "ÉmilE Οδυσσεύς");
    // A user may change the case of their own name.
    let renamed = admin.patch(&path(id), json!({ "username": "émile Οδυσσεύς" })).await;
    assert_eq!((renamed.status.as_u16(), &renamed.body["username"]), (200, &json!("émile Οδυσσεύς")));
    let other = admin.make(USERS, json!({ "username": "other", "role": "manager" })).await;
    let answer = admin.patch(&path(other), json!({ "username": "ÉMILE ΟΔΥΣΣΕΎΣ" })).await;
    assert_eq!(answer.to_string(), TAKEN);
    // A name that is no longer used is free.
    assert_eq!(admin.patch(&path(id), json!({ "username": "emil" })).await.status, 200);
    assert_eq!(admin.patch(&path(other), json!({ "username": "ÉMILE ΟΔΥΣΣΕΎΣ" })).await.status, 200);
}

#[tokio::test]
async fn all_errors_are_reported_together() {
    let app = TestApp::new().await;
    let admin = app.account("Taken", Admin, None).await;
    let body = json!({
        "username": "tAKEN", "role": "king", "email": "ada", "firstName": "x".repeat(151), "lastName": null, "creator": 99,
    });
    assert_snapshot!(
        app.organiser(&admin).post(USERS, body).await,
        @r#"400 {"creator":["Invalid pk \"99\" - object does not exist."],"email":["Enter a valid email address."],"firstName":["Ensure this field has no more than 150 characters."],"lastName":["This field may not be null."],"role":["\"king\" is not a valid choice."],"username":["A user with that username already exists."]}"#
    );
    assert_snapshot!(
        app.organiser(&admin).post(USERS, json!({})).await,
        @r#"400 {"role":["This field is required."],"username":["This field is required."]}"#
    );
    assert_snapshot!(
        app.organiser(&admin).post_nothing(USERS).await,
        @r#"400 {"role":["This field is required."],"username":["This field is required."]}"#
    );
}

#[tokio::test]
async fn passwords_are_checked_field_by_field() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let target = app.account("target", Partner, None).await;
    app.give_passwords(&[admin.id], "the old one").await;
    let admin_path = path(admin.id);
    let admin = app.organiser(&admin);
    let change = async |body: Value| admin.post(&format!("{admin_path}password_change/"), body).await;
    assert_snapshot!(
        change(json!({})).await,
        @r#"400 {"newPw":["This field is required."],"newPwRepeat":["This field is required."],"oldPw":["This field is required."]}"#
    );
    assert_snapshot!(
        change(json!({ "oldPw": "", "newPw": null, "newPwRepeat": true })).await,
        @r#"400 {"newPw":["This field may not be null."],"newPwRepeat":["Not a valid string."],"oldPw":["This field may not be blank."]}"#
    );
    assert_snapshot!(
        change(json!({ "oldPw": "the old on", "newPw": "1234567", "newPwRepeat": "1234567" })).await,
        @r#"400 {"newPw":["Ensure this field has at least 8 characters."],"oldPw":["The current password is not correct."]}"#
    );
    assert_snapshot!(
        change(json!({ "oldPw": "the old one", "newPw": "long enough", "newPwRepeat": "long enough " })).await,
        @r#"400 {"newPwRepeat":["The two passwords do not match."]}"#
    );
    assert_snapshot!(
        change(json!({ "oldPw": "the old one ", "newPw": "long enough", "newPwRepeat": "x" })).await,
        @r#"400 {"newPwRepeat":["The two passwords do not match."],"oldPw":["The current password is not correct."]}"#
    );
    let set = async |body: Value| admin.post(&format!("{}password_set/", path(target.id)), body).await;
    assert_snapshot!(set(json!({})).await, @r#"400 {"newPw":["This field is required."]}"#);
    assert_snapshot!(set(json!({ "newPw": "" })).await, @r#"400 {"newPw":["This field may not be blank."]}"#);
    assert_snapshot!(
        set(json!({ "newPw": "é".repeat(513) })).await,
        @r#"400 {"newPw":["Ensure this field has no more than 1024 bytes."]}"#
    );
    assert_eq!(set(json!({ "newPw": "é".repeat(512) })).await.status, 204);
    assert_eq!(set(json!({ "newPw": "        " })).await.status, 204);
    assert_eq!(set(json!({ "newPw": 72_345_618 })).await.status, 204);
}

#[tokio::test]
async fn a_user_without_a_password_cannot_change_it() {
    let app = TestApp::new().await;
    let user = app.account("user", Manager, None).await;
    for old in ["anything", " "] {
        let body = json!({ "oldPw": old, "newPw": "long enough", "newPwRepeat": "long enough" });
        let answer = app.organiser(&user).post(&format!("{}password_change/", path(user.id)), body).await;
        assert_eq!(answer.to_string(), r#"400 {"oldPw":["The current password is not correct."]}"#);
    }
}
