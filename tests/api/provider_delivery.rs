//! Clients of a terminated connection are disconnected at the media provider.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json,
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use greenroom_core::{
    config::Setting,
    id::{CallbackId, ConnectionName, random_hex},
    model::{
        job::LEASE,
        live::{EndReason, EndedBy, ProviderEvent, Stream},
    },
};
use greenroom_media::{
    delivery::{deliver, is_wanted},
    jobs::run_due,
};
use greenroom_store::{JobKey, Terminated, Terminating, Told};
use serde_json::json;
use testbed::HttpStub;

use crate::{
    joining::{JOIN, t1},
    support::TestApp,
};

/// A media provider of a test. It answers DELETE with the given statuses first and then with 204.
struct Provider(HttpStub);

impl Provider {
    async fn failing(statuses: impl IntoIterator<Item = StatusCode>) -> Self {
        let failures = Arc::new(Mutex::new(statuses.into_iter().collect::<VecDeque<_>>()));
        let stub = HttpStub::start(move |request| {
            let deletes = request.method() == Method::DELETE;
            let status = || failures.lock().unwrap().pop_front().unwrap_or(StatusCode::NO_CONTENT);
            std::future::ready(if deletes { status().into_response() } else { created() })
        });
        Self(stub.await.unwrap())
    }

    async fn sound() -> Self {
        Self::failing([]).await
    }

    /// The paths of the deletions since the last call.
    fn deleted(&self) -> BTreeSet<String> {
        let deletions = self.0.received().into_iter().filter(|request| request.method() == Method::DELETE);
        deletions.map(|request| request.uri().path().to_owned()).collect()
    }
}

fn created() -> Response {
    let id = BASE64_URL_SAFE_NO_PAD.encode(format!("1~45828062~~1700000000000~{}~", random_hex()));
    Json(json!([{ "session_id": format!("1_{id}") }])).into_response()
}

/// A participant who has joined an event's first session.
struct Participant {
    app: TestApp,
    stream: Stream,
    name: ConnectionName,
    session: String,
}

impl Participant {
    async fn joined(provider: &Provider) -> Self {
        let url = provider.0.url();
        let app = TestApp::with([(Setting::VideoProvider, "opentok"), (Setting::OpentokApiUrl, url)]).await;
        let event = app.event_to_join(json!({}), "interpreter").await;
        let joined = app.client(false).await.post(JOIN, json!({ "loginToken": "the token" })).await;
        let session = &joined.body["sessions"][0];
        let token = t1(&session["tokbox"]["sessionToken"]);
        Self {
            stream: Stream::of_session(event, session["id"].as_u64().unwrap()),
            name: serde_json::from_value(token["connection_data"].clone()).unwrap(),
            session: session["tokbox"]["sessionId"].as_str().unwrap().to_owned(),
            app,
        }
    }

    /// Sends the provider's callback about one of their clients.
    async fn client(&self, id: &str, event: ProviderEvent) -> Option<JobKey> {
        let (app, wanted) = (&self.app, |message: &_| is_wanted(&self.app.shared.config, message));
        let callback = CallbackId::of_sender(&random_hex());
        let (stream, name, event) = (&self.stream, &self.name, &event);
        let told = Told { stream, name, client: id, event, callback: &callback };
        app.store.record_provider_event(told, app.clock.now(), wanted).await.unwrap()
    }

    async fn terminate(&self) -> JobKey {
        let (app, wanted) = (&self.app, |message: &_| is_wanted(&self.app.shared.config, message));
        let terminating = Terminating {
            stream: &self.stream,
            name: &self.name,
            now: app.clock.now(),
            hold: Duration::from_mins(1),
            grace: Duration::from_hours(1),
            by: EndedBy::OPERATOR,
            passes_on: false,
        };
        let Some(Terminated::Ended { message: Some(message), .. }) =
            app.store.terminate(&terminating, wanted).await.unwrap()
        else {
            panic!("no outbox message")
        };
        // The request that terminated it would deliver the message. Here it breaks off, and gives the job back.
        app.store.leave_job(&message, app.clock.now()).await.unwrap();
        message.key
    }

    fn path(&self, client: &str) -> String {
        format!("/v2/project/45828062/session/{}/connection/{client}", self.session)
    }
}

