//! `/api/messages`.

use std::{sync::atomic::Ordering, time::Duration};

use axum::body::Body;
use insta::assert_snapshot;
use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    counted::Counted,
    races::{count, race},
    support::{Answer, NOW, TestApp},
};

async fn alice_and_bob() -> TestApp {
    let app = TestApp::new().await;
    app.participants(&["alice", "bob"]).await;
    app
}

impl TestApp {
    /// Sends a message between these accounts.
    async fn write(&self, from: &str, to: &str, body: &str) -> Answer {
        let message = json!({ "to": format!("{to}@localhost"), "body": body });
        self.as_participant(from).post("/api/messages", message).await
    }

    /// The bodies of an archive's page.
    async fn bodies(&self, reader: &str, page: &str) -> Vec<String> {
        let list = self.as_participant(reader).get(&format!("/api/messages{page}")).await;
        assert_eq!(list.status, 200, "{list}");
        let text = |message: &Value| message["body"].as_str().unwrap().to_owned();
        list.body.as_array().unwrap().iter().map(text).collect()
    }
}

#[tokio::test]
async fn a_message_is_in_the_archives_of_both() {
    let app = alice_and_bob().await;
    let sent = app.write("alice", "bob", "Hi").await;
    assert_eq!(sent.status, 200, "{sent}");
    let id = sent.body["id"].as_str().unwrap();
    assert_eq!((id.len(), &id[14..15]), (36, "4"));
    let message = json!([{
        "from": "alice@localhost", "to": "bob@localhost", "id": id, "body": "Hi", "timestamp": NOW,
    }]);
    for (reader, partner) in [("alice", "bob"), ("bob", "alice")] {
        let caller = app.as_participant(reader);
        assert_eq!(caller.get("/api/messages").await.body, message);
        for partner in
            [format!("{partner}@localhost"), format!("{partner}%40LocalHost%2Fphone/"), format!("{partner}@localhost/")]
        {
            let list = caller.get(&format!("/api/messages/{partner}")).await;
            assert_eq!(list.body, message, "{partner}");
        }
        assert_eq!(caller.get("/api/messages/carol@localhost").await.body, json!([]));
    }
}

#[tokio::test]
async fn messages_sent_in_the_same_millisecond_get_distinct_times() {
    let app = alice_and_bob().await;
    for body in ["1", "2", "3"] {
        app.write("alice", "bob", body).await;
    }
    let list = app.as_participant("bob").get("/api/messages").await.body;
    let times: Vec<_> = list.as_array().unwrap().iter().map(|message| message["timestamp"].as_i64().unwrap()).collect();
    assert_eq!(times, [NOW, NOW + 1, NOW + 2]);
    assert_eq!(app.bodies("bob", &format!("?limit=1&before={}", NOW + 2)).await, ["2"]);
}

#[tokio::test]
async fn paging_backwards_visits_every_message_once() {
    let app = alice_and_bob().await;
    let mut sent = Vec::new();
    for i in 0..23 {
        let (from, to) = if i % 3 == 0 { ("bob", "alice") } else { ("alice", "bob") };
        app.write(from, to, &i.to_string()).await;
        sent.push(i.to_string());
        app.wait(Duration::from_millis(i % 2));
    }
    for path in ["/api/messages", "/api/messages/bob@localhost"] {
        let (mut read, mut before) = (Vec::new(), 4_102_444_800_000);
        loop {
            let page = app.as_participant("alice").get(&format!("{path}?limit=4&before={before}")).await.body;
            let page = page.as_array().unwrap().clone();
            let Some(oldest) = page.first() else { break };
            before = oldest["timestamp"].as_i64().unwrap();
            read.splice(0..0, page.iter().map(|message| message["body"].as_str().unwrap().to_owned()));
        }
        assert_eq!(read, sent);
    }
}

#[tokio::test]
async fn a_message_to_oneself_is_there_twice() {
    let app = alice_and_bob().await;
    let note = json!({"to": "Alice@localhost/phone", "body": "note"});
    let sent = app.as_participant("alice").post("/api/messages", note).await;
    for path in ["/api/messages", "/api/messages/alice@localhost"] {
        let list = app.as_participant("alice").get(path).await.body;
        let ids: Vec<_> = list.as_array().unwrap().iter().map(|message| &message["id"]).collect();
        assert_eq!(ids, [&sent.body["id"]; 2]);
    }
}

