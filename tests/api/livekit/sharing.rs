//! Several rooms, several deployments and several requests at once.

use std::time::Duration;

use futures_util::future::join_all;
use rstest::rstest;
use serde_json::json;

use super::{
    server::{listed, removal},
    stage::{Came, FIRST, Guest, ROOM, SECOND, Stage, provided},
};
use crate::{media_provider::SESSIONS, opentok_webhook::stored, support::TestApp};

/// A second deployment at the server of the first: the same numbers of events and sessions, and other rooms.
async fn beside(stage: &Stage) -> (Stage, Guest) {
    let app = TestApp::with(provided(&stage.server)).await;
    let event = app.event_to_join(json!({}), "participant").await;
    let admin = app.account("operator", greenroom_core::model::user::Role::Admin, None).await;
    let other = Stage { server: stage.server.clone(), app, admin, event };
    let guest = other.guest().await;
    other.app.wait(Duration::from_secs(100));
    (other, guest)
}

#[tokio::test]
async fn two_deployments_at_one_server_leave_each_other_alone() {
    let (stage, guest) = Stage::connected().await;
    let (other, theirs) = beside(&stage).await;
    assert_eq!((guest.event, guest.session), (theirs.event, theirs.session));
    assert_ne!(guest.room, theirs.room);
    stage.server.has(&theirs.room, ROOM, [theirs.listed(FIRST, "ACTIVE", &[])]);
    // The server sends its webhooks to both.
    for app in [&stage.app, &other.app] {
        app.hear(&theirs.of_room("room_started", 10_000)).await;
        app.hear(&theirs.joined(FIRST)).await;
        app.hear(&guest.joined(FIRST)).await;
    }
    let before = (stored(&stage.app).await, stored(&other.app).await);
    for app in [&stage.app, &other.app] {
        app.keep_house().await;
    }
    assert_eq!((stored(&stage.app).await, stored(&other.app).await), before);
    assert!(stage.server.told().is_empty());
    assert_eq!(stage.names(&guest).await, [&*guest.name]);
    assert_eq!(other.names(&theirs).await, [&*theirs.name]);
    // What one of them deletes and holds is nothing to the other.
    assert_eq!(stage.app.organiser(&stage.admin).delete("/api/v2/sessions/1/").await.status, 204);
    assert_eq!(other.kick(&theirs).await.status, 200);
    stage.server.told();
    stage.server.has(&guest.room, "RM_again", [guest.listed(SECOND, "ACTIVE", &[])]);
    stage.server.has(&theirs.room, "RM_again", [theirs.listed(SECOND, "ACTIVE", &[])]);
    other.app.hear(&guest.joined(SECOND)).await;
    stage.app.hear(&theirs.joined(SECOND)).await;
    assert!(stage.server.told().is_empty());
    stage.app.keep_house().await;
    assert_eq!(stage.server.told(), [format!("DeleteRoom {}", guest.room)]);
    other.app.keep_house().await;
    assert_eq!(stage.server.told(), [removal(&theirs.room, &theirs.name)]);
}

