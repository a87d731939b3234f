//! `/api/contacts`.

use axum::body::Body;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Answer, TestApp};

async fn alice_and_bob() -> TestApp {
    let app = TestApp::new().await;
    app.participants(&["alice", "bob"]).await;
    app
}

impl TestApp {
    async fn roster(&self, of: &str) -> String {
        self.as_participant(of).get("/api/contacts").await.to_string()
    }

    async fn add(&self, who: &str, contact: &str) -> Answer {
        self.as_participant(who).post("/api/contacts", json!({ "jid": format!("{contact}@localhost") })).await
    }

    async fn act(&self, who: &str, action: &str, contact: &str) -> Answer {
        self.as_participant(who).put(&format!("/api/contacts/{contact}@localhost"), json!({ "action": action })).await
    }

    async fn drop_several(&self, who: &str, contacts: Value) -> Answer {
        let body = Body::from(json!({ "to_delete": contacts }).to_string());
        self.as_participant(who).send("DELETE", "/api/contacts", &[("content-type", "application/json")], body).await
    }
}

#[tokio::test]
async fn a_contact_is_added_invited_and_accepts() {
    let app = alice_and_bob().await;
    assert_eq!(app.roster("alice").await, "200 []");
    for _ in 0..2 {
        assert_eq!(app.add("alice", "BOB").await.to_string(), "204 -");
    }
    assert_snapshot!(app.roster("alice").await, @r#"200 [{"ask":"none","jid":"bob@localhost","subscription":"none"}]"#);
    assert_eq!(app.roster("bob").await, "200 []");

    assert_eq!(app.act("alice", "invite", "bob").await.to_string(), "204 -");
    assert_snapshot!(app.roster("alice").await, @r#"200 [{"ask":"out","jid":"bob@localhost","subscription":"none"}]"#);
    assert_snapshot!(app.roster("bob").await, @r#"200 [{"ask":"in","jid":"alice@localhost","subscription":"none"}]"#);

    assert_eq!(app.act("bob", "accept", "alice").await.to_string(), "204 -");
    assert_snapshot!(app.roster("alice").await, @r#"200 [{"ask":"none","jid":"bob@localhost","subscription":"to"}]"#);
    assert_snapshot!(app.roster("bob").await, @r#"200 [{"ask":"none","jid":"alice@localhost","subscription":"from"}]"#);

    assert_eq!(app.act("bob", "invite", "alice").await.to_string(), "204 -");
    assert_eq!(app.act("alice", "accept", "bob").await.to_string(), "204 -");
    assert_snapshot!(app.roster("alice").await, @r#"200 [{"ask":"none","jid":"bob@localhost","subscription":"both"}]"#);

    let deleted = app.as_participant("bob").delete("/api/contacts/alice@localhost").await;
    assert_eq!(deleted.to_string(), "204 -");
    assert_snapshot!(app.roster("alice").await, @r#"200 [{"ask":"none","jid":"bob@localhost","subscription":"none"}]"#);
    assert_eq!(app.roster("bob").await, "200 []");
}

#[tokio::test]
async fn a_contact_outside_the_roster_is_not_found() {
    let app = alice_and_bob().await;
    for action in ["invite", "accept"] {
        assert_eq!(app.act("alice", action, "bob").await.to_string(), "404 -");
        assert_eq!(app.act("alice", action, "alice").await.to_string(), "404 -");
    }
    for contact in ["bob@localhost", "alice@localhost", "nobody"] {
        let answer = app.as_participant("alice").delete(&format!("/api/contacts/{contact}")).await;
        assert_eq!(answer.to_string(), "404 -");
    }
}

#[tokio::test]
async fn a_contact_needs_no_account() {
    let app = alice_and_bob().await;
    let caller = app.as_participant("alice");
    assert_eq!(caller.post("/api/contacts", json!({"jid": "eve@elsewhere.example"})).await.status, 204);
    assert_eq!(caller.put("/api/contacts/eve%40elsewhere.example", json!({"action": "invite"})).await.status, 204);
    assert_snapshot!(app.roster("alice").await, @r#"200 [{"ask":"out","jid":"eve@elsewhere.example","subscription":"none"}]"#);
}

#[tokio::test]
async fn several_contacts_are_deleted_and_the_missing_ones_are_named() {
    let app = alice_and_bob().await;
    for contact in ["bob", "carol", "dave"] {
        app.add("alice", contact).await;
    }
    let deleted =
        app.drop_several("alice", json!(["bob@localhost", "eve@localhost", "carol@localhost", "bob@localhost"])).await;
    assert_snapshot!(deleted, @r#"200 {"not_deleted":["eve@localhost"]}"#);
    assert_snapshot!(app.roster("alice").await, @r#"200 [{"ask":"none","jid":"dave@localhost","subscription":"none"}]"#);
}

#[tokio::test]
async fn each_error_is_described() {
    let app = alice_and_bob().await;
    app.add("alice", "bob").await;
    let caller = app.as_participant("alice");
    for (body, problem) in [
        (json!({}), "Missing JID"),
        (json!({"jid": 7}), "Invalid JID: it must be a string"),
        (json!({"jid": "bob"}), "Invalid JID: it must be a JID"),
        (json!({"jid": "Alice@localhost/here"}), "Invalid JID: it is your own"),
    ] {
        assert_eq!(caller.post("/api/contacts", body).await.to_string(), format!("400 \"{problem}\""));
    }
    assert_snapshot!(app.act("alice", "poke", "bob").await, @r#"400 "Invalid action""#);
    assert_snapshot!(app.drop_several("alice", json!("bob")).await, @r#"400 "Invalid list of JIDs: it must be an array of JIDs""#);
    assert_snapshot!(app.drop_several("alice", json!([1])).await, @r#"400 "Invalid list of JIDs: it must be an array of JIDs""#);
    let many: Vec<_> = (0..501).map(|i| format!("a{i}@localhost")).collect();
    assert_snapshot!(app.drop_several("alice", json!(many)).await, @r#"400 "Invalid list of JIDs: it is too long""#);
    assert_snapshot!(caller.put("/api/contacts/bob@localhost", json!({})).await, @r#"400 "Missing action""#);
}

#[tokio::test]
async fn two_participants_who_invite_each_other_at_once_have_both_asked() {
    let app = alice_and_bob().await;
    app.add("alice", "bob").await;
    app.add("bob", "alice").await;
    tokio::join!(app.act("alice", "invite", "bob"), app.act("bob", "invite", "alice"));
    assert_snapshot!(app.roster("alice").await, @r#"200 [{"ask":"both","jid":"bob@localhost","subscription":"none"}]"#);
    assert_snapshot!(app.roster("bob").await, @r#"200 [{"ask":"both","jid":"alice@localhost","subscription":"none"}]"#);
}
