//! `/api/v2` with a media provider that answers, or does not.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use greenroom_core::config::Setting;
use rstest::rstest;
use serde_json::{Value, json};
use testbed::{nobody, serve};

use crate::{joining::t1, organisers::Account, support::TestApp};

pub(crate) const SESSIONS: &str = "/api/v2/sessions/";

/// A media provider of a test. It records the requests, and it can be told to fail.
#[derive(Clone, Default)]
pub(crate) struct Provider {
    asked: Arc<Mutex<Vec<String>>>,
    failure: Arc<Mutex<Option<(u16, &'static str)>>>,
    archives: Arc<Mutex<Vec<Value>>>,
    /// The id of the sessions that it creates, if it is to be an unusable one.
    made: Arc<Mutex<Option<&'static str>>>,
}

impl Provider {
    /// Serves on a free port until the test's runtime ends; returns the URL.
    async fn serve(&self) -> String {
        let provider = self.clone();
        let router = Router::new().fallback(move |request: Request| async move { provider.answer(request).await });
        serve(router).await.unwrap()
    }

    async fn answer(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let line = format!("{} {} {}", parts.method, parts.uri, str::from_utf8(&body).unwrap());
        let number = {
            let mut asked = self.asked.lock().unwrap();
            asked.push(line);
            asked.len()
        };
        if let Some((status, text)) = *self.failure.lock().unwrap() {
            return (StatusCode::from_u16(status).unwrap(), text).into_response();
        }
        if parts.method == "POST" {
            let id = BASE64_URL_SAFE_NO_PAD.encode(format!("1~45828062~~{number}~"));
            let id = self.made.lock().unwrap().map_or_else(|| format!("1_{id}"), str::to_owned);
            return axum::Json(json!([{ "session_id": id, "project_id": "45828062" }])).into_response();
        }
        let (query, archives) = (parts.uri.query().unwrap(), self.archives.lock().unwrap().clone());
        let value = |key: &str| query.split('&').find_map(|pair| pair.strip_prefix(&format!("{key}="))).unwrap();
        let of: Vec<_> = archives.into_iter().filter(|archive| archive["sessionId"] == value("sessionId")).collect();
        // The provider refuses an offset out of its range.
        let Ok(offset) = value("offset").parse::<u16>().map(usize::from) else {
            return (StatusCode::BAD_REQUEST, "out of range").into_response();
        };
        let count = value("count").parse().unwrap();
        let items: Vec<_> = of.iter().skip(offset).take(count).collect();
        axum::Json(json!({ "count": of.len(), "items": items })).into_response()
    }

