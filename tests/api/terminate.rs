//! Terminating is done once, whole, and against everybody who would undo it.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures_util::future::join_all;
use serde_json::json;

use crate::{
    delivery::{Failure, MediaServer, with_server},
    meddler::Meddler,
    races::{count, race},
    stream_sessions::{sessions, viewer},
    support::TestApp,
};

const URL: &str = "ws://live.example:3333/app/stream?session=one";

/// The paths of a connection of each kind.
async fn three_kinds(app: &TestApp) -> [String; 3] {
    let event = app.event_to_join(json!({}), "moderator").await;
    let (name, session) = app.join_event().await;
    let media = app.open_session().await;
    let connection = app.issue(&media).await;
    app.webhook(&viewer("opening", 1, 0, URL)).await;
    [
        format!("{}/{name}", sessions(event, session)),
        format!("{}/{connection}", sessions("openvidu", media)),
        format!("{}/one", sessions("app", "stream")),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn of_eight_who_terminate_at_once_one_does() {
    let app = TestApp::new().await;
    for path in three_kinds(&app).await {
        let answers = race(8, || {
            let (app, path) = (app.clone(), path.clone());
            async move { app.operator().delete(&path).await }
        });
        let answers = answers.await;
        assert_eq!((count(&answers, 200), count(&answers, 404)), (1, 7), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_opening_that_races_with_terminating_leaves_the_viewer_in_the_list() {
    let app = TestApp::new().await;
    app.webhook(&viewer("opening", 1, 0, URL)).await;
    let openings = (1..=8).map(|second| {
        let app = app.clone();
        tokio::spawn(async move { app.webhook(&viewer("opening", 1, second, URL)).await.status })
    });
    let openings: Vec<_> = openings.collect();
    let terminated = app.operator().delete(&format!("{}/one", sessions("app", "stream"))).await;
    assert_eq!(terminated.status, 200);
    for status in join_all(openings).await {
        assert_eq!(status.unwrap(), 200);
    }
    assert!(app.live_names("app", "stream").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_eight_clients_with_one_name_one_is_let_in() {
    let app = TestApp::new().await;
    let openings = (1..=8).map(|port| {
        let app = app.clone();
        tokio::spawn(async move { app.webhook(&viewer("opening", port, 0, URL)).await.body["allowed"] == true })
    });
    let allowed = join_all(openings).await.into_iter().filter(|allowed| *allowed.as_ref().unwrap()).count();
    assert_eq!(allowed, 1);
    assert_eq!(app.live_names("app", "stream").await, ["one"]);
}

#[tokio::test]
async fn a_media_server_that_holds_the_session_is_told_at_once_or_later() {
    let server = MediaServer::failing([Failure::Status(500)]);
    let app = with_server(&server).await;
    let path = format!("{}/one", sessions("app", "stream"));
    app.webhook(&viewer("opening", 1, 0, URL)).await;
    assert_eq!(app.operator().delete(&path).await.status, 200);
    assert_eq!((server.asked(), app.outbox().await), (1, 1));
    app.wait(Duration::from_secs(2));
    app.deliver_due().await;
    assert_eq!((server.asked(), app.outbox().await), (2, 0));
    // A token of ours is held by no such server.
    let media = app.open_session().await;
    let connection = app.issue(&media).await;
    assert_eq!(app.operator().delete(&format!("{}/{connection}", sessions("openvidu", media))).await.status, 200);
    assert_eq!((server.asked(), app.outbox().await), (2, 0));
}

#[tokio::test]
async fn a_late_errand_leaves_whoever_came_since() {
    let server = MediaServer::failing([Failure::Status(500)]);
    let app = with_server(&server).await;
    app.webhook(&viewer("opening", 1, 0, URL)).await;
    assert_eq!(app.operator().delete(&format!("{}/one", sessions("app", "stream"))).await.status, 200);
    assert_eq!((server.asked(), app.outbox().await), (1, 1));
    app.wait(Duration::from_mins(1));
    assert_eq!(app.webhook(&viewer("opening", 2, 60, URL)).await.body["allowed"], true);
    app.deliver_due().await;
    assert_eq!((server.asked(), app.outbox().await), (1, 0));
    assert_eq!(app.live_names("app", "stream").await, ["one"]);
}

/// Loses the answer to the first transaction.
#[derive(Debug, Default)]
struct LosesOne(AtomicBool);

impl Meddler for LosesOne {
    async fn before(&self, _: &str) {}

    fn loses_answer(&self, operation: &str) -> bool {
        operation == "TransactWriteItems" && !self.0.swap(true, Ordering::SeqCst)
    }
}

#[tokio::test]
async fn a_lost_answer_does_not_make_terminating_fail() {
    let app = TestApp::new().await;
    for path in three_kinds(&app).await {
        let lossy = app.clone().with_meddler(LosesOne::default());
        assert_eq!(lossy.operator().delete(&path).await.status, 200, "{path}");
        assert_eq!(app.operator().delete(&path).await.status, 404);
    }
}

#[tokio::test]
async fn what_is_terminated_does_not_count_for_the_session_any_more() {
    let app = TestApp::new().await;
    let media = app.open_session().await;
    let connection = app.issue(&media).await;
    let path = format!("{}/{connection}", sessions("openvidu", &media));
    assert_eq!(app.operator().delete(&path).await.status, 200);
    // An admission under its name is refused too.
    let url = format!("ws://live.example:3333/openvidu/{media}?session={connection}");
    assert_eq!(app.webhook(&viewer("opening", 1, 0, &url)).await.body["allowed"], false);
    app.wait(Duration::from_hours(1));
    assert_eq!(app.backend().get(&format!("/api/sessions/{media}")).await.status, 404);
    assert_eq!(app.operator().get(&sessions("openvidu", &media)).await.status, 404);
}
