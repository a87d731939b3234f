//! Concurrent requests of `/api/v2`.

use std::sync::atomic::{AtomicUsize, Ordering};

use greenroom_core::model::job::LEASE;
use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    joining::JOIN,
    lists::follow,
    lost_answers::{holding, losing},
    organisers::Account,
    races::{count, race},
    support::TestApp,
};

const TOKENS: &str = "/api/v2/logintokens/";
const SESSIONS: &str = "/api/v2/sessions/";

async fn with_event() -> (TestApp, Account, u64) {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let event = app.organiser(&admin).make_event("A").await;
    (app, admin, event)
}

/// The count that a list reports, and the number of records on its pages.
async fn listed(app: &TestApp, admin: &Account, path: &str) -> (u64, u64) {
    let answer = app.organiser(admin).get(path).await;
    (answer.body["count"].as_u64().unwrap(), follow(&app.organiser(admin), path).await.len() as u64)
}

#[rstest]
#[case::a_floor(SESSIONS, json!({ "event": 1, "language": "Floor", "isFloor": true }), "isFloor")]
#[case::an_event(
    "/api/v2/events/", json!({ "name": "B" }), "name",
)]
#[case::a_login_token(TOKENS, json!({ "event": 1, "token": "12345678", "tokenType": "floor" }), "token")]
#[tokio::test(flavor = "multi_thread")]
async fn one_of_twenty_concurrent_duplicates_is_created(
    #[case] path: &'static str,
    #[case] body: Value,
    #[case] field: &str,
) {
    let (app, admin, _) = with_event().await;
    let answers = race(20, || {
        let (app, admin, body) = (app.clone(), admin.clone(), body.clone());
        async move { app.organiser(&admin).post(path, body).await }
    });
    let answers = answers.await;
    assert_eq!((count(&answers, 201), count(&answers, 400)), (1, 19));
    for refused in answers.iter().filter(|answer| answer.status == 400) {
        assert!(refused.body[field].is_array(), "{refused}");
    }
    let made = if path.contains("events") { 2 } else { 1 };
    assert_eq!(listed(&app, &admin, path).await, (made, made));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_can_be_added_to_an_event_during_its_deletion() {
    let (app, admin, event) = with_event().await;
    app.login_tokens(event, "early", 40).await;
    let next = AtomicUsize::new(0);
    let making = race(16, || {
        let (app, admin, number) = (app.clone(), admin.clone(), next.fetch_add(1, Ordering::SeqCst));
        async move {
            let caller = app.organiser(&admin);
            if number % 2 == 0 {
                caller.post(SESSIONS, json!({ "event": event, "language": "x", "isFloor": number == 0 })).await
            } else {
                let body = json!({ "event": event, "token": format!("late {number:05}"), "tokenType": "floor" });
                caller.post(TOKENS, body).await
            }
        }
    });
    let caller = app.organiser(&admin);
    let path = format!("/api/v2/events/{event}/");
    let (answers, deleted) = tokio::join!(making, caller.delete(&path));
    assert_eq!(deleted.status, 204);
    assert_eq!(count(&answers, 201) + count(&answers, 400), 16);
    for list in [SESSIONS, TOKENS, "/api/v2/events/"] {
        assert_eq!(listed(&app, &admin, list).await, (0, 0), "{list}");
    }
    let client = app.client(false).await;
    for number in (1..16).step_by(2) {
        let body = json!({ "loginToken": format!("late {number:05}") });
        assert_eq!(client.post(JOIN, body).await.status, 403);
    }
    // No record of the event is left under any key.
    let left: Vec<_> = app.items().await.into_iter().filter(|item| item.contains(&format!("EVENT#{event}"))).collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(!app.items().await.iter().any(|item| item.contains("late 0") || item.contains("early 0")));
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_changes_of_different_fields_are_all_kept() {
    let (app, admin, event) = with_event().await;
    let path = format!("/api/v2/events/{event}/");
    let fields = ["displayName", "logo", "locationHint", "quality", "mobileData", "mfa"];
    let next = AtomicUsize::new(0);
    let answers = race(fields.len(), || {
        let (app, admin, path) = (app.clone(), admin.clone(), path.clone());
        let field = fields[next.fetch_add(1, Ordering::SeqCst)];
        async move { app.organiser(&admin).patch(&path, json!({ field: "changed" })).await }
    });
    let answers = answers.await;
    assert_eq!(count(&answers, 200), fields.len());
    let changed = app.organiser(&admin).get(&path).await.body;
    for field in fields {
        assert_eq!(changed[field], "changed", "{field}");
    }
    // The change is visible in every list of the event.
    assert_eq!(app.organiser(&admin).get("/api/v2/events/?name=A").await.body["results"], json!([changed]));
    let owned = format!("/api/v2/events/?owner={}", admin.id);
    assert_eq!(app.organiser(&admin).get(&owned).await.body["results"], json!([changed]));
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_are_exact_after_concurrent_creations_and_deletions() {
    let (app, admin, event) = with_event().await;
    let early = app.login_tokens(event, "early", 12).await;
    let next = AtomicUsize::new(0);
    let answers = race(24, || {
        let (app, admin, number) = (app.clone(), admin.clone(), next.fetch_add(1, Ordering::SeqCst));
        let id = early[number / 2];
        async move {
            let caller = app.organiser(&admin);
            let body = json!({ "event": event, "token": format!("late {number:05}"), "tokenType": "floor" });
            if number % 2 == 0 {
                caller.delete(&format!("{TOKENS}{id}/")).await
            } else {
                caller.post(TOKENS, body).await
            }
        }
    });
    let answers = answers.await;
    let (deleted, made) = (count(&answers, 204) as u64, count(&answers, 201) as u64);
    assert_eq!(deleted + made + count(&answers, 503) as u64, 24);
    let left = 12 - deleted + made;
    for path in [TOKENS.to_owned(), format!("{TOKENS}?event={event}"), format!("{TOKENS}?limit=2")] {
        assert_eq!(listed(&app, &admin, &path).await, (left, left), "{path}");
    }
}

#[tokio::test]
async fn two_concurrent_mode_changes_each_get_a_new_provider_session() {
    let (app, admin, event) = with_event().await;
    let caller = app.organiser(&admin);
    caller.make(SESSIONS, json!({ "event": event, "language": "x", "archive": false })).await;
    let (slow, arrived, released) = holding(&app, "TransactWriteItems", 0);
    let changing = tokio::spawn({
        let admin = admin.clone();
        async move { slow.organiser(&admin).patch("/api/v2/sessions/1/", json!({ "mode": "routed" })).await }
    });
    arrived.notified().await;
    let relayed = caller.patch("/api/v2/sessions/1/", json!({ "mode": "relayed" })).await;
    released.notify_one();
    let routed = changing.await.unwrap();
    assert_eq!((relayed.status.as_u16(), routed.status.as_u16(), &routed.body["mode"]), (200, 200, &json!("routed")));
    assert_ne!(relayed.body["sessionId"], routed.body["sessionId"]);
}

#[rstest]
#[case::login_token(TOKENS, json!({ "event": 1, "token": "12345678", "tokenType": "floor" }))]
#[case::session(SESSIONS, json!({ "event": 1, "language": "x", "isFloor": true }))]
#[tokio::test]
async fn deleting_a_record_whose_event_ended_meanwhile_answers_404(#[case] list: &str, #[case] body: Value) {
    let (app, admin, event) = with_event().await;
    let caller = app.organiser(&admin);
    let path = format!("{list}{}/", caller.make(list, body).await);
    let (slow, arrived, released) = holding(&app, "TransactWriteItems", 0);
    let deleting = tokio::spawn({
        let (admin, path) = (admin.clone(), path.clone());
        async move { slow.organiser(&admin).delete(&path).await }
    });
    arrived.notified().await;
    // The event has only ended: the records that belong to it are still there.
    let found = app.store.record(event).await.unwrap().unwrap();
    app.store.end_event(found, app.clock.now()).await.unwrap().unwrap();
    released.notify_one();
    assert_eq!(deleting.await.unwrap().to_string(), r#"404 {"detail":"Not found."}"#);
    assert_eq!(caller.delete(&format!("/api/v2/events/{event}/")).await.status, 404);
    assert_eq!(listed(&app, &admin, list).await, (0, 0));
    app.wait(LEASE);
    app.keep_house().await;
    assert_eq!(listed(&app, &admin, list).await, (0, 0));
}

#[tokio::test]
async fn a_lost_answer_creates_and_deletes_exactly_one_record() {
    let (app, admin, event) = with_event().await;
    for (path, body) in [
        ("/api/v2/events/", json!({ "name": "B" })),
        (SESSIONS, json!({ "event": event, "language": "x", "isFloor": true })),
        (TOKENS, json!({ "event": event, "token": "12345678", "tokenType": "floor" })),
    ] {
        let (before, _) = listed(&app, &admin, path).await;
        // The embedded table never loses an answer and so does not recognise a repeated transaction. There the answer
        // is 503 or 404.
        let made = losing(&app, "TransactWriteItems").organiser(&admin).post(path, body).await;
        assert!(matches!(made.status.as_u16(), 201 | 503), "{path} {made}");
        assert_eq!(listed(&app, &admin, path).await, (before + 1, before + 1), "{path}");
        let id = app.organiser(&admin).get(path).await.ids().pop().unwrap();
        let losing = losing(&app, "TransactWriteItems");
        let deleted = losing.organiser(&admin).delete(&format!("{path}{id}/")).await;
        assert!(matches!(deleted.status.as_u16(), 204 | 404), "{path} {deleted}");
        assert_eq!(listed(&app, &admin, path).await, (before, before), "{path}");
    }
}
