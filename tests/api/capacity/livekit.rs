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

async fn event(rows: &mut Rows) {
    let app = instance_with([(Setting::VideoProvider, "livekit")]).await;
    let admin = app.admin().await;
    let caller = app.organiser(&admin);
    let event = caller.make_event("Rooms").await;
    let languages = ["English", "German"].map(|language| json!({ "event": event, "language": language }));
    let answer = caller.post("/api/v2/sessions", languages[0].clone()).await;
    let deleted = rows.note("a room of a LiveKit server", answer).body["id"].clone();
    caller.post("/api/v2/sessions", languages[1].clone()).await;
    let token = json!({ "event": event, "token": "a-guest-of-the-rooms", "tokenType": "moderator" });
    caller.post("/api/v2/logintokens", token).await;
    let join = json!({ "loginToken": "a-guest-of-the-rooms" });
    let client = app.client(false).await;
    client.post("/api/v2/rtcsessions", join.clone()).await;
    let joined = rows.note("again, two rooms", client.post("/api/v2/rtcsessions", join).await);
    let rooms: Vec<Room> = joined.body["sessions"].as_array().unwrap().iter().map(Room::of).collect();
    let first = &rooms[0];
    for (case, told) in [
        ("a room is opened", first.told("room_started", "EV_1", None)),
        ("the first to join in an hour", first.told("participant_joined", "EV_2", None)),
        ("somebody joins", rooms[1].told("participant_joined", "EV_3", None)),
        ("somebody publishes", first.told("track_published", "EV_4", Some("TR_1"))),
        ("told again", first.told("track_published", "EV_4", Some("TR_1"))),
        ("somebody leaves", first.told("participant_left", "EV_5", None)),
    ] {
        rows.note(case, send(&app, told).await);
    }
    let live = caller.get("/api/live/").await;
    let id = live.body["results"][0]["id"].as_str().unwrap().to_owned();
    rows.note("in a room, its server is away", caller.post_nothing(&format!("/api/live/{id}/terminate/")).await);
    for (room, case) in rooms.iter().zip(["somebody joins again who left", "a terminated participant joins again"]) {
        rows.note(case, send(&app, room.told("participant_joined", "EV_AGAIN", None)).await);
    }
    rows.note("a room is closed, nobody was left", send(&app, first.told("room_finished", "EV_7", None)).await);
    rows.note("one with a room", caller.delete(&format!("/api/v2/sessions/{deleted}")).await);
    rows.note("the room of a deleted session is opened", send(&app, first.told("room_started", "EV_8", None)).await);
    rows.note("one with rooms", caller.delete(&format!("/api/v2/events/{event}")).await);
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
        let (sid, at) = if id == "EV_AGAIN" { ("PA_2", 1_700_000_001) } else { ("PA_1", 1_700_000_000) };
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
