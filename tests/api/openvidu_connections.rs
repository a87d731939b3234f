//! Connections of `/openvidu/api`: reading, changing and ending them, there and elsewhere.

use std::time::Duration;

use axum::body::Body;
use insta::assert_snapshot;
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Answer, TestApp};

const SESSION: &str = "/openvidu/api/sessions/daily";
pub(crate) const CONNECTIONS: &str = "/openvidu/api/sessions/daily/connection";
const DAY: Duration = Duration::from_hours(24);

/// An API with the session `daily`.
pub(crate) async fn with_session() -> TestApp {
    let app = TestApp::new().await;
    open(&app).await;
    app
}

pub(crate) async fn open(app: &TestApp) {
    let answer = app.backend().post("/openvidu/api/sessions", json!({"customSessionId": "daily"})).await;
    assert_eq!(answer.status, 200);
}

/// Makes a connection.
pub(crate) async fn connect(app: &TestApp, options: Value) -> Value {
    let answer = app.backend().post(CONNECTIONS, options).await;
    assert_eq!(answer.status, 200, "{answer}");
    answer.body
}

/// Makes a connection; its id.
async fn connected(app: &TestApp) -> String {
    connect(app, json!({})).await["id"].as_str().unwrap().to_owned()
}

async fn patch(app: &TestApp, connection: &str, body: impl Into<Body>) -> Answer {
    let headers = [("content-type", "application/json")];
    app.backend().send("PATCH", &format!("{CONNECTIONS}/{connection}"), &headers, body.into()).await
}

