//! A LiveKit server of a test, and a session with a room there.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use axum::{
    Json,
    body::Body,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use greenroom_core::{config::Setting, id::random_hex};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use testbed::HttpStub;

use crate::{
    organisers::Account,
    support::{Answer, TestApp},
};

const KEY: &str = "key-of-the-tests";
const SECRET: &str = "kXq7vTz2mWbR4pLdkXq7vTz2mWbR4pLe";

/// A LiveKit server. It knows the rooms and the participants that a test gives it.
pub(super) struct Server {
    stub: HttpStub,
    rooms: Arc<Mutex<Value>>,
    participants: Arc<Mutex<Value>>,
    away: Arc<AtomicBool>,
}

impl Server {
    pub(super) async fn start() -> Self {
        let (rooms, participants) = (Arc::new(Mutex::new(json!([]))), Arc::new(Mutex::new(json!([]))));
        let away = Arc::new(AtomicBool::new(false));
        let shared = (rooms.clone(), participants.clone(), away.clone());
        let stub = HttpStub::start(move |request| {
            let (rooms, participants, away) = &shared;
            let answer = if away.load(Ordering::SeqCst) {
                StatusCode::SERVICE_UNAVAILABLE.into_response()
            } else if request.uri().path().ends_with("/ListRooms") {
                Json(json!({ "rooms": *rooms.lock().unwrap() })).into_response()
            } else if request.uri().path().ends_with("/ListParticipants") {
                Json(json!({ "participants": *participants.lock().unwrap() })).into_response()
            } else {
                Json(json!({})).into_response()
            };
            std::future::ready::<Response>(answer)
        });
        Self { stub: stub.await.unwrap(), rooms, participants, away }
    }

    /// An API whose tokens of media sessions open rooms at this server.
    pub(super) async fn app(&self) -> TestApp {
        TestApp::with(settings(self.stub.url())).await
    }

    pub(super) fn url(&self) -> &str {
        self.stub.url()
    }

    /// Whether the server is away.
    pub(super) fn set_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    /// Lists this room with these participants.
    pub(super) fn list(&self, room: &str, participants: Value) {
        *self.rooms.lock().unwrap() = json!([{ "sid": "RM_1", "name": room }]);
        *self.participants.lock().unwrap() = participants;
    }

    /// The methods that were called since the last time, each with its body.
    pub(super) fn called(&self) -> Vec<(String, Value)> {
        let called = self.stub.received().into_iter().map(|request| {
            let method = request.uri().path().rsplit('/').next().unwrap().to_owned();
            (method, serde_json::from_slice(request.body()).unwrap())
        });
        called.filter(|(method, _)| !method.starts_with("List")).collect()
    }
}

fn settings(url: &str) -> [(Setting, &str); 4] {
    [
        (Setting::OpenviduMedia, "livekit"),
        (Setting::LivekitUrl, url),
        (Setting::LivekitApiKey, KEY),
        (Setting::LivekitApiSecret, SECRET),
    ]
}

/// A connection's token, read as a client reads it.
pub(super) struct Joining {
    /// The address of the server.
    pub(super) address: String,
    /// The session in the query.
    pub(super) session: String,
    /// The claims of the server's token.
    pub(super) claims: Value,
}

impl Joining {
    pub(super) fn read(token: &Value) -> Self {
        let (address, query) = token.as_str().unwrap().split_once("?sessionId=").unwrap();
        let (session, token) = query.split_once("&token=").unwrap();
        let claims = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        Self {
            address: address.to_owned(),
            session: session.to_owned(),
            claims: serde_json::from_slice(&claims).unwrap(),
        }
    }

    pub(super) fn room(&self) -> String {
        self.claims["video"]["room"].as_str().unwrap().to_owned()
    }
}

/// A session with one connection.
pub(super) struct Visit {
    pub(super) server: Server,
    pub(super) app: TestApp,
    pub(super) admin: Account,
    pub(super) session: String,
    pub(super) connection: String,
    pub(super) room: String,
}

