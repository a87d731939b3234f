//! Messages, rooms, contacts, and event streams.

use std::time::Duration;

use axum::body::Body;
use greenroom_core::model::Jid;
use greenroom_http::Reported;
use greenroom_store::{Credential, Feed, Listener};
use greenroom_telemetry::meter::metered;
use serde_json::{Value, json};

use super::Rows;
use crate::{
    room_cost::fill,
    support::{Answer, Caller, TestApp},
};

/// A message of two lines.
const BODY: &str = "The interpreters for the afternoon are in booth 3.\nPlease be there at two.";

pub(super) async fn measure(rows: &mut Rows) {
    let app = TestApp::with_lobby(&["alice", "bob", "carol"]).await;
    let alice = app.as_participant("alice");
    rows.note(
        "one, the password not looked at lately",
        app.again_with([]).as_participant("alice").get("/api/rooms").await,
    );
    // From here on the passwords are cached.
    for name in ["alice", "bob"] {
        assert_eq!(app.as_participant(name).get("/api/rooms").await.status, 200);
    }
    rows.note("one", alice.get("/api/rooms").await);
    messages(rows, &app).await;
    rooms(rows, &app).await;
    contacts(rows, &app).await;
    large_rooms(rows).await;
    streams(rows).await;
}

async fn messages(rows: &mut Rows, app: &TestApp) {
    let alice = app.as_participant("alice");
    let send = async || alice.post("/api/messages", json!({ "to": "bob@localhost", "body": BODY })).await;
    rows.note("any", send().await);
    rows.note("in the same millisecond", send().await);
    for _ in 0..60 {
        app.wait(Duration::from_millis(1));
        send().await;
    }
    rows.note("50", alice.get("/api/messages").await);
    rows.note("50", alice.get("/api/messages/bob@localhost").await);
}

async fn rooms(rows: &mut Rows, app: &TestApp) {
    let (alice, bob) = (app.as_participant("alice"), app.as_participant("bob"));
    let config = || json!({ "name": "Interpreters", "subject": "Who is on next" });
    let later = async |rows: &mut Rows, case: &str, answer: Answer| {
        app.wait(Duration::from_secs(1));
        rows.note(case, answer);
    };
    later(rows, "any", alice.post("/api/rooms", config()).await).await;
    later(rows, "any", alice.put("/api/rooms/other", config()).await).await;
    later(rows, "of three", alice.get("/api/rooms/lobby").await).await;
    later(rows, "of three", alice.put("/api/rooms/lobby/config", config()).await).await;
    later(rows, "into a room of three", alice.invite("lobby", "dave@localhost").await).await;
    later(rows, "who is there already", alice.invite("lobby", "dave@localhost").await).await;
    later(rows, "of a room of four", alice.remove("dave").await).await;
    later(rows, "to three", alice.say(BODY).await).await;
    later(rows, "the owner leaves", alice.remove("alice").await).await;
    later(rows, "few", bob.get("/api/rooms/lobby/messages").await).await;
    later(rows, "the last two: the first", bob.remove("carol").await).await;
    later(rows, "the last two: the last", bob.remove("bob").await).await;
}

async fn contacts(rows: &mut Rows, app: &TestApp) {
    let alice = app.as_participant("alice");
    rows.note("any", alice.post("/api/contacts", json!({ "jid": "bob@localhost" })).await);
    let invite = json!({ "action": "invite" });
    rows.note("an invitation", alice.put("/api/contacts/bob@localhost", invite).await);
    rows.note("one", alice.get("/api/contacts").await);
    rows.note("any", alice.delete("/api/contacts/bob@localhost").await);
    alice.post("/api/contacts", json!({ "jid": "bob@localhost" })).await;
    rows.note("one", drop_several(&alice, json!(["bob@localhost"])).await);
}

async fn drop_several(caller: &Caller<'_>, contacts: Value) -> Answer {
    let body = Body::from(json!({ "to_delete": contacts }).to_string());
    caller.send("DELETE", "/api/contacts", &[("content-type", "application/json")], body).await
}

/// A room with 300 members and 60 messages.
async fn large_rooms(rows: &mut Rows) {
    let app = TestApp::with_lobby(&["alice"]).await;
    fill(&app, 299).await;
    app.wait(Duration::from_mins(1));
    let alice = app.as_participant("alice");
    assert_eq!(alice.get("/api/rooms").await.status, 200);
    rows.note("one of 300 participants", alice.get("/api/rooms").await);
    rows.note("to 300", alice.say(BODY).await);
    for _ in 0..60 {
        app.wait(Duration::from_millis(1));
        alice.say(BODY).await;
    }
    app.wait(Duration::from_secs(1));
    rows.note("50", alice.get("/api/rooms/lobby/messages").await);
    rows.note("of 300", alice.get("/api/rooms/lobby").await);
    rows.note("into a room of 300", alice.invite("lobby", "dave@localhost").await);
    app.wait(Duration::from_secs(1));
    rows.note("of a room of 301", alice.remove("dave").await);
}

const STREAM: &str = "GET /api/sse";

async fn streams(rows: &mut Rows) {
    let app = TestApp::with_lobby(&["alice", "bob"]).await;
    app.wait(Duration::from_mins(1));
    let bob = app.as_participant("bob");
    assert_eq!(bob.get("/api/rooms").await.status, 200);
    let begun = bob.begin(bob.request("GET", "/api/sse", &[], Body::empty())).await;
    let Reported { route, usage } = begun.extensions().get().unwrap();
    assert_eq!(route, STREAM);
    rows.add(STREAM, "begun, by who is in one room", *usage);
    let mut feed = feed(&app, "bob").await;
    look(rows, &app, &mut feed, "a look at one room, nothing new").await;
    app.as_participant("alice").say(BODY).await;
    look(rows, &app, &mut feed, "a look at one room, a message in it").await;
    let mut feed = self::feed(&app, "alice").await;
    app.send_all("bob", "alice", [BODY]).await;
    look(rows, &app, &mut feed, "a look at one room, a message of one's own").await;
    for number in 0..9 {
        app.wait(Duration::from_secs(1));
        let config = json!({ "name": "Room", "subject": "S" });
        assert_eq!(bob.put(&format!("/api/rooms/room{number}"), config).await.status, 201);
    }
    app.wait(Duration::from_mins(1));
    let mut feed = self::feed(&app, "bob").await;
    look(rows, &app, &mut feed, "a look at ten rooms, nothing new").await;
}

async fn feed(app: &TestApp, name: &str) -> Feed {
    let user = app.store.user_named(name).await.unwrap().unwrap().id;
    let hash = app.store.password_hash(user).await.unwrap().unwrap();
    let listener = Listener { user, jid: Jid::of(name, "localhost").unwrap(), credential: Credential::Password(hash) };
    app.store.feed(listener, None, app.clock.now()).await.unwrap()
}

async fn look(rows: &mut Rows, app: &TestApp, feed: &mut Feed, case: &str) {
    let (news, usage) = metered(app.store.news(feed, app.clock.now())).await;
    assert!(news.unwrap().is_some());
    rows.add(STREAM, case, usage);
}
