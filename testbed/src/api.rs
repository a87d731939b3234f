//! The Runtime API itself: events out, responses and errors in.
//!
//! It follows <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>, including the statuses for a function's
//! mistakes.

use std::{
    collections::HashMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use axum::{
    Json, Router,
    body::{Body, Bytes, to_bytes},
    extract::{DefaultBodyLimit, Path, Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
    task::JoinSet,
};

use crate::error::Report;

/// The largest body that a function may post: the 6 MB of a synchronous response, and the overhead that Lambda allows.
const RESPONSE_LIMIT: usize = 6 * 1024 * 1024 + 100 * 1024;

/// The first message of a process that is starting.
pub(crate) enum Start {
    /// It has asked for its first event, at this moment.
    Ready(Instant),
    /// It has reported an error of its start.
    Failed(Report),
}

/// How an invocation ended: with the response that the function posted, or with the error it reported.
pub(crate) type Outcome = Result<Posted, Report>;

/// The response that a function posted.
pub(crate) enum Posted {
    /// The complete response.
    Whole(Bytes),
    /// The parts of a streamed response. If the receiver is dropped, the rest is not read.
    Streamed(mpsc::Receiver<Bytes>),
}

/// The Runtime API of one function, served until it is dropped.
pub(crate) struct Api {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    events: mpsc::UnboundedSender<Invocation>,
    count: AtomicU64,
    // Dropping it ends the server.
    _server: JoinSet<io::Result<()>>,
}

struct Shared {
    arn: String,
    timeout: Duration,
    start: Mutex<Option<oneshot::Sender<Start>>>,
    events: tokio::sync::Mutex<mpsc::UnboundedReceiver<Invocation>>,
    waiting: Mutex<HashMap<String, oneshot::Sender<Outcome>>>,
}

struct Invocation {
    id: String,
    trace: String,
    event: Vec<u8>,
}

impl Api {
    /// Serves on a free port. The receiver gets the outcome of the function's start.
    pub(crate) async fn serve(arn: String, timeout: Duration) -> io::Result<(Self, oneshot::Receiver<Start>)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (started, start) = oneshot::channel();
        let (events, queue) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            arn,
            timeout,
            start: Mutex::new(Some(started)),
            events: tokio::sync::Mutex::new(queue),
            waiting: Mutex::default(),
        });
        let mut server = JoinSet::new();
        let router = router(shared.clone());
        server.spawn(async move { axum::serve(listener, router).await });
        let api = Self { address, shared, events, count: AtomicU64::new(0), _server: server };
        Ok((api, start))
    }

    /// Queues an event for the function. The receiver gets the outcome of the invocation.
    pub(crate) fn send(&self, event: &Value) -> oneshot::Receiver<Outcome> {
        let number = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        let id = format!("8476a536-e9f4-11e8-9739-{number:012x}");
        let (ended, outcome) = oneshot::channel();
        lock(&self.shared.waiting).insert(id.clone(), ended);
        let invocation = Invocation {
            id,
            trace: format!("Root=1-5bef4de7-ad49b0e87f6ef6c8{number:08x};Parent=9a9197af755a6419;Sampled=1"),
            event: event.to_string().into_bytes(),
        };
        // `shared` owns the receiver, and `self` owns `shared`, so the receiver still exists.
        let _ = self.events.send(invocation);
        outcome
    }
}

fn router(shared: Arc<Shared>) -> Router {
    let api = Router::new()
        .route("/invocation/next", get(next))
        .route("/invocation/{id}/response", post(response))
        .route("/invocation/{id}/error", post(error))
        .route("/init/error", post(init_error))
        // The handlers check the limit on the complete body, so that no connection is cut.
        .layer(DefaultBodyLimit::disable())
        .with_state(shared);
    Router::new().nest("/2018-06-01/runtime", api)
}