#[tokio::test]
async fn who_is_in_the_former_room_of_a_session_is_still_known() {
    let (stage, guest) = Stage::connected().await;
    let path = format!("{SESSIONS}1/");
    let moved = stage.app.organiser(&stage.admin).patch(&path, json!({ "archive": false })).await;
    assert_ne!(moved.body["sessionId"], guest.room);
    stage.app.hear(&guest.track("track_published", FIRST, 50_000, "TR_one")).await;
    assert_eq!(stage.entry(&guest).await["publishing"], "2023-11-14T22:14:10Z");
    stage.app.hear(&guest.left(FIRST, 60_000, "CONNECTION_TIMEOUT")).await;
    assert_eq!(stage.ended(&guest).await["reason"], "lost");
    stage.app.keep_house().await;
    assert_eq!(stage.entry(&guest).await["state"], "connected");
    stage.server.asked();
    assert_eq!(stage.kick(&guest).await.status, 200);
    assert_eq!(stage.server.asked(), [removal(&guest.room, &guest.name)]);
    stage.app.hear(&guest.joined(SECOND)).await;
    assert_eq!(stage.server.asked(), [removal(&guest.room, &guest.name)]);
    // With the same name nobody has a place in the new room.
    let room = moved.body["sessionId"].as_str().unwrap().to_owned();
    let elsewhere = Guest { room, ..guest.clone() };
    stage.app.hear(&elsewhere.joined(Came("PA_elsewhere", 70_000))).await;
    assert_eq!(stage.server.asked(), [removal(&elsewhere.room, &guest.name)]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn whoever_joins_while_they_are_terminated_is_out_in_the_end(#[values(false, true)] by_list: bool) {
    let (stage, guest) = Stage::joined().await;
    stage.server.has(
        &guest.room,
        ROOM,
        [guest.listed(FIRST, "ACTIVE", &[]), listed("bot", "PA_bot", "ACTIVE", 0, &[])],
    );
    let joins = (0..8).map(|number| {
        let (app, told) = (stage.app.clone(), guest.joined(Came("PA_first", 10_782)));
        tokio::spawn(
            async move { if by_list && number % 2 == 0 { app.keep_house().await } else { app.hear(&told).await } },
        )
    });
    let joins: Vec<_> = joins.collect();
    assert_eq!(stage.kick(&guest).await.status, 200);
    for join in join_all(joins).await {
        join.unwrap();
    }
    assert!(stage.names(&guest).await.is_empty());
    let reason = stage.ended(&guest).await["reason"].clone();
    assert_eq!(reason, "terminated");
    stage.app.wait(Duration::from_secs(30));
    stage.app.keep_house().await;
    assert_eq!(stage.server.people(&guest.room).unwrap(), ["bot"]);
    assert_eq!(stage.app.jobs().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_joining_that_is_told_eight_times_at_once_is_one() {
    let (stage, guest) = Stage::joined().await;
    let told = guest.joined(FIRST);
    let hears = (0..8).map(|_| {
        let (app, told) = (stage.app.clone(), told.clone());
        tokio::spawn(async move { app.hear(&told).await })
    });
    for heard in join_all(hears.collect::<Vec<_>>()).await {
        heard.unwrap();
    }
    assert_eq!(stage.entry(&guest).await["since"], "2023-11-14T22:13:30.782Z");
    stage.app.hear(&guest.left(FIRST, 50_000, "CLIENT_INITIATED")).await;
    assert_eq!(stage.ended(&guest).await["duration"], 39);
}

#[tokio::test]
async fn joining_takes_as_many_requests_to_the_table_as_with_opentok() {
    let requests = async |app: &TestApp| {
        app.store.prime().await.unwrap();
        let client = app.client(false).await;
        let mut used = Vec::new();
        for _ in 0..2 {
            let answer = client.post(crate::joining::JOIN, json!({ "loginToken": "the token" })).await;
            assert_eq!(answer.status, 201, "{answer}");
            used.push(answer.reported.usage.requests);
        }
        used
    };
    let opentok = TestApp::new().await;
    opentok.event_to_join(json!({}), "moderator").await;
    let livekit = Stage::of("moderator").await;
    assert_eq!(requests(&livekit.app).await, requests(&opentok).await);
    assert!(livekit.server.asked().is_empty());
}

#[tokio::test]
async fn a_room_that_cannot_be_read_holds_up_no_other() {
    let stage = Stage::of("moderator").await;
    let guests = stage.guests().await;
    stage.app.wait(Duration::from_secs(100));
    for guest in &guests {
        stage.app.hear(&guest.joined(FIRST)).await;
        stage.server.has(&guest.room, ROOM, [json!("no participant")]);
    }
    stage.server.has(&guests[1].room, ROOM, []);
    stage.app.keep_house().await;
    assert_eq!(stage.entry(&guests[0]).await["state"], "connected");
    assert_eq!(stage.ended(&guests[1]).await["reason"], "lost");
}
