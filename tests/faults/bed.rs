//! A table, the proxy in front of it, and instances of the API with and without the proxy.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    sync::{Arc, LazyLock},
};

use aws_sdk_dynamodb::{
    Client,
    config::{retry::RetryPartition, timeout::TimeoutConfig},
    types::{AttributeValue, PutRequest, WriteRequest},
};
use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    http::{HeaderMap, Request, header},
    response::Response,
};
use greenroom::{embedded::Embedded, table};
use greenroom_core::{
    clock::{Clock, Timestamp},
    config::{AwsEnvironment, Config, Environment, Setting, Strictness, Timing},
    id::random_hex,
    model::guesses::SourceAddress,
};
use greenroom_http::App;
use greenroom_store::{Attributes, Store};
use greenroom_telemetry::meter::{Meter, Origin};
use serde_json::Value;
use tempfile::TempDir;
use testbed::{
    FaultyStore, LIVEKIT_KEY, LIVEKIT_SECRET, LONG_TIMEOUT, external_store, keep_what_expires, long_timing,
    rights::{Guard, Roles, Routes, call_of},
};
use tokio::{net::TcpListener, task::JoinSet, time::timeout};
use tower::ServiceExt;

/// The secret of the back-ends.
pub(crate) const SECRET: &str = "test:secret-of-the-backend";
/// The access token of the operators of live sessions.
pub(crate) const ACCESS_TOKEN: &str = "operator:of-live-sessions";
/// The secret that signs the webhooks of media servers.
pub(crate) const WEBHOOK_SECRET: &str = "secret-of-the-media-server";
/// The end of the URL of the media provider's callbacks.
pub(crate) const CALLBACK_SECRET: &str = "secret-of-the-session-monitoring";
const KEY: &str = r#"[{"kid":"k1","secret":"x/Ny63SJJFAhRIRsCcGh7U2W0ak4Y0SVhwjvhrVqUgE="}]"#;
const NOW: i64 = 1_700_000_000_000;

/// The number of attempts of an operation in production. With fewer attempts the caller sees every fault.
pub(crate) const AS_DEPLOYED: u32 = 8;

/// The rights of the functions' roles.
static ROLES: LazyLock<Arc<Roles>> = LazyLock::new(|| Roles::of_workspace().unwrap().into());

/// Finds the function that handles a request.
static ROUTES: LazyLock<Routes> = LazyLock::new(|| {
    let routes = greenroom::functions().into_iter().flat_map(|function| {
        let routes = greenroom::routes(function.routes.get_openapi()).into_iter();
        routes.map(move |(method, path)| (function.name.to_owned(), method.to_uppercase(), path))
    });
    Routes::of(routes).unwrap()
});

/// A table, and the proxy in front of it.
pub(crate) struct Bed {
    pub(crate) proxy: FaultyStore,
    pub(crate) clock: Clock,
    /// An instance without the proxy, which meets no faults.
    pub(crate) sound: Instance,
    client: Client,
    table: Arc<str>,
    settings: BTreeMap<String, String>,
    timing: Timing,
    timeouts: TimeoutConfig,
    _mails: TempDir,
    // Held for its drop, which ends the store.
    _store: JoinSet<()>,
}

impl Bed {
    /// A table of its own, for a test of what happens within the deadlines of production.
    pub(crate) async fn new() -> Self {
        Self::with(Timing::default(), TimeoutConfig::builder().build()).await
    }

    /// The same for a test that is not about deadlines. It may take as long as a busy machine needs.
    pub(crate) async fn with_long_timing() -> Self {
        let timeouts = TimeoutConfig::builder().operation_timeout(LONG_TIMEOUT).operation_attempt_timeout(LONG_TIMEOUT);
        Self::with(long_timing(), timeouts.build()).await
    }

    async fn with(timing: Timing, timeouts: TimeoutConfig) -> Self {
        let mut store = JoinSet::new();
        let (endpoint, of_sound, client) = match external_store() {
            Some(endpoint) => (endpoint.clone(), client(&endpoint), client(&endpoint)),
            None => embedded_store(&mut store).await,
        };
        let table: Arc<str> = format!("faults-{}", random_hex()).into();
        table::ensure(&client, &table, true).await.unwrap();
        keep_what_expires(&client, &table).await;
        let mails = TempDir::new().unwrap();
        let settings = [
            (Setting::TableName, &*table),
            (Setting::OpenviduSecret, SECRET),
            (Setting::SigningKeys, KEY),
            (Setting::OpentokApiKey, "45828062"),
            (Setting::OpentokApiSecret, "1234567890abcdef1234567890abcdef1234567890"),
            (Setting::StreamsAccessToken, ACCESS_TOKEN),
            (Setting::StreamsWebhookSecret, WEBHOOK_SECRET),
            (Setting::OpentokWebhookSecret, CALLBACK_SECRET),
            (Setting::LivekitUrl, "https://127.0.0.1:1"),
            (Setting::LivekitApiKey, LIVEKIT_KEY),
            (Setting::LivekitApiSecret, LIVEKIT_SECRET),
            (Setting::MailDir, mails.path().to_str().unwrap()),
        ];
        let settings = settings.map(|(setting, value)| (setting.name().to_owned(), value.to_owned())).into();
        let clock = Clock::stopped_at(Timestamp::from_millis(NOW));
        let sound = Instance::over(&of_sound, &table, &clock, &settings, timing);
        let proxy = FaultyStore::before(&endpoint).await.unwrap();
        Self { proxy, clock, sound, client, table, settings, timing, timeouts, _mails: mails, _store: store }
    }

