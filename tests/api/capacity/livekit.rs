//! Rooms of a LiveKit server: what its webhooks cost, and deleting what has rooms.

use axum::body::Body;
use greenroom_core::config::Setting;
use serde_json::{Value, json};
use testbed::livekit_signature;

use super::{Rows, instance_with};
use crate::support::{Answer, TestApp};

pub(super) async fn measure(rows: &mut Rows) {
    event(rows).await;
    media_session(rows).await;
}

/// An OpenVidu session whose tokens open a room.
async fn media_session(rows: &mut Rows) {
    let app = instance_with([(Setting::OpenviduMedia, "livekit")]).await;
    let sessions = "/openvidu/api/sessions";
    let backend = app.backend();
    let custom = json!({ "customSessionId": "daily" });
    rows.note("with a room", backend.post(sessions, custom).await);
    let connections = format!("{sessions}/daily/connection");
    let made = rows.note("for a room of a session with a custom id", backend.post(&connections, json!({})).await);
    let room = Room::of_media(&made.body);
    let told = room.told("participant_joined", "EV_1", None);
    rows.note("a participant of a media session joins", send(&app, told).await);
    let connection = format!("{connections}/{}", room.name);
    rows.note("in a room, its server is away", backend.delete(&connection).await);
    rows.note("with a room", backend.delete(&format!("{sessions}/daily")).await);
}

/// An event with one room and one participant. Where there are two, they may lie in one shard, and then ending them
/// takes fewer requests.
async fn event(rows: &mut Rows) {
    let app = instance_with([(Setting::VideoProvider, "livekit")]).await;
    let admin = app.admin().await;
    let caller = app.organiser(&admin);
    let event = caller.make_event("A room").await;
    let english = json!({ "event": event, "language": "English" });
    let answer = caller.post("/api/v2/sessions", english.clone()).await;
    let session = rows.note("a room of a LiveKit server", answer).body["id"].clone();
    let token = json!({ "event": event, "token": "a-guest-of-the-room", "tokenType": "moderator" });
    caller.post("/api/v2/logintokens", token).await;
    let client = app.client(false).await;
    let joined = client.post("/api/v2/rtcsessions", json!({ "loginToken": "a-guest-of-the-room" })).await;
    let room = Room::of(&joined.body["sessions"][0]);
    for (case, told) in [
        ("a room is opened", room.told("room_started", "EV_1", None)),
        ("the first to join in an hour", room.told("participant_joined", "EV_2", None)),
        ("somebody publishes", room.told("track_published", "EV_3", Some("TR_1"))),
        ("told again", room.told("track_published", "EV_3", Some("TR_1"))),
        ("somebody leaves", room.told("participant_left", "EV_4", None)),
        ("somebody joins again who left", room.told("participant_joined", "EV_AGAIN", None)),
    ] {
        rows.note(case, send(&app, told).await);
    }
    let live = caller.get("/api/live/").await;
    let id = live.body["results"][0]["id"].as_str().unwrap().to_owned();
    rows.note("in a room, its server is away", caller.post_nothing(&format!("/api/live/{id}/terminate/")).await);
    let back = room.told("participant_joined", "EV_BACK", None);
    rows.note("a terminated participant joins again", send(&app, back).await);
    rows.note("a room is closed, nobody was left", send(&app, room.told("room_finished", "EV_5", None)).await);
    rows.note("one with a room", caller.delete(&format!("/api/v2/sessions/{session}")).await);
    rows.note("the room of a deleted session is opened", send(&app, room.told("room_started", "EV_6", None)).await);
    let other = caller.make_event("Another room").await;
    caller.post("/api/v2/sessions", json!({ "event": other, "language": "English" })).await;
    rows.note("one with a room", caller.delete(&format!("/api/v2/events/{other}")).await);
}

/// A room, and the name of a participant in it.
struct Room {
    room: Value,
    name: String,
}

impl Room {
    fn of(session: &Value) -> Self {
        let token = session["livekit"]["token"].as_str().unwrap();
        let claims = jsonwebtoken::dangerous::insecure_decode::<Value>(token).unwrap().claims;
        Self { room: session["livekit"]["room"].clone(), name: claims["sub"].as_str().unwrap().to_owned() }
    }

    /// The room that the token of a media session's connection opens.
    fn of_media(connection: &Value) -> Self {
        let (_, token) = connection["token"].as_str().unwrap().split_once("&token=").unwrap();
        let claims = jsonwebtoken::dangerous::insecure_decode::<Value>(token).unwrap().claims;
        Self { room: claims["video"]["room"].clone(), name: claims["sub"].as_str().unwrap().to_owned() }
    }

    fn told(&self, event: &str, id: &str, track: Option<&str>) -> Value {
        let (sid, at) = match id {
            "EV_AGAIN" => ("PA_2", 1_700_000_001),
            "EV_BACK" => ("PA_3", 1_700_000_002),
            _ => ("PA_1", 1_700_000_000),
        };
        json!({
            "event": event, "id": format!("{id}{}", self.name), "createdAt": at.to_string(),
            "room": { "sid": "RM_1", "name": self.room },
            "participant": { "sid": sid, "identity": self.name, "joinedAt": at.to_string() },
            "track": track.map(|sid| json!({ "sid": sid })),
        })
    }
}

async fn send(app: &TestApp, told: Value) -> Answer {
    let body = told.to_string();
    let signature = livekit_signature(&body, app.clock.now().seconds());
    app.with_authorization(signature).send("POST", "/webhooks/livekit", &[], Body::from(body)).await
}
