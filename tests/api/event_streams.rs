//! `/api/sse`: how long a stream lives, and how much it costs.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use aws_sdk_dynamodb::config::retry::RetryConfig;
use greenroom_core::{clock::Timestamp, config::Timing};
use greenroom_http::Deadline;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    time::{sleep, timeout},
};

use crate::{
    counted::Counted,
    meddler::Meddler,
    message_events::alice_and_bob,
    participants::PASSWORD,
    support::{KEEP_ALIVE, NOW, POLL, TestApp, basic},
};

#[tokio::test]
async fn a_stream_ends_before_sending_anything_more_once_its_account_is_blocked_or_changed() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    app.participant("zoe").await;
    for (name, path, body) in [
        ("alice", "block", Value::Null),
        ("bob", "password_set", json!({"newPw": "another password"})),
        ("carol", "", Value::Null),
        ("dave", "", json!({"username": "david"})),
    ] {
        let id = app.participant(name).await;
        let mut listener = app.as_participant(name).listen().await;
        listener.is_quiet().await;
        app.send_all("zoe", name, ["untold"]).await;
        let (caller, user) = (app.organiser(&admin), format!("/api/v2/users/{id}/"));
        let answer = match (path, body) {
            ("", Value::Null) => caller.delete(&user).await,
            ("", body) => caller.patch(&user, body).await,
            (path, body) => caller.post(&format!("{user}{path}/"), body).await,
        };
        assert!(answer.status.is_success(), "{answer}");
        assert_eq!(listener.chunk().await, None, "{name}");
    }
}

#[tokio::test]
async fn a_stream_ends_before_the_deadline_of_its_process() {
    let app = alice_and_bob().await;
    let bob = app.as_participant("bob");
    // A stream ends 10 seconds before the deadline, so that its client can connect again.
    for (deadline, ends) in [(Duration::from_secs(10), true), (Duration::from_mins(30), false)] {
        let deadline = Deadline(Timestamp::from_millis(NOW) + deadline);
        let mut listener = bob.listen_with(&[], Some(deadline)).await.unwrap();
        assert!(listener.chunk().await.is_some());
        assert_eq!(listener.chunk().await.is_none(), ends);
    }
    let soon = Deadline(Timestamp::from_millis(NOW) + Duration::from_millis(10_300));
    let mut listener = bob.listen_with(&[], Some(soon)).await.unwrap();
    while listener.chunk().await.is_some() {}
}

/// Loses the answers to batch reads while the table is said to be down.
#[derive(Clone, Debug, Default)]
struct Outage(Arc<AtomicBool>);

impl Meddler for Outage {
    async fn before(&self, _: &str) {}

    fn loses_answer(&self, operation: &str) -> bool {
        operation == "BatchGetItem" && self.0.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn a_stream_outlives_a_table_that_cannot_be_read() {
    let outage = Outage::default();
    let app = alice_and_bob().await;
    let config = app.client.config().to_builder().retry_config(RetryConfig::disabled()).build();
    let app = app.with_client(config).with_meddler(outage.clone());
    let mut bob = app.as_participant("bob").listen().await;
    bob.is_quiet().await;
    app.send_all("alice", "bob", ["Hi"]).await;
    outage.0.store(true, Ordering::SeqCst);
    assert!(bob.chunk().await.unwrap().starts_with(": "));
    outage.0.store(false, Ordering::SeqCst);
    assert_eq!(bob.event().await.data["body"], "Hi");
}

#[tokio::test]
async fn a_client_that_is_gone_is_noticed() {
    let app = alice_and_bob().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = axum::serve(listener, app.service.clone()).with_graceful_shutdown(async { stopped.await.unwrap() });
    let server = tokio::spawn(server.into_future());
    let authorization = basic(&format!("bob@localhost:{PASSWORD}"));
    let request = format!("GET /api/sse HTTP/1.1\r\nhost: x\r\nauthorization: {authorization}\r\n\r\n");
    client.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !String::from_utf8_lossy(&answer).contains("retry: ") {
        assert_ne!(client.read_buf(&mut answer).await.unwrap(), 0);
    }
    drop(client);
    stop.send(()).unwrap();
    // The server waits for open requests, and the stream has no end of its own.
    timeout(Duration::from_secs(30), server).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_stream_polls_every_half_second_and_stops_when_nobody_reads() {
    const MISSED: u32 = 20;
    assert_eq!(Timing::default().poll, Duration::from_millis(500));
    let Counted { app, requests } = Counted::over(alice_and_bob().await).await;
    let count = || requests.swap(0, Ordering::SeqCst);
    app.as_participant("bob").get("/api/messages").await;
    count();
    let mut bob = app.as_participant("bob").listen().await;
    assert_eq!(count(), 3, "a stream is opened");
    bob.chunk().await;
    app.send_all("alice", "bob", ["Hi"]).await;
    count();
    bob.event().await;
    assert_eq!(count(), 2, "a poll finds a message");
    sleep(MISSED * POLL).await;
    assert_eq!(count(), 0, "nobody reads");
    bob.chunk().await;
    assert!((1..MISSED).contains(&u32::try_from(count()).unwrap()), "missed polls are not made up for");
    drop(bob);
    sleep(KEEP_ALIVE).await;
    assert_eq!(count(), 0, "nobody is there");
}
