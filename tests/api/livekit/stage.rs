//! An event whose sessions are rooms of a LiveKit server, those who join it, and the server's webhooks.

use base64::{Engine, prelude::BASE64_STANDARD};
use greenroom_core::{
    clock::Timestamp,
    config::Setting,
    hs256,
    id::{ConnectionName, random_hex},
    model::{
        live::{LiveConnection, Stream},
        user::Role,
    },
};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::server::{KEY, SECRET, Server};
use crate::{
    joining::JOIN,
    organisers::Account,
    stream_sessions::sessions,
    support::{Answer, NOW, TestApp},
};

/// The path of the webhooks.
pub(super) const HOOK: &str = "/webhooks/livekit";
/// The server's id of a room, unless a test says otherwise.
pub(super) const ROOM: &str = "RM_first";

/// Somebody who joined under a name, by the server's id, and when: milliseconds after the beginning of the test.
#[derive(Clone, Copy)]
pub(super) struct Came(pub(super) &'static str, pub(super) i64);

/// The first who came.
pub(super) const FIRST: Came = Came("PA_first", 10_782);
/// Who came with the same token later.
pub(super) const SECOND: Came = Came("PA_second", 20_250);

/// The event, and a server that has its rooms.
pub(super) struct Stage {
    pub(super) server: Server,
    pub(super) app: TestApp,
    pub(super) admin: Account,
    pub(super) event: u64,
}

/// A connection to a session of the event.
#[derive(Clone)]
pub(super) struct Guest {
    pub(super) event: u64,
    pub(super) session: u64,
    pub(super) room: String,
    pub(super) name: String,
}

/// The claims of a webhook's token, which is made now.
pub(super) fn claims(body: &[u8], now: Timestamp) -> Value {
    let (now, hash) = (now.seconds(), BASE64_STANDARD.encode(Sha256::digest(body)));
    json!({ "iss": KEY, "nbf": now, "exp": now + 300, "iat": now, "sha256": hash })
}

/// The token with these claims.
pub(super) fn signed(claims: &Value, secret: &str) -> String {
    hs256::install();
    let key = EncodingKey::from_secret(secret.as_bytes()).unwrap();
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key).unwrap()
}

/// The settings with which this server is the media provider.
pub(super) fn provided(server: &Server) -> [(Setting, &str); 4] {
    [
        (Setting::VideoProvider, "livekit"),
        (Setting::LivekitUrl, server.url()),
        (Setting::LivekitApiKey, KEY),
        (Setting::LivekitApiSecret, SECRET),
    ]
}

impl TestApp {
    /// Sends these bytes as a webhook of the server, signed.
    pub(super) async fn send_hook(&self, body: impl Into<Vec<u8>>) -> Answer {
        let body = body.into();
        let token = signed(&claims(&body, self.clock.now()), SECRET);
        self.send_hook_with(&token, body).await
    }

    /// Sends these bytes as a webhook with this token.
    pub(super) async fn send_hook_with(&self, token: &str, body: impl Into<Vec<u8>>) -> Answer {
        let headers = [("content-type", "application/webhook+json")];
        self.with_authorization(token).send("POST", HOOK, &headers, body.into().into()).await
    }

    /// Sends a webhook that is taken.
    pub(super) async fn hear(&self, told: &Value) {
        assert_eq!(self.send_hook(told.to_string()).await.to_string(), "200 {}", "{told}");
    }
}

impl Stage {
    /// An event with a session in a language, a floor, and the login token `the token` of this type.
    pub(super) async fn of(kind: &str) -> Self {
        Self::with(kind, json!({}), &[]).await
    }

    /// An event with these fields, in a deployment with these settings.
    pub(super) async fn with(kind: &str, fields: Value, settings: &[(Setting, &str)]) -> Self {
        let server = Server::start().await;
        let mut all = provided(&server).to_vec();
        all.extend_from_slice(settings);
        let app = TestApp::with(all).await;
        let event = app.event_to_join(fields, kind).await;
        let admin = app.account("operator", Role::Admin, None).await;
        Self { server, app, admin, event }
    }

    /// An event whose language somebody has joined. Some time has passed since.
    pub(super) async fn joined() -> (Self, Guest) {
        let stage = Self::of("participant").await;
        let guest = stage.guest().await;
        stage.app.wait(std::time::Duration::from_secs(100));
        (stage, guest)
    }

    /// The same, and the server has them in the room.
    pub(super) async fn connected() -> (Self, Guest) {
        let (stage, guest) = Self::joined().await;
        stage.app.hear(&guest.joined(FIRST)).await;
        stage.server.has(&guest.room, ROOM, [guest.listed(FIRST, "ACTIVE", &[])]);
        assert_eq!(stage.entry(&guest).await["state"], "connected");
        assert!(stage.server.asked().is_empty());
        (stage, guest)
    }

