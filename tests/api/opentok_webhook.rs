//! OpenTok's session monitoring (`docs/apis/opentok.md`).

use std::{collections::BTreeMap, time::Duration};

use aws_sdk_dynamodb::types::AttributeValue;
use greenroom_core::{
    config::Setting,
    id::{hex, random_hex},
};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    joining::{JOIN, t1},
    organisers::Account,
    stream_sessions::sessions,
    support::{Answer, CALLBACK_SECRET, NOW, TestApp},
};

pub(crate) const MONITOR: &str = "/webhooks/opentok";

/// Somebody who joined an event: the name of their connection, its session, and the provider's id of the session.
pub(crate) struct Joined {
    pub(crate) event: u64,
    pub(crate) session: u64,
    pub(crate) name: String,
    provider: String,
}

/// The signed token of a callback with these claims.
pub(crate) fn token(body: &str, secret: &str, claims: &Value) -> String {
    let mut all = json!({ "iss": "Vonage", "payload_hash": hex(&Sha256::digest(body)) });
    all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &all, &EncodingKey::from_secret(secret.as_bytes()).unwrap())
        .unwrap()
}

impl TestApp {
    /// Sends a callback as the media provider does, with a new id each time.
    pub(crate) async fn callback(&self, told: &Value) -> Answer {
        self.callback_named(told, &random_hex()).await
    }

    /// Sends a callback with this id.
    pub(crate) async fn callback_named(&self, told: &Value, jti: &str) -> Answer {
        let body = told.to_string();
        let signed = token(&body, CALLBACK_SECRET, &json!({ "iat": self.clock.now().seconds(), "jti": jti }));
        self.with_authorization(format!("Bearer {signed}")).post_text(MONITOR, body).await
    }

    /// An event that somebody has joined, and an admin.
    pub(crate) async fn joined(&self) -> (Joined, Account) {
        let event = self.event_to_join(json!({}), "moderator").await;
        let admin = self.account("operator", greenroom_core::model::user::Role::Admin, None).await;
        let answer = self.client(false).await.post(JOIN, json!({ "loginToken": "the token" })).await;
        let session = &answer.body["sessions"][0];
        let name = t1(&session["tokbox"]["sessionToken"])["connection_data"].as_str().unwrap().to_owned();
        let provider = session["tokbox"]["sessionId"].as_str().unwrap().to_owned();
        (Joined { event, session: session["id"].as_u64().unwrap(), name, provider }, admin)
    }

    /// The single entry of the ledger that matches the query.
    pub(crate) async fn entry(&self, admin: &Account, query: &str) -> Value {
        let answer = self.organiser(admin).get(&format!("/api/live/?{query}")).await;
        assert_eq!(answer.body["results"].as_array().unwrap().len(), 1, "{answer}");
        answer.body["results"][0].clone()
    }
}

impl Joined {
    /// The session monitoring callback about one of their clients, at this second.
    pub(crate) fn told(&self, event: &str, id: &str, second: i64) -> Value {
        json!({
            "sessionId": self.provider, "projectId": "45828062", "event": event, "reason": "clientDisconnected",
            "timestamp": NOW + second * 1000, "later": { "a": 1 },
            "connection": { "id": id, "createdAt": NOW + second * 1000, "data": self.name },
        })
    }

    pub(crate) async fn tell(&self, app: &TestApp, event: &str, id: &str, second: i64) -> Answer {
        let answer = app.callback(&self.told(event, id, second)).await;
        assert_eq!(answer.to_string(), "200 {}");
        answer
    }
}

#[tokio::test]
async fn a_client_is_connected_from_its_creation_to_its_destruction() {
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
    // A late creation changes nothing. After that the token is used again.
    joined.tell(&app, "connectionCreated", "a", 10).await;
    assert!(app.live_names(joined.event, joined.session).await.is_empty());
    joined.tell(&app, "connectionCreated", "c", 80).await;
    assert_eq!(app.live_names(joined.event, joined.session).await, [&*joined.name]);
}

