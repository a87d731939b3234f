//! A LiveKit server that a test plays: its rooms, who is in them, and its API.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{
    Json,
    body::Bytes,
    http::{Request, StatusCode, header},
    response::{IntoResponse, Response},
};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};
use testbed::HttpStub;

/// The key that the server knows Greenroom by.
pub(super) const KEY: &str = "the-key-of-greenroom";
/// The key's secret.
pub(super) const SECRET: &str = "the-secret-of-the-livekit-server";

const API: &str = "/twirp/livekit.RoomService/";

/// An answer to every request, in place of the right one.
#[derive(Clone, Copy, Debug)]
pub(super) enum Failure {
    /// This status, with this type and body.
    Answer(u16, &'static str, &'static str),
    /// As a real server refuses an unknown key: the text has the token.
    UnknownKey,
    /// None.
    Silence,
}

#[derive(Default)]
struct World {
    rooms: BTreeMap<String, (String, Vec<Value>)>,
    failure: Option<Failure>,
}

/// The server.
#[derive(Clone)]
pub(super) struct Server {
    stub: HttpStub,
    world: Arc<Mutex<World>>,
}

/// A participant, as the server lists them: their identity, their sid, how far they got, and their tracks, each with
/// whether it is muted. They joined this many milliseconds after the beginning of the test.
pub(super) fn listed(identity: &str, sid: &str, state: &str, at: i64, tracks: &[(&str, bool)]) -> Value {
    let track = |(sid, muted): &(&str, bool)| json!({ "sid": sid, "type": "AUDIO", "name": "", "muted": muted, "source": "MICROPHONE", "width": 0 });
    let joined = crate::support::NOW + at;
    json!({
        "sid": sid, "identity": identity, "state": state, "tracks": tracks.iter().map(track).collect::<Vec<_>>(),
        "metadata": "", "joined_at": (joined / 1000).to_string(), "joined_at_ms": joined.to_string(), "name": "",
        "version": 3, "permission": null, "region": "", "is_publisher": false, "kind": "STANDARD", "attributes": {},
        "disconnect_reason": "UNKNOWN_REASON",
    })
}

impl Server {
    /// A server without rooms.
    pub(super) async fn start() -> Self {
        let world = Arc::<Mutex<World>>::default();
        let played = world.clone();
        let stub = HttpStub::start(move |request| answer(played.clone(), request)).await.unwrap();
        Self { stub, world }
    }

    pub(super) fn url(&self) -> &str {
        self.stub.url()
    }

    /// The address that clients are given.
    pub(super) fn client_url(&self) -> String {
        self.url().replacen("http", "ws", 1)
    }

    /// Has this room, with this sid and these participants, instead of what it had under the name.
    pub(super) fn has(&self, room: &str, sid: &str, participants: impl IntoIterator<Item = Value>) {
        let entry = (sid.to_owned(), participants.into_iter().collect());
        self.world.lock().unwrap().rooms.insert(room.to_owned(), entry);
    }

    /// Ends and begins again, without its rooms.
    pub(super) fn restart(&self) {
        self.world.lock().unwrap().rooms.clear();
    }

    /// Fails from now on, or does so no longer.
    pub(super) fn fails(&self, failure: impl Into<Option<Failure>>) {
        self.world.lock().unwrap().failure = failure.into();
    }

    /// The identities of those who are in a room; `None` if it has no such room.
    pub(super) fn people(&self, room: &str) -> Option<Vec<String>> {
        let world = self.world.lock().unwrap();
        let (_, participants) = world.rooms.get(room)?;
        Some(participants.iter().map(|one| one["identity"].as_str().unwrap().to_owned()).collect())
    }

    /// The calls since this was asked last: each a method, the room and the identity. In the order of the text, because
    /// calls to several rooms are made at once.
    pub(super) fn asked(&self) -> Vec<String> {
        let mut calls: Vec<_> = self.stub.received().iter().map(call).collect();
        calls.sort_unstable();
        calls
    }

    /// The same, without those that only ask.
    pub(super) fn told(&self) -> Vec<String> {
        self.asked().into_iter().filter(|call| !call.starts_with("List")).collect()
    }
}

/// The call that removes somebody.
pub(super) fn removal(room: &str, identity: &str) -> String {
    format!("RemoveParticipant {room} {identity}")
}