    /// Joins with the login token: the answer.
    pub(super) async fn join(&self) -> Answer {
        let answer = self.app.client(false).await.post(JOIN, json!({ "loginToken": "the token" })).await;
        assert_eq!(answer.status, 201, "{answer}");
        answer
    }

    /// Joins; the connections to the sessions.
    pub(super) async fn guests(&self) -> Vec<Guest> {
        let answer = self.join().await;
        let sessions = answer.body["sessions"].as_array().unwrap();
        sessions.iter().map(|session| Guest::of(self.event, session)).collect()
    }

    /// Joins; the connection to the first session.
    pub(super) async fn guest(&self) -> Guest {
        self.guests().await.remove(0)
    }

    /// What the list says of the live connection.
    pub(super) async fn entry(&self, guest: &Guest) -> Value {
        self.app.entry(&self.admin, &format!("event={}&stream={}", guest.event, guest.session)).await
    }

    /// What the list says of the ended connection, which is live no longer.
    pub(super) async fn ended(&self, guest: &Guest) -> Value {
        assert!(!self.names(guest).await.contains(&guest.name));
        self.app.entry(&self.admin, &format!("event={}&stream={}&state=ended", guest.event, guest.session)).await
    }

    /// The names in the operators' list.
    pub(super) async fn names(&self, guest: &Guest) -> Vec<String> {
        self.app.live_names(guest.event, guest.session).await
    }

    /// The connection as it is stored.
    pub(super) async fn stored(&self, guest: &Guest) -> LiveConnection {
        let stream = Stream::of_session(guest.event, guest.session);
        let name = ConnectionName::parse(&guest.name).unwrap();
        self.app.store.live_connection(&stream, &name).await.unwrap().unwrap()
    }

    /// An operator terminates the connection.
    pub(super) async fn kick(&self, guest: &Guest) -> Answer {
        self.app.operator().delete(&format!("{}/{}", sessions(guest.event, guest.session), guest.name)).await
    }
}

impl Guest {
    /// The connection of a session in a joining's answer.
    pub(super) fn of(event: u64, session: &Value) -> Self {
        let access = &session["livekit"];
        let name = token_claims(&access["token"])["sub"].as_str().unwrap().to_owned();
        let room = access["room"].as_str().unwrap().to_owned();
        Self { event, session: session["id"].as_u64().unwrap(), room, name }
    }

    /// The participant in the server's list.
    pub(super) fn listed(&self, came: Came, state: &str, tracks: &[(&str, bool)]) -> Value {
        super::server::listed(&self.name, came.0, state, came.1, tracks)
    }

    /// The webhook of this event of the room, made this many milliseconds after the beginning of the test.
    pub(super) fn of_room(&self, event: &str, at: i64) -> Value {
        json!({
            "event": event, "id": format!("EV_{}", random_hex()), "createdAt": ((NOW + at) / 1000).to_string(),
            "room": {
                "sid": ROOM, "name": self.room, "emptyTimeout": 300, "creationTime": "1700000000",
                "turnPassword": "password-of-the-relay", "enabledCodecs": [{ "mime": "audio/opus" }],
            },
            "later": [{}],
        })
    }

    fn of_participant(&self, event: &str, at: i64, came: Came, more: &Value) -> Value {
        let mut told = self.of_room(event, at);
        told["participant"] = json!({ "sid": came.0, "identity": self.name });
        told["participant"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        told
    }

    /// They joined.
    pub(super) fn joined(&self, came: Came) -> Value {
        self.of_participant("participant_joined", came.1, came, &Self::there(came, "ACTIVE"))
    }

    /// They left for this reason, in LiveKit's word.
    pub(super) fn left(&self, came: Came, at: i64, reason: &str) -> Value {
        let mut there = Self::there(came, "DISCONNECTED");
        there["disconnectReason"] = json!(reason);
        self.of_participant("participant_left", at, came, &there)
    }

    /// They did not get in, for this reason.
    pub(super) fn aborted(&self, came: Came, at: i64, reason: &str) -> Value {
        let mut told = self.left(came, at, reason);
        told["event"] = json!("participant_connection_aborted");
        told
    }

    /// They published a track, or they do so no longer. The server says little of the participant here.
    pub(super) fn track(&self, event: &str, came: Came, at: i64, track: &str) -> Value {
        let mut told = self.of_participant(event, at, came, &json!({}));
        told["track"] = json!({ "sid": track, "source": "MICROPHONE", "mimeType": "audio/red" });
        told
    }

    fn there(came: Came, state: &str) -> Value {
        let at = NOW + came.1;
        let [seconds, millis] = [at / 1000, at].map(|time| time.to_string());
        json!({ "state": state, "joinedAt": seconds, "joinedAtMs": millis, "version": 2, "clientProtocol": 2 })
    }
}

/// The claims of a token.
pub(super) fn token_claims(token: &Value) -> Value {
    let part = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}