async fn next(State(api): State<Arc<Shared>>) -> Response {
    api.started(Start::Ready(Instant::now()));
    let invocation = api.events.lock().await.recv().await;
    // All senders are gone only while the testbed shuts down.
    let Some(invocation) = invocation else {
        return refused(StatusCode::INTERNAL_SERVER_ERROR, "ContainerError", "shutting down");
    };
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", invocation.id),
        ("lambda-runtime-deadline-ms", deadline_ms(api.timeout)),
        ("lambda-runtime-invoked-function-arn", api.arn.clone()),
        ("lambda-runtime-trace-id", invocation.trace),
    ];
    (headers, invocation.event).into_response()
}

async fn response(State(api): State<Arc<Shared>>, Path(id): Path<String>, request: Request) -> Response {
    let mode = request.headers().get("lambda-runtime-function-response-mode");
    if mode.is_some_and(|mode| mode == "streaming") {
        return stream(&api, &id, request.into_body()).await;
    }
    let Ok(body) = to_bytes(request.into_body(), usize::MAX).await else {
        return refused(StatusCode::BAD_REQUEST, "InvalidRequest", "the body broke off");
    };
    if body.len() <= RESPONSE_LIMIT {
        return api.ended(&id, Ok(Posted::Whole(body)));
    }
    let kind = "Function.ResponseSizeTooLarge";
    let report = Report {
        error_type: kind.to_owned(),
        error_message: format!("{} bytes are more than {RESPONSE_LIMIT}", body.len()),
    };
    let message = report.error_message.clone();
    api.ended(&id, Err(report));
    refused(StatusCode::PAYLOAD_TOO_LARGE, kind, &message)
}

/// Passes on each part of the response as it arrives.
async fn stream(api: &Shared, id: &str, body: Body) -> Response {
    let (sender, chunks) = mpsc::channel(1);
    let response = api.ended(id, Ok(Posted::Streamed(chunks)));
    let mut body = body.into_data_stream();
    while let Some(Ok(chunk)) = body.next().await {
        if sender.send(chunk).await.is_err() {
            break;
        }
    }
    response
}

async fn error(State(api): State<Arc<Shared>>, Path(id): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    api.ended(&id, Err(report(&headers, &body)))
}

async fn init_error(State(api): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    api.started(Start::Failed(report(&headers, &body)));
    accepted()
}

impl Shared {
    /// Only the first message counts as the start.
    fn started(&self, start: Start) {
        if let Some(sender) = lock(&self.start).take() {
            let _ = sender.send(start);
        }
    }

    fn ended(&self, id: &str, outcome: Outcome) -> Response {
        let Some(sender) = lock(&self.waiting).remove(id) else {
            return refused(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID");
        };
        // It is not the function's fault if its caller has gone away.
        let _ = sender.send(outcome);
        accepted()
    }
}

fn accepted() -> Response {
    (StatusCode::ACCEPTED, Json(json!({"status": "OK"}))).into_response()
}

fn refused(status: StatusCode, kind: &str, message: &str) -> Response {
    let body = json!({"errorType": kind, "errorMessage": message});
    (status, Json(body)).into_response()
}

/// The error report. If it does not have Lambda's form, its text becomes the message.
fn report(headers: &HeaderMap, body: &[u8]) -> Report {
    serde_json::from_slice(body).unwrap_or_else(|_| Report {
        error_type: headers
            .get("lambda-runtime-function-error-type")
            .map(|kind| String::from_utf8_lossy(kind.as_bytes()).into_owned())
            .unwrap_or_default(),
        error_message: String::from_utf8_lossy(body).into_owned(),
    })
}

#[expect(clippy::disallowed_methods, reason = "a function compares the deadline with the machine's clock")]
fn deadline_ms(timeout: Duration) -> String {
    let deadline = SystemTime::now() + timeout;
    let since_epoch = deadline.duration_since(SystemTime::UNIX_EPOCH);
    since_epoch.unwrap_or_default().as_millis().to_string()
}

/// No code panics while it holds one of these locks, so a poisoned lock still guards valid data.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
