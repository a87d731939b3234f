//! The ledger of live connections, as users see it.

use std::{collections::BTreeSet, time::Duration};

use greenroom_core::{config::Setting, model::user::Role};
use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    stream_sessions::{sessions, viewer},
    support::{Caller, TestApp},
};

const LIVE: &str = "/api/live/";

/// All entries of a list, read page by page, and the number of pages.
async fn all(caller: &Caller<'_>, query: &str) -> (Vec<Value>, usize) {
    let (mut entries, mut pages, mut next) = (Vec::new(), 0, Some(format!("{LIVE}?{query}")));
    while let Some(path) = next {
        let answer = caller.get(&path).await;
        assert_eq!(answer.status, 200, "{answer}");
        entries.extend(answer.body["results"].as_array().unwrap().clone());
        next = answer.body["next"].as_str().map(|url| url.split_once("greenroom.example").unwrap().1.to_owned());
        pages += 1;
    }
    (entries, pages)
}

fn names(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_entry_shows_the_viewer_the_stream_and_how_the_connection_ended() {
    let app = TestApp::with([(Setting::StreamsKeepViewers, "true")]).await;
    let admin = app.admin().await;
    app.webhook(&viewer("opening", 1, 0, "ws://live.example:3333/app/stream?session=one")).await;
    app.wait(Duration::from_secs(61));
    let caller = app.organiser(&admin);
    let (mut entries, _) = all(&caller, "app=app").await;
    let id = entries[0]["id"].take();
    assert_eq!(
        entries,
        [json!({
            "id": null, "vhost": "default", "app": "app", "stream": "stream", "name": "one", "event": null,
            "role": "subscriber", "state": "connected", "loginToken": null, "data": null, "address": "192.0.2.1",
            "port": 1, "since": "2023-11-14T22:13:20Z", "duration": 61,
            "endedAt": null, "reason": null, "endedBy": null, "publishing": null, "provider": null,
        })]
    );
    let path = format!("{LIVE}{}/terminate/", id.as_str().unwrap());
    let ended = caller.post(&path, json!({ "holdFor": 5.0 })).await;
    let outcome = ["state", "duration", "endedAt", "reason"].map(|key| ended.body[key].clone());
    assert_eq!(outcome, [json!("ended"), json!(61), json!("2023-11-14T22:14:21Z"), json!("terminated")]);
    assert_eq!(ended.body["endedBy"], json!({ "kind": "user", "user": admin.id }));
    assert_eq!(caller.post_nothing(&path).await.to_string(), r#"404 {"detail":"Not found."}"#);
    assert!(all(&caller, "").await.0.is_empty());
    assert_eq!(all(&caller, "state=ended").await.0, [ended.body]);
    // The name is held for the requested time.
    let again = viewer("opening", 1, 70, "ws://live.example:3333/app/stream?session=one");
    app.wait(Duration::from_secs(4));
    assert_eq!(app.webhook(&again).await.body["allowed"], false);
    app.wait(Duration::from_secs(1));
    assert_eq!(app.webhook(&again).await.body["allowed"], true);
}

#[rstest]
#[case(json!({ "holdFor": -1 }))]
#[case(json!({ "holdFor": "5" }))]
#[case(json!({ "holdFor": 1.5 }))]
#[case(json!({ "holdFor": 2_592_001 }))]
#[tokio::test]
async fn a_hold_must_be_a_whole_number_of_seconds(#[case] body: Value) {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    app.webhook(&viewer("opening", 1, 0, "ws://live.example:3333/app/stream?session=one")).await;
    let caller = app.organiser(&admin);
    let id = all(&caller, "").await.0[0]["id"].as_str().unwrap().to_owned();
    let answer = caller.post(&format!("{LIVE}{id}/terminate/"), body).await;
    let text = r#"400 {"holdFor":["Enter a whole number of seconds, from 0 to 2592000."]}"#;
    assert_eq!(answer.to_string(), text);
}

#[tokio::test]
async fn users_see_the_connections_of_the_events_that_they_see() {
    let app = TestApp::new().await;
    let event = app.event_to_join(json!({}), "moderator").await;
    let admin = app.account("another", Role::Admin, None).await;
    let partner = app.account("partner", Role::Partner, None).await;
    let other = app.account("other", Role::Partner, None).await;
    let manager = app.account("manager", Role::Manager, Some(partner.id)).await;
    let owner = json!({ "owner": partner.id, "managers": [manager.id] });
    assert_eq!(app.organiser(&admin).patch(&format!("/api/v2/events/{event}/"), owner).await.status, 200);
    let (name, _) = app.join_event().await;
    let media = app.open_session().await;
    let connection = app.issue(&media).await;
    app.webhook(&viewer("opening", 1, 0, "ws://live.example:3333/app/stream?session=one")).await;
    let everything = all(&app.organiser(&admin), "").await.0;
    assert_eq!(everything.len(), 4);
    for (query, name) in [("app=openvidu", &*connection), ("app=app&stream=stream", "one"), ("stream=1", &name)] {
        assert_eq!(names(&all(&app.organiser(&admin), query).await.0), [name], "{query}");
    }
    for caller in [app.organiser(&partner), app.organiser(&manager)] {
        assert_eq!(all(&caller, "").await.0, everything[..2]);
        for nothing in ["app=openvidu", "app=app", "vhost=edge", "event=7", "event=x", "stream=9", "state=ended"] {
            assert!(all(&caller, nothing).await.0.is_empty(), "{nothing}");
        }
    }
    assert!(all(&app.organiser(&other), "").await.0.is_empty());
    assert!(all(&app.organiser(&other), &format!("event={event}")).await.0.is_empty());
    let path = |entry: &Value| format!("{LIVE}{}/terminate/", entry["id"].as_str().unwrap());
    assert_eq!(app.organiser(&other).post_nothing(&path(&everything[0])).await.status, 404);
    assert_eq!(app.organiser(&manager).post_nothing(&path(&everything[2])).await.status, 404);
    assert_eq!(app.organiser(&manager).post_nothing(&path(&everything[0])).await.status, 200);
    for entry in &everything[1..] {
        assert_eq!(app.organiser(&admin).post_nothing(&path(entry)).await.status, 200);
    }
    assert!(all(&app.organiser(&admin), "").await.0.is_empty());
    assert_eq!(all(&app.organiser(&admin), "state=ended").await.0.len(), 4);
    for (caller, status) in [(app.anyone(), 401), (app.operator(), 401)] {
        assert_eq!(caller.get(LIVE).await.status, status);
        assert_eq!(caller.post_nothing(&path(&everything[0])).await.status, status);
        assert_eq!(caller.delete(LIVE).await.status, status);
    }
    assert_eq!(app.organiser(&admin).post_nothing(&format!("{LIVE}x/terminate/")).await.status, 404);
    assert_eq!(app.organiser(&admin).delete(LIVE).await.status, 405);
}

#[tokio::test]
async fn pages_continue_where_they_stopped_even_if_connections_end_meanwhile() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let caller = app.organiser(&admin);
    for port in 1..=70 {
        let url = format!("ws://live.example:3333/app/{}?session=v{port:02}", ["a", "b"][usize::from(port % 2)]);
        app.webhook(&viewer("opening", port, 0, &url)).await;
    }
    for limit in [1, 7, 70, 1000] {
        let (entries, pages) = all(&caller, &format!("app=app&limit={limit}")).await;
        assert_eq!(entries.iter().map(|entry| entry["id"].to_string()).collect::<BTreeSet<_>>().len(), 70);
        assert_eq!(entries.len(), 70);
        assert!(pages >= 70 / limit);
        let order: Vec<_> =
            entries.iter().map(|entry| (entry["stream"].to_string(), entry["name"].to_string())).collect();
        assert!(order.is_sorted());
    }
    let first = caller.get(&format!("{LIVE}?app=app&limit=20")).await.body;
    for entry in first["results"].as_array().unwrap() {
        app.wait(Duration::from_secs(1));
        let path =
            format!("{}/{}", sessions("app", entry["stream"].as_str().unwrap()), entry["name"].as_str().unwrap());
        assert_eq!(app.operator().delete(&path).await.status, 200);
    }
    let next = first["next"].as_str().unwrap().split_once("greenroom.example").unwrap().1;
    let (rest, _) = all(&caller, next.split_once('?').unwrap().1).await;
    assert_eq!(rest.len(), 50);
    // The newest entry comes first.
    let mut terminated: Vec<_> =
        first["results"].as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect();
    terminated.reverse();
    for limit in [3, 20, 100] {
        assert_eq!(names(&all(&caller, &format!("state=ended&limit={limit}")).await.0), terminated);
    }
}

#[tokio::test]
async fn the_ledger_distinguishes_expiry_from_a_closed_session() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let caller = app.organiser(&admin);
    app.webhook(&viewer("opening", 1, 0, "ws://live.example:3333/app/stream?session=one")).await;
    let media = app.open_session().await;
    app.issue(&media).await;
    let disconnected = app.issue(&media).await;
    let path = format!("/api/sessions/{media}");
    assert_eq!(app.backend().delete(&format!("{path}/connection/{disconnected}")).await.status, 204);
    assert_eq!(app.backend().delete(&path).await.status, 204);
    app.wait(Duration::from_hours(24));
    let ends = async |name: &str| -> BTreeSet<String> {
        let entries = all(&caller, &format!("state=ended&app={name}")).await.0;
        let end = |entry: &Value| {
            let [reason, kind] = [&entry["reason"], &entry["endedBy"]["kind"]].map(|text| text.as_str().unwrap());
            format!("{reason} by {kind}")
        };
        entries.iter().map(end).collect()
    };
    assert_eq!(ends("app").await, BTreeSet::from(["expired by expiry".to_owned()]));
    let of_media = ["disconnected by backend", "sessionClosed by backend"].map(str::to_owned);
    assert_eq!(ends("openvidu").await, BTreeSet::from(of_media));
}
