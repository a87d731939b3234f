//! `/api/rooms`: creating, listing, reading and configuring rooms.

use aws_sdk_dynamodb::types::AttributeValue;
use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    lost_answers::losing,
    support::{Answer, Caller, NOW, TestApp},
};

/// The content type of a JSON body.
pub(crate) const JSON: (&str, &str) = ("content-type", "application/json");

impl TestApp {
    /// An API with these accounts. The first one has created the room `lobby` and invited the others.
    pub(crate) async fn with_lobby(usernames: &[&str]) -> Self {
        let app = Self::new().await;
        app.participants(usernames).await;
        let owner = app.as_participant(usernames[0]);
        let config = json!({ "name": "Lobby", "subject": "Talk" });
        assert_eq!(owner.put("/api/rooms/lobby", config).await.status, 201);
        for username in &usernames[1..] {
            assert_eq!(owner.invite("lobby", &format!("{username}@localhost")).await.status, 204);
        }
        app
    }
}

impl Caller<'_> {
    /// Invites somebody into a room.
    pub(crate) async fn invite(&self, room: &str, jid: &str) -> Answer {
        self.post(&format!("/api/rooms/{room}/users"), json!({ "user": jid })).await
    }

    /// Removes somebody of the server's own domain from the room `lobby`.
    pub(crate) async fn remove(&self, username: &str) -> Answer {
        self.delete(&format!("/api/rooms/lobby/users/{username}@localhost")).await
    }

    /// Sends a message to the room `lobby`.
    pub(crate) async fn say(&self, body: &str) -> Answer {
        self.post("/api/rooms/lobby/messages", json!({ "body": body })).await
    }

    /// The members of the room `lobby`, with a star after the owner.
    pub(crate) async fn who(&self) -> String {
        let answer = self.get("/api/rooms/lobby").await;
        assert_eq!(answer.status, 200, "{answer}");
        let one = |participant: &Value| {
            let jid = participant["user"].as_str().unwrap();
            let star = if participant["role"] == "owner" { "*" } else { "" };
            format!("{}{star}", jid.strip_suffix("@localhost").unwrap_or(jid))
        };
        answer.body["participants"].as_array().unwrap().iter().map(one).collect::<Vec<_>>().join(" ")
    }
}

#[tokio::test]
async fn a_room_gets_an_id_and_its_creator_owns_it() {
    let app = TestApp::new().await;
    app.participants(&["alice"]).await;
    let alice = app.as_participant("alice");
    let made = alice.post("/api/rooms", json!({ "name": "Important room", "subject": "Things\u{0}" })).await;
    assert_eq!(made.status, 200, "{made}");
    assert_eq!(made.body.as_object().unwrap().len(), 1);
    let id = made.body["id"].as_str().unwrap();
    let details = json!({
        "name": "Important room", "subject": "Things\u{0}",
        "participants": [{ "user": "alice@localhost", "role": "owner" }],
    });
    for path in [format!("/api/rooms/{id}"), format!("/api/rooms/{id}/"), format!("/api/rooms/{id}@muclight.localhost")]
    {
        let answer = alice.get(&path).await;
        assert_eq!((answer.status.as_u16(), &answer.body), (200, &details), "{path}");
    }
    let listed = json!([{ "id": id, "name": "Important room", "subject": "Things\u{0}" }]);
    assert_eq!(alice.get("/api/rooms").await.body, listed);
    assert_eq!(alice.get(&format!("/api/rooms/{id}/messages")).await.body, json!([]));
}

#[tokio::test]
async fn the_list_has_the_rooms_of_the_caller_sorted_by_id() {
    let app = TestApp::new().await;
    app.participants(&["alice", "bob"]).await;
    let (alice, bob) = (app.as_participant("alice"), app.as_participant("bob"));
    assert_eq!(alice.get("/api/rooms").await.to_string(), "200 []");
    for id in ["c", "a", "b", "A"] {
        alice.put(&format!("/api/rooms/{id}"), json!({ "name": id, "subject": "" })).await;
    }
    bob.put("/api/rooms/d", json!({ "name": "d", "subject": "" })).await;
    alice.invite("c", "bob@localhost").await;
    let ids = |answer: Answer| {
        let rooms = answer.body.as_array().unwrap().clone();
        rooms.iter().map(|room| room["id"].as_str().unwrap()).collect::<String>()
    };
    assert_eq!(ids(alice.get("/api/rooms").await), "Aabc");
    assert_eq!(ids(bob.get("/api/rooms").await), "cd");
}

