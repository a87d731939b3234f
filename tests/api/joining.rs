//! `POST /api/v2/rtcsessions`: who may join what.

use axum::body::Body;
use base64::{Engine, prelude::BASE64_STANDARD};
use greenroom_core::model::api_token;
use rstest::rstest;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::support::{Caller, TestApp};

pub(crate) const JOIN: &str = "/api/v2/rtcsessions/";

impl TestApp {
    /// The `Authorization` header of a new client, for all instances on this table.
    pub(crate) async fn client_token(&self, mobile: bool) -> String {
        let (token, hash) = api_token::generate();
        let name = format!("client {}", hash.as_str());
        self.store.insert_api_token(&hash, &name, mobile, self.clock.now()).await.unwrap().unwrap();
        format!("Token {}", token.expose_secret())
    }

    /// Creates an event with these fields, a session in a language, a floor, and a login token of this type, `the
    /// token`.
    pub(crate) async fn event_to_join(&self, fields: Value, kind: &str) -> u64 {
        let admin = self.admin().await;
        let caller = self.organiser(&admin);
        let mut event = json!({ "name": "Test Event 2016" });
        event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let event = caller.make("/api/v2/events/", event).await;
        let english = json!({ "event": event, "language": "English", "languageCode": "en" });
        let floor =
            json!({ "event": event, "language": "Floor", "isFloor": true, "mode": "relayed", "archive": false });
        for session in [english, floor] {
            caller.make("/api/v2/sessions/", session).await;
        }
        caller.make("/api/v2/logintokens/", json!({ "event": event, "token": "the token", "tokenType": kind })).await;
        event
    }
}

/// A T1 token's fields.
pub(crate) fn t1(token: &Value) -> Value {
    let text = BASE64_STANDARD.decode(token.as_str().unwrap().strip_prefix("T1==").unwrap()).unwrap();
    let text = String::from_utf8(text).unwrap();
    let (head, data) = text.split_once(':').unwrap();
    assert!(head.starts_with("partner_id=45828062&sig=") && head.len() == 64, "{head}");
    data.split('&').map(|field| field.split_once('=').unwrap()).collect()
}

async fn join(caller: &Caller<'_>, body: Value) -> String {
    caller.post(JOIN, body).await.to_string()
}

#[tokio::test]
async fn a_reply_has_the_keys_of_the_documented_example() {
    let app = TestApp::new().await;
    let fields = json!({
        "displayName": "Test Event", "locationHint": "1.2.3.4", "logo": "https://example.com/logo.png", "mfa": "email",
        "mobileData": "{\"a\":1}", "mobileAudienceDisallow": true, "quality": "high", "allowSourceVideo": true,
    });
    let event = app.event_to_join(fields, "interpreter").await;
    let answer = app.client(false).await.post(JOIN, json!({ "loginToken": " the token " })).await;
    assert_eq!(answer.status, 201);
    let [english, floor] = [0, 1].map(|index| answer.body["sessions"][index]["tokbox"].clone());
    let expected = json!({
        "event": {
            "displayName": "Test Event", "id": event, "locationHint": "1.2.3.4", "allowSourceVideo": true,
            "logo": "https://example.com/logo.png", "name": "Test Event 2016", "quality": "high",
            "mobileDisallow": false, "mobileAudienceDisallow": true, "mobileData": "{\"a\":1}", "mfa": "email",
        },
        "loginToken": { "type": "interpreter" },
        "sessions": [
            {
                "id": 1, "isFloor": false, "language": "English", "languageCode": "en", "mode": "routed",
                "archive": true, "tokbox": english,
            },
            {
                "id": 2, "isFloor": true, "language": "Floor", "languageCode": null, "mode": "relayed",
                "archive": false, "tokbox": floor,
            },
        ],
    });
    assert_eq!(answer.body, expected);
    for tokbox in [english, floor] {
        let keys: Vec<_> = tokbox.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["sessionId", "sessionToken"]);
        assert_eq!(t1(&tokbox["sessionToken"])["session_id"], tokbox["sessionId"]);
    }
}

