//! `/api/messages`.

use serde_json::{Value, json};

use crate::support::{NOW, TestApp};

async fn alice_and_bob() -> TestApp {
    let app = TestApp::new().await;
    app.participants(&["alice", "bob"]).await;
    app
}

#[tokio::test]
async fn a_message_is_in_the_archives_of_both() {
    let app = alice_and_bob().await;
    let sent = app.as_participant("alice").post("/api/messages", json!({"to": "bob@localhost", "body": "Hi"})).await;
    assert_eq!(sent.status, 200, "{sent}");
    let message = json!([{
        "from": "alice@localhost", "to": "bob@localhost", "id": sent.body["id"], "body": "Hi", "timestamp": NOW,
    }]);
    for (reader, partner) in [("alice", "bob"), ("bob", "alice")] {
        let caller = app.as_participant(reader);
        assert_eq!(caller.get("/api/messages").await.body, message);
        assert_eq!(caller.get(&format!("/api/messages/{partner}@localhost")).await.body, message);
        assert_eq!(caller.get("/api/messages/carol@localhost").await.body, json!([]));
    }
}

#[tokio::test]
async fn messages_of_one_millisecond_are_a_millisecond_apart() {
    let app = alice_and_bob().await;
    for body in ["1", "2", "3"] {
        app.as_participant("alice").post("/api/messages", json!({"to": "bob@localhost", "body": body})).await;
    }
    let times =
        |list: Value| list.as_array().unwrap().iter().map(|m| m["timestamp"].as_i64().unwrap()).collect::<Vec<_>>();
    let list = app.as_participant("bob").get("/api/messages").await.body;
    assert_eq!(times(list), [NOW, NOW + 1, NOW + 2]);
    let page = app.as_participant("bob").get(&format!("/api/messages?limit=1&before={}", NOW + 2)).await.body;
    assert_eq!(times(page), [NOW + 1]);
}

#[tokio::test]
async fn a_message_to_oneself_is_there_twice() {
    let app = alice_and_bob().await;
    app.as_participant("alice")
        .post("/api/messages", json!({"to": "Alice@localhost/phone", "body": "note\u{0}"}))
        .await;
    let list = app.as_participant("alice").get("/api/messages/alice@localhost").await.body;
    assert_eq!(list[0]["id"], list[1]["id"]);
    assert_eq!(list[1]["body"], "note\u{0}");
    assert_eq!(list.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn who_is_not_known_is_challenged() {
    let app = alice_and_bob().await;
    let answer = app.with_authorization(crate::support::basic("alice@localhost:wrong")).get("/api/messages").await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.headers["www-authenticate"], "Basic realm=\"mongooseim\"");
}
