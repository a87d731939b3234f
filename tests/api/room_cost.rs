//! The cost of room requests: their round trips to DynamoDB on a warm instance.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use greenroom_core::{
    id::RoomId,
    model::{
        Jid,
        room::{self, Person, RoomEntry, RoomEvent},
    },
};
use serde_json::json;

use crate::{
    counted::Counted,
    support::{Answer, NOW, TestApp},
};

/// The number of requests to DynamoDB that a successful request makes.
async fn cost(requests: &AtomicUsize, request: impl Future<Output = Answer>) -> (usize, Answer) {
    requests.store(0, Ordering::SeqCst);
    let answer = request.await;
    assert!(answer.status.is_success(), "{answer}");
    (requests.load(Ordering::SeqCst), answer)
}

/// Adds this many members to alice's room `lobby`.
pub(crate) async fn fill(app: &TestApp, members: u64) {
    let alice = Person { jid: Jid::of("alice", "localhost").unwrap(), user: None };
    let alice = Person { user: Some(app.store.user_named("alice").await.unwrap().unwrap().id), ..alice };
    let mut room = app.store.room(&lobby()).await.unwrap().unwrap();
    let host = room::host("localhost");
    for number in 0..members {
        let guest = Person { jid: Jid::of(&format!("guest{number}"), "localhost").unwrap(), user: None };
        let invite = |room: &mut greenroom_core::model::Room| room.invite(&alice, guest.clone());
        app.store.change_room(room, &app.clock, &host, invite).await.unwrap().unwrap();
        room = app.store.room(&lobby()).await.unwrap().unwrap();
    }
}

fn lobby() -> RoomId {
    room::named("lobby", "localhost").unwrap()
}

/// Sends this many messages to the room `lobby`.
async fn talk(app: &TestApp, entries: u32) {
    let alice = app.store.user_named("alice").await.unwrap().unwrap().id;
    let jid = Jid::of("alice", "localhost").unwrap();
    let membership = app.store.membership(&lobby(), &jid, alice).await.unwrap().unwrap();
    for number in 0..entries {
        let event = RoomEvent::Message { from: jid.clone(), body: number.to_string() };
        let entry = RoomEntry::new(event, app.clock.now() + Duration::from_millis(number.into()));
        app.store.insert_room_entry(&membership, &jid, entry, &app.clock).await.unwrap().unwrap();
    }
    app.wait(Duration::from_mins(1));
}

#[tokio::test]
async fn room_requests_take_the_expected_round_trips() {
    let app = TestApp::with_lobby(&["alice", "bob", "carol"]).await;
    let Counted { app, requests } = Counted::over(app).await;
    let (alice, bob) = (app.as_participant("alice"), app.as_participant("bob"));
    let config = || json!({ "name": "R", "subject": "S" });
    // From here on both passwords are cached.
    assert_eq!(alice.get("/api/rooms").await.status, 200);
    assert_eq!(bob.get("/api/rooms").await.status, 200);
    app.wait(Duration::from_secs(1));
    assert_eq!(cost(&requests, alice.post("/api/rooms", config())).await.0, 3, "a room is made");
    assert_eq!(cost(&requests, alice.put("/api/rooms/other", config())).await.0, 3, "one of a chosen id is");
    assert_eq!(cost(&requests, alice.get("/api/rooms")).await.0, 4, "rooms are listed");
    assert_eq!(cost(&requests, alice.get("/api/rooms/lobby")).await.0, 3, "a room is read");
    assert_eq!(cost(&requests, alice.put("/api/rooms/lobby/config", config())).await.0, 4, "a config is changed");
    assert_eq!(cost(&requests, alice.invite("lobby", "dave@localhost")).await.0, 5, "somebody is invited");
    assert_eq!(cost(&requests, alice.invite("lobby", "dave@localhost")).await.0, 4, "and again");
    app.wait(Duration::from_secs(1));
    assert_eq!(cost(&requests, alice.remove("dave")).await.0, 4, "somebody is removed");
    app.wait(Duration::from_secs(1));
    assert_eq!(cost(&requests, alice.say("Hi")).await.0, 4, "something is said");
    assert_eq!(cost(&requests, alice.say("Hi")).await.0, 5, "and in the same millisecond");
    assert_eq!(cost(&requests, bob.get("/api/rooms/lobby/messages")).await.0, 4, "a page is read");
    app.wait(Duration::from_secs(1));
    assert_eq!(cost(&requests, alice.remove("alice")).await.0, 4, "the owner leaves");
    assert_eq!(cost(&requests, bob.get("/api/rooms/lobby")).await.0, 3);
    app.wait(Duration::from_secs(1));
    assert_eq!(cost(&requests, bob.remove("carol")).await.0, 4, "the new one removes the other");
    app.wait(Duration::from_secs(1));
    assert_eq!(cost(&requests, bob.remove("bob")).await.0, 4, "and is the last to leave");
}

#[tokio::test]
async fn saying_something_costs_the_same_to_3_members_and_to_300() {
    for members in [2, 299] {
        let app = TestApp::with_lobby(&["alice"]).await;
        fill(&app, members).await;
        app.wait(Duration::from_mins(1));
        let Counted { app, requests } = Counted::over(app).await;
        let alice = app.as_participant("alice");
        let details = alice.get("/api/rooms/lobby").await.body;
        assert_eq!(details["participants"].as_array().unwrap().len() as u64, members + 1);
        let before = app.items().await.len();
        assert_eq!(cost(&requests, alice.say("Hi")).await.0, 4, "{members}");
        // One entry is written, for any number of readers.
        assert_eq!(app.items().await.len(), before + 1, "{members}");
        assert_eq!(cost(&requests, alice.get("/api/rooms/lobby/messages")).await.0, 4, "{members}");
        assert_eq!(cost(&requests, alice.get("/api/rooms")).await.0, 4, "{members}");
    }
}

#[tokio::test]
async fn a_page_costs_the_same_in_an_archive_of_10_entries_and_of_1000() {
    for entries in [10, 1000] {
        let app = TestApp::with_lobby(&["alice"]).await;
        talk(&app, entries).await;
        let Counted { app, requests } = Counted::over(app).await;
        let alice = app.as_participant("alice");
        alice.get("/api/rooms").await;
        for query in ["", "?limit=5", &format!("?limit=5&before={}", NOW + 7)] {
            let path = format!("/api/rooms/lobby/messages{query}");
            let (n, answer) = cost(&requests, alice.get(&path)).await;
            let length = if query.is_empty() { entries.min(50) } else { 5 };
            assert_eq!((n, answer.body.as_array().unwrap().len()), (4, length as usize), "{entries} {query}");
        }
    }
}