/// The role of each type in the language, on the floor, and on the floor of an event that shows it to participants.
#[rstest]
#[case("participant", "subscriber", "-", "subscriber")]
#[case("interpreter", "publisher", "subscriber", "subscriber")]
#[case("floor", "-", "publisher", "publisher")]
#[case("remote", "subscriber", "publisher", "publisher")]
#[case("moderator", "moderator", "moderator", "moderator")]
#[tokio::test]
async fn the_login_token_type_decides_the_role_in_each_session(
    #[case] kind: &str,
    #[case] language: &str,
    #[case] floor: &str,
    #[case] seen_floor: &str,
    #[values(false, true)] subscribers_see_floor: bool,
    #[values(json!([]), json!(["view_floor"]), json!(["x", 7, null, ["view_floor"], "VIEW_FLOOR"]))] flags: Value,
) {
    let app = TestApp::new().await;
    app.event_to_join(json!({ "subscribersSeeFloor": subscribers_see_floor }), kind).await;
    let body = json!({ "loginToken": "the token", "additionalAccess": flags });
    let answer = app.client(false).await.post(JOIN, body).await;
    assert_eq!((answer.status.as_u16(), &answer.body["loginToken"]), (201, &json!({ "type": kind })));
    let sees = subscribers_see_floor || flags == json!(["view_floor"]);
    let expected = [(1, language), (2, if sees { seen_floor } else { floor })];
    let expected: Vec<_> = expected.into_iter().filter(|(_, role)| *role != "-").collect();
    let sessions = answer.body["sessions"].as_array().unwrap();
    let roles: Vec<_> = sessions
        .iter()
        .map(|session| (session["id"].as_u64().unwrap(), t1(&session["tokbox"]["sessionToken"])["role"].clone()))
        .collect();
    let expected: Vec<_> = expected.into_iter().map(|(id, role)| (id, json!(role))).collect();
    assert_eq!(roles, expected);
}

