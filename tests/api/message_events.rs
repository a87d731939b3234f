//! `/api/sse`: message events.

use std::time::Duration;

use greenroom_core::{config::Timing, model::Position};
use serde_json::{Value, json};

use crate::support::{TestApp, basic};

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
async fn an_event_carries_the_message_as_the_archive_has_it() {
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
async fn the_stream_has_the_line_format_that_browsers_read() {
    let app = alice_and_bob().await;
    let mut bob = app.as_participant("bob").listen().await;
    let position = |id: &str| Position::decode(id).is_some();
    // Only events end with an empty line. Clients that use `fetch` would take anything else for an event.
    let begun = bob.chunk().await.unwrap();
    let lines: Vec<_> = begun.lines().collect();
    assert_eq!(lines[0], "retry: 1000");
    assert!(lines.len() == 2 && lines[1].strip_prefix(": keep-alive ").is_some_and(position), "{begun}");
    app.send_all("alice", "bob", ["Hi"]).await;
    let event = bob.chunk().await.unwrap();
    let lines: Vec<_> = event.lines().collect();
    assert!(lines[0].strip_prefix("id: ").is_some_and(position), "{event}");
    assert_eq!((lines[1], lines[3], lines.len()), ("event: message", "", 4));
    assert!(lines[2].starts_with("data: {") && event.ends_with("}\n\n"), "{event}");
}

#[tokio::test]
async fn the_start_position_may_be_given_in_the_query_string() {
    let app = alice_and_bob().await;
    let mut bob = app.as_participant("bob").listen().await;
    app.send_all("alice", "bob", ["1", "2", "3"]).await;
    let (first, second) = (bob.event().await.id, bob.event().await.id);
    let path = format!("/api/sse?x=1&lastEventId={first}");
    let caller = app.as_participant("bob");
    let mut by_query = caller.listen_at(&path, &[], None).await.unwrap();
    assert_eq!(by_query.fields("body", 2).await, ["2", "3"]);
    // The header is newer than the parameter: a client sets the parameter once, and browsers then send the header.
    let mut by_both = caller.listen_at(&path, &[("last-event-id", &second)], None).await.unwrap();
    assert_eq!(by_both.fields("body", 1).await, ["3"]);
}

#[tokio::test]
async fn a_sender_gets_no_event_for_their_own_message() {
    let app = alice_and_bob().await;
    let mut alice = app.as_participant("alice").listen().await;
    app.send_all("alice", "bob", ["Hi"]).await;
    alice.is_quiet().await;
    app.send_all("alice", "alice", ["note"]).await;
    assert_eq!(alice.event().await.data["body"], "note");
    alice.is_quiet().await;
}

#[tokio::test]
async fn a_message_sent_through_another_instance_arrives() {
    let app = alice_and_bob().await;
    let mut bob = app.as_participant("bob").listen().await;
    app.again_with([]).send_all("alice", "bob", 0..3).await;
    assert_eq!(bob.fields("body", 3).await, ["0", "1", "2"]);
    bob.is_quiet().await;
}

#[tokio::test]
async fn a_message_sent_right_after_the_stream_began_arrives() {
    let app = alice_and_bob().await;
    app.send_all("alice", "bob", ["before"]).await;
    let mut bob = app.as_participant("bob").listen().await;
    app.send_all("alice", "bob", ["after"]).await;
    assert_eq!(bob.event().await.data["body"], "after");
}

#[tokio::test]
async fn a_reconnecting_listener_receives_missed_messages() {
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
async fn a_listener_who_reconnects_much_later_receives_everything_since() {
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
async fn more_than_a_page_of_messages_arrives_in_order() {
    let app = alice_and_bob().await;
    let mut bob = app.as_participant("bob").listen().await;
    app.send_all("alice", "bob", 0..250).await;
    let expected: Vec<_> = (0..250).map(|body| Value::from(body.to_string())).collect();
    assert_eq!(bob.fields("body", 250).await, expected);
    bob.is_quiet().await;
}

#[tokio::test]
async fn a_listener_without_events_can_resume_from_the_position_in_a_comment() {
    let app = alice_and_bob().await;
    let mut bob = app.as_participant("bob").listen().await;
    bob.is_quiet().await;
    app.send_all("alice", "bob", ["missed"]).await;
    let mut bob = app.as_participant("bob").resume(&bob.last_id).await;
    assert_eq!(bob.event().await.data["body"], "missed");
}

#[tokio::test]
async fn an_invalid_position_counts_as_no_position() {
    let app = alice_and_bob().await;
    app.send_all("alice", "bob", ["before"]).await;
    let future = Position::at(app.clock.now() + Duration::from_hours(1)).encode();
    for id in ["", "42", "garbage!", &future, &"A".repeat(4000)] {
        let mut bob = app.as_participant("bob").resume(id).await;
        bob.is_quiet().await;
    }
}

#[tokio::test]
async fn a_position_of_another_user_gives_no_access() {
    let app = alice_and_bob().await;
    app.participant("carol").await;
    let mut bob = app.as_participant("bob").listen().await;
    app.send_all("alice", "bob", ["first", "second"]).await;
    let first = bob.event().await;
    let mut carol = app.as_participant("carol").resume(&first.id).await;
    carol.is_quiet().await;
}

#[tokio::test]
async fn a_stream_sends_a_keep_alive_every_15_seconds() {
    assert_eq!(Timing::default().keep_alive, Duration::from_secs(15));
    let app = alice_and_bob().await;
    let mut bob = app.as_participant("bob").listen().await;
    bob.chunk().await;
    for _ in 0..3 {
        let chunk = bob.chunk().await.unwrap();
        assert!(chunk.starts_with(": ") && chunk.lines().count() == 1 && chunk.ends_with('\n'), "{chunk}");
    }
}

#[tokio::test]
async fn a_client_that_does_not_accept_event_streams_is_refused() {
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
async fn only_an_authenticated_participant_may_listen() {
    let app = alice_and_bob().await;
    let accept = [("accept", "application/json")];
    for credentials in ["bob@localhost:wrong", "bob@elsewhere:x", "nobody@localhost:x"] {
        let caller = app.with_authorization(basic(credentials));
        // The credentials are checked before the accepted media type.
        assert_eq!(caller.listen_with(&accept, None).await.err(), Some(401), "{credentials}");
    }
    let answer = app.anyone().get("/api/sse").await;
    assert_eq!((answer.status.as_u16(), answer.header("www-authenticate")), (401, "Basic realm=\"mongooseim\""));
    let answer = app.anyone().post("/api/sse", json!({})).await;
    assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "GET"));
}