/// The ids of the session's connections.
pub(crate) async fn ids(app: &TestApp) -> Vec<String> {
    let list = app.backend().get(CONNECTIONS).await.body;
    let content = list["content"].as_array().unwrap();
    assert_eq!(list["numberOfElements"], content.len());
    content.iter().map(|connection| connection["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_connection_has_24_keys_in_order() {
    let app = with_session().await;
    let made = connect(&app, json!({})).await;
    let (id, token) = (made["id"].as_str().unwrap(), made["token"].as_str().unwrap());
    let (beginning, secret) = token.split_once("&token=tok_").unwrap();
    assert_eq!(beginning, "wss://greenroom.example?sessionId=daily");
    assert!(secret.len() >= 32 && secret.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let shown = app.backend().text(&format!("{CONNECTIONS}/{id}"), &[]).await;
    assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), made);
    assert_snapshot!(shown.replace(id, "[id]").replace(token, "[token]"));
}

#[tokio::test]
async fn connections_are_listed_in_the_order_they_were_made() {
    let app = with_session().await;
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(connected(&app).await);
        app.wait(Duration::from_secs(1));
    }
    assert_eq!(ids(&app).await, made);
    let none = app.backend().get(&format!("{CONNECTIONS}?pendingConnections=false")).await;
    assert_eq!(none.to_string(), r#"200 {"content":[],"numberOfElements":0}"#);
    let wrong = app.backend().get(&format!("{CONNECTIONS}?pendingConnections=maybe")).await;
    assert!(wrong.problem().starts_with("400 "));
}

/// The statuses of requests for a session, and then for a connection, that nobody made.
#[rstest]
#[case("GET", "", "404 -", "200")]
#[case("POST", "", "404 -", "200")]
#[case("GET", "/con_00", "400 -", "404 -")]
#[case("PATCH", "/con_00", "404 -", "404 -")]
#[case("DELETE", "/con_00", "400 -", "404 -")]
#[case("GET", "/con_0065553f00aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "400 -", "404 -")]
#[case("PATCH", "/con_0065553f00aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "404 -", "404 -")]
#[case("DELETE", "/con_0065553f00aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "400 -", "404 -")]
#[case("DELETE", "/%ff", "400 -", "404 -")]
#[tokio::test]
async fn nobody_made_this_session_or_connection(
    #[case] method: &str,
    #[case] path: &str,
    #[case] no_session: &str,
    #[case] no_connection: &str,
) {
    let app = TestApp::new().await;
    let send = async || {
        let body = if method == "DELETE" { Body::empty() } else { Body::from("{}") };
        app.backend().send(method, &format!("{CONNECTIONS}{path}"), &[("content-type", "application/json")], body).await
    };
    assert_eq!(send().await.to_string(), no_session);
    open(&app).await;
    assert!(send().await.to_string().starts_with(no_connection));
    assert_eq!(app.backend().delete(SESSION).await.status, 204);
    assert_eq!(send().await.to_string(), no_session);
}

#[tokio::test]
async fn a_session_is_found_although_what_is_behind_it_is_no_text() {
    let app = with_session().await;
    let path = "/openvidu/api/sessions/dail%79/connection/%ff";
    assert_eq!(app.backend().delete(path).await.to_string(), "404 -");
}

#[tokio::test]
async fn a_connection_ends_once_and_in_both_families() {
    let app = with_session().await;
    let (first, second) = (connected(&app).await, connected(&app).await);
    let new = format!("{CONNECTIONS}/{first}");
    assert_eq!(app.backend().delete(&new).await.to_string(), "204 -");
    assert_eq!(app.backend().delete(&new).await.to_string(), "404 -");
    let old = format!("/api/sessions/daily/connection/{second}");
    assert_eq!(app.backend().delete(&old).await.to_string(), "204 -");
    assert_eq!(app.backend().get(&format!("{CONNECTIONS}/{second}")).await.to_string(), "404 -");
    assert_eq!(patch(&app, &second, r#"{"role":"MODERATOR"}"#).await.to_string(), "404 -");
    assert!(ids(&app).await.is_empty());
}

#[tokio::test]
async fn a_connection_ends_with_the_life_of_its_token() {
    let app = with_session().await;
    let id = connected(&app).await;
    app.wait(DAY - Duration::from_secs(1));
    assert_eq!(app.backend().get(&format!("{CONNECTIONS}/{id}")).await.status, 200);
    app.wait(Duration::from_secs(1));
    assert_eq!(app.backend().get(&format!("{CONNECTIONS}/{id}")).await.to_string(), "404 -");
    assert_eq!(patch(&app, &id, "{}").await.to_string(), "404 -");
    assert!(ids(&app).await.is_empty());
}

#[tokio::test]
async fn a_connection_of_one_family_is_shown_in_the_other() {
    let app = with_session().await;
    let made = connect(&app, json!({"data": "x", "role": "SUBSCRIBER"})).await;
    let old = app.backend().get("/api/sessions/daily").await.body["connections"]["content"][0].clone();
    assert_eq!(old.as_object().unwrap().len(), 10);
    for (name, other) in [("connectionId", "id"), ("token", "token"), ("role", "role"), ("serverData", "serverData")] {
        assert_eq!(old[name], made[other], "{name}");
    }
    app.wait(Duration::from_secs(1));
    let options = json!({
        "session": "daily",
        "kurentoOptions": {"videoMaxRecvBandwidth": 1.5, "videoMinRecvBandwidth": "1", "allowedFilters": 1, "x": 2},
    });
    let token = app.backend().post("/api/tokens", options.clone()).await.body;
    assert_eq!(token["kurentoOptions"], options["kurentoOptions"]);
    let new = app.backend().get(CONNECTIONS).await.body["content"][1].clone();
    assert_eq!(new["token"], token["token"]);
    assert!(new["token"].as_str().unwrap().ends_with("&role=PUBLISHER&version=2.15.0"));
    assert_eq!(new["kurentoOptions"], json!({"videoMaxRecvBandwidth": 1}));
    assert_eq!([&new["record"], &new["customIceServers"]], [&json!(true), &json!([])]);
    app.backend().post("/api/tokens", json!({"session": "daily"})).await;
    let content = app.backend().get(CONNECTIONS).await.body["content"].clone();
    assert!(content.as_array().unwrap().iter().any(|connection| connection["kurentoOptions"].is_null()));
}

#[tokio::test]
async fn a_change_of_rights_shows_everywhere_and_leaves_the_rest() {
    let app = with_session().await;
    let mut made = connect(&app, json!({"data": "x", "kurentoOptions": {"allowedFilters": ["A"]}})).await;
    let id = made["id"].as_str().unwrap().to_owned();
    app.wait(Duration::from_secs(1));
    connected(&app).await;
    for (body, role, record) in [
        (json!({}), "PUBLISHER", true),
        (json!({"role": null, "record": null, "data": 1, "type": {}}), "PUBLISHER", true),
        (json!({"role": "MODERATOR"}), "MODERATOR", true),
        (json!({"record": false}), "MODERATOR", false),
        (json!({"record": true, "role": "SUBSCRIBER", "session": "x", "customIceServers": null}), "SUBSCRIBER", true),
    ] {
        (made["role"], made["record"]) = (role.into(), record.into());
        let answer = patch(&app, &id, body.to_string()).await;
        assert_eq!((answer.status.as_u16(), &answer.body), (200, &made), "{body}");
        assert_eq!(app.backend().get(CONNECTIONS).await.body["content"][0], made);
    }
    let old = app.backend().get("/api/sessions/daily").await.body;
    assert_eq!(old["connections"]["content"][0]["role"], "SUBSCRIBER");
    let admin = app.admin().await;
    let live = app.organiser(&admin).get("/api/live/?stream=daily").await.body["results"].clone();
    let roles = live.as_array().unwrap().iter().filter(|one| one["role"] == "subscriber").count();
    assert_eq!(roles, 1, "{live}");
}

#[rstest]
#[case::nothing("", "400 The body is missing")]
#[case::null("null", "400 The body is missing")]
#[case::an_array("[]", "400 The body must be a JSON object")]
#[case::a_role(r#"{"role":1}"#, "400 Type error in parameter 'role': role has to be a string")]
#[case::another_role(r#"{"role":"GUEST","record":true}"#, "400 Parameter role GUEST is not defined")]
#[case::record(r#"{"record":"true","role":1}"#, "400 Type error in parameter 'record': record has to be a boolean")]
#[tokio::test]
async fn an_invalid_change_of_rights_is_refused(#[case] body: &'static str, #[case] problem: &str) {
    let app = with_session().await;
    let id = connected(&app).await;
    assert_eq!(patch(&app, &id, body).await.problem(), problem);
}

#[tokio::test]
async fn what_was_deleted_is_not_made_again_by_a_change() {
    let app = with_session().await;
    for _ in 0..10 {
        let id = connected(&app).await;
        let path = format!("{CONNECTIONS}/{id}");
        let backend = app.backend();
        let (changed, deleted) = tokio::join!(patch(&app, &id, r#"{"role":"MODERATOR"}"#), backend.delete(&path));
        assert_eq!(deleted.to_string(), "204 -");
        assert!(changed.status == 200 || changed.to_string() == "404 -", "{changed}");
        assert!(ids(&app).await.is_empty());
    }
}

#[tokio::test]
async fn the_operators_see_a_connection_and_end_it() {
    let app = with_session().await;
    let id = connected(&app).await;
    let path = "/v1/vhosts/default/apps/openvidu/streams/daily/sessions";
    assert_eq!(app.operator().get(path).await.body["response"], json!([id]));
    assert_eq!(app.operator().delete(&format!("{path}/{id}")).await.status, 200);
    assert_eq!(app.backend().get(&format!("{CONNECTIONS}/{id}")).await.to_string(), "404 -");
    assert_eq!(patch(&app, &id, "{}").await.to_string(), "404 -");
}
