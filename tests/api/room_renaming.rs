//! What happens to the rooms of a participant whose user is renamed.

use serde_json::json;

use crate::support::TestApp;

#[tokio::test]
async fn a_renamed_user_stays_in_their_rooms() {
    let app = TestApp::with_lobby(&["alice", "bob"]).await;
    let admin = app.admin().await;
    let alice = app.store.user_named("alice").await.unwrap().unwrap().id;
    let path = format!("/api/v2/users/{alice}");
    let renamed = app.organiser(&admin).patch(&path, json!({ "username": "Alicia" })).await;
    assert_eq!(renamed.status, 200, "{renamed}");
    assert_eq!(app.as_participant("bob").who().await, "alicia* bob");
    let alicia = app.as_participant("alicia");
    assert_eq!(alicia.get("/api/rooms").await.body.as_array().unwrap().len(), 1);
    assert_eq!(alicia.post("/api/rooms/lobby/messages", json!({ "body": "Hi" })).await.status, 200);
    // The next user called alice is a stranger.
    app.participant("alice").await;
    assert_eq!(app.as_participant("alice").get("/api/rooms/lobby").await.status, 403);
    assert_eq!(app.as_participant("alice").get("/api/rooms").await.body, json!([]));
}

#[tokio::test]
async fn a_user_renamed_to_an_invalid_jid_leaves_their_rooms() {
    let app = TestApp::with_lobby(&["alice", "bob"]).await;
    let admin = app.admin().await;
    let alice = app.store.user_named("alice").await.unwrap().unwrap().id;
    let path = format!("/api/v2/users/{alice}");
    let renamed = app.organiser(&admin).patch(&path, json!({ "username": "Alice Liddell" })).await;
    assert_eq!(renamed.status, 200, "{renamed}");
    assert_eq!(app.as_participant("bob").who().await, "bob*");
}
