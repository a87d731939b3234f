//! `/api/sse`: room events.

use std::time::Duration;

use greenroom_core::clock::Clock;
use rstest::rstest;
use serde_json::{Value, json};

use crate::{listener::Listener, support::TestApp};

impl TestApp {
    /// Creates a room with this owner and these members.
    async fn room_of(&self, id: &str, owner: &str, members: &[&str]) {
        let path = format!("/api/rooms/{id}");
        let made = self.as_participant(owner).put(&path, json!({"name": "Room", "subject": "All"})).await;
        assert_eq!(made.status, 201, "{made}");
        for member in members {
            self.invite(id, owner, member).await;
        }
    }

    async fn invite(&self, id: &str, owner: &str, member: &str) {
        let user = json!({"user": format!("{member}@localhost")});
        let invited = self.as_participant(owner).post(&format!("/api/rooms/{id}/users"), user).await;
        assert_eq!(invited.status, 204, "{invited}");
    }

    async fn say(&self, id: &str, from: &str, body: &str) {
        let said = self.as_participant(from).post(&format!("/api/rooms/{id}/messages"), json!({"body": body})).await;
        assert_eq!(said.status, 200, "{said}");
    }

    async fn remove(&self, id: &str, by: &str, who: &str) {
        let removed = self.as_participant(by).delete(&format!("/api/rooms/{id}/users/{who}@localhost")).await;
        assert_eq!(removed.status, 204, "{removed}");
    }
}

async fn people() -> TestApp {
    let app = TestApp::new().await;
    app.participants(&["alice", "bob", "carol"]).await;
    app
}

/// The bodies of the next room events, or their affiliations.
async fn said(listener: &mut Listener, count: usize) -> Vec<Value> {
    let mut said = Vec::new();
    for _ in 0..count {
        let event = listener.event().await;
        assert_eq!(event.kind, "room.message");
        let data = event.data;
        said.push(if data["type"] == "message" { data["body"].clone() } else { data["affiliation"].clone() });
    }
    said
}

#[tokio::test]
async fn every_participant_including_the_sender_gets_a_message_event() {
    let app = people().await;
    app.room_of("lobby", "alice", &["bob"]).await;
    let mut listeners = [app.as_participant("alice").listen().await, app.as_participant("bob").listen().await];
    let mut carol = app.as_participant("carol").listen().await;
    app.say("lobby", "bob", "Hi").await;
    let archive = app.as_participant("bob").get("/api/rooms/lobby/messages").await.body;
    let mut expected = archive.as_array().unwrap().last().unwrap().clone();
    expected["room"] = "lobby".into();
    for listener in &mut listeners {
        let event = listener.event().await;
        assert_eq!((event.kind.as_str(), event.data), ("room.message", expected.clone()));
        listener.is_quiet().await;
    }
    carol.is_quiet().await;
}

#[tokio::test]
async fn an_invited_participant_gets_the_invitation_and_later_events() {
    let app = people().await;
    app.room_of("lobby", "alice", &[]).await;
    app.say("lobby", "alice", "before").await;
    let mut bob = app.as_participant("bob").listen().await;
    bob.is_quiet().await;
    app.again_with([]).invite("lobby", "alice", "bob").await;
    app.say("lobby", "alice", "after").await;
    let invitation = bob.event().await.data;
    assert_eq!((&invitation["user"], &invitation["affiliation"]), (&json!("bob@localhost"), &json!("member")));
    assert_eq!(said(&mut bob, 1).await, ["after"]);
    bob.is_quiet().await;
}

#[tokio::test]
async fn a_removed_member_gets_no_events_until_they_are_invited_again() {
    let app = people().await;
    app.room_of("lobby", "alice", &["bob", "carol"]).await;
    let mut bob = app.as_participant("bob").listen().await;
    let mut carol = app.as_participant("carol").listen().await;
    app.say("lobby", "alice", "1").await;
    assert_eq!(said(&mut bob, 1).await, ["1"]);
    app.remove("lobby", "alice", "bob").await;
    app.say("lobby", "alice", "2").await;
    assert_eq!(said(&mut bob, 1).await, ["none"]);
    bob.is_quiet().await;
    let id = bob.last_id.clone();
    app.invite("lobby", "alice", "bob").await;
    app.say("lobby", "alice", "3").await;
    assert_eq!(said(&mut bob, 2).await, ["member", "3"]);
    let mut bob = app.as_participant("bob").resume(&id).await;
    assert_eq!(said(&mut bob, 2).await, ["member", "3"]);
    bob.is_quiet().await;
    assert_eq!(said(&mut carol, 5).await, ["1", "none", "2", "member", "3"]);
}

