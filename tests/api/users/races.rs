//! Concurrent requests about users.

use std::sync::atomic::{AtomicUsize, Ordering};

use greenroom_core::model::{
    job::LEASE,
    user::Role::{Admin, Manager, Partner},
};
use serde_json::{Value, json};

use super::{TAKEN, USERS, path};
use crate::{
    organisers::Account,
    races::{count, race},
    support::{Answer, TestApp},
};

/// Posts all bodies at once. Each body depends on its turn.
async fn post_all(app: &TestApp, by: &Account, path: &str, times: usize, body: impl Fn(usize) -> Value) -> Vec<Answer> {
    let turn = AtomicUsize::new(0);
    let answers = race(times, || {
        let (app, by, path, body) =
            (app.clone(), by.clone(), path.to_owned(), body(turn.fetch_add(1, Ordering::SeqCst)));
        async move { app.organiser(&by).post(&path, body).await }
    });
    answers.await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_twenty_concurrent_users_with_the_same_name_is_created() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let names = ["odysseus", "ODYSSEUS", "Odysseus", " odySSeus "];
    let answers =
        post_all(&app, &admin, USERS, 20, |turn| json!({ "username": names[turn % 4], "role": "manager" })).await;
    assert_eq!((count(&answers, 201), count(&answers, 400)), (1, 19));
    assert!(answers.iter().all(|answer| answer.status == 201 || answer.to_string() == TAKEN));
    let list = app.organiser(&admin).get(USERS).await.body;
    assert_eq!((&list["count"], list["results"].as_array().unwrap().len()), (&json!(2), 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_twenty_users_renamed_to_the_same_name_gets_it() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let mut users = Vec::new();
    for turn in 0..20 {
        users.push(app.account(&format!("user {turn}"), Manager, None).await.id);
    }
    let turn = AtomicUsize::new(0);
    let answers = race(20, || {
        let (app, admin, user) = (app.clone(), admin.clone(), users[turn.fetch_add(1, Ordering::SeqCst)]);
        async move { app.organiser(&admin).patch(&path(user), json!({ "username": "Odysseus" })).await }
    });
    let answers = answers.await;
    assert_eq!((count(&answers, 200), count(&answers, 400)), (1, 19));
    let list = app.organiser(&admin).get(&format!("{USERS}?username=Odysseus")).await.body;
    assert_eq!(list["count"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_racing_with_new_events_either_fails_or_leaves_no_event() {
    for _ in 0..3 {
        let app = TestApp::new().await;
        let admin = app.admin().await;
        let owner = app.account("owner", Partner, None).await.id;
        let body = |turn| json!({ "name": format!("event {turn}"), "owner": owner });
        let caller = app.organiser(&admin);
        let user = path(owner);
        let (made, deleted) = tokio::join!(post_all(&app, &admin, "/api/v2/events/", 8, body), caller.delete(&user));
        let refused = json!({ "owner": [format!("Invalid pk \"{owner}\" - object does not exist.")] });
        assert!(made.iter().all(|answer| answer.status == 201 || answer.body == refused), "{made:?}");
        let events = caller.get("/api/v2/events/").await.body["count"].as_u64().unwrap();
        assert_eq!(events, count(&made, 201) as u64);
        match deleted.status.as_u16() {
            204 => assert_eq!((events, caller.get(&user).await.status.as_u16()), (0, 404)),
            400 => assert_eq!((events > 0, caller.get(&user).await.status.as_u16()), (true, 200)),
            status => panic!("{status}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_user_is_neither_a_creator_nor_a_manager_of_an_event() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let creator = app.account("creator", Manager, None).await.id;
    let caller = app.organiser(&admin);
    let users = |turn| json!({ "username": format!("user {turn}"), "role": "manager", "creator": creator });
    let events = |turn| json!({ "name": format!("event {turn}"), "managers": [creator] });
    let user = path(creator);
    let (users, events, deleted) = tokio::join!(
        post_all(&app, &admin, USERS, 6, users),
        post_all(&app, &admin, "/api/v2/events/", 6, events),
        caller.delete(&user)
    );
    assert_eq!(deleted.status, 204, "{deleted}");
    assert_eq!(caller.delete(&user).await.status, 404);
    app.wait(LEASE);
    app.keep_house().await;
    assert_eq!(count(&users, 201) + count(&users, 400), 6, "{users:?}");
    assert_eq!(count(&events, 201) + count(&events, 400), 6, "{events:?}");
    let list = caller.get(USERS).await.body;
    assert_eq!(list["count"], 1 + count(&users, 201));
    assert!(list["results"].as_array().unwrap().iter().all(|user| user["creator"] != creator));
    let list = caller.get("/api/v2/events/").await.body;
    assert!(list["results"].as_array().unwrap().iter().all(|event| event["managers"] == json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_eight_concurrent_password_changes_succeeds() {
    let app = TestApp::new().await;
    let user = app.account("user", Manager, None).await;
    app.give_passwords(&[user.id], "the old one").await;
    let new = |turn| format!("the new one {turn}");
    let change = |turn| json!({ "oldPw": "the old one", "newPw": new(turn), "newPwRepeat": new(turn) });
    let path = format!("{}password_change/", path(user.id));
    let answers = post_all(&app, &user, &path, 8, change).await;
    assert_eq!((count(&answers, 204), count(&answers, 400)), (1, 7));
    let mut good = 0;
    for password in (0..8).map(new).chain(["the old one".to_owned()]) {
        let body = json!({ "username": "user", "password": password });
        good += usize::from(app.anyone().post("/api/v2/token-auth/obtain/", body).await.status == 200);
    }
    assert_eq!(good, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_eight_concurrent_first_passwords_of_an_admin_is_set() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let boss = app.account("boss", Admin, None).await;
    let set = |turn| json!({ "newPw": format!("the first one {turn}") });
    let answers = post_all(&app, &admin, &format!("{}password_set/", path(boss.id)), 8, set).await;
    assert_eq!((count(&answers, 204), count(&answers, 403)), (1, 7));
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_changes_of_different_user_fields_are_all_kept() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let user = app.account("user", Manager, Some(admin.id)).await.id;
    let (caller, path) = (app.organiser(&admin), path(user));
    let block = format!("{path}block/");
    let answers = tokio::join!(
        caller.patch(&path, json!({ "firstName": "Ada" })),
        caller.patch(&path, json!({ "lastName": "Lovelace" })),
        caller.patch(&path, json!({ "email": "ada@example.com" })),
        caller.patch(&path, json!({ "username": "ada" })),
        caller.patch(&path, json!({ "creator": null })),
        caller.post_nothing(&block),
    );
    assert_eq!(answers.5.status, 204);
    let user = caller.get(&path).await.body;
    let whole = json!({
        "id": 2, "username": "ada", "email": "ada@example.com", "firstName": "Ada", "lastName": "Lovelace",
        "blocked": true, "role": "manager", "creator": null,
    });
    assert_eq!(user, whole);
    assert_eq!(caller.get(USERS).await.body["results"][1], whole);
    assert_eq!(caller.get(&format!("{USERS}?username=ada")).await.body["results"], json!([whole]));
}