#[tokio::test]
async fn a_destruction_that_arrives_before_its_creation_ends_the_connection() {
    let app = TestApp::new().await;
    let (joined, _) = app.joined().await;
    joined.tell(&app, "connectionDestroyed", "a", 2).await;
    joined.tell(&app, "connectionCreated", "a", 1).await;
    let stream = greenroom_core::model::live::Stream::of_session(joined.event, joined.session);
    let name = greenroom_core::id::ConnectionName::parse(&joined.name).unwrap();
    assert!(app.store.provider_connections(&stream, &name).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_terminated_token_is_not_revived() {
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
async fn a_client_in_a_replaced_provider_session_is_still_found() {
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
async fn a_callback_about_something_unknown_changes_nothing() {
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
        assert_eq!(app.callback(&other).await.status, 200, "{other}");
    }
    let garbage = app.anyone().post_text(&format!("{MONITOR}?key={CALLBACK_SECRET}"), "{").await;
    assert_eq!(garbage.status, 400);
    assert_eq!(app.items().await.len(), before);
    assert_eq!(app.live_names(joined.event, joined.session).await, [&*joined.name]);
    assert_eq!(app.anyone().get(MONITOR).await.to_string(), r#"405 {"detail":"Method \"GET\" not allowed."}"#);
}

/// All items in the table, in a stable order.
pub(crate) async fn stored(app: &TestApp) -> Vec<String> {
    fn text(value: &AttributeValue) -> String {
        match value {
            AttributeValue::M(map) => {
                let map: BTreeMap<_, _> = map.iter().map(|(name, value)| (name, text(value))).collect();
                format!("{map:?}")
            }
            other => format!("{other:?}"),
        }
    }
    let scan = app.client.scan().table_name(&*app.table).consistent_read(true).send().await.unwrap();
    let items = scan.items().iter().filter(|item| item["PK"] != AttributeValue::S("SETTINGS".to_owned()));
    let mut items: Vec<_> = items.map(|item| text(&AttributeValue::M(item.clone()))).collect();
    items.sort();
    items
}

/// The `Authorization` header and the query of a callback.
struct Sent(String, String);

#[tokio::test]
async fn a_callback_without_the_secret_is_refused() {
    let app = TestApp::new().await;
    let (joined, _) = app.joined().await;
    let body = joined.told("connectionCreated", "a", 0).to_string();
    let now = NOW / 1000;
    let bearer = |token: &str| Sent(format!("Bearer {token}"), String::new());
    let signed = |claims: &Value| bearer(&token(&body, CALLBACK_SECRET, claims));
    let key = |query: &str| Sent(String::new(), query.to_owned());
    let before = stored(&app).await;
    for (what, Sent(authorization, query)) in [
        ("nothing", key("")),
        ("no token", bearer("")),
        ("another secret", bearer(&token(&body, "another-secret-of-somebody", &json!({ "iat": now })))),
        ("of another body", bearer(&token("{}", CALLBACK_SECRET, &json!({ "iat": now })))),
        ("no scheme", Sent(token(&body, CALLBACK_SECRET, &json!({ "iat": now })), String::new())),
        ("no time", signed(&json!({}))),
        ("old", signed(&json!({ "iat": now - 301 }))),
        ("to come", signed(&json!({ "iat": now + 301 }))),
        ("ended", signed(&json!({ "iat": now, "exp": now }))),
        ("old, and not ended", signed(&json!({ "iat": now - 301, "exp": now + 60 }))),
        ("good for long", signed(&json!({ "exp": now + 301 }))),
        ("another key", key("?key=another-secret-of-somebody")),
        ("a key in the midst", key(&format!("?key={CALLBACK_SECRET}&a=1"))),
        ("another name", key(&format!("?secret={CALLBACK_SECRET}"))),
    ] {
        let answer = app.with_authorization(authorization).post_text(&format!("{MONITOR}{query}"), body.clone()).await;
        assert_eq!(answer.to_string(), r#"401 {"detail":"Invalid signature."}"#, "{what}");
    }
    assert_eq!(stored(&app).await, before);
    for (what, Sent(authorization, query)) in [
        ("iat", signed(&json!({ "iat": now - 300, "jti": "1" }))),
        ("exp", signed(&json!({ "exp": now + 300, "jti": "2" }))),
        ("both", signed(&json!({ "iat": now + 300, "exp": now + 1, "jti": "3" }))),
        ("key", key(&format!("?key={CALLBACK_SECRET}"))),
    ] {
        let answer = app.with_authorization(authorization).post_text(&format!("{MONITOR}{query}"), body.clone()).await;
        assert_eq!(answer.to_string(), "200 {}", "{what}");
    }
}

#[tokio::test]
async fn without_a_configured_secret_every_callback_is_refused() {
    let app = TestApp::new().await.again_with([(Setting::OpentokWebhookSecret, "")]);
    let (joined, _) = app.joined().await;
    let before = stored(&app).await;
    let told = joined.told("connectionCreated", "a", 0);
    for query in ["", "?key=", "?key"] {
        let answer = app.anyone().post(&format!("{MONITOR}{query}"), told.clone()).await;
        assert_eq!(answer.to_string(), r#"401 {"detail":"Invalid signature."}"#);
    }
    assert_eq!(app.callback(&told).await.status, 401);
    assert_eq!(stored(&app).await, before);
}

#[tokio::test]
async fn a_callback_counts_once() {
    let app = TestApp::new().await;
    let (joined, admin) = app.joined().await;
    let state = async || app.entry(&admin, &format!("event={}&stream={}", joined.event, joined.session)).await;
    let created = joined.told("connectionCreated", "a", 0);
    app.callback_named(&created, "one").await;
    let after = stored(&app).await;
    // Another body with the same id is the same callback.
    for id in ["a", "b"] {
        assert_eq!(app.callback_named(&joined.told("connectionCreated", id, 0), "one").await.to_string(), "200 {}");
        assert_eq!(stored(&app).await, after);
    }
    let url = format!("{MONITOR}?key={CALLBACK_SECRET}");
    for id in ["c", "c", "d"] {
        app.anyone().post(&url, joined.told("connectionCreated", id, 0)).await;
    }
    for id in ["a", "c", "d"] {
        assert_eq!(state().await["state"], "connected");
        joined.tell(&app, "connectionDestroyed", id, 1).await;
    }
    assert!(app.live_names(joined.event, joined.session).await.is_empty());
    app.wait(Duration::from_mins(10));
    app.callback_named(&joined.told("connectionCreated", "e", 600), "one").await;
    assert_eq!(state().await["state"], "connected");
}

#[tokio::test]
async fn a_client_keeps_the_name_that_it_first_connected_with() {
    let app = TestApp::new().await;
    let (first, _) = app.joined().await;
    let answer = app.client(false).await.post(JOIN, json!({ "loginToken": "the token" })).await;
    let token = &answer.body["sessions"][0]["tokbox"]["sessionToken"];
    let name = t1(token)["connection_data"].as_str().unwrap().to_owned();
    let second = Joined { name, provider: first.provider.clone(), ..first };
    first.tell(&app, "connectionCreated", "a", 0).await;
    let path = format!("{}/{}", sessions(first.event, first.session), second.name);
    assert_eq!(app.operator().delete(&path).await.status, 200);
    let before = stored(&app).await;
    second.tell(&app, "connectionCreated", "a", 1).await;
    second.tell(&app, "connectionDestroyed", "a", 1).await;
    assert_eq!(stored(&app).await, before);
    assert_eq!(app.live_names(first.event, first.session).await, [&*first.name]);
}

#[tokio::test]
async fn five_clients_are_tracked_per_name_and_a_departed_client_makes_room() {
    let app = TestApp::new().await;
    let (joined, _) = app.joined().await;
    let known = async || {
        let items = app.items().await;
        let known = items.iter().filter(|item| item.contains(r#"S("ProviderConnection")"#)).count();
        let ids = ["a", "b", "c", "d", "e", "f", "g"];
        let held = ids.iter().filter(|id| {
            items.iter().any(|item| {
                item.contains("S(\"ProviderConnection\")") && item.contains(&format!("\"id\": S(\"{id}\")"))
            })
        });
        (known, held.copied().collect::<String>())
    };
    for id in ["a", "b", "c", "d", "e", "f"] {
        joined.tell(&app, "connectionCreated", id, 0).await;
    }
    assert_eq!(known().await, (5, "abcde".to_owned()));
    joined.tell(&app, "connectionDestroyed", "b", 2).await;
    joined.tell(&app, "connectionDestroyed", "a", 3).await;
    joined.tell(&app, "connectionCreated", "g", 4).await;
    assert_eq!(known().await, (5, "acdeg".to_owned()));
    for id in ["c", "d", "e"] {
        joined.tell(&app, "connectionDestroyed", id, 5).await;
    }
    assert_eq!(app.live_names(joined.event, joined.session).await, [&*joined.name]);
    joined.tell(&app, "connectionDestroyed", "g", 6).await;
    assert!(app.live_names(joined.event, joined.session).await.is_empty());
}
