//! The operators' list of live sessions (`docs/apis/ovenmediaengine.md`).

use std::{fmt::Display, time::Duration};

use axum::body::Body;
use base64::{Engine, prelude::BASE64_STANDARD};
use greenroom_core::config::Setting;
use insta::assert_snapshot;
use rstest::rstest;
use serde_json::{Value, json};
use testbed::admission_signature;

use crate::{
    joining::{JOIN, t1},
    support::{ACCESS_TOKEN, Answer, Caller, TestApp, WEBHOOK_SECRET},
};

/// The path of a stream's live sessions.
pub(crate) fn sessions(app: impl Display, stream: impl Display) -> String {
    format!("/v1/vhosts/default/apps/{app}/streams/{stream}/sessions")
}

impl Caller<'_> {
    /// Sends this body as an admission webhook, signed.
    pub(crate) async fn webhook(&self, body: Vec<u8>) -> Answer {
        let signature = signature(&body);
        self.send("POST", "/v1/admission", &[("x-ome-signature", &signature)], body.into()).await
    }
}

impl TestApp {
    /// Sends requests as an operator.
    pub(crate) fn operator(&self) -> Caller<'_> {
        self.with_authorization(format!("Basic {}", BASE64_STANDARD.encode(ACCESS_TOKEN)))
    }

    /// Sends an admission webhook, signed.
    pub(crate) async fn webhook(&self, body: &Value) -> Answer {
        self.webhook_bytes(body.to_string().into_bytes()).await
    }

    /// Sends these bytes as an admission webhook, signed.
    pub(crate) async fn webhook_bytes(&self, body: Vec<u8>) -> Answer {
        self.anyone().webhook(body).await
    }

    /// The names in the live session list of a stream.
    pub(crate) async fn live_names(&self, app: impl Display, stream: impl Display) -> Vec<String> {
        let answer = self.operator().get(&sessions(app, stream)).await;
        assert_eq!(answer.status, 200, "{answer}");
        serde_json::from_value(answer.body["response"].clone()).unwrap()
    }

    /// Joins the event with the login token `the token`; the connection's name in the first session, and the session.
    pub(crate) async fn join_event(&self) -> (String, u64) {
        let answer = self.client(false).await.post(JOIN, json!({ "loginToken": "the token" })).await;
        let session = &answer.body["sessions"][0];
        let token = t1(&session["tokbox"]["sessionToken"]);
        (token["connection_data"].as_str().unwrap().to_owned(), session["id"].as_u64().unwrap())
    }

    /// Issues a token of a media session; the id of a connection, the only one if the session had none before.
    pub(crate) async fn issue(&self, session: &str) -> String {
        assert_eq!(self.backend().post("/api/tokens", json!({ "session": session })).await.status, 200);
        let session = self.backend().get(&format!("/api/sessions/{session}")).await.body;
        let connections = session["connections"]["content"].as_array().unwrap();
        connections.last().unwrap()["connectionId"].as_str().unwrap().to_owned()
    }
}

/// The signature of a media server's webhook.
pub(crate) fn signature(body: &[u8]) -> String {
    admission_signature(WEBHOOK_SECRET, body)
}

/// The webhook of a media server about a viewer.
pub(crate) fn viewer(status: &str, port: u16, time: i64, url: &str) -> Value {
    let time = greenroom_core::clock::Timestamp::from_seconds(1_700_000_000 + time).to_string();
    json!({
        "client": { "address": "192.0.2.1", "port": port },
        "request": { "direction": "outgoing", "protocol": "WebRTC", "status": status, "time": time, "url": url },
    })
}

#[rstest]
#[case::none(None, "Authorization header is required to call API")]
#[case::empty(Some(""), "Authorization header is required to call API")]
#[case::the_scheme_alone(Some("Basic"), "Invalid authorization header")]
#[case::two_spaces(Some("Basic  eA=="), "Invalid authorization header")]
#[case::another_scheme(Some("Bearer eA=="), "Not supported credential type: Bearer")]
#[case::another_token(Some("Basic eA=="), "Invalid credential")]
#[tokio::test]
async fn credentials_come_before_everything_else(#[case] credentials: Option<&str>, #[case] message: &str) {
    let app = TestApp::new().await;
    let caller = credentials.map_or_else(|| app.anyone(), |credentials| app.with_authorization(credentials));
    let body = json!({ "message": format!("[HTTP] {message} (401)"), "statusCode": 401 });
    for path in [&*sessions("a", "b"), "/v1", "/v1/nothing", "/v1/admission"] {
        let answer = caller.get(path).await;
        assert_eq!((answer.status.as_u16(), &answer.body), (401, &body), "{path}");
        assert_eq!(answer.header("www-authenticate"), "Basic realm=\"OvenMediaEngine\"");
    }
    for method in ["DELETE", "PATCH"] {
        assert_eq!(caller.send(method, &sessions("a", "b"), &[], Body::empty()).await.status, 401);
    }
}

#[tokio::test]
async fn an_unsupported_route_is_not_found() {
    let app = TestApp::new().await;
    let operator = app.operator();
    for (method, path) in [
        ("GET", "/v1"),
        ("GET", "/v1/vhosts/default"),
        ("POST", &*sessions("a", "b")),
        ("PUT", &sessions("a", "b")),
        ("DELETE", &sessions("a", "b")),
        ("GET", &format!("{}/x", sessions("a", "b"))),
        ("GET", "/v1/admission"),
    ] {
        let answer = operator.send(method, path, &[], Body::empty()).await;
        let expected = r#"404 {"message":"[HTTP] Controller not found (404)","statusCode":404}"#;
        assert_eq!(answer.to_string(), expected, "{method} {path}");
        assert!(answer.headers.get("allow").is_none());
    }
    for headers in [&[][..], &[("origin", "https://a.example"), ("access-control-request-method", "DELETE")]] {
        assert_eq!(app.anyone().send("OPTIONS", &sessions("a", "b"), headers, Body::empty()).await.status, 204);
    }
}

