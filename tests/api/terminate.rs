//! A termination happens once and completely, and no concurrent request can undo it.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures_util::future::join_all;
use greenroom_core::config::Setting;
use rstest::rstest;
use serde_json::json;

use crate::{
    delivery::{Failure, MediaServer, with_server},
    meddler::Meddler,
    publishers::publish,
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
async fn one_of_eight_concurrent_terminations_succeeds() {
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
async fn an_opening_concurrent_with_termination_does_not_bring_the_viewer_back() {
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
async fn one_of_eight_concurrent_clients_with_the_same_name_is_admitted() {
    let app = TestApp::new().await;
    let openings = (1..=8).map(|port| {
        let app = app.clone();
        let mut opening = viewer("opening", 1, 0, URL);
        opening["client"]["address"] = json!(format!("192.0.2.{port}"));
        tokio::spawn(async move { app.webhook(&opening).await.body["allowed"] == true })
    });
    let allowed = join_all(openings).await.into_iter().filter(|allowed| *allowed.as_ref().unwrap()).count();
    assert_eq!(allowed, 1);
    assert_eq!(app.live_names("app", "stream").await, ["one"]);
}

#[tokio::test]
async fn a_termination_is_sent_to_the_media_server_at_once_or_retried_later() {
    let server = MediaServer::failing([Failure::Status(500)]);
    let app = with_server(&server).await;
    let path = format!("{}/one", sessions("app", "stream"));
    app.webhook(&viewer("opening", 1, 0, URL)).await;
    let accepted = app.operator().delete(&path).await;
    assert_eq!((accepted.status.as_u16(), &accepted.body["message"]), (202, &json!("Accepted")));
    assert_eq!((server.asked(), app.jobs().await), (1, 1));
    assert_eq!(app.live_names("app", "stream").await, ["one"]);
    app.wait(Duration::from_secs(2));
    app.deliver_due().await;
    assert_eq!((server.asked(), app.jobs().await), (2, 0));
    assert!(app.live_names("app", "stream").await.is_empty());
    assert_eq!(app.operator().delete(&path).await.status, 404);
    // No such server holds a token of this service.
    let media = app.open_session().await;
    let connection = app.issue(&media).await;
    assert_eq!(app.operator().delete(&format!("{}/{connection}", sessions("openvidu", media))).await.status, 200);
    assert_eq!((server.asked(), app.jobs().await), (2, 0));
}

#[tokio::test]
async fn a_late_outbox_message_does_not_end_a_viewer_who_came_since() {
    let server = MediaServer::failing([Failure::Status(500)]);
    let app = with_server(&server).await.again_with([(Setting::StreamsKeepViewers, "true")]);
    app.webhook(&viewer("opening", 1, 0, URL)).await;
    assert_eq!(app.operator().delete(&format!("{}/one", sessions("app", "stream"))).await.status, 202);
    assert_eq!((server.asked(), app.jobs().await), (1, 1));
    app.wait(Duration::from_mins(1));
    assert_eq!(app.webhook(&viewer("opening", 2, 60, URL)).await.body["allowed"], true);
    app.deliver_due().await;
    assert_eq!((server.asked(), app.jobs().await), (1, 0));
    assert_eq!(app.live_names("app", "stream").await, ["one"]);
}

/// Terminates a viewer with this protocol twice as an operator and once as an organiser. The media server answers each
/// deletion with this failure. Returns the three statuses and the viewers listed afterwards.
async fn terminated_three_times(protocol: &str, lifetime: &'static str, failure: Failure) -> (Vec<u16>, Vec<String>) {
    let server = MediaServer::failing([failure; 3]);
    let app = with_server(&server).await;
    let settings = [(Setting::StreamsKeepViewers, "true"), (Setting::StreamsLifetime, lifetime)];
    let app = app.again_with(settings);
    let admin = app.admin().await;
    let mut opening = viewer("opening", 1, 0, URL);
    opening["request"]["protocol"] = json!(protocol);
    assert_eq!(app.webhook(&opening).await.body["allowed"], true);
    let id = app.entry(&admin, "app=app").await["id"].as_str().unwrap().to_owned();
    let mut statuses = Vec::new();
    for _ in 0..2 {
        statuses.push(app.operator().delete(&format!("{}/one", sessions("app", "stream"))).await.status.as_u16());
    }
    let ended = app.organiser(&admin).post_nothing(&format!("/api/live/{id}/terminate/")).await;
    statuses.push(ended.status.as_u16());
    // In every case the name is refused afterwards, and so is a viewer from that address without a name.
    assert_eq!(app.webhook(&viewer("opening", 2, 5, URL)).await.body["allowed"], false);
    let nameless = "ws://live.example:3333/app/stream";
    assert_eq!(app.webhook(&viewer("opening", 2, 5, nameless)).await.body["allowed"], false);
    assert_eq!(app.webhook(&viewer("opening", 2, 5, &nameless.replace("stream", "other"))).await.body["allowed"], true);
    (statuses, app.live_names("app", "stream").await)
}

#[rstest]
#[case::enterprise("WebRTC", "", Failure::Status(200), &[200, 404, 404], 0)]
#[case::no_such_session_at_the_media_server("WebRTC", "60", Failure::NoSession, &[200, 404, 404], 0)]
#[case::open_source_with_a_lifetime("WebRTC", "60", Failure::NoController, &[202, 202, 202], 1)]
#[case::open_source_without_a_lifetime("WebRTC", "", Failure::NoController, &[501, 501, 409], 1)]
#[case::open_source_and_a_playlist("LLHLS", "60", Failure::NoController, &[501, 501, 409], 1)]
#[case::unavailable("WebRTC", "", Failure::Status(503), &[202, 202, 202], 1)]
#[tokio::test]
async fn the_answer_to_a_termination_depends_on_what_the_media_server_supports(
    #[case] protocol: &str,
    #[case] lifetime: &'static str,
    #[case] failure: Failure,
    #[case] statuses: &[u16],
    #[case] listed: usize,
) {
    let (answered, left) = terminated_three_times(protocol, lifetime, failure).await;
    assert_eq!((&*answered, left.len()), (statuses, listed));
}

#[tokio::test]
async fn a_viewer_who_cannot_be_disconnected_ends_with_their_lifetime() {
    let server = MediaServer::failing([Failure::NoController; 2]);
    let app = with_server(&server).await.again_with([(Setting::StreamsLifetime, "60")]);
    let admin = app.admin().await;
    publish(&app, "opening", 0).await;
    assert_eq!(
        app.webhook(&viewer("opening", 1, 0, URL)).await.to_string(),
        r#"200 {"allowed":true,"lifetime":60000}"#
    );
    let path = format!("{}/one", sessions("app", "stream"));
    let accepted = app.operator().delete(&path).await;
    assert_eq!(
        accepted.to_string(),
        r#"202 {"message":"Accepted","response":"The session ends by 2023-11-14T22:14:50Z","statusCode":202}"#
    );
    assert_eq!(app.entry(&admin, "state=ending").await["name"], "one");
    app.wait(Duration::from_secs(89));
    assert_eq!(app.webhook(&viewer("opening", 1, 70, URL)).await.body["reason"], "The session was terminated");
    assert_eq!(app.live_names("app", "stream").await, ["one"]);
    app.wait(Duration::from_secs(1));
    assert!(app.live_names("app", "stream").await.is_empty());
    let ended = app.entry(&admin, "state=ended").await;
    assert_eq!(
        (&ended["reason"], &ended["endedBy"]),
        (&json!("terminated"), &json!({"kind": "operator", "user": null}))
    );
    assert_eq!(app.webhook(&viewer("opening", 1, 91, URL)).await.body["allowed"], true);
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
async fn a_termination_succeeds_even_if_an_answer_is_lost() {
    let app = TestApp::new().await;
    for path in three_kinds(&app).await {
        let lossy = app.clone().with_meddler(LosesOne::default());
        assert_eq!(lossy.operator().delete(&path).await.status, 200, "{path}");
        assert_eq!(app.operator().delete(&path).await.status, 404);
    }
}

#[tokio::test]
async fn a_terminated_connection_no_longer_keeps_its_session_open() {
    let app = TestApp::new().await;
    let media = app.open_session().await;
    let connection = app.issue(&media).await;
    let path = format!("{}/{connection}", sessions("openvidu", &media));
    assert_eq!(app.operator().delete(&path).await.status, 200);
    // An admission with its name is refused too.
    let url = format!("ws://live.example:3333/openvidu/{media}?session={connection}");
    assert_eq!(app.webhook(&viewer("opening", 1, 0, &url)).await.body["allowed"], false);
    app.wait(Duration::from_hours(1));
    assert_eq!(app.backend().get(&format!("/api/sessions/{media}")).await.status, 404);
    assert_eq!(app.operator().get(&sessions("openvidu", &media)).await.status, 404);
}
