//! Media servers that close the connection as soon as they have sent their request.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    extract::Request,
    middleware::{Next, from_fn},
};
use serde_json::{Value, json};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    sync::{Notify, Semaphore},
    time::timeout,
};

use crate::{
    meddler::Meddler,
    opentok_webhook::MONITOR,
    stream_sessions::{sessions, signature, viewer},
    support::{CALLBACK_SECRET, TestApp},
};

/// Holds back every request to the table until the gate is open.
#[derive(Clone, Debug)]
struct Gate(Arc<Semaphore>);

impl Meddler for Gate {
    async fn before(&self, _: &str) {
        self.0.acquire().await.unwrap().forget();
    }

    fn loses_answer(&self, _: &str) -> bool {
        false
    }
}

/// How many requests have begun, and how many are over, answered or abandoned.
#[derive(Debug, Default)]
struct Seen {
    begun: AtomicUsize,
    over: AtomicUsize,
    changed: Notify,
}

impl Seen {
    /// Waits until the counter has this value.
    async fn reaches(&self, which: fn(&Self) -> &AtomicUsize, many: usize) {
        let reached = async {
            while which(self).load(Ordering::SeqCst) < many {
                self.changed.notified().await;
            }
        };
        let reached = timeout(Duration::from_secs(20), reached).await;
        assert!(reached.is_ok(), "{many} of {self:?}");
    }
}

/// A request, until it is answered or abandoned.
struct Open(Arc<Seen>);

impl Open {
    fn new(seen: &Arc<Seen>) -> Self {
        seen.begun.fetch_add(1, Ordering::SeqCst);
        seen.changed.notify_one();
        Self(seen.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.over.fetch_add(1, Ordering::SeqCst);
        self.0.changed.notify_one();
    }
}

/// Sends these requests to an instance while its table does not answer. Each connection is closed as soon as its
/// request has arrived. The table answers once the server has abandoned all of them.
async fn send_and_hang_up(app: &TestApp, requests: &[String]) {
    let gate = Gate(Arc::new(Semaphore::new(0)));
    let slow = app.clone().with_meddler(gate.clone());
    let seen = Arc::new(Seen::default());
    let noted = seen.clone();
    let service = slow.service.clone().layer(from_fn(move |request: Request, next: Next| {
        let open = Open::new(&noted);
        async move {
            let _open = open;
            next.run(request).await
        }
    }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, service).await });
    let mut streams = Vec::new();
    for request in requests {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        streams.push(stream);
    }
    seen.reaches(|seen| &seen.begun, requests.len()).await;
    drop(streams);
    seen.reaches(|seen| &seen.over, requests.len()).await;
    gate.0.add_permits(Semaphore::MAX_PERMITS);
    let mut done = pin!(slow.shared.tasks.done());
    timeout(Duration::from_secs(20), &mut done).await.unwrap();
    server.abort();
}

fn request(path: &str, headers: &str, body: &Value) -> String {
    let body = body.to_string();
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: greenroom.example\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    )
}

fn webhook(body: &Value) -> String {
    let signature = signature(body.to_string().as_bytes());
    request("/v1/admission", &format!("x-ome-signature: {signature}\r\n"), body)
}

#[tokio::test]
async fn a_closing_takes_effect_even_if_the_media_server_hangs_up_at_once() {
    let app = TestApp::new().await;
    let url = |viewer: usize| format!("ws://live.example:3333/app/stream?session=viewer-{viewer}");
    for number in 0..20 {
        app.webhook(&viewer("opening", 1, 0, &url(number))).await;
    }
    assert_eq!(app.live_names("app", "stream").await.len(), 20);
    let closings: Vec<_> = (0..20).map(|number| webhook(&viewer("closing", 1, 1, &url(number)))).collect();
    send_and_hang_up(&app, &closings).await;
    assert!(app.live_names("app", "stream").await.is_empty());
}

#[tokio::test]
async fn a_callback_takes_effect_even_if_the_media_provider_hangs_up_at_once() {
    let app = TestApp::new().await;
    let (joined, admin) = app.joined().await;
    let path = format!("{MONITOR}?key={CALLBACK_SECRET}");
    let told = request(&path, "", &joined.told("connectionCreated", "a", 0));
    send_and_hang_up(&app, &[told]).await;
    let entry = app.entry(&admin, &format!("event={}&stream={}", joined.event, joined.session)).await;
    assert_eq!(entry["state"], "connected");
}

#[tokio::test]
async fn an_unsigned_webhook_changes_nothing_even_if_its_sender_hangs_up() {
    let app = TestApp::new().await;
    let body = viewer("opening", 1, 0, "ws://live.example:3333/app/stream?session=one");
    let unsigned = request("/v1/admission", "", &body);
    send_and_hang_up(&app, &[unsigned]).await;
    let unknown = app.operator().get(&sessions("app", "stream")).await;
    assert_eq!((unknown.status.as_u16(), &unknown.body["statusCode"]), (404, &json!(404)));
}
