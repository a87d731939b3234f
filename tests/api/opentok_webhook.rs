//! OpenTok's session monitoring (`opentok.md`).

use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared::{config::Setting, id::hex};

use crate::{
    joining::{JOIN, t1},
    organisers::Account,
    stream_sessions::sessions,
    support::{Answer, NOW, TestApp},
};

pub(crate) const MONITOR: &str = "/webhooks/opentok";

/// Somebody who joined an event: their connection's name, its session, and what the provider calls that.
pub(crate) struct Joined {
    pub(crate) event: u64,
    pub(crate) session: u64,
    pub(crate) name: String,
    provider: String,
}

impl TestApp {
    /// An event that somebody has joined, and an admin.
    pub(crate) async fn joined(&self) -> (Joined, Account) {
        let event = self.event_to_join(json!({}), "moderator").await;
        let admin = self.account("operator", shared::model::user::Role::Admin, None).await;
        let answer = self.client(false).await.post(JOIN, json!({ "loginToken": "the token" })).await;
        let session = &answer.body["sessions"][0];
        let name = t1(&session["tokbox"]["sessionToken"])["connection_data"].as_str().unwrap().to_owned();
        let provider = session["tokbox"]["sessionId"].as_str().unwrap().to_owned();
        (Joined { event, session: session["id"].as_u64().unwrap(), name, provider }, admin)
    }

    /// The one entry of the ledger that is asked for.
    pub(crate) async fn entry(&self, admin: &Account, query: &str) -> Value {
        let answer = self.organiser(admin).get(&format!("/api/live/?{query}")).await;
        assert_eq!(answer.body["results"].as_array().unwrap().len(), 1, "{answer}");
        answer.body["results"][0].clone()
    }
}

impl Joined {
    /// What session monitoring says of a client of theirs, so many seconds after the beginning.
    pub(crate) fn told(&self, event: &str, id: &str, second: i64) -> Value {
        json!({
            "sessionId": self.provider, "projectId": "45828062", "event": event, "reason": "clientDisconnected",
            "timestamp": NOW + second * 1000, "later": { "a": 1 },
            "connection": { "id": id, "createdAt": NOW + second * 1000, "data": self.name },
        })
    }

    pub(crate) async fn tell(&self, app: &TestApp, event: &str, id: &str, second: i64) -> Answer {
        let answer = app.anyone().post(MONITOR, self.told(event, id, second)).await;
        assert_eq!(answer.to_string(), "200 {}");
        answer
    }
}

#[tokio::test]
async fn who_comes_and_goes_is_connected_and_then_not() {
    let app = TestApp::new().await;
    let (joined, admin) = app.joined().await;
    let stream = format!("event={}&stream={}", joined.event, joined.session);
    let issued = app.entry(&admin, &stream).await;
    assert_eq!((&issued["state"], &issued["duration"]), (&json!("issued"), &json!(null)));
    app.wait(Duration::from_secs(100));
    joined.tell(&app, "connectionCreated", "a", 10).await;
    joined.tell(&app, "connectionCreated", "b", 20).await;
    joined.tell(&app, "connectionCreated", "a", 10).await;
    let connected = app.entry(&admin, &stream).await;
    assert_eq!((&connected["state"], &connected["duration"]), (&json!("connected"), &json!(90)));
    joined.tell(&app, "connectionDestroyed", "a", 30).await;
    joined.tell(&app, "connectionDestroyed", "a", 30).await;
    assert_eq!(app.live_names(joined.event, joined.session).await, [&*joined.name]);
    joined.tell(&app, "connectionDestroyed", "b", 70).await;
    assert!(app.live_names(joined.event, joined.session).await.is_empty());
    let ended = app.entry(&admin, &format!("{stream}&state=ended")).await;
    let wanted = json!(["ended", 60, "clientDisconnected", "2023-11-14T22:13:30Z", "2023-11-14T22:14:30Z"]);
    assert_eq!(json!([ended["state"], ended["duration"], ended["reason"], ended["since"], ended["endedAt"]]), wanted);
    // Late; and then the token is used again.
    joined.tell(&app, "connectionCreated", "a", 10).await;
    assert!(app.live_names(joined.event, joined.session).await.is_empty());
    joined.tell(&app, "connectionCreated", "c", 80).await;
    assert_eq!(app.live_names(joined.event, joined.session).await, [&*joined.name]);
}

