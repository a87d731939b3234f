//! Deleting an event that many records belong to.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use greenroom_core::{clock::Clock, model::user::Role};
use serde_json::json;

use crate::{joining::JOIN, lists::follow, meddler::Meddler, support::TestApp};

/// Advances the clock after this many transactions, so that no time is left for the rest.
#[derive(Debug)]
struct TakesTime {
    clock: Clock,
    left: AtomicUsize,
}

impl Meddler for TakesTime {
    async fn before(&self, operation: &str) {
        if operation == "TransactWriteItems" && self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.clock.advance(Duration::from_secs(9));
        }
    }

    fn loses_answer(&self, _: &str) -> bool {
        false
    }
}

/// The number of live connections in the table.
async fn live_connections(app: &TestApp) -> usize {
    app.items().await.iter().filter(|item| item.contains("LiveConnection")).count()
}

#[tokio::test]
async fn deleting_a_session_or_an_event_ends_its_live_connections() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let caller = app.organiser(&admin);
    let [event, other] = [caller.make_event("A").await, caller.make_event("B").await];
    for (event, language) in [(event, "one"), (event, "two"), (other, "one")] {
        caller.make("/api/v2/sessions/", json!({ "event": event, "language": language })).await;
    }
    app.login_tokens(event, "token", 1).await;
    app.login_tokens(other, "kept", 1).await;
    let client = app.client(false).await;
    // A batch deletes fewer than these at once.
    for _ in 0..40 {
        assert_eq!(client.post(JOIN, json!({ "loginToken": "token 000001" })).await.status, 201);
    }
    assert_eq!(client.post(JOIN, json!({ "loginToken": "kept 000001" })).await.status, 201);
    assert_eq!(live_connections(&app).await, 81);
    assert_eq!(caller.delete("/api/v2/sessions/1/").await.status, 204);
    assert_eq!(live_connections(&app).await, 41);
    assert_eq!(caller.delete(&format!("/api/v2/events/{event}/")).await.status, 204);
    assert_eq!(live_connections(&app).await, 1);
}

#[tokio::test]
async fn a_half_deleted_event_is_invisible_and_housekeeping_deletes_the_rest() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let partner = app.account("partner", Role::Partner, None).await;
    let caller = app.organiser(&admin);
    let event = app.organiser(&partner).make_event("A").await;
    let other = app.organiser(&partner).make_event("B").await;
    app.login_tokens(event, "token", 200).await;
    let kept = app.login_tokens(other, "kept", 3).await;
    for language in ["one", "two"] {
        caller.make("/api/v2/sessions/", json!({ "event": event, "language": language })).await;
    }
    caller.patch("/api/v2/sessions/1/", json!({ "archive": false })).await;
    let path = format!("/api/v2/events/{event}/");
    let slow = app.clone().with_meddler(TakesTime { clock: app.clock.clone(), left: AtomicUsize::new(4) });
    assert_eq!(slow.organiser(&partner).delete(&path).await.status, 204);

    // The event is gone for everybody, even though some of its items are still there.
    let client = app.client(false).await;
    for token in ["token 000001", "token 000199"] {
        assert_eq!(client.post(JOIN, json!({ "loginToken": token })).await.status, 403);
    }
    for caller in [app.organiser(&admin), app.organiser(&partner)] {
        assert_eq!(caller.get(&path).await.status, 404);
        assert_eq!(caller.get("/api/v2/logintokens/200/").await.status, 404);
        assert_eq!(caller.get("/api/v2/events/").await.ids(), [other]);
        for query in ["", "?limit=2", "?tokenType=participant", "?token=kept+000001"] {
            let list = format!("/api/v2/logintokens/{query}");
            let count = if query.contains("kept") { 1 } else { 3 };
            assert_eq!(caller.get(&list).await.body["count"], count, "{list}");
            assert_eq!(follow(&caller, &list).await, kept[..count]);
        }
        assert_eq!(caller.get("/api/v2/sessions/").await.body["count"], 0);
        assert_eq!(caller.get("/api/v2/logintokens/?token=token+00199").await.body["count"], 0);
    }
    // Its tokens and its name can be used again.
    let again = json!({ "event": other, "token": "token 000199", "tokenType": "floor" });
    let reused = caller.make("/api/v2/logintokens/", again).await;
    app.wait(Duration::from_secs(5));
    assert_eq!(client.post(JOIN, json!({ "loginToken": "token 000199" })).await.status, 201);
    let change = json!({ "token": "token 00198" });
    assert_eq!(caller.patch(&format!("/api/v2/logintokens/{}/", kept[0]), change).await.status, 200);
    app.organiser(&partner).make_event("A").await;
    let all = [&kept[..], &[reused]].concat();
    assert_eq!(follow(&caller, "/api/v2/logintokens/").await, all);
    assert_eq!(caller.get("/api/v2/logintokens/").await.body["count"], 4);

    // Housekeeping finishes the deletion. Nobody has to ask for it again.
    assert_eq!(app.organiser(&partner).delete(&path).await.status, 404);
    app.keep_house().await;
    assert_eq!(follow(&caller, "/api/v2/logintokens/?limit=1").await, all);
    assert_eq!(caller.get("/api/v2/logintokens/").await.body["count"], 4);
    let items = app.items().await;
    assert!(!items.iter().any(|item| item.contains("token 000001") || item.contains("EndedEvent")));
    assert!(!items.iter().any(|item| item.contains("FormerSession") || item.contains(&format!("EVENT#{event}/"))));
}

#[tokio::test]
async fn an_owner_can_delete_their_event_but_its_managers_cannot() {
    let app = TestApp::new().await;
    let partner = app.account("partner", Role::Partner, None).await;
    let manager = app.account("manager", Role::Manager, Some(partner.id)).await;
    let other = app.account("other", Role::Manager, Some(partner.id)).await;
    let body = json!({ "name": "A", "managers": [manager.id] });
    let path = format!("/api/v2/events/{}/", app.organiser(&partner).make("/api/v2/events/", body).await);
    assert_eq!(app.organiser(&manager).delete(&path).await.status, 403);
    assert_eq!(app.organiser(&other).delete(&path).await.status, 404);
    assert_eq!(app.organiser(&partner).delete(&path).await.status, 204);
    assert_eq!(app.organiser(&manager).get("/api/v2/events/").await.body["count"], 0);
}