#[tokio::test]
async fn the_error_names_what_is_unknown() {
    let app = TestApp::new().await;
    let event = app.event_to_join(json!({}), "moderator").await;
    let operator = app.operator();
    let other = "/v1/vhosts/nope/apps/a/streams/s/sessions";
    assert_snapshot!(operator.get(other).await, @r#"404 {"message":"[HTTP] Could not find the virtual host: [nope] (404)","statusCode":404}"#);
    assert_snapshot!(operator.get(&sessions("nope", "s")).await, @r#"404 {"message":"[HTTP] Could not find the application: [default/nope] (404)","statusCode":404}"#);
    let stream = operator.get(&sessions("openvidu", "nope")).await;
    assert_snapshot!(stream, @r#"404 {"message":"[HTTP] Could not find the stream: [default/#default#openvidu/nope] (404)","statusCode":404}"#);
    for path in [sessions(event, 3), sessions(event, "01"), sessions(event, "%ff"), sessions(event, "s".repeat(2000))] {
        assert!(operator.get(&path).await.body["message"].as_str().unwrap().contains("find the stream"));
        let answer = operator.delete(&format!("{path}/x")).await;
        assert!(answer.body["message"].as_str().unwrap().contains("find the stream"), "{answer}");
    }
    assert_eq!(operator.delete(&format!("{other}/x")).await.body["message"], operator.get(other).await.body["message"]);
    let session = operator.delete(&format!("{}/x", sessions(event, 1))).await;
    assert_snapshot!(session, @r#"404 {"message":"Not Found","response":"Could not find the session","statusCode":404}"#);
}

#[tokio::test]
async fn live_connections_of_every_kind_are_listed_and_terminated() {
    let app = TestApp::new().await;
    let event = app.event_to_join(json!({}), "moderator").await;
    assert_snapshot!(app.operator().get(&sessions(event, 1)).await, @r#"200 {"message":"OK","response":[],"statusCode":200}"#);
    let (name, session) = app.join_event().await;
    let media = app.open_session().await;
    let connection = app.issue(&media).await;
    let url = "ws://live.example:3333/app/stream?session=viewer";
    assert_eq!(app.webhook(&viewer("opening", 1, 0, url)).await.to_string(), r#"200 {"allowed":true}"#);
    let paths = [
        (sessions(event, session), name),
        (sessions("openvidu", &media), connection),
        (sessions("app", "stream"), "viewer".to_owned()),
    ];
    for (path, name) in paths {
        let operator = app.operator();
        let list = operator.get(&path).await.to_string();
        assert_eq!(list, format!(r#"200 {{"message":"OK","response":["{name}"],"statusCode":200}}"#));
        let one = format!("{path}/{name}");
        assert_eq!(operator.delete(&one).await.to_string(), r#"200 {"message":"OK","statusCode":200}"#);
        assert_eq!(operator.get(&path).await.body["response"], json!([]));
        let again = operator.delete(&one).await;
        assert_eq!(
            again.to_string(),
            r#"404 {"message":"Not Found","response":"Could not find the session","statusCode":404}"#
        );
    }
    let session = app.backend().get(&format!("/api/sessions/{media}")).await.body;
    assert_eq!(session["connections"]["numberOfElements"], 0);
}

#[tokio::test]
async fn expired_connections_and_those_of_deleted_sessions_are_not_listed() {
    let app = TestApp::with([(Setting::StreamsKeepViewers, "true")]).await;
    let event = app.event_to_join(json!({}), "moderator").await;
    let (_, session) = app.join_event().await;
    let media = app.open_session().await;
    app.issue(&media).await;
    let url = "ws://live.example:3333/app/stream";
    app.webhook(&viewer("opening", 1, 0, url)).await;
    app.wait(Duration::from_secs(86_399));
    for (name, stream) in [(&*event.to_string(), &*session.to_string()), ("openvidu", &media), ("app", "stream")] {
        assert_eq!(app.live_names(name, stream).await.len(), 1, "{name}");
    }
    app.wait(Duration::from_secs(1));
    for (name, stream) in [(&*event.to_string(), &*session.to_string()), ("openvidu", &media), ("app", "stream")] {
        assert!(app.live_names(name, stream).await.is_empty(), "{name}");
    }
    // A media server's stream is forgotten an hour after its last viewer.
    app.wait(Duration::from_hours(1));
    let gone = app.operator().get(&sessions("app", "stream")).await;
    assert_eq!(gone.body["message"], "[HTTP] Could not find the stream: [default/#default#app/stream] (404)");
    app.join_event().await;
    let admin = app.account("another", greenroom_core::model::user::Role::Admin, None).await;
    assert_eq!(app.organiser(&admin).delete(&format!("/api/v2/sessions/{session}/")).await.status, 204);
    assert_eq!(app.operator().get(&sessions(event, session)).await.status, 404);
    assert_eq!(app.organiser(&admin).delete(&format!("/api/v2/events/{event}/")).await.status, 204);
    let gone = app.operator().get(&sessions(event, 2)).await;
    assert_eq!(gone.body["message"], format!("[HTTP] Could not find the application: [default/{event}] (404)"));
    assert!(!app.items().await.iter().any(|item| item.contains(&format!("#default/{event}#"))));
}