#[tokio::test]
async fn an_end_that_comes_first_is_the_end() {
    let app = TestApp::new().await;
    let (joined, _) = app.joined().await;
    joined.tell(&app, "connectionDestroyed", "a", 2).await;
    joined.tell(&app, "connectionCreated", "a", 1).await;
    let stream = shared::model::live::Stream::of_session(joined.event, joined.session);
    let name = shared::id::ConnectionName::parse(&joined.name).unwrap();
    assert!(app.store.provider_connections(&stream, &name).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_terminated_token_does_not_come_alive_again() {
    let app = TestApp::new().await;
    let (joined, _) = app.joined().await;
    joined.tell(&app, "connectionCreated", "a", 0).await;
    let path = format!("{}/{}", sessions(joined.event, joined.session), joined.name);
    assert_eq!(app.operator().delete(&path).await.status, 200);
    app.wait(Duration::from_hours(2));
    joined.tell(&app, "connectionDestroyed", "a", 1).await;
    joined.tell(&app, "connectionCreated", "b", 2).await;
    assert!(app.live_names(joined.event, joined.session).await.is_empty());
    assert_eq!(app.operator().delete(&path).await.status, 404);
}

#[tokio::test]
async fn who_is_in_a_former_session_of_the_providers_is_still_found() {
    let app = TestApp::new().await;
    let (joined, admin) = app.joined().await;
    let path = format!("/api/v2/sessions/{}/", joined.session);
    assert_eq!(app.organiser(&admin).patch(&path, json!({ "archive": false, "mode": "relayed" })).await.status, 200);
    joined.tell(&app, "connectionCreated", "a", 0).await;
    assert_eq!(app.entry(&admin, &format!("event={}&state=connected", joined.event)).await["name"], joined.name);
    assert_eq!(app.organiser(&admin).delete(&format!("/api/v2/events/{}/", joined.event)).await.status, 204);
    assert!(!app.items().await.iter().any(|item| item.contains("PROVIDERSESSION") || item.contains("LEDGER#")));
}

#[tokio::test]
async fn what_does_not_concern_us_changes_nothing() {
    let app = TestApp::new().await;
    let (joined, _) = app.joined().await;
    let before = app.items().await.len();
    let told = || joined.told("connectionCreated", "a", 0);
    let mut others = vec![json!({}), json!({ "event": "streamCreated", "sessionId": joined.provider }), json!([])];
    for (key, value) in [
        ("sessionId", json!("1_unknown")),
        ("projectId", json!("1")),
        ("projectId", json!(1)),
        ("event", json!("sessionCreated")),
        ("connection", json!({ "id": "", "data": joined.name })),
        ("connection", json!({ "id": "x".repeat(2000), "data": joined.name })),
        ("connection", json!({ "id": "a", "data": "somebody else" })),
        ("connection", json!({ "id": "a" })),
    ] {
        let mut other = told();
        other[key] = value;
        others.push(other);
    }
    for other in others {
        assert_eq!(app.anyone().post(MONITOR, other.clone()).await.status, 200, "{other}");
    }
    assert_eq!(app.anyone().post_text(MONITOR, "{").await.status, 400);
    assert_eq!(app.items().await.len(), before);
    assert_eq!(app.live_names(joined.event, joined.session).await, [&*joined.name]);
    assert_eq!(app.anyone().get(MONITOR).await.to_string(), r#"405 {"detail":"Method \"GET\" not allowed."}"#);
}

#[tokio::test]
async fn a_configured_secret_has_to_have_signed_it() {
    let secret = "secret-of-the-session-monitoring";
    let app = TestApp::with([(Setting::OpentokWebhookSecret, secret)]).await;
    let (joined, _) = app.joined().await;
    let body = joined.told("connectionCreated", "a", 0).to_string();
    let token = |body: &str, secret: &str| {
        let claims = json!({ "iss": "Vonage", "iat": NOW / 1000, "payload_hash": hex(&Sha256::digest(body)) });
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(secret.as_bytes()))
            .unwrap()
    };
    let (good, stolen) = (token(&body, secret), token(&body, "another-secret-of-somebody"));
    for authorization in ["", "Bearer", &*format!("Bearer {stolen}"), &format!("Bearer {}", token("{}", secret)), &good]
    {
        let answer = app.with_authorization(authorization).post_text(MONITOR, body.clone()).await;
        assert_eq!(answer.to_string(), r#"401 {"detail":"Invalid signature."}"#, "{authorization}");
    }
    assert_eq!(app.with_authorization(format!("Bearer {good}")).post_text(MONITOR, body).await.to_string(), "200 {}");
}