#[tokio::test]
async fn a_message_to_an_unknown_recipient_is_in_the_senders_archive() {
    let app = alice_and_bob().await;
    for to in ["nobody@localhost", "bob@elsewhere.example"] {
        let sent = app.as_participant("alice").post("/api/messages", json!({"to": to, "body": to})).await;
        assert_eq!(sent.status, 200, "{sent}");
    }
    assert_eq!(app.bodies("alice", "").await, ["nobody@localhost", "bob@elsewhere.example"]);
    // A later owner of the name gets none of the earlier messages.
    app.participant("nobody").await;
    assert_eq!(app.bodies("nobody", "").await, [""; 0]);
}

#[tokio::test]
async fn any_text_is_returned_unchanged() {
    let app = TestApp::new().await;
    app.participants(&["älice", "bob"]).await;
    for body in ["", "\u{0}", "a\u{0}b\u{1}\r\n\t", "\u{1F600} \u{200D} \u{FFFD} ÅÅ", "\"'\\/<>&"] {
        let sent = app.write("älice", "bob", body).await;
        assert_eq!(sent.status, 200, "{sent}");
        assert_eq!(app.bodies("bob", "?limit=1").await, [body]);
        app.wait(Duration::from_secs(1));
    }
    assert_eq!(app.bodies("bob", "/ÄLICE@localhost?limit=500").await.len(), 5);
}

#[rstest]
#[case("", 50)]
#[case("?limit=0", 0)]
#[case("?limit=2", 2)]
#[case("?limit=500", 60)]
#[case("?limit=501", 60)]
#[case("?limit=2147483647", 60)]
#[case("?before=0", 0)]
#[case("?before=4102444800000&limit=60", 60)]
#[case("?unknown=1&limit=3", 3)]
#[tokio::test]
async fn a_page_has_the_requested_number_of_messages(#[case] query: &str, #[case] expected: usize) {
    let app = alice_and_bob().await;
    for i in 0..60 {
        app.write("alice", "bob", &i.to_string()).await;
    }
    let bodies = app.bodies("bob", query).await;
    let newest: Vec<_> = (60 - expected..60).map(|i| i.to_string()).collect();
    assert_eq!(bodies, newest);
}

#[tokio::test]
async fn a_page_fits_into_one_answer() {
    let app = alice_and_bob().await;
    let long = "x".repeat(65_536);
    for _ in 0..70 {
        app.write("alice", "bob", &long).await;
    }
    let page = app.as_participant("bob").get("/api/messages?limit=500").await.body;
    let page = page.as_array().unwrap();
    assert_eq!(page.len(), 63);
    let rest = app.bodies("bob", &format!("?limit=500&before={}", page[0]["timestamp"])).await;
    assert_eq!(rest.len(), 7);
}