    /// Creates sessions with this id from now on.
    pub(crate) fn makes(&self, id: &'static str) {
        *self.made.lock().unwrap() = Some(id);
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

/// Everything in the table, attribute by attribute.
pub(crate) async fn table(app: &TestApp) -> BTreeSet<String> {
    let scan = app.client.scan().table_name(&*app.table).consistent_read(true).send().await.unwrap();
    let items = scan.items.unwrap().into_iter();
    items.map(|item| format!("{:?}", item.into_iter().collect::<BTreeMap<_, _>>())).collect()
}

pub(crate) async fn with_provider(provider: &Provider) -> (TestApp, Account) {
    let url = provider.serve().await;
    let settings = [(Setting::VideoProvider, "opentok"), (Setting::OpentokApiUrl, url.as_str())];
    let app = TestApp::with(settings).await;
    let admin = app.admin().await;
    (app, admin)
}

#[tokio::test]
async fn the_provider_is_asked_for_a_session_with_the_wanted_settings() {
    let provider = Provider::default();
    let (app, admin) = with_provider(&provider).await;
    let caller = app.organiser(&admin);
    for (name, hint) in [("A", "1.2.3.4"), ("B", "Vienna")] {
        caller.make("/api/v2/events/", json!({ "name": name, "locationHint": hint })).await;
    }
    let cases = [
        (json!({ "event": 1 }), "p2p.preference=disabled&archiveMode=always&location=1.2.3.4"),
        (json!({ "event": 2 }), "p2p.preference=disabled&archiveMode=always"),
        (json!({ "event": 2, "archive": false }), "p2p.preference=disabled&archiveMode=manual"),
        (json!({ "event": 2, "archive": false, "mode": "relayed" }), "p2p.preference=enabled&archiveMode=manual"),
    ];
    for (mut body, form) in cases {
        body["language"] = json!("x");
        assert_eq!(caller.post(SESSIONS, body).await.status, 201);
        assert_eq!(provider.asked(), [format!("POST /session/create {form}")]);
    }
    // A refused request does not reach the provider, and neither does a change that does not concern the media.
    caller.post(SESSIONS, json!({ "event": 9, "language": "x" })).await;
    caller.post(SESSIONS, json!({ "event": 1, "language": "x", "mode": "relayed" })).await;
    caller.put("/api/v2/sessions/1/", json!({ "language": "y", "isFloor": true })).await;
    caller.post(SESSIONS, json!({ "event": 1, "language": "x", "isFloor": true })).await;
    assert!(provider.asked().is_empty());
    caller.patch("/api/v2/sessions/1/", json!({ "mode": "relayed", "archive": false })).await;
    let form = "p2p.preference=enabled&archiveMode=manual&location=1.2.3.4";
    assert_eq!(provider.asked(), [format!("POST /session/create {form}")]);
}

#[rstest]
#[case::credentials(403, "no", 1)]
#[case::fault(500, "oops", 2)]
#[case::gone(404, "", 1)]
#[case::nonsense(200, "<html>", 1)]
#[case::nothing(200, "[]", 1)]
#[case::no_id(200, r#"[{"session_id":""}]"#, 1)]
#[tokio::test]
async fn nothing_is_stored_if_the_provider_fails(
    #[case] status: u16,
    #[case] text: &'static str,
    #[case] asked: usize,
) {
    let provider = Provider::default();
    let (app, admin) = with_provider(&provider).await;
    let caller = app.organiser(&admin);
    let event = caller.make_event("A").await;
    let plain = caller.make(SESSIONS, json!({ "event": event, "language": "x" })).await;
    let client = app.client_token(false).await;
    let before = table(&app).await;
    provider.asked();
    *provider.failure.lock().unwrap() = Some((status, text));
    let floor = json!({ "event": event, "language": "Floor", "isFloor": true });
    let path = format!("{SESSIONS}{plain}/");
    for answer in [
        caller.post(SESSIONS, floor.clone()).await,
        caller.patch(&path, json!({ "archive": false, "isFloor": true })).await,
        caller.get(&format!("{path}archives/")).await,
        caller.get(&format!("/api/v2/events/{event}/archives/")).await,
        app.with_authorization(client).post_nothing("/api/v2/networktestsessions/").await,
    ] {
        let expected = r#"503 {"detail":"The media provider cannot be reached; try again."}"#;
        assert_eq!((answer.to_string().as_str(), answer.header("retry-after")), (expected, "1"));
        assert!(provider.asked().len() <= 5 * asked);
    }
    assert_eq!(table(&app).await, before);
    *provider.failure.lock().unwrap() = None;
    assert_eq!(caller.make(SESSIONS, floor).await, plain + 1);
}

#[tokio::test]
async fn nothing_is_stored_if_the_provider_cannot_be_reached() {
    let url = format!("http://{}", nobody().unwrap());
    let app = TestApp::with([(Setting::VideoProvider, "opentok"), (Setting::OpentokApiUrl, url.as_str())]).await;
    let admin = app.admin().await;
    let event = app.organiser(&admin).make_event("A").await;
    let before = table(&app).await;
    let answer = app.organiser(&admin).post(SESSIONS, json!({ "event": event, "language": "x" })).await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "1"));
    assert_eq!(table(&app).await, before);
}

#[tokio::test]
async fn archives_are_listed_newest_first_including_those_before_a_mode_change() {
    let provider = Provider::default();
    let (app, admin) = with_provider(&provider).await;
    let caller = app.organiser(&admin);
    let event = caller.make_event("A").await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let made = caller.post(SESSIONS, json!({ "event": event, "language": "x" })).await;
        ids.push(made.body["sessionId"].as_str().unwrap().to_owned());
    }
    for archive in [false, true] {
        let changed = caller.patch("/api/v2/sessions/1/", json!({ "archive": archive })).await;
        ids.push(changed.body["sessionId"].as_str().unwrap().to_owned());
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 4);
    // Each session lists its own archives newest first, as the provider does.
    let mut archives = Vec::new();
    for (index, id) in ids.iter().enumerate() {
        for turn in (0..3).rev() {
            let at = 1000 * turn + index;
            archives.push(json!({
                "id": format!("archive {at}"), "createdAt": at, "sessionId": id, "partnerId": 1, "projectId": "2",
                "password": "secret", "url": null,
            }));
        }
    }
    *provider.archives.lock().unwrap() = archives;
    let path = format!("/api/v2/events/{event}/archives/");
    let times = |answer: &Value| -> Vec<u64> {
        answer["results"].as_array().unwrap().iter().map(|item| item["createdAt"].as_u64().unwrap()).collect()
    };
    let all = caller.get(&path).await;
    let expected = [2003, 2002, 2001, 2000, 1003, 1002, 1001, 1000, 3, 2, 1, 0];
    assert_eq!((all.status.as_u16(), &all.body["count"], times(&all.body)), (200, &json!(12), expected.to_vec()));
    let keys: Vec<_> = all.body["results"][0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["createdAt", "id", "sessionId", "url"]);
    for offset in 0..4 {
        let page = caller.get(&format!("{path}?limit=5&offset={offset}")).await.body;
        let start = (offset * 5).min(12);
        assert_eq!(times(&page), expected[start..(start + 5).min(12)]);
        let link = |offset| json!(format!("http://greenroom.example{path}?limit=5{offset}"));
        let next = if offset < 2 { link(format!("&offset={}", offset + 1)) } else { Value::Null };
        assert_eq!((&page["next"], &page["count"]), (&next, &json!(12)));
    }
    assert_eq!(caller.get("/api/v2/sessions/1/archives/").await.body["count"], 9);
    let other = caller.get("/api/v2/sessions/2/archives?limit=2&offset=1").await.body;
    assert_eq!((&other["count"], other["results"].as_array().unwrap().len()), (&json!(3), 1));
    assert_eq!(other["next"], Value::Null);
    assert!(other["previous"].as_str().unwrap().ends_with("/api/v2/sessions/2/archives/?limit=2"));
    // Past the end the list is empty, even if the provider refuses the offset, and little is read.
    provider.asked();
    for (path, count) in [("/api/v2/sessions/1/archives/", 9), ("/api/v2/sessions/2/archives/", 3), (&*path, 12)] {
        for offset in ["99999999999", "18446744073709551615", "99999999999999999999999"] {
            let page = caller.get(&format!("{path}?offset={offset}")).await;
            let found = (page.status.as_u16(), &page.body["count"], &page.body["results"], &page.body["next"]);
            assert_eq!(found, (200, &json!(count), &json!([]), &Value::Null), "{path} {offset}: {page}");
            assert!(provider.asked().len() <= 4);
        }
    }
    // A deleted session no longer lists its archives.
    caller.delete("/api/v2/sessions/1/").await;
    assert_eq!(caller.get(&path).await.body["count"], 3);
}

