//! Messages in a room, and the pages of its archive.

use std::time::Duration;

use axum::body::Body;
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{NOW, TestApp};

/// The bodies on a page of the archive. An affiliation entry is shown as the affected member in brackets.
async fn page(app: &TestApp, query: &str) -> Vec<String> {
    let list = app.as_participant("bob").get(&format!("/api/rooms/lobby/messages{query}")).await;
    assert_eq!(list.status, 200, "{list}");
    let text = |entry: &Value| match entry["body"].as_str() {
        Some(body) => body.to_owned(),
        None => format!("<{}>", entry["user"].as_str().unwrap()),
    };
    list.body.as_array().unwrap().iter().map(text).collect()
}

#[tokio::test]
async fn a_room_message_is_in_the_room_archive_and_nowhere_else() {
    let app = TestApp::with_lobby(&["alice", "bob"]).await;
    app.wait(Duration::from_secs(1));
    let said = app.as_participant("bob").say("Hi all \u{0}☕").await;
    assert_eq!(said.status, 200, "{said}");
    let id = said.body["id"].as_str().unwrap();
    assert_eq!((id.len(), &id[14..15], said.body.as_object().unwrap().len()), (36, "4", 1));
    let message = json!({
        "type": "message", "id": id, "from": "bob@localhost", "timestamp": NOW + 1000, "body": "Hi all \u{0}☕",
    });
    for reader in ["alice", "bob"] {
        let caller = app.as_participant(reader);
        for room in ["lobby", "lobby@MUCLIGHT.localhost", "lobby%40muclight.localhost"] {
            assert_eq!(caller.get(&format!("/api/rooms/{room}/messages")).await.body[1], message);
        }
        assert_eq!(caller.get("/api/messages").await.to_string(), "200 []");
    }
}

#[tokio::test]
async fn entries_of_the_same_millisecond_get_distinct_times() {
    let app = TestApp::with_lobby(&["alice", "bob", "carol"]).await;
    for body in ["1", "2"] {
        app.as_participant("alice").say(body).await;
    }
    app.as_participant("alice").remove("alice").await;
    app.as_participant("bob").say("3").await;
    let list = app.as_participant("bob").get("/api/rooms/lobby/messages").await.body;
    let times: Vec<_> = list.as_array().unwrap().iter().map(|entry| entry["timestamp"].as_i64().unwrap()).collect();
    assert_eq!(times, (NOW..NOW + 7).collect::<Vec<_>>());
    assert_eq!(list[4]["affiliation"], "none");
    assert_eq!(list[5]["affiliation"], "owner");
}

#[tokio::test]
async fn a_page_has_the_newest_entries_before_a_time_including_affiliations() {
    let app = TestApp::with_lobby(&["alice", "bob"]).await;
    for number in 1..=59 {
        app.wait(Duration::from_millis(1));
        app.as_participant("alice").say(&number.to_string()).await;
    }
    let numbers = |range: std::ops::RangeInclusive<u32>| range.map(|number| number.to_string()).collect::<Vec<_>>();
    assert_eq!(page(&app, "").await, numbers(10..=59));
    assert_eq!(page(&app, "?limit=2").await, numbers(58..=59));
    assert_eq!(page(&app, "?limit=0").await, Vec::<String>::new());
    assert_eq!(page(&app, &format!("?limit=3&before={}&x=y", NOW + 10)).await, numbers(7..=9));
    assert_eq!(page(&app, &format!("?before={}", NOW + 2)).await, ["<bob@localhost>", "1"]);
    assert_eq!(page(&app, &format!("?before={NOW}")).await, Vec::<String>::new());
    assert_eq!(page(&app, "?limit=2147483647").await.len(), 60);
    let mut all = Vec::new();
    let mut before = 4_102_444_800_000;
    loop {
        let query = format!("/api/rooms/lobby/messages?limit=7&before={before}");
        let list = app.as_participant("alice").get(&query).await.body;
        let Some(first) = list[0]["timestamp"].as_i64() else { break };
        before = first;
        all.splice(0..0, list.as_array().unwrap().iter().map(|entry| entry["timestamp"].as_i64().unwrap()));
    }
    assert_eq!(all, (NOW..NOW + 60).collect::<Vec<_>>());
}

#[rstest]
#[case("?limit=ten", r#"400 "Invalid limit: it must be a number from 0 to 2147483647""#)]
#[case("?limit=-1", r#"400 "Invalid limit: it must be a number from 0 to 2147483647""#)]
#[case("?before=", r#"400 "Invalid before: it must be a number from 0 to 4102444800000""#)]
#[tokio::test]
async fn the_parameters_of_a_page_must_be_numbers(#[case] query: &str, #[case] refusal: &str) {
    let app = TestApp::with_lobby(&["alice"]).await;
    app.participants(&["eve"]).await;
    let path = format!("/api/rooms/lobby/messages{query}");
    assert_eq!(app.as_participant("alice").get(&path).await.to_string(), refusal);
    assert_eq!(app.as_participant("eve").get(&path).await.to_string(), "403 -");
}

#[rstest]
#[case::none("{}", r#"400 "Missing message body""#)]
#[case::null(r#"{"body":null}"#, r#"400 "Invalid message body: it must be a string""#)]
#[case::an_object(r#"{"body":{}}"#, r#"400 "Invalid message body: it must be a string""#)]
#[case::text("Hi", r#"400 "The body is not JSON: line 1 column 1""#)]
#[tokio::test]
async fn a_room_message_must_be_a_string(#[case] body: &'static str, #[case] refusal: &str) {
    let app = TestApp::with_lobby(&["alice"]).await;
    let answer = app.as_participant("alice").post_text("/api/rooms/lobby/messages", Body::from(body)).await;
    assert_eq!(answer.to_string(), refusal);
}

#[tokio::test]
async fn a_room_message_has_at_most_64_kib() {
    let app = TestApp::with_lobby(&["alice"]).await;
    let alice = app.as_participant("alice");
    assert_eq!(alice.say(&"x".repeat(65_536)).await.status, 200);
    assert_eq!(
        alice.say(&"x".repeat(65_537)).await.to_string(),
        r#"400 "Invalid message body: it must have at most 65536 bytes""#
    );
    assert_eq!(alice.say("").await.status, 200);
}