#[rstest]
#[case::removed("alice")]
#[case::left("bob")]
#[tokio::test]
async fn a_member_who_leaves_gets_all_events_up_to_then(#[case] by: &str) {
    let app = people().await;
    app.room_of("lobby", "alice", &["bob"]).await;
    let bob = app.as_participant("bob");
    let mut listener = bob.listen().await;
    listener.is_quiet().await;
    let before = listener.last_id.clone();
    app.say("lobby", "alice", "1").await;
    app.say("lobby", "bob", "2").await;
    app.remove("lobby", by, "bob").await;
    app.say("lobby", "alice", "secret").await;
    assert_eq!(bob.get("/api/rooms/lobby/messages").await.status, 403);
    assert_eq!(bob.get("/api/rooms").await.body, json!([]));
    assert_eq!(said(&mut listener, 3).await, ["1", "2", "none"]);
    listener.is_quiet().await;
    app.wait(Duration::from_hours(1));
    for id in [before, listener.last_id.clone()] {
        let told = if id == listener.last_id { vec![] } else { vec!["1", "2", "none"] };
        let mut again = bob.resume(&id).await;
        assert_eq!(said(&mut again, told.len()).await, told);
        again.is_quiet().await;
    }
    bob.listen().await.is_quiet().await;
}

#[tokio::test]
async fn the_last_member_to_leave_gets_all_events_up_to_then() {
    let app = people().await;
    app.room_of("lobby", "alice", &[]).await;
    let mut alice = app.as_participant("alice").listen().await;
    app.say("lobby", "alice", "1").await;
    app.remove("lobby", "alice", "alice").await;
    app.keep_house().await;
    assert_eq!(said(&mut alice, 2).await, ["1", "none"]);
    alice.is_quiet().await;
}

#[tokio::test]
async fn the_creator_of_a_room_gets_all_events_even_if_the_clocks_differ() {
    let app = people().await;
    let ahead = app.again_at(Clock::stopped_at(app.clock.now() + Duration::from_secs(5)));
    let mut alice = app.as_participant("alice").listen().await;
    ahead.room_of("lobby", "alice", &[]).await;
    app.say("lobby", "alice", "1").await;
    app.invite("lobby", "alice", "bob").await;
    assert_eq!(said(&mut alice, 2).await, ["1", "member"]);
    alice.is_quiet().await;
}

#[tokio::test]
async fn a_room_recreated_under_the_same_id_is_a_new_room() {
    let app = people().await;
    app.room_of("lobby", "alice", &[]).await;
    let mut alice = app.as_participant("alice").listen().await;
    app.say("lobby", "alice", "1").await;
    assert_eq!(said(&mut alice, 1).await, ["1"]);
    app.remove("lobby", "alice", "alice").await;
    app.room_of("lobby", "bob", &["alice"]).await;
    app.say("lobby", "bob", "2").await;
    assert_eq!(said(&mut alice, 2).await, ["member", "2"]);
    alice.is_quiet().await;
}

#[tokio::test]
async fn events_of_more_rooms_than_one_request_reads_arrive_in_order() {
    let app = people().await;
    let rooms: Vec<_> = (0..120).map(|number| format!("room{number}")).collect();
    for room in &rooms {
        app.room_of(room, "alice", &[]).await;
    }
    let mut alice = app.as_participant("alice").listen().await;
    alice.is_quiet().await;
    for room in &rooms {
        app.clock.advance(Duration::from_millis(1));
        app.say(room, "alice", room).await;
    }
    assert_eq!(said(&mut alice, rooms.len()).await, rooms);
    alice.is_quiet().await;
}