#[tokio::test]
async fn each_network_test_gets_a_new_provider_session() {
    let provider = Provider::default();
    let (app, _) = with_provider(&provider).await;
    let client = app.client(false).await;
    let mut ids = Vec::new();
    let json = [("content-type", "application/json")];
    for path in ["networktestsessions/", "networktestsession/", "networktestsessions", "networktestsession"] {
        let path = format!("/api/v2/{path}");
        let answer = client.send("POST", &path, &json, Body::empty()).await;
        let keys: Vec<_> = answer.body.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!((answer.status.as_u16(), keys), (201, vec!["sessionId", "sessionToken"]));
        let token = t1(&answer.body["sessionToken"]);
        assert_eq!((&token["session_id"], &token["role"]), (&answer.body["sessionId"], &json!("publisher")));
        assert_eq!(token["expire_time"], "1700086400");
        assert!(token.get("connection_data").is_none());
        ids.push(answer.body["sessionId"].to_string());
        assert_eq!(app.anyone().post(&path, json!({})).await.status, 401);
        assert_eq!(client.get(&path).await.status, 405);
    }
    assert_eq!(provider.asked(), ["POST /session/create p2p.preference=disabled&archiveMode=manual"; 4]);
    ids.dedup();
    assert_eq!(ids.len(), 4);
}
