//! Which connections the ledger lists for users, and how its pages continue.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    stream_sessions::viewer,
    support::{Answer, Caller, TestApp},
};

const LIVE: &str = "/api/live/";

impl TestApp {
    /// Admits a viewer with this name.
    async fn watch(&self, path: &str, name: &str, port: u16) {
        let url = format!("ws://live.example:3333/{path}?session={name}");
        let answer = self.webhook(&viewer("opening", port, 0, &url)).await;
        assert_eq!(answer.to_string(), r#"200 {"allowed":true}"#);
    }
}

async fn names(caller: &Caller<'_>, query: &str) -> Vec<String> {
    let (mut names, mut next) = (Vec::new(), Some(format!("{LIVE}?{query}")));
    while let Some(path) = next {
        let answer = caller.get(&path).await;
        assert_eq!(answer.status, 200, "{answer}");
        names.extend(answer.body["results"].as_array().unwrap().iter().map(|entry| entry["name"].to_string()));
        next = answer.body["next"].as_str().map(|url| url.split_once("greenroom.example").unwrap().1.to_owned());
        assert!(names.len() < 1000, "it never ends");
    }
    names
}

#[tokio::test]
async fn an_application_named_like_an_event_number_is_listed_once() {
    let app = TestApp::new().await;
    let event = app.event_to_join(json!({}), "moderator").await;
    let admin = app.account("operator", greenroom_core::model::user::Role::Admin, None).await;
    app.watch("77/s", "seventy-seven", 1).await;
    app.watch(&format!("{event}/s"), "event", 1).await;
    app.watch("app/s", "other", 1).await;
    for limit in [1, 2, 100] {
        let mut all = names(&app.organiser(&admin), &format!("limit={limit}")).await;
        all.sort();
        assert_eq!(all, [r#""event""#, r#""other""#, r#""seventy-seven""#], "{limit}");
    }
}

#[tokio::test]
async fn the_longest_names_hide_no_other_entry() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let caller = app.organiser(&admin);
    // The key of a ledger entry takes 15 bytes more than that of a connection, and that of a publisher one byte more.
    let long = "P".repeat(1024 - 16 - 1 - 36);
    let mut publisher = viewer("opening", 1, 0, &format!("ws://live.example:3333/app/{long}"));
    publisher["request"]["direction"] = json!("incoming");
    assert_eq!(app.webhook(&publisher).await.body["allowed"], true);
    let longest = "Q".repeat(1024 - 16 - 1 - 1);
    app.watch(&format!("app/{longest}"), "l", 1).await;
    for port in 0..40 {
        app.watch("app/R", &format!("r{port:02}"), port).await;
    }
    for limit in [1, 2, 5, 1000] {
        assert_eq!(names(&caller, &format!("app=app&limit={limit}")).await.len(), 41, "{limit}");
        assert_eq!(names(&caller, &format!("app=app&stream={longest}&limit={limit}")).await, [r#""l""#], "{limit}");
    }
    for length in [1020, 1023, 1024, 1025, 2000] {
        assert!(names(&caller, &format!("app=app&stream={}", "Q".repeat(length))).await.is_empty());
    }
}

/// The first page of a list, and its cursor.
async fn first_cursor(caller: &Caller<'_>, query: &str) -> String {
    let answer = caller.get(&format!("{LIVE}?{query}")).await;
    answer.body["next"].as_str().unwrap().split_once("cursor=").unwrap().1.to_owned()
}

#[rstest]
#[case::another_stream("app=app&stream=b&limit=1")]
#[case::no_stream("app=app&limit=1")]
#[case::ended("app=app&stream=!a&state=ended&limit=1")]
#[case::another_state("app=app&stream=!a&state=connected")]
#[case::nothing_else("")]
#[case::another_application("app=other&stream=!a")]
#[case::an_event("event=1&stream=!a")]
#[case::a_virtual_host("app=app&stream=!a&vhost=default")]
#[tokio::test]
async fn a_cursor_continues_only_its_own_list(#[case] query: &str) {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let caller = app.organiser(&admin);
    for port in 0..2 {
        app.watch("app/!a", &format!("a{port}"), port).await;
        app.watch("app/b", &format!("b{port}"), port).await;
    }
    app.wait(Duration::from_secs(1));
    let cursor = first_cursor(&caller, "app=app&stream=!a&limit=1").await;
    let answer = caller.get(&format!("{LIVE}?{query}&cursor={cursor}")).await;
    assert_eq!(answer.to_string(), r#"400 {"cursor":["Not a cursor of this list."]}"#);
    // The page size may change.
    let own = caller.get(&format!("{LIVE}?app=app&stream=!a&limit=5&cursor={cursor}")).await;
    assert_eq!(own.body["results"].as_array().unwrap().len(), 1, "{own}");
}

#[tokio::test]
async fn an_unknown_state_and_an_unknown_cursor_are_refused() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let refused = async |query: &str| -> Answer { app.organiser(&admin).get(&format!("{LIVE}?{query}")).await };
    assert_eq!(refused("state=bogus").await.to_string(), r#"400 {"state":["\"bogus\" is not a valid choice."]}"#);
    for cursor in ["x", "eyJzY29wZSI6IiJ9", "%ff", "%00"] {
        let answer = refused(&format!("cursor={cursor}")).await;
        assert_eq!(answer.to_string(), r#"400 {"cursor":["Not a cursor of this list."]}"#, "{cursor}");
    }
}

#[tokio::test]
async fn an_entry_shows_who_the_viewer_is() {
    let app = TestApp::new().await;
    let (joined, admin) = app.joined().await;
    let token = app.organiser(&admin).get("/api/v2/logintokens/").await.body["results"][0]["id"].clone();
    let media = app.open_session().await;
    let body = json!({ "session": media, "data": "user 7" });
    assert_eq!(app.backend().post("/api/tokens", body).await.status, 200);
    assert_eq!(app.backend().post("/api/tokens", json!({ "session": media })).await.status, 200);
    app.watch("app/s", "one", 1).await;
    let who = async |query: &str| -> Vec<Value> {
        let answer = app.organiser(&admin).get(&format!("{LIVE}?{query}")).await;
        let entries = answer.body["results"].as_array().unwrap();
        let mut all: Vec<_> = entries
            .iter()
            .map(|entry| json!([entry["loginToken"], entry["data"], entry["address"], entry["port"]]))
            .collect();
        all.sort_by_key(Value::to_string);
        all
    };
    let event = format!("event={}&stream={}", joined.event, joined.session);
    let wanted = [
        (event, vec![json!([token, null, null, null])]),
        ("app=openvidu".to_owned(), vec![json!([null, "user 7", null, null]), json!([null, null, null, null])]),
        ("app=app".to_owned(), vec![json!([null, null, "192.0.2.1", 1])]),
    ];
    assert!(token.is_u64());
    for (query, entries) in &wanted {
        assert_eq!(who(query).await, *entries, "{query}");
    }
    joined.tell(&app, "connectionDestroyed", "a", 0).await;
    assert_eq!(app.backend().delete(&format!("/api/sessions/{media}")).await.status, 204);
    app.wait(Duration::from_hours(24));
    for (query, entries) in &wanted {
        assert_eq!(who(&format!("{query}&state=ended")).await, *entries, "{query}");
    }
}
