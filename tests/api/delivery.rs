//! Delivery of outbox messages to media servers: right after they are written, or later by housekeeping.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    http::{HeaderMap, Method, StatusCode, Uri, header},
};
use futures_util::future::join_all;
use greenroom_core::{
    clock::{InTime, Timestamp},
    config::Setting,
    id::{ConnectionName, ProviderSessionId},
    model::{
        job::{KEPT, LEASE, OutboxMessage},
        live::Stream,
    },
};
use greenroom_media::{
    delivery::{deliver, is_wanted},
    jobs::run_due,
};
use greenroom_store::{JOB_SHARDS, JobKey};
use rstest::rstest;
use testbed::{nobody, serve};

use crate::support::{TestApp, basic};

const TOKEN: &str = "token-of-the-media-server";
/// There is always time left.
const ALWAYS: InTime<'static> = &|| true;

/// A media server of a test. It answers with the given statuses first and then with 200, and it records the requests.
#[derive(Clone, Default)]
pub(crate) struct MediaServer {
    failures: Arc<Mutex<VecDeque<Failure>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Failure {
    Status(u16),
    /// The answer of the Enterprise edition if it has no such session.
    NoSession,
    /// The answer of the open-source edition, which has no such call.
    NoController,
    Silence,
}

impl MediaServer {
    pub(crate) fn failing(failures: impl IntoIterator<Item = Failure>) -> Self {
        Self { failures: Arc::new(Mutex::new(failures.into_iter().collect())), asked: Arc::default() }
    }

    /// Serves on a free port until the test's runtime ends; returns the URL.
    async fn serve(&self) -> String {
        let server = self.clone();
        let router = Router::new().fallback(move |method: Method, uri: Uri, headers: HeaderMap| async move {
            server.answer(&headers, format!("{method} {uri}")).await
        });
        serve(router).await.unwrap()
    }

