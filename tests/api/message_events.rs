//! `/api/sse`: messages as they arrive.

use std::time::Duration;

use serde_json::{Value, json};
use shared::model::Position;

use crate::{
    listener::{KEEP_ALIVE, POLL, pass},
    support::{TestApp, basic},
};

pub(crate) async fn alice_and_bob() -> TestApp {
    let app = TestApp::new().await;
    app.participants(&["alice", "bob"]).await;
    app
}

impl TestApp {
    /// Sends messages from one participant to another.
    pub(crate) async fn send_all(&self, from: &str, to: &str, bodies: impl IntoIterator<Item = impl ToString>) {
        for body in bodies {
            let message = json!({"to": format!("{to}@localhost"), "body": body.to_string()});
            let sent = self.as_participant(from).post("/api/messages", message).await;
            assert_eq!(sent.status, 200, "{sent}");
        }
    }
}

#[tokio::test]
async fn a_message_is_told_as_the_archive_has_it() {
    let app = alice_and_bob().await;
    let mut bob = app.as_participant("bob").listen().await;
    assert_eq!(bob.headers["content-type"], "text/event-stream");
    assert_eq!(bob.headers["cache-control"], "no-store");
    app.send_all("alice", "bob", ["two\nlines, \u{2028}\r\n\u{0}"]).await;
    let event = bob.event().await;
    assert_eq!(event.kind, "message");
    let archived = app.as_participant("bob").get("/api/messages").await.body;
    assert_eq!(event.data, archived[0]);
    bob.is_quiet().await;
}

#[tokio::test]
async fn the_stream_is_lines_as_browsers_read_them() {
    let app = alice_and_bob().await;
    let mut bob = app.as_participant("bob").listen().await;
    let position = |id: &str| Position::decode(id).is_some();
    // Nothing ends in an empty line but events: clients over `fetch` would take it for one.
    let begun = bob.chunk().await.unwrap();
    let lines: Vec<_> = begun.lines().collect();
    assert_eq!(lines[0], "retry: 1000");
    assert!(lines.len() == 2 && lines[1].strip_prefix(": keep-alive ").is_some_and(position), "{begun}");
    app.send_all("alice", "bob", ["Hi"]).await;
    pass(POLL).await;
    let event = bob.chunk().await.unwrap();
    let lines: Vec<_> = event.lines().collect();
    assert!(lines[0].strip_prefix("id: ").is_some_and(position), "{event}");
    assert_eq!((lines[1], lines[3], lines.len()), ("event: message", "", 4));
    assert!(lines[2].starts_with("data: {") && event.ends_with("}\n\n"), "{event}");
}

#[tokio::test]
async fn where_to_begin_may_stand_in_the_query_string() {
    let app = alice_and_bob().await;
    let mut bob = app.as_participant("bob").listen().await;
    app.send_all("alice", "bob", ["1", "2", "3"]).await;
    let (first, second) = (bob.event().await.id, bob.event().await.id);
    let path = format!("/api/sse?x=1&lastEventId={first}");
    let caller = app.as_participant("bob");
    let mut by_query = caller.listen_at(&path, &[], None).await.unwrap();
    assert_eq!(by_query.fields("body", 2).await, ["2", "3"]);
    // The header is newer: who adds the parameter does so once, and browsers go on with the header.
    let mut by_both = caller.listen_at(&path, &[("last-event-id", &second)], None).await.unwrap();
    assert_eq!(by_both.fields("body", 1).await, ["3"]);
}

#[tokio::test]
async fn who_sent_a_message_is_not_told_of_it() {
    let app = alice_and_bob().await;
    let mut alice = app.as_participant("alice").listen().await;
    app.send_all("alice", "bob", ["Hi"]).await;
    alice.is_quiet().await;
    app.send_all("alice", "alice", ["note"]).await;
    assert_eq!(alice.event().await.data["body"], "note");
    alice.is_quiet().await;
}

#[tokio::test]
async fn a_message_sent_by_way_of_another_instance_is_told() {
    let app = alice_and_bob().await;
    let mut bob = app.as_participant("bob").listen().await;
    app.again_with([]).send_all("alice", "bob", 0..3).await;
    assert_eq!(bob.fields("body", 3).await, ["0", "1", "2"]);
    bob.is_quiet().await;
}

#[tokio::test]
async fn what_is_sent_once_the_answer_has_begun_is_not_lost() {
    let app = alice_and_bob().await;
    app.send_all("alice", "bob", ["before"]).await;
    let mut bob = app.as_participant("bob").listen().await;
    app.send_all("alice", "bob", ["after"]).await;
    assert_eq!(bob.event().await.data["body"], "after");
}