    /// A new instance whose store is behind the proxy. Its client is the deployed one, except for the number of
    /// attempts.
    pub(crate) fn instance(&self, attempts: u32) -> Instance {
        let (client, table) = self.behind_the_proxy(attempts);
        Instance::over(&client, &table, &self.clock, &self.settings, self.timing)
    }

    /// The client of such an instance, and the name of the table.
    pub(crate) fn behind_the_proxy(&self, attempts: u32) -> (Client, Arc<str>) {
        let client = client(&self.proxy.url());
        let retries = client.config().retry_config().unwrap().clone().with_max_attempts(attempts);
        // By default all clients of a process share one budget for retries.
        let partition = RetryPartition::new(random_hex());
        let config = client.config().to_builder().retry_config(retries).retry_partition(partition);
        // The timeouts that are not given stay as deployed.
        let mut timeouts = self.timeouts.clone();
        timeouts.take_defaults_from(client.config().timeout_config().unwrap());
        (Client::from_conf(config.timeout_config(timeouts).build()), self.table.clone())
    }

    /// Puts these items into the table.
    pub(crate) async fn fill(&self, items: &[Attributes]) {
        for batch in items.chunks(25) {
            let put = |item: &Attributes| {
                let put = PutRequest::builder().set_item(Some(item.clone())).build().unwrap();
                WriteRequest::builder().put_request(put).build()
            };
            let puts = batch.iter().map(put).collect();
            let written = self.client.batch_write_item().request_items(&*self.table, puts).send().await;
            assert!(written.unwrap().unprocessed_items().is_none_or(HashMap::is_empty));
        }
    }

    /// Everything in the table.
    pub(crate) async fn items(&self) -> Vec<Attributes> {
        let scan = self.client.scan().table_name(&*self.table).consistent_read(true);
        scan.into_paginator().items().send().collect::<Result<_, _>>().await.unwrap()
    }
}

/// A process with the whole API. A function is refused what its role does not allow in the table. The test itself may
/// do anything there, through `store`.
#[derive(Clone)]
pub(crate) struct Instance {
    pub(crate) app: App,
    pub(crate) store: Store,
    guard: Arc<Guard>,
    service: Router,
}

impl Instance {
    fn over(client: &Client, table: &str, clock: &Clock, settings: &BTreeMap<String, String>, timing: Timing) -> Self {
        let environment = Environment::from_iter(settings.clone());
        let config =
            Config::read_with_mail(&environment, Setting::ALL, Strictness::Deployed, greenroom_mail::settings).unwrap();
        let config = Config { timing, ..config };
        let (guard, store) = (Arc::new(Guard::new(ROLES.clone())), Store::new(client.clone(), table));
        let app = App::new(config, store.through(guard.client(client)), clock.clone());
        let service = ROUTES.attribute(greenroom::service(&app));
        Self { app, store, guard, service }
    }

    /// Runs housekeeping, with the rights of its role.
    pub(crate) async fn keep_house(&self) -> Result<(), greenroom_housekeeping::Failed> {
        let origin = Origin { id: Some(call_of("housekeeping")), source: SourceAddress(None) };
        let outcome = Meter::new(origin).scope(greenroom_housekeeping::run(&self.app, &|| true)).await;
        self.guard.check();
        outcome
    }

    /// The answer to a request; its body is not read yet.
    pub(crate) async fn begin(&self, call: &Call) -> Response {
        let mut request =
            Request::builder().method(&*call.method).uri(&call.path).header(header::HOST, "greenroom.example");
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        let body = match &call.body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        let answer = self.service.clone().oneshot(request.body(body).unwrap());
        timeout(LONG_TIMEOUT + LONG_TIMEOUT, answer).await.unwrap_or_else(|_| panic!("{call} hangs")).unwrap()
    }

    /// The answer to a request; for a stream, its beginning.
    pub(crate) async fn send(&self, call: &Call) -> Answer {
        let (parts, body) = self.begin(call).await.into_parts();
        let streams = parts.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
        let bytes = if streams { Bytes::new() } else { to_bytes(body, usize::MAX).await.unwrap() };
        // A body that is not JSON is a text for people.
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        self.guard.check();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }
}

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: Cow<'static, str>,
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Option<Value>,
}

impl Call {
    pub(crate) fn new(method: &'static str, path: impl Into<String>) -> Self {
        Self { method: method.into(), path: path.into(), headers: Vec::new(), body: None }
    }

    /// Adds these credentials.
    pub(crate) fn by(mut self, authorization: &str) -> Self {
        self.headers.push(("authorization", authorization.to_owned()));
        self
    }

    /// Adds this header.
    pub(crate) fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Adds this JSON.
    pub(crate) fn json(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// The answer to a request.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.status, self.body)
    }
}

/// A string attribute of an item.
pub(crate) fn text<'a>(item: &'a Attributes, name: &str) -> &'a str {
    item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

/// A number attribute of an item.
pub(crate) fn number(item: &Attributes, name: &str) -> Option<i64> {
    item.get(name).and_then(|value: &AttributeValue| value.as_n().ok()?.parse().ok())
}

fn client(endpoint: &str) -> Client {
    let environment = Environment::from_iter([("AWS_ENDPOINT_URL".to_owned(), endpoint.to_owned())]);
    greenroom_store::client(&AwsEnvironment::read(&environment, "DYNAMODB"))
}

/// An embedded store: its endpoint, a client for an instance without the endpoint, and one for the test itself.
async fn embedded_store(server: &mut JoinSet<()>) -> (String, Client, Client) {
    let embedded = Embedded::memory().unwrap();
    let (of_sound, client) = (embedded.client(), embedded.direct_client());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    server.spawn(async move { embedded.listen(listener, std::future::pending()).await.unwrap() });
    (endpoint, of_sound, client)
}
