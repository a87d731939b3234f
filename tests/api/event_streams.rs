//! `/api/sse`: how long a stream lives, and how much it costs.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use greenroom_core::clock::Timestamp;
use greenroom_http::Deadline;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    time::timeout,
};

use crate::{
    counted::Counted,
    listener::{KEEP_ALIVE, POLL, pass},
    meddler::Meddler,
    message_events::alice_and_bob,
    participants::PASSWORD,
    support::{NOW, TestApp, basic},
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
        pass(POLL).await;
        assert_eq!(listener.chunk().await, None, "{name}");
    }
}

#[tokio::test]
async fn a_stream_ends_before_the_deadline_of_its_process() {
    let app = alice_and_bob().await;
    let bob = app.as_participant("bob");
    let deadline = Deadline(Timestamp::from_millis(NOW) + Duration::from_mins(1));
    let mut listener = bob.listen_with(&[], Some(deadline)).await.unwrap();
    listener.chunk().await;
    assert!(!listener.ends_within(Duration::from_secs(45)).await);
    assert!(listener.ends_within(Duration::from_secs(5)).await);
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
    let app = alice_and_bob().await.with_meddler(outage.clone());
    let mut bob = app.as_participant("bob").listen().await;
    bob.is_quiet().await;
    app.send_all("alice", "bob", ["Hi"]).await;
    outage.0.store(true, Ordering::SeqCst);
    // With paused time, a wait takes no time once every task waits.
    tokio::time::pause();
    assert!(bob.chunk().await.unwrap().starts_with(": "));
    tokio::time::resume();
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
    pass(KEEP_ALIVE).await;
    assert_eq!(count(), 0, "nobody reads");
    bob.chunk().await;
    assert_eq!(count(), 1, "a poll finds nothing");
    drop(bob);
    pass(KEEP_ALIVE).await;
    assert_eq!(count(), 0, "nobody is there");
}