#[tokio::test]
async fn each_error_is_described() {
    let app = alice_and_bob().await;
    let caller = app.as_participant("alice");
    for (body, problem) in [
        (json!({}), "Missing message recipient"),
        (json!({"to": "bob@localhost"}), "Missing message body"),
        (json!({"to": "bob@localhost", "body": 1}), "Invalid message body: it must be a string"),
        (json!({"to": "bob@localhost", "body": null}), "Invalid message body: it must be a string"),
        (json!({"to": ["bob@localhost"], "body": ""}), "Invalid message recipient: it must be a string"),
        (json!({"to": "bob", "body": ""}), "Invalid message recipient: it must be a JID"),
        (
            json!({"to": "bob@localhost", "body": "x".repeat(65_537)}),
            "Invalid message body: it must have at most 65536 bytes",
        ),
        (json!([]), "The body must be a JSON object"),
    ] {
        assert_eq!(caller.post("/api/messages", body).await.to_string(), format!("400 \"{problem}\""));
    }
    assert_snapshot!(caller.post_text("/api/messages", "{").await, @r#"400 "The body is not JSON: line 1 column 1""#);
    assert_snapshot!(caller.post_text("/api/messages", vec![b' '; 1024 * 1024]).await, @r#"413 "The body must be smaller than 1 MiB""#);
    let lone = r#"{"to":"bob@localhost","body":"\ud800"}"#;
    assert_snapshot!(caller.post_text("/api/messages", lone).await, @r#"400 "Invalid message body: it must be a string""#);
    for query in [
        "limit=x",
        "limit=-1",
        "limit=",
        "limit=1.0",
        "before=yesterday",
        "before=-1",
        "limit=2147483648",
        "before=4102444800001",
    ] {
        let answer = caller.get(&format!("/api/messages?{query}")).await.to_string();
        let name = query.split('=').next().unwrap();
        let max = if name == "limit" { "2147483647" } else { "4102444800000" };
        assert_eq!(answer, format!("400 \"Invalid {name}: it must be a number from 0 to {max}\""));
    }
    assert_eq!(app.bodies("bob", "").await, [""; 0]);
}

#[tokio::test]
async fn unknown_fields_are_not_checked() {
    let app = alice_and_bob().await;
    let nested = format!("{}{}", "[".repeat(200), "]".repeat(200));
    for odd in ["1e999", r#""\ud800""#, &nested] {
        let message = format!(r#"{{"to":"bob@localhost","body":"Hi","more":{odd}}}"#);
        let sent = app.as_participant("alice").post_text("/api/messages", message).await;
        assert_eq!(sent.status, 200, "{sent}");
    }
}

#[tokio::test]
async fn the_first_error_decides_the_answer() {
    let app = alice_and_bob().await;
    let (anyone, alice) = (app.anyone(), app.as_participant("alice"));
    assert_eq!(anyone.get("/api/messages/a@b/c").await.to_string(), "404 -");
    assert_eq!(anyone.get("/api/messagesx").await.status, 404);
    for (method, path, allow) in [
        ("PUT", "/api/messages", "GET, POST"),
        ("HEAD", "/api/messages", "GET, POST"),
        ("DELETE", "/api/messages/bob@localhost", "GET"),
    ] {
        let answer = anyone.send(method, path, &[], Body::empty()).await;
        assert_eq!((answer.to_string().as_str(), answer.header("allow")), ("405 -", allow));
    }
    let options = anyone.send("OPTIONS", "/api/messages", &[], Body::empty()).await;
    assert_eq!(options.to_string(), "200 -");
    let html = [("accept", "text/html"), ("content-type", "text/plain")];
    assert_eq!(anyone.send("POST", "/api/messages", &html, Body::empty()).await.to_string(), "401 -");
    assert_eq!(alice.send("POST", "/api/messages", &html, Body::empty()).await.to_string(), "406 -");
    assert_eq!(alice.send("GET", "/api/messages/nobody", &html[..1], Body::empty()).await.to_string(), "406 -");
    assert_eq!(alice.get("/api/messages/nobody?limit=x").await.to_string(), "404 -");
    for headers in [&html[1..], &[], &[("content-type", "application/problem+json")]] {
        assert_eq!(alice.send("POST", "/api/messages", headers, Body::empty()).await.to_string(), "415 -");
    }
    let json = [("content-type", "Application/JSON; charset=utf-8")];
    let message = r#"{"to":"bob@localhost","body":""}"#;
    assert_eq!(alice.send("POST", "/api/messages/", &json, Body::from(message)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_messages_are_all_archived_at_distinct_times() {
    let app = TestApp::new().await;
    app.participants(&["alice", "bob", "carol"]).await;
    for (from, to) in [("alice", "bob"), ("bob", "alice"), ("carol", "bob")] {
        let send = || {
            let app = app.clone();
            async move { app.write(from, to, "Hi").await }
        };
        assert_eq!(count(&race(8, send).await, 200), 8);
    }
    let list = app.as_participant("bob").get("/api/messages").await.body;
    let mut times: Vec<_> =
        list.as_array().unwrap().iter().map(|message| message["timestamp"].as_i64().unwrap()).collect();
    assert!(times.is_sorted());
    times.dedup();
    assert_eq!(times.len(), 24);
}

#[tokio::test]
async fn a_page_costs_the_same_in_any_archive() {
    let Counted { app, requests } = Counted::over(alice_and_bob().await).await;
    let cost = async |path: &str| {
        let before = requests.load(Ordering::SeqCst);
        app.bodies("bob", path).await;
        requests.load(Ordering::SeqCst) - before
    };
    for _ in 0..10 {
        app.write("alice", "bob", "Hi").await;
    }
    cost("").await;
    let few = [cost("?limit=10").await, cost("/alice@localhost?limit=10").await];
    for _ in 0..150 {
        app.write("alice", "bob", "Hi").await;
    }
    // Two reads for the caller, one for the page.
    assert_eq!((few, [cost("?limit=10").await, cost("/alice@localhost?limit=10").await]), ([3, 3], [3, 3]));
}

#[tokio::test]
async fn sending_costs_the_same_in_any_conversation() {
    let Counted { app, requests } = Counted::over(alice_and_bob().await).await;
    app.write("alice", "bob", "Hi").await;
    for _ in 0..20 {
        app.wait(Duration::from_millis(1));
        let before = requests.load(Ordering::SeqCst);
        app.write("alice", "bob", "Hi").await;
        // Two reads for the caller, one for the receiver, and one transaction.
        assert_eq!(requests.load(Ordering::SeqCst) - before, 4);
    }
}