fn call(request: &Request<Bytes>) -> String {
    let method = request.uri().path().strip_prefix(API).unwrap_or(request.uri().path());
    let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    let words = [Some(method), body["room"].as_str(), body["identity"].as_str()];
    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

async fn answer(world: Arc<Mutex<World>>, request: Request<Bytes>) -> Response {
    let failure = world.lock().unwrap().failure;
    match failure {
        None => served(&mut world.lock().unwrap(), &request),
        Some(Failure::Answer(status, kind, body)) => {
            (StatusCode::from_u16(status).unwrap(), [(header::CONTENT_TYPE, kind)], body).into_response()
        }
        Some(Failure::UnknownKey) => unknown_key(&request),
        Some(Failure::Silence) => std::future::pending().await,
    }
}

fn problem(status: StatusCode, code: &str, message: &str) -> Response {
    (status, Json(json!({ "code": code, "msg": message }))).into_response()
}

fn shown(request: &Request<Bytes>) -> &str {
    let shown = request.headers().get(header::AUTHORIZATION).and_then(|shown| shown.to_str().ok());
    shown.and_then(|shown| shown.strip_prefix("Bearer ")).unwrap_or_default()
}

fn unknown_key(request: &Request<Bytes>) -> Response {
    (StatusCode::UNAUTHORIZED, format!("invalid token: {}, error: invalid API key", shown(request))).into_response()
}

/// The permission in a request's token; `None` if the token is none of the key, or not for a minute.
fn permission(request: &Request<Bytes>) -> Option<Value> {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_required_spec_claims::<&str>(&[]);
    // The test's clock stands still.
    (validation.validate_exp, validation.validate_aud) = (false, false);
    let key = DecodingKey::from_secret(SECRET.as_bytes()).unwrap();
    let claims = jsonwebtoken::decode::<Value>(shown(request), &key, &validation).ok()?.claims;
    let is_short = claims["exp"].as_i64()? - claims["nbf"].as_i64()? == 60;
    (claims["iss"] == KEY && is_short).then(|| claims["video"].clone())
}

fn served(world: &mut World, request: &Request<Bytes>) -> Response {
    let is_json = request.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    let Some(method) = request.uri().path().strip_prefix(API).filter(|_| is_json && request.method() == "POST") else {
        return problem(StatusCode::NOT_FOUND, "bad_route", "no handler for the path");
    };
    let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    let needed = match method {
        "ListRooms" => json!({ "roomList": true }),
        "DeleteRoom" => json!({ "roomCreate": true }),
        _ => json!({ "roomAdmin": true, "room": body["room"] }),
    };
    match permission(request) {
        None => return unknown_key(request),
        Some(permission) if permission != needed => {
            return problem(StatusCode::UNAUTHORIZED, "unauthenticated", "permissions denied");
        }
        Some(_) => {}
    }
    let room = body["room"].as_str().unwrap_or_default();
    match method {
        // The number of participants is behind, as at a real server.
        "ListRooms" => {
            let rooms = world.rooms.iter().map(|(name, (sid, _))| {
                json!({ "sid": sid, "name": name, "empty_timeout": 300, "creation_time": "1700000000", "metadata": "",
                    "num_participants": 0, "num_publishers": 0, "active_recording": false })
            });
            Json(json!({ "rooms": rooms.collect::<Vec<_>>() })).into_response()
        }
        "ListParticipants" => {
            let participants = world.rooms.get(room).map(|(_, participants)| participants.clone()).unwrap_or_default();
            Json(json!({ "participants": participants })).into_response()
        }
        "RemoveParticipant" => {
            let participants = world.rooms.get_mut(room).map(|(_, participants)| participants);
            let there = |one: &Value| one["identity"] == body["identity"];
            match participants.filter(|participants| participants.iter().any(there)) {
                None => problem(StatusCode::NOT_FOUND, "not_found", "participant does not exist"),
                Some(participants) => {
                    participants.retain(|one| !there(one));
                    Json(json!({})).into_response()
                }
            }
        }
        "DeleteRoom" if world.rooms.remove(room).is_some() => Json(json!({})).into_response(),
        "DeleteRoom" => problem(StatusCode::NOT_FOUND, "not_found", "requested room does not exist"),
        _ => problem(StatusCode::NOT_FOUND, "bad_route", "no handler for the path"),
    }
}