    async fn answer(&self, headers: &HeaderMap, asked: String) -> (StatusCode, &'static str) {
        let expected = basic(TOKEN);
        if headers.get(header::AUTHORIZATION).is_none_or(|shown| shown != expected.as_str()) {
            return (StatusCode::UNAUTHORIZED, r#"{"message":"[HTTP] Invalid credential (401)","statusCode":401}"#);
        }
        self.asked.lock().unwrap().push(asked);
        let failure = self.failures.lock().unwrap().pop_front();
        match failure {
            None => (StatusCode::OK, r#"{"message":"OK","statusCode":200}"#),
            Some(Failure::Status(status)) => (StatusCode::from_u16(status).unwrap(), ""),
            Some(Failure::NoSession) => (
                StatusCode::NOT_FOUND,
                r#"{"message":"Not Found","response":"Could not find the session","statusCode":404}"#,
            ),
            Some(Failure::NoController) => {
                (StatusCode::NOT_FOUND, r#"{"message":"[HTTP] Controller not found (404)","statusCode":404}"#)
            }
            Some(Failure::Silence) => std::future::pending().await,
        }
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

pub(crate) async fn with_server(server: &MediaServer) -> TestApp {
    let url = server.serve().await;
    TestApp::with([(Setting::StreamsApiUrl, url.as_str()), (Setting::StreamsApiToken, TOKEN)]).await
}

fn name(name: &str) -> ConnectionName {
    serde_json::from_value(name.into()).unwrap()
}

fn termination(viewer: &str) -> OutboxMessage {
    let [vhost, app, stream] = ["edge", "app", "a stream"].map(str::to_owned);
    OutboxMessage::TerminateSession { stream: Stream { vhost, app, stream }, name: name(viewer), by: "once".to_owned() }
}

impl TestApp {
    /// Writes this outbox message to the table.
    async fn decide(&self, message: &OutboxMessage) -> JobKey {
        self.store.put_job(message.clone(), self.clock.now()).await.unwrap()
    }

    /// Delivers everything that is due.
    pub(crate) async fn deliver_due(&self) {
        self.acting_as("housekeeping", run_due(&self.shared.services, ALWAYS)).await.unwrap();
    }

    /// The number of jobs that are due.
    async fn due(&self) -> usize {
        self.due_at(self.clock.now()).await
    }

    /// The number of jobs, due or not.
    pub(crate) async fn jobs(&self) -> usize {
        self.due_at(self.clock.now() + 2 * KEPT).await
    }

    async fn due_at(&self, at: Timestamp) -> usize {
        let mut due = 0;
        for shard in 0..JOB_SHARDS {
            let mut after = None;
            loop {
                let page = self.store.due_jobs(shard, at, after.as_ref()).await.unwrap();
                due += page.jobs.len();
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        due
    }
}

#[tokio::test]
async fn a_termination_is_delivered_to_the_media_server_once() {
    let server = MediaServer::default();
    let app = with_server(&server).await;
    let id = app.decide(&termination("a/b")).await;
    assert_eq!(app.due().await, 1);
    app.acting_as("housekeeping", deliver(&app.shared.services, &id)).await;
    let path = "DELETE /v1/vhosts/edge/apps/app/streams/a%20stream/sessions/a%2Fb";
    assert_eq!(*server.asked.lock().unwrap(), [path]);
    assert_eq!(app.jobs().await, 0);
    app.acting_as("housekeeping", deliver(&app.shared.services, &id)).await;
    app.deliver_due().await;
    assert_eq!(server.asked(), 1);
}

#[rstest]
#[case::a_server_error(Failure::Status(500))]
#[case::overload(Failure::Status(503))]
#[case::an_answer_from_a_proxy(Failure::Status(404))]
#[case::wrong_credentials(Failure::Status(401))]
#[case::no_answer(Failure::Silence)]
#[tokio::test]
async fn a_failed_delivery_to_a_media_server_is_retried(#[case] failure: Failure) {
    let server = MediaServer::failing([failure]);
    let app = with_server(&server).await;
    let id = app.decide(&termination("viewer")).await;
    app.acting_as("housekeeping", deliver(&app.shared.services, &id)).await;
    assert_eq!((server.asked(), app.jobs().await, app.due().await), (1, 1, 0));
    app.deliver_due().await;
    assert_eq!(server.asked(), 1);
    // On a busy machine there may have been no time to write down the wait, which is shorter than the lease.
    app.wait(LEASE);
    app.deliver_due().await;
    assert_eq!((server.asked(), app.jobs().await), (2, 0));
}

#[rstest]
#[case::no_such_session(Failure::NoSession)]
#[case::done(Failure::Status(200))]
#[tokio::test]
async fn a_session_that_the_media_server_no_longer_has_counts_as_ended(#[case] answer: Failure) {
    let server = MediaServer::failing([answer]);
    let app = with_server(&server).await;
    let id = app.decide(&termination("viewer")).await;
    app.acting_as("housekeeping", deliver(&app.shared.services, &id)).await;
    assert_eq!((server.asked(), app.jobs().await), (1, 0));
}

#[tokio::test]
async fn delivery_to_a_media_server_that_was_down_succeeds_once_it_is_up() {
    let url = format!("http://{}", nobody().unwrap());
    let down = TestApp::with([(Setting::StreamsApiUrl, url.as_str()), (Setting::StreamsApiToken, TOKEN)]).await;
    let id = down.decide(&termination("viewer")).await;
    down.acting_as("housekeeping", deliver(&down.shared.services, &id)).await;
    assert_eq!((down.jobs().await, down.due().await), (1, 0));
    down.wait(LEASE);

    let server = MediaServer::default();
    let url: &'static str = server.serve().await.leak();
    let wrong = down.again_with([(Setting::StreamsApiUrl, url), (Setting::StreamsApiToken, "another token")]);
    wrong.deliver_due().await;
    assert_eq!((server.asked(), wrong.jobs().await), (0, 1));
    down.wait(LEASE);
    let up = down.again_with([(Setting::StreamsApiUrl, url)]);
    up.deliver_due().await;
    assert_eq!((server.asked(), up.jobs().await), (1, 0));
}

#[tokio::test]
async fn housekeeping_delivers_outbox_messages_that_a_fault_left_behind() {
    let server = MediaServer::default();
    let app = with_server(&server).await;
    // Nobody ran the first job. The worker that claimed the second one died.
    app.decide(&termination("one")).await;
    let taken = app.decide(&termination("other")).await;
    assert!(app.store.claim_job(&taken, app.clock.now()).await.unwrap().is_some());
    app.deliver_due().await;
    assert_eq!((server.asked(), app.jobs().await), (1, 1));
    app.wait(LEASE - Duration::from_millis(1));
    app.deliver_due().await;
    assert_eq!((server.asked(), app.jobs().await), (1, 1));
    app.wait(Duration::from_millis(1));
    app.deliver_due().await;
    assert_eq!((server.asked(), app.jobs().await), (2, 0));
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_cannot_postpone_the_outbox_message() {
    let app = with_server(&MediaServer::default()).await;
    let id = app.decide(&termination("viewer")).await;
    let late = app.store.claim_job(&id, app.clock.now()).await.unwrap().unwrap();
    app.wait(LEASE);
    let other = app.store.claim_job(&id, app.clock.now()).await.unwrap().unwrap();
    assert_eq!([late.attempts, other.attempts], [1, 2]);
    app.store.put_off_job(&late, app.clock.now()).await.unwrap();
    app.wait(LEASE - Duration::from_millis(1));
    assert_eq!(app.due().await, 0);
    // Postponing a job that was removed does not create it again.
    app.store.remove_job(&other.key).await.unwrap();
    app.store.put_off_job(&other, app.clock.now()).await.unwrap();
    assert_eq!(app.jobs().await, 0);
}

#[tokio::test]
async fn concurrent_workers_deliver_each_outbox_message_once() {
    let server = MediaServer::default();
    let app = with_server(&server).await;
    let mut ids = Vec::new();
    for number in 0..130 {
        ids.push(app.decide(&termination(&number.to_string())).await);
    }
    let instances = [app.again_with([]), app.again_with([]), app.again_with([])];
    let one = app.acting_as("housekeeping", deliver(&app.shared.services, &ids[7]));
    tokio::join!(join_all(instances.iter().map(TestApp::deliver_due)), one);
    let mut asked = server.asked.lock().unwrap().clone();
    asked.sort();
    asked.dedup();
    assert_eq!((asked.len(), server.asked(), app.jobs().await), (130, 130, 0));
}

#[tokio::test]
async fn housekeeping_without_time_left_starts_no_job() {
    let server = MediaServer::default();
    let app = with_server(&server).await;
    app.decide(&termination("viewer")).await;
    app.acting_as("housekeeping", run_due(&app.shared.services, &|| false)).await.unwrap();
    assert_eq!((server.asked(), app.due().await), (0, 1));
}

#[tokio::test]
async fn retries_wait_longer_each_time_until_the_outbox_message_expires() {
    let server = MediaServer::failing([Failure::Status(500); 100]);
    let app = with_server(&server).await;
    app.decide(&termination("viewer")).await;
    let (begun, moment) = (app.clock.now(), Duration::from_millis(1));
    let waits = [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300].map(Duration::from_secs);
    for (before, wait) in waits.into_iter().enumerate() {
        app.deliver_due().await;
        app.wait(wait - moment);
        app.deliver_due().await;
        assert_eq!(server.asked(), before + 1, "{wait:?}");
        app.wait(moment);
    }
    let age = Duration::from_millis((app.clock.now().millis() - begun.millis()).unsigned_abs());
    app.wait(KEPT - age - moment);
    app.deliver_due().await;
    assert_eq!((server.asked(), app.jobs().await), (waits.len() + 1, 1));
    app.wait(waits[10]);
    app.deliver_due().await;
    assert_eq!((server.asked(), app.jobs().await), (waits.len() + 2, 0));
}

#[rstest]
#[case::a_media_server(termination("viewer"), &[(Setting::StreamsApiUrl, "http://127.0.0.1:9")])]
#[case::the_media_provider(
    OutboxMessage::DisconnectProvider {
        provider_session: ProviderSessionId::new("1_x".to_owned()),
        stream: Stream::of_session(1, 2),
        name: name("viewer"),
    },
    &[(Setting::VideoProvider, "opentok")],
)]
#[tokio::test]
async fn an_outbox_message_without_a_configured_receiver_is_done(
    #[case] message: OutboxMessage,
    #[case] settings: &'static [(Setting, &'static str)],
) {
    let app = TestApp::new().await;
    assert!(!is_wanted(&app.shared.config, &message));
    assert!(is_wanted(&app.again_with(settings.iter().copied()).shared.config, &message));
    let id = app.decide(&message).await;
    app.acting_as("housekeeping", deliver(&app.shared.services, &id)).await;
    assert_eq!(app.jobs().await, 0);
}