#[tokio::test]
async fn every_client_of_a_terminated_name_is_disconnected() {
    let provider = Provider::sound().await;
    let participant = Participant::joined(&provider).await;
    let now = participant.app.clock.now();
    for client in ["phone", "browser", "gone"] {
        assert!(participant.client(client, ProviderEvent::Created(now)).await.is_none());
    }
    let gone = ProviderEvent::Destroyed { created_at: Some(now), at: now, reason: EndReason::DISCONNECTED };
    participant.client("gone", gone).await;
    let message = participant.terminate().await;
    assert!(provider.deleted().is_empty());
    participant.app.acting_as("housekeeping", deliver(&participant.app.shared.services, &message)).await;
    assert_eq!(provider.deleted(), ["phone", "browser"].map(|client| participant.path(client)).into());
    participant.app.wait(LEASE);
    participant.app.acting_as("housekeeping", run_due(&participant.app.shared.services, &|| true)).await.unwrap();
    assert!(provider.deleted().is_empty());
}

#[tokio::test]
async fn a_failed_disconnect_is_retried_later() {
    let provider = Provider::failing([StatusCode::FORBIDDEN]).await;
    let participant = Participant::joined(&provider).await;
    participant.client("phone", ProviderEvent::Created(participant.app.clock.now())).await;
    let message = participant.terminate().await;
    participant.app.acting_as("housekeeping", deliver(&participant.app.shared.services, &message)).await;
    assert_eq!(provider.deleted().len(), 1);
    participant.app.wait(Duration::from_millis(999));
    participant.app.acting_as("housekeeping", run_due(&participant.app.shared.services, &|| true)).await.unwrap();
    assert!(provider.deleted().is_empty());
    participant.app.wait(Duration::from_millis(1));
    participant.app.acting_as("housekeeping", run_due(&participant.app.shared.services, &|| true)).await.unwrap();
    assert_eq!(provider.deleted(), [participant.path("phone")].into());
}

#[tokio::test]
async fn a_client_that_reconnects_with_a_terminated_token_is_disconnected() {
    let provider = Provider::sound().await;
    let participant = Participant::joined(&provider).await;
    // Nobody is connected yet, so nobody is disconnected.
    participant
        .app
        .acting_as("housekeeping", deliver(&participant.app.shared.services, &participant.terminate().await))
        .await;
    assert!(provider.deleted().is_empty());
    participant.app.wait(Duration::from_secs(30));
    let message = participant.client("back", ProviderEvent::Created(participant.app.clock.now())).await.unwrap();
    participant.app.acting_as("housekeeping", deliver(&participant.app.shared.services, &message)).await;
    assert_eq!(provider.deleted(), [participant.path("back")].into());
}

#[tokio::test]
async fn deleting_a_session_or_an_event_disconnects_its_clients() {
    for path in ["sessions", "events"] {
        let provider = Provider::sound().await;
        let participant = Participant::joined(&provider).await;
        let app = &participant.app;
        let admin = app.account("operator", greenroom_core::model::user::Role::Admin, None).await;
        let now = app.clock.now();
        for client in ["phone", "browser", "gone"] {
            participant.client(client, ProviderEvent::Created(now)).await;
        }
        let gone = ProviderEvent::Destroyed { created_at: Some(now), at: now, reason: EndReason::DISCONNECTED };
        participant.client("gone", gone).await;
        let (event, session) = participant.stream.event_session().unwrap();
        let number = if path == "events" { event } else { session };
        let deleted = app.organiser(&admin).delete(&format!("/api/v2/{path}/{number}/")).await;
        assert_eq!(deleted.status, 204, "{deleted}");
        // Housekeeping delivers what was not delivered right away.
        app.acting_as("housekeeping", run_due(&app.shared.services, &|| true)).await.unwrap();
        assert_eq!(provider.deleted(), ["phone", "browser"].map(|client| participant.path(client)).into(), "{path}");
        assert!(!app.items().await.iter().any(|item| item.contains("ProviderConnection")), "{path}");
        app.wait(LEASE);
        app.acting_as("housekeeping", run_due(&app.shared.services, &|| true)).await.unwrap();
        assert!(provider.deleted().is_empty());
    }
}