#[tokio::test]
async fn more_rooms_than_one_request_reads_are_listed() {
    let app = TestApp::new().await;
    app.participants(&["alice"]).await;
    let alice = app.as_participant("alice");
    for _ in 0..120 {
        alice.post("/api/rooms", json!({ "name": "R", "subject": "S" })).await;
    }
    let list = alice.get("/api/rooms").await.body;
    let ids: Vec<_> = list.as_array().unwrap().iter().map(|room| room["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 120);
    assert!(ids.is_sorted());
}

#[tokio::test]
async fn rooms_of_earlier_versions_are_listed_and_get_a_sign_item_when_they_change() {
    let app = TestApp::new().await;
    app.participants(&["alice", "bob"]).await;
    let alice = app.as_participant("alice");
    for id in ["changed", "configured", "unchanged"] {
        alice.put(&format!("/api/rooms/{id}"), json!({ "name": id, "subject": "S" })).await;
    }
    let names = async || {
        let list = alice.get("/api/rooms").await.body;
        list.as_array().unwrap().iter().map(|room| room["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let items = || app.client.scan().table_name(&*app.table).into_paginator().items().send();
    let signs = async || {
        let all = items().collect::<Result<Vec<_>, _>>().await.unwrap();
        all.into_iter().filter(|item| item["Type"].as_s().unwrap() == "RoomSign").collect::<Vec<_>>()
    };
    for mut sign in signs().await {
        sign.retain(|name, _| name == "PK" || name == "SK");
        let delete = app.client.delete_item().table_name(&*app.table);
        delete.set_key(Some(sign.clone())).send().await.unwrap();
        sign.insert("SK".to_owned(), AttributeValue::S("ROOM".to_owned()));
        let update = app.client.update_item().table_name(&*app.table).set_key(Some(sign));
        update.update_expression("REMOVE has_sign").send().await.unwrap();
    }
    assert_eq!(names().await, ["changed", "configured", "unchanged"]);
    assert_eq!(alice.invite("changed", "bob@localhost").await.status, 204);
    let config = json!({ "name": "another name", "subject": "S" });
    assert_eq!(alice.put("/api/rooms/configured/config", config).await.status, 204);
    assert_eq!(signs().await.len(), 2);
    assert_eq!(names().await, ["changed", "another name", "unchanged"]);
}

#[rstest]
#[case::plain("daily", "daily")]
#[case::upper_case("Daily", "Daily")]
#[case::unicode("caf%C3%A9%E2%98%95", "café☕")]
#[case::a_room_jid("daily%40MUCLight.LocalHost", "daily")]
#[case::dots("a..b", "a..b")]
#[tokio::test]
async fn a_room_may_be_given_an_id(#[case] path: &str, #[case] id: &str) {
    let app = TestApp::new().await;
    app.participants(&["alice", "bob"]).await;
    let (path, config) = (format!("/api/rooms/{path}"), json!({ "name": "R", "subject": "S" }));
    let made = app.as_participant("alice").put(&path, config.clone()).await;
    assert_eq!((made.status.as_u16(), made.body), (201, json!({ "id": id })));
    assert_eq!(app.as_participant("alice").get(&path).await.status, 200);
    for username in ["alice", "bob"] {
        assert_eq!(app.as_participant(username).put(&path, config.clone()).await.to_string(), "403 -");
        assert_eq!(app.as_participant(username).put(&path, json!({})).await.to_string(), "403 -");
    }
}

#[tokio::test]
async fn room_ids_are_case_sensitive() {
    let app = TestApp::with_lobby(&["alice"]).await;
    let alice = app.as_participant("alice");
    assert_eq!(alice.get("/api/rooms/Lobby").await.status, 404);
    assert_eq!(alice.put("/api/rooms/Lobby", json!({ "name": "R", "subject": "S" })).await.status, 201);
}

#[rstest]
#[case::another_host("lobby@muclight.elsewhere")]
#[case::the_accounts_host("lobby@localhost")]
#[case::no_id("@muclight.localhost")]
#[case::a_resource("lobby@muclight.localhost%2Falice")]
#[case::a_space("my%20room")]
#[case::a_slash("a%2Fb")]
#[case::a_control_character("a%00b")]
#[case::not_utf_8("a%FFb")]
#[tokio::test]
async fn an_invalid_room_id_is_refused(#[case] id: &str) {
    let app = TestApp::with_lobby(&["alice"]).await;
    let (alice, path) = (app.as_participant("alice"), format!("/api/rooms/{id}"));
    let config = json!({ "name": "R", "subject": "S" });
    assert_eq!(alice.put(&path, config.clone()).await.to_string(), r#"400 "Invalid room ID""#);
    assert_eq!(alice.get(&path).await.to_string(), "404 -");
    assert_eq!(alice.put(&format!("{path}/config"), config).await.to_string(), "404 -");
    assert_eq!(alice.get(&format!("{path}/messages")).await.to_string(), "404 -");
    assert_eq!(alice.delete(&format!("{path}/users/alice@localhost")).await.to_string(), "404 -");
}

#[tokio::test]
async fn a_room_id_may_be_as_long_as_a_local_part() {
    let app = TestApp::new().await;
    app.participants(&["alice"]).await;
    let (alice, config) = (app.as_participant("alice"), json!({ "name": "R", "subject": "S" }));
    let [longest, longer] = [1023, 1024].map(|length| format!("/api/rooms/{}", "x".repeat(length)));
    assert_eq!(alice.put(&longest, config.clone()).await.status, 201);
    assert_eq!(alice.get(&longest).await.status, 200);
    assert_eq!(alice.put(&longer, config).await.status, 400);
}

#[tokio::test]
async fn the_owner_sets_name_and_subject() {
    let app = TestApp::with_lobby(&["alice", "bob"]).await;
    let config = json!({ "name": "Größe ☕", "subject": "" });
    assert_eq!(app.as_participant("alice").put("/api/rooms/lobby/config", config.clone()).await.to_string(), "204 -");
    assert_eq!(app.as_participant("bob").put("/api/rooms/lobby/config", config).await.to_string(), "403 -");
    let answer = app.as_participant("bob").get("/api/rooms/lobby").await;
    assert_eq!(
        answer.to_string(),
        r#"200 {"name":"Größe ☕","participants":[{"role":"owner","user":"alice@localhost"},{"role":"member","user":"bob@localhost"}],"subject":""}"#
    );
    assert_eq!(app.as_participant("bob").get("/api/rooms").await.body[0]["name"], "Größe ☕");
}

#[rstest]
#[case::not_json("{", r#"400 "The body is not JSON: line 1 column 1""#)]
#[case::not_an_object("[]", r#"400 "The body must be a JSON object""#)]
#[case::no_name(r#"{"subject":"S"}"#, r#"400 "Missing room name""#)]
#[case::no_subject(r#"{"name":"R"}"#, r#"400 "Missing room subject""#)]
#[case::a_number(r#"{"name":1,"subject":"S"}"#, r#"400 "Invalid room name: it must be a string""#)]
#[case::null(r#"{"name":"R","subject":null}"#, r#"400 "Invalid room subject: it must be a string""#)]
#[tokio::test]
async fn a_config_requires_two_strings(#[case] body: &'static str, #[case] refusal: &str) {
    let app = TestApp::with_lobby(&["alice"]).await;
    let alice = app.as_participant("alice");
    for (method, path) in [("POST", "/api/rooms"), ("PUT", "/api/rooms/new"), ("PUT", "/api/rooms/lobby/config")] {
        let answer = alice.send(method, path, &[JSON], body.into()).await;
        assert_eq!(answer.to_string(), refusal, "{method} {path}");
    }
}

#[tokio::test]
async fn a_config_has_a_maximum_length() {
    let app = TestApp::with_lobby(&["alice"]).await;
    let alice = app.as_participant("alice");
    let config = |name: usize, subject: usize| json!({ "name": "x".repeat(name), "subject": "é".repeat(subject) });
    assert_eq!(alice.post("/api/rooms", config(1024, 512)).await.status, 200);
    let answer = alice.put("/api/rooms/lobby/config", config(1025, 1)).await;
    assert_eq!(answer.to_string(), r#"400 "Invalid room name: it is too long""#);
    let answer = alice.put("/api/rooms/other", config(1, 513)).await;
    assert_eq!(answer.to_string(), r#"400 "Invalid room subject: it is too long""#);
}

#[tokio::test]
async fn a_room_is_created_once_even_if_the_answer_is_lost() {
    let app = TestApp::new().await;
    app.participants(&["alice"]).await;
    let config = json!({ "name": "R", "subject": "S" });
    let slow = losing(&app, "TransactWriteItems");
    assert_eq!(slow.as_participant("alice").put("/api/rooms/lobby", config).await.status, 201);
    assert_eq!(app.as_participant("alice").who().await, "alice*");
}

#[tokio::test]
async fn no_key_in_the_table_contains_a_room_or_user_name() {
    let app = TestApp::with_lobby(&["alice", "bob"]).await;
    app.as_participant("alice").say("Hi").await;
    let items = app.items().await;
    let keys = items.iter().flat_map(|item| {
        ["\"PK\": S(\"", "\"SK\": S(\""].map(|key| item.split_once(key).unwrap().1.split('"').next().unwrap())
    });
    for key in keys {
        assert!(!["lobby", "alice", "bob"].iter().any(|name| key.contains(name)), "{key}");
    }
    assert!(items.iter().any(|item| item.contains(&(NOW + 1).to_string())));
}