#[tokio::test]
async fn the_checks_come_in_the_documented_order() {
    let app = TestApp::new().await;
    let event = app.event_to_join(json!({ "disabled": true, "mobileDisallow": true }), "floor").await;
    let (client, mobile) = (app.client(false).await, app.client(true).await);
    let unauthenticated = r#"401 {"detail":"Authentication credentials were not provided."}"#;
    assert_eq!(join(&app.anyone(), json!(7)).await, unauthenticated);
    let required = r#"400 {"loginToken":["This field is required."]}"#;
    assert_eq!(join(&client, json!({})).await, required);
    assert_eq!(client.post_nothing(JOIN).await.to_string(), required);
    assert_eq!(join(&client, json!({ "logintoken": "x" })).await, required);
    for blank in ["", "  "] {
        let answer = join(&client, json!({ "loginToken": blank })).await;
        assert_eq!(answer, r#"400 {"loginToken":["This field may not be blank."]}"#);
    }
    assert_eq!(
        join(&client, json!({ "loginToken": null })).await,
        r#"400 {"loginToken":["This field may not be null."]}"#
    );
    for odd in [json!(true), json!([]), json!({})] {
        assert_eq!(join(&client, json!({ "loginToken": odd })).await, r#"400 {"loginToken":["Not a valid string."]}"#);
    }
    for (odd, kind) in [(json!("view_floor"), "str"), (json!({}), "dict"), (json!(1), "int"), (json!(true), "bool")] {
        let answer = join(&client, json!({ "loginToken": "unknown", "additionalAccess": odd })).await;
        let expected = format!(r#"400 {{"additionalAccess":["Expected a list of items but got type \"{kind}\"."]}}"#);
        assert_eq!(answer, expected);
    }
    let forbidden = r#"403 {"detail":"You do not have permission to perform this action."}"#;
    for unknown in ["unknown", "The token", "the  token", "the toke"] {
        assert_eq!(join(&mobile, json!({ "loginToken": unknown })).await, forbidden);
    }
    let body = json!({ "loginToken": "the token" });
    assert_eq!(join(&mobile, body.clone()).await, r#"404 {"detail":"Not found."}"#);
    let admin = app.account("another", greenroom_core::model::user::Role::Admin, None).await;
    let path = format!("/api/v2/events/{event}/");
    assert_eq!(app.organiser(&admin).patch(&path, json!({ "disabled": false })).await.status, 200);
    app.wait(std::time::Duration::from_secs(5));
    assert_eq!(join(&mobile, body.clone()).await, forbidden);
    assert_eq!(client.post(JOIN, body).await.status, 201);
    assert_eq!(client.get(JOIN).await.to_string(), r#"405 {"detail":"Method \"GET\" not allowed."}"#);
}

#[tokio::test]
async fn a_numeric_login_token_counts_as_a_string() {
    let app = TestApp::new().await;
    let event = app.event_to_join(json!({}), "floor").await;
    app.login_tokens(event, "token", 1).await;
    let admin = app.account("another", greenroom_core::model::user::Role::Admin, None).await;
    let change = json!({ "token": "12345678" });
    assert_eq!(app.organiser(&admin).patch("/api/v2/logintokens/1/", change).await.status, 200);
    let client = app.client(false).await;
    for path in [JOIN, "/api/v2/rtcsessions"] {
        assert_eq!(client.post(path, json!({ "loginToken": 12_345_678 })).await.status, 201);
    }
    assert_eq!(client.post(JOIN, json!({ "loginToken": 12_345_678.0 })).await.status, 403);
}

#[tokio::test]
async fn joining_takes_a_static_api_token_or_a_device_token() {
    let app = TestApp::new().await;
    app.event_to_join(json!({}), "moderator").await;
    let admin = app.account("another", greenroom_core::model::user::Role::Admin, None).await;
    let body = json!({ "loginToken": "the token" });
    let device = app.register("phone").await;
    let client = app.client_token(false).await;
    for good in [client.clone(), client.replacen("Token", "tOKEN", 1), format!("bearer {device}")] {
        assert_eq!(app.with_authorization(good).post(JOIN, body.clone()).await.status, 201);
    }
    let unknown = "Invalid token.";
    for (bad, detail) in [
        ("Token", "Invalid token header. No credentials provided."),
        ("Token a b", "Invalid token header. Token string should not contain spaces."),
        ("Token 9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b", unknown),
        ("Bearer x", unknown),
        (&client.replacen("Token", "Bearer", 1), unknown),
        (&format!("Token {device}"), unknown),
        (&format!("Bearer {}", admin.jwt), unknown),
        (&format!("JWT {}", admin.jwt), "Authentication credentials were not provided."),
        ("Basic eDp5", "Authentication credentials were not provided."),
    ] {
        let answer = app.with_authorization(bad).post(JOIN, body.clone()).await;
        assert_eq!((answer.status.as_u16(), &answer.body), (401, &json!({ "detail": detail })), "{bad}");
        assert_eq!(answer.header("www-authenticate"), "Token");
    }
    let text = [("content-type", "text/plain")];
    let answer = app.with_authorization(client).send("POST", JOIN, &text, Body::from("{}")).await;
    assert_eq!(answer.status, 415);
}

#[tokio::test]
async fn a_mobile_client_joins_only_events_that_allow_mobile_clients() {
    let app = TestApp::new().await;
    let event = app.event_to_join(json!({ "mobileDisallow": true }), "moderator").await;
    let admin = app.account("another", greenroom_core::model::user::Role::Admin, None).await;
    let device = app.register("phone").await;
    let body = json!({ "loginToken": "the token" });
    assert_eq!(app.client(false).await.post(JOIN, body.clone()).await.status, 201);
    assert_eq!(app.client(true).await.post(JOIN, body.clone()).await.status, 403);
    assert_eq!(app.bearer(&device).post(JOIN, body.clone()).await.status, 403);
    let path = format!("/api/v2/events/{event}/");
    let change = json!({ "mobileDisallow": false, "mobileAudienceDisallow": true, "mobileData": "x", "mfa": "both" });
    app.organiser(&admin).patch(&path, change).await;
    app.wait(std::time::Duration::from_secs(5));
    assert_eq!(app.client(true).await.post(JOIN, body.clone()).await.status, 201);
    let answer = app.bearer(&device).post(JOIN, body).await;
    assert_eq!((answer.status.as_u16(), &answer.body["event"]["mfa"]), (201, &json!("both")));
}