impl Visit {
    /// A connection with these options.
    pub(super) async fn with(options: Value) -> Self {
        let server = Server::start().await;
        let app = server.app().await;
        let admin = app.account("operator", greenroom_core::model::user::Role::Admin, None).await;
        let session = app.open_session().await;
        let path = format!("/openvidu/api/sessions/{session}/connection");
        let made = app.backend().post(&path, options).await;
        assert_eq!(made.status, 200, "{made}");
        let connection = made.body["id"].as_str().unwrap().to_owned();
        let room = Joining::read(&made.body["token"]).room();
        Self { server, app, admin, session, connection, room }
    }

    pub(super) async fn new() -> Self {
        Self::with(json!({})).await
    }

    /// The path of the session in 2.32.
    pub(super) fn session_path(&self) -> String {
        format!("/openvidu/api/sessions/{}", self.session)
    }

    /// The path of the connection in 2.32.
    pub(super) fn path(&self) -> String {
        format!("{}/connection/{}", self.session_path(), self.connection)
    }

    /// The connection in 2.32.
    pub(super) async fn read(&self) -> Value {
        let answer = self.app.backend().get(&self.path()).await;
        assert_eq!(answer.status, 200, "{answer}");
        answer.body
    }

    /// The status of the connection, its beginning and the ids of its streams.
    pub(super) async fn shown(&self) -> String {
        let body = self.read().await;
        let streams = body["publishers"].as_array().map(|streams| {
            streams.iter().map(|stream| stream["streamId"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
        });
        format!("{} {} {}", body["status"].as_str().unwrap(), body["activeAt"], streams.unwrap_or("-".to_owned()))
    }

    pub(super) async fn patch(&self, body: Value) -> Answer {
        let headers = [("content-type", "application/json")];
        self.app.backend().send("PATCH", &self.path(), &headers, Body::from(body.to_string())).await
    }

    /// The organisers' list with this query.
    pub(super) async fn live(&self, query: &str) -> Vec<Value> {
        let answer = self.app.organiser(&self.admin).get(&format!("/api/live/?app=openvidu&{query}")).await;
        assert_eq!(answer.status, 200, "{answer}");
        answer.body["results"].as_array().unwrap().clone()
    }

    /// The state and the reason in the organisers' list of the only connection, live or ended.
    pub(super) async fn state(&self) -> String {
        let (live, ended) = (self.live("").await, self.live("state=ended").await);
        let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let all =
            live.iter().chain(&ended).map(|entry| format!("{} {}", word(&entry["state"]), word(&entry["reason"])));
        all.collect::<Vec<_>>().join(", ")
    }

    /// Sends a webhook about the participant, who has this `sid` and joined at this second after the test's beginning.
    pub(super) async fn told(&self, event: &str, sid: u32, more: Value) {
        let answer = self.told_of(&self.connection, event, sid, more).await;
        assert_eq!(answer.to_string(), "200 {}");
    }

    pub(super) async fn told_of(&self, identity: &str, event: &str, sid: u32, more: Value) -> Answer {
        let begun = self.app.clock.now().millis();
        let participant = json!({ "sid": format!("PA_{sid}"), "identity": identity, "joinedAtMs": begun.to_string() });
        let mut body = json!({
            "event": event,
            "id": random_hex(),
            "createdAt": (begun / 1000).to_string(),
            "room": { "sid": "RM_1", "name": self.room },
            "participant": participant,
        });
        for (key, value) in more.as_object().unwrap() {
            match body[key].as_object_mut() {
                Some(known) => known.extend(value.as_object().unwrap().clone()),
                None => body[key] = value.clone(),
            }
        }
        self.webhook(&body).await
    }

    /// Sends this webhook, signed.
    pub(super) async fn webhook(&self, body: &Value) -> Answer {
        let body = body.to_string();
        let now = self.app.clock.now().seconds();
        let hash = BASE64_STANDARD.encode(Sha256::digest(&body));
        let claims = json!({ "iss": KEY, "nbf": now, "exp": now + 300, "iat": now, "sha256": hash });
        let key = EncodingKey::from_secret(SECRET.as_bytes()).unwrap();
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).unwrap();
        let headers = [("content-type", "application/webhook+json"), ("authorization", token.as_str())];
        self.app.anyone().send("POST", "/webhooks/livekit", &headers, body.into()).await
    }

    /// The call that removes the participant.
    pub(super) fn removal(&self) -> (String, Value) {
        ("RemoveParticipant".to_owned(), json!({ "room": self.room, "identity": self.connection }))
    }
}