#[tokio::test]
async fn who_comes_back_is_told_what_they_missed() {
    let app = alice_and_bob().await;
    let mut bob = app.as_participant("bob").listen().await;
    app.send_all("alice", "bob", 0..3).await;
    bob.event().await;
    let second = bob.event().await;
    drop(bob);
    app.send_all("alice", "bob", 3..5).await;
    let other = app.again_with([]);
    let mut bob = other.as_participant("bob").resume(&second.id).await;
    assert_eq!(bob.fields("body", 3).await, ["2", "3", "4"]);
    bob.is_quiet().await;
}

#[tokio::test]
async fn who_comes_back_much_later_is_told_everything_since() {
    let app = alice_and_bob().await;
    let mut bob = app.as_participant("bob").listen().await;
    app.send_all("alice", "bob", ["0"]).await;
    let first = bob.event().await;
    for body in 1..4 {
        app.wait(Duration::from_hours(1));
        app.send_all("alice", "bob", [body]).await;
    }
    let mut bob = app.as_participant("bob").resume(&first.id).await;
    assert_eq!(bob.fields("body", 3).await, ["1", "2", "3"]);
    bob.is_quiet().await;
}

#[tokio::test]
async fn more_than_a_page_of_messages_is_told_in_order() {
    let app = alice_and_bob().await;
    let mut bob = app.as_participant("bob").listen().await;
    app.send_all("alice", "bob", 0..250).await;
    let expected: Vec<_> = (0..250).map(|body| Value::from(body.to_string())).collect();
    assert_eq!(bob.fields("body", 250).await, expected);
    bob.is_quiet().await;
}

#[tokio::test]
async fn who_has_heard_nothing_yet_can_come_back_with_what_a_comment_says() {
    let app = alice_and_bob().await;
    let mut bob = app.as_participant("bob").listen().await;
    bob.is_quiet().await;
    app.send_all("alice", "bob", ["missed"]).await;
    let mut bob = app.as_participant("bob").resume(&bob.last_id).await;
    assert_eq!(bob.event().await.data["body"], "missed");
}

#[tokio::test]
async fn a_position_that_is_none_is_as_good_as_no_position() {
    let app = alice_and_bob().await;
    app.send_all("alice", "bob", ["before"]).await;
    let future = Position::at(app.clock.now() + Duration::from_hours(1)).encode();
    for id in ["", "42", "garbage!", &future, &"A".repeat(4000)] {
        let mut bob = app.as_participant("bob").resume(id).await;
        bob.is_quiet().await;
    }
}

#[tokio::test]
async fn somebody_elses_position_opens_nothing() {
    let app = alice_and_bob().await;
    app.participant("carol").await;
    let mut bob = app.as_participant("bob").listen().await;
    app.send_all("alice", "bob", ["first", "second"]).await;
    let first = bob.event().await;
    let mut carol = app.as_participant("carol").resume(&first.id).await;
    carol.is_quiet().await;
}

#[tokio::test]
async fn every_15_seconds_a_stream_says_that_it_is_still_there() {
    let app = alice_and_bob().await;
    let mut bob = app.as_participant("bob").listen().await;
    bob.chunk().await;
    for _ in 0..3 {
        pass(KEEP_ALIVE).await;
        let chunk = bob.chunk().await.unwrap();
        assert!(chunk.starts_with(": ") && chunk.lines().count() == 1 && chunk.ends_with('\n'), "{chunk}");
    }
}

#[tokio::test]
async fn who_does_not_take_events_is_told_so() {
    let app = alice_and_bob().await;
    let bob = app.as_participant("bob");
    for (accept, refused) in [
        ("application/json", Some(406)),
        ("text/event-stream;q=0", Some(406)),
        ("text/event-stream", None),
        ("text/*", None),
        ("*/*", None),
    ] {
        assert_eq!(bob.listen_with(&[("accept", accept)], None).await.err(), refused, "{accept}");
    }
}

#[tokio::test]
async fn only_an_account_is_told_anything() {
    let app = alice_and_bob().await;
    let accept = [("accept", "application/json")];
    for credentials in ["bob@localhost:wrong", "bob@elsewhere:x", "nobody@localhost:x"] {
        let caller = app.with_authorization(basic(credentials));
        // Who is calling comes before what they take.
        assert_eq!(caller.listen_with(&accept, None).await.err(), Some(401), "{credentials}");
    }
    let answer = app.anyone().get("/api/sse").await;
    assert_eq!((answer.status.as_u16(), answer.header("www-authenticate")), (401, "Basic realm=\"mongooseim\""));
    let answer = app.anyone().post("/api/sse", json!({})).await;
    assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "GET"));
}
