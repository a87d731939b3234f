//! Errands to media servers: run right after they became necessary, or by whoever looks for what was left.

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
use rstest::rstest;
use shared::{
    clock::InTime,
    config::Setting,
    delivery::{deliver, deliver_due, is_wanted},
    id::{ConnectionName, ErrandId, ProviderSessionId},
    model::{
        live::Stream,
        outbox::{Errand, KEPT, LEASE},
    },
};
use tokio::net::TcpListener;

use crate::support::{TestApp, basic};

const TOKEN: &str = "token-of-the-media-server";
/// There is always time left.
const ALWAYS: InTime<'static> = &|| true;

/// A media server of a test: the statuses that it answers with before it takes everything with 200, and what it was
/// asked.
#[derive(Clone, Default)]
pub(crate) struct MediaServer {
    failures: Arc<Mutex<VecDeque<Failure>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Failure {
    Status(u16),
    Silence,
}

impl MediaServer {
    pub(crate) fn failing(failures: impl IntoIterator<Item = Failure>) -> Self {
        Self { failures: Arc::new(Mutex::new(failures.into_iter().collect())), asked: Arc::default() }
    }

    /// Serves on a free port, until the test's runtime ends.
    async fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = self.clone();
        let router = Router::new().fallback(move |method: Method, uri: Uri, headers: HeaderMap| async move {
            server.answer(&headers, format!("{method} {uri}")).await
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    async fn answer(&self, headers: &HeaderMap, asked: String) -> StatusCode {
        let expected = basic(TOKEN);
        if headers.get(header::AUTHORIZATION).is_none_or(|shown| shown != expected.as_str()) {
            return StatusCode::UNAUTHORIZED;
        }
        self.asked.lock().unwrap().push(asked);
        let failure = self.failures.lock().unwrap().pop_front();
        match failure {
            None => StatusCode::OK,
            Some(Failure::Status(status)) => StatusCode::from_u16(status).unwrap(),
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

fn termination(viewer: &str) -> Errand {
    let [vhost, app, stream] = ["edge", "app", "a stream"].map(str::to_owned);
    Errand::TerminateSession { stream: Stream { vhost, app, stream }, name: name(viewer) }
}

impl TestApp {
    /// Decides something that makes this errand necessary.
    async fn decide(&self, errand: &Errand) -> ErrandId {
        let (id, put) = self.store.errand_put(errand, self.clock.now()).unwrap();
        self.client.transact_write_items().transact_items(put).send().await.unwrap();
        id
    }

    pub(crate) async fn deliver_due(&self) {
        deliver_due(&self.shared, ALWAYS).await.unwrap();
    }

    /// How many errands anybody may take.
    async fn due(&self) -> usize {
        self.store.due_errands(self.clock.now()).await.unwrap().len()
    }

    /// How many errands there are.
    pub(crate) async fn outbox(&self) -> usize {
        self.store.due_errands(self.clock.now() + 2 * KEPT).await.unwrap().len()
    }
}

#[tokio::test]
async fn a_media_server_is_told_once_who_was_ended() {
    let server = MediaServer::default();
    let app = with_server(&server).await;
    let id = app.decide(&termination("a/b")).await;
    assert_eq!(app.due().await, 1);
    deliver(&app.shared, &id).await;
    let path = "DELETE /v1/vhosts/edge/apps/app/streams/a%20stream/sessions/a%2Fb";
    assert_eq!(*server.asked.lock().unwrap(), [path]);
    assert_eq!(app.outbox().await, 0);
    deliver(&app.shared, &id).await;
    app.deliver_due().await;
    assert_eq!(server.asked(), 1);
}

#[rstest]
#[case::a_fault_of_theirs(Failure::Status(500))]
#[case::overload(Failure::Status(503))]
#[case::wrong_credentials(Failure::Status(401))]
#[case::no_answer(Failure::Silence)]
#[tokio::test]
async fn where_a_media_server_fails_it_is_told_again(#[case] failure: Failure) {
    let server = MediaServer::failing([failure]);
    let app = with_server(&server).await;
    let id = app.decide(&termination("viewer")).await;
    deliver(&app.shared, &id).await;
    assert_eq!((server.asked(), app.outbox().await, app.due().await), (1, 1, 0));
    app.deliver_due().await;
    assert_eq!(server.asked(), 1);
    // A busy machine may have had no time left to write down the wait, which is shorter than the lease.
    app.wait(LEASE);
    app.deliver_due().await;
    assert_eq!((server.asked(), app.outbox().await), (2, 0));
}

#[rstest]
#[case::no_such_session(404)]
#[case::done(200)]
#[tokio::test]
async fn who_is_not_there_any_more_counts_as_ended(#[case] status: u16) {
    let server = MediaServer::failing([Failure::Status(status)]);
    let app = with_server(&server).await;
    let id = app.decide(&termination("viewer")).await;
    deliver(&app.shared, &id).await;
    assert_eq!((server.asked(), app.outbox().await), (1, 0));
}

#[tokio::test]
async fn a_media_server_that_is_down_is_told_when_it_is_up() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{nobody}");
    let down = TestApp::with([(Setting::StreamsApiUrl, url.as_str()), (Setting::StreamsApiToken, TOKEN)]).await;
    let id = down.decide(&termination("viewer")).await;
    deliver(&down.shared, &id).await;
    assert_eq!((down.outbox().await, down.due().await), (1, 0));
    down.wait(LEASE);

    let server = MediaServer::default();
    let url: &'static str = server.serve().await.leak();
    let wrong = down.again_with([(Setting::StreamsApiUrl, url), (Setting::StreamsApiToken, "another token")]);
    wrong.deliver_due().await;
    assert_eq!((server.asked(), wrong.outbox().await), (0, 1));
    down.wait(LEASE);
    let up = down.again_with([(Setting::StreamsApiUrl, url)]);
    up.deliver_due().await;
    assert_eq!((server.asked(), up.outbox().await), (1, 0));
}

#[tokio::test]
async fn what_a_fault_leaves_behind_others_go_on_with() {
    let server = MediaServer::default();
    let app = with_server(&server).await;
    // Nobody got to run the one, and whoever took the other died over it.
    app.decide(&termination("one")).await;
    let taken = app.decide(&termination("other")).await;
    assert!(app.store.claim_errand(&taken, app.clock.now()).await.unwrap().is_some());
    app.deliver_due().await;
    assert_eq!((server.asked(), app.outbox().await), (1, 1));
    app.wait(LEASE - Duration::from_millis(1));
    app.deliver_due().await;
    assert_eq!((server.asked(), app.outbox().await), (1, 1));
    app.wait(Duration::from_millis(1));
    app.deliver_due().await;
    assert_eq!((server.asked(), app.outbox().await), (2, 0));
}

#[tokio::test]
async fn who_lost_an_errand_to_another_does_not_put_it_off() {
    let app = with_server(&MediaServer::default()).await;
    let id = app.decide(&termination("viewer")).await;
    let late = app.store.claim_errand(&id, app.clock.now()).await.unwrap().unwrap();
    app.wait(LEASE);
    let other = app.store.claim_errand(&id, app.clock.now()).await.unwrap().unwrap();
    assert_eq!([late.attempts, other.attempts], [1, 2]);
    app.store.put_off_errand(&late, app.clock.now()).await.unwrap();
    app.wait(LEASE - Duration::from_millis(1));
    assert_eq!(app.due().await, 0);
    // Nor is one that was run made anew.
    app.store.remove_errand(&id).await.unwrap();
    app.store.put_off_errand(&other, app.clock.now()).await.unwrap();
    assert_eq!(app.outbox().await, 0);
}

#[tokio::test]
async fn several_who_deliver_at_once_tell_a_media_server_once() {
    let server = MediaServer::default();
    let app = with_server(&server).await;
    let mut ids = Vec::new();
    for number in 0..30 {
        ids.push(app.decide(&termination(&number.to_string())).await);
    }
    let instances = [app.again_with([]), app.again_with([]), app.again_with([])];
    let (all, one) = (instances.iter().map(TestApp::deliver_due), deliver(&app.shared, &ids[7]));
    tokio::join!(join_all(all), one);
    let mut asked = server.asked.lock().unwrap().clone();
    asked.sort();
    asked.dedup();
    assert_eq!((asked.len(), server.asked(), app.outbox().await), (30, 30, 0));
}

#[tokio::test]
async fn whoever_has_no_time_left_begins_nothing() {
    let server = MediaServer::default();
    let app = with_server(&server).await;
    app.decide(&termination("viewer")).await;
    deliver_due(&app.shared, &|| false).await.unwrap();
    assert_eq!((server.asked(), app.due().await), (0, 1));
}

#[tokio::test]
async fn each_wait_is_longer_until_an_errand_is_given_up() {
    let server = MediaServer::failing([Failure::Status(500); 100]);
    let app = with_server(&server).await;
    let id = app.decide(&termination("viewer")).await;
    let (begun, moment) = (app.clock.now(), Duration::from_millis(1));
    let waits = [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300].map(Duration::from_secs);
    for (before, wait) in waits.into_iter().enumerate() {
        deliver(&app.shared, &id).await;
        app.wait(wait - moment);
        deliver(&app.shared, &id).await;
        assert_eq!(server.asked(), before + 1, "{wait:?}");
        app.wait(moment);
    }
    let age = Duration::from_millis((app.clock.now().millis() - begun.millis()).unsigned_abs());
    app.wait(KEPT - age - moment);
    app.deliver_due().await;
    assert_eq!((server.asked(), app.outbox().await), (waits.len() + 1, 1));
    app.wait(waits[10]);
    app.deliver_due().await;
    assert_eq!((server.asked(), app.outbox().await), (waits.len() + 2, 0));
}

#[rstest]
#[case::a_media_server(termination("viewer"), &[(Setting::StreamsApiUrl, "http://127.0.0.1:9")])]
#[case::the_media_provider(
    Errand::DisconnectProvider {
        provider_session: ProviderSessionId::new("1_x".to_owned()),
        stream: Stream::of_session(1, 2),
        name: name("viewer"),
    },
    &[(Setting::VideoProvider, "opentok")],
)]
#[tokio::test]
async fn where_there_is_nobody_to_tell_an_errand_is_done(
    #[case] errand: Errand,
    #[case] settings: &'static [(Setting, &'static str)],
) {
    let app = TestApp::new().await;
    assert!(!is_wanted(&app.shared.config, &errand));
    assert!(is_wanted(&app.again_with(settings.iter().copied()).shared.config, &errand));
    let id = app.decide(&errand).await;
    deliver(&app.shared, &id).await;
    assert_eq!(app.outbox().await, 0);
}
