//! The API as a caller sees it.

mod caller;

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
    time::Duration,
};

use aws_sdk_dynamodb::{Client, config::timeout::TimeoutConfig, types::AttributeValue};
use axum::Router;
use base64::{Engine, prelude::BASE64_STANDARD};
use greenroom::{embedded::Embedded, table};
use greenroom_core::{
    clock::{Clock, Timestamp},
    config::{AwsEnvironment, Config, Environment, Setting, Strictness, Timing},
    id::random_hex,
    model::guesses::SourceAddress,
};
use greenroom_http::{App, auth::SigningKeys};
use greenroom_store::Store;
use greenroom_telemetry::meter::{Meter, Origin};
use serde_json::json;
use testbed::{
    LONG_TIMEOUT, external_store, keep_what_expires, long_timing,
    rights::{Guard, Roles, Routes, call_of},
};

pub(crate) use self::caller::{Answer, Caller};

/// The secret of the back-ends.
pub(crate) const SECRET: &str = "test:secret-of-the-backend";
/// The instant at which every test begins.
pub(crate) const NOW: i64 = 1_700_000_000_000;
/// The first signing key.
pub(crate) const KEY: &str = r#"[{"kid":"k1","secret":"x/Ny63SJJFAhRIRsCcGh7U2W0ak4Y0SVhwjvhrVqUgE="}]"#;

/// How often a stream of events reads the table.
pub(crate) const POLL: Duration = Duration::from_millis(20);
/// How often a stream without events sends a keep-alive.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_millis(100);

/// The access token of the operators of live sessions.
pub(crate) const ACCESS_TOKEN: &str = "operator:of-live-sessions";
/// The secret that signs the webhooks of media servers.
pub(crate) const WEBHOOK_SECRET: &str = "secret-of-the-media-server";

/// The secret that signs the callbacks of the media provider.
pub(crate) const CALLBACK_SECRET: &str = "secret-of-the-session-monitoring";

/// The OpenTok project.
pub(crate) const OPENTOK_KEY: &str = "45828062";
/// The secret that signs the tokens of the OpenTok project.
pub(crate) const OPENTOK_SECRET: &str = "1234567890abcdef1234567890abcdef1234567890";

/// The rights of the functions' roles.
pub(crate) static ROLES: LazyLock<Arc<Roles>> = LazyLock::new(|| Roles::of_workspace().unwrap().into());

/// Finds the function that handles a request.
static ROUTES: LazyLock<Routes> = LazyLock::new(|| {
    let routes = greenroom::functions().into_iter().flat_map(|function| {
        let routes = greenroom::routes(function.routes.get_openapi()).into_iter();
        routes.map(move |(method, path)| (function.name.to_owned(), method.to_uppercase(), path))
    });
    Routes::of(routes).unwrap()
});

/// The whole API on a table of its own, with a stopped clock. A function is refused what its role does not allow in the
/// table. The test itself may do anything there, through `store` or `client`.
#[derive(Clone)]
pub(crate) struct TestApp {
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    pub(crate) keys: SigningKeys,
    pub(crate) client: Client,
    pub(crate) table: Arc<str>,
    pub(crate) shared: App,
    guard: Arc<Guard>,
    settings: BTreeMap<String, String>,
    pub(crate) service: Router,
}

impl TestApp {
    /// An API with the default settings.
    pub(crate) async fn new() -> Self {
        Self::with([]).await
    }

    /// An API with these settings.
    pub(crate) async fn with(settings: impl IntoIterator<Item = (Setting, &str)>) -> Self {
        let table: Arc<str> = format!("test-{}", random_hex()).into();
        let client = dynamo();
        table::ensure(&client, &table, true).await.unwrap();
        keep_what_expires(&client, &table).await;
        let clock = Clock::stopped_at(Timestamp::from_millis(NOW));
        let mut all = named([
            (Setting::OpenviduSecret, SECRET),
            (Setting::SigningKeys, KEY),
            (Setting::OpentokApiKey, OPENTOK_KEY),
            (Setting::OpentokApiSecret, OPENTOK_SECRET),
            (Setting::StreamsAccessToken, ACCESS_TOKEN),
            (Setting::StreamsWebhookSecret, WEBHOOK_SECRET),
            (Setting::OpentokWebhookSecret, CALLBACK_SECRET),
            (Setting::MailDir, "mail"),
        ]);
        all.extend(named([(Setting::TableName, &*table)]));
        all.extend(named(settings));
        Self::over(client, table, clock, all)
    }

    /// Another instance on the same table, with other settings.
    pub(crate) fn again_with(&self, settings: impl IntoIterator<Item = (Setting, &'static str)>) -> Self {
        let mut all = self.settings.clone();
        all.extend(named(settings));
        Self::over(self.client.clone(), self.table.clone(), self.clock.clone(), all)
    }

    fn over(client: Client, table: Arc<str>, clock: Clock, settings: BTreeMap<String, String>) -> Self {
        let environment = Environment::from_iter(settings.clone());
        // A LiveKit server that a test plays has no TLS, which is let through only on one machine.
        let has_livekit = settings.contains_key(Setting::LivekitUrl.name());
        let strictness = if has_livekit { Strictness::Local } else { Strictness::Deployed };
        let config = Config::read_with_mail(&environment, Setting::ALL, strictness, greenroom_mail::settings).unwrap();
        let config = Config { timing: Timing { poll: POLL, keep_alive: KEEP_ALIVE, ..long_timing() }, ..config };
        let guard = Arc::new(Guard::new(ROLES.clone()));
        let store = Store::new(client.clone(), &table);
        let app = App::new(config, store.through(guard.client(&client)), clock.clone());
        let service = ROUTES.attribute(greenroom::service(&app));
        Self { clock, store, keys: app.keys.clone(), client, table, shared: app, guard, settings, service }
    }

    /// The same API, with another client of its table.
    pub(crate) fn with_client(self, config: aws_sdk_dynamodb::Config) -> Self {
        Self::over(Client::from_conf(config), self.table, self.clock, self.settings)
    }

    /// Another instance on the same table, with another clock.
    pub(crate) fn again_at(&self, clock: Clock) -> Self {
        Self::over(self.client.clone(), self.table.clone(), clock, self.settings.clone())
    }

    /// Does something as this function, which is refused what its role does not allow.
    pub(crate) fn acting_as<T>(&self, function: &str, work: impl Future<Output = T>) -> impl Future<Output = T> {
        let origin = Origin { id: Some(call_of(function)), source: SourceAddress(None) };
        let working = Box::pin(Meter::new(origin).scope(work));
        async move {
            let outcome = working.await;
            self.guard.check();
            outcome
        }
    }

    /// Runs housekeeping.
    pub(crate) async fn keep_house(&self) {
        self.acting_as("housekeeping", greenroom_housekeeping::run(&self.shared, &|| true)).await.unwrap();
    }

    /// Lets time pass.
    pub(crate) fn wait(&self, duration: Duration) {
        self.clock.advance(duration);
    }

    /// Sends requests without credentials.
    pub(crate) fn anyone(&self) -> Caller<'_> {
        Caller { app: self, authorization: None, source: None, header: None }
    }

    /// Sends requests with these credentials.
    pub(crate) fn with_authorization(&self, authorization: impl Into<String>) -> Caller<'_> {
        Caller { app: self, authorization: Some(authorization.into()), source: None, header: None }
    }

    /// Sends requests as a back-end.
    pub(crate) fn backend(&self) -> Caller<'_> {
        let secret = &self.settings[Setting::OpenviduSecret.name()];
        self.with_authorization(basic(&format!("OPENVIDUAPP:{secret}")))
    }

    /// Sends requests with a device's token.
    pub(crate) fn bearer(&self, token: &str) -> Caller<'_> {
        self.with_authorization(format!("Bearer {token}"))
    }

    /// Registers a device; its token.
    pub(crate) async fn register(&self, identifier: &str) -> String {
        let answer = self.anyone().post("/api/sessions", json!({ "identifier": identifier })).await;
        answer.body["data"]["token"].as_str().unwrap().to_owned()
    }

    /// Opens a media session; its id.
    pub(crate) async fn open_session(&self) -> String {
        let answer = self.backend().post("/api/sessions", json!({})).await;
        answer.body["id"].as_str().unwrap().to_owned()
    }

    /// Everything in the table except the settings.
    pub(crate) async fn items(&self) -> Vec<String> {
        let scan = self.client.scan().table_name(&*self.table).consistent_read(true).send().await.unwrap();
        let entities = scan.items().iter().filter(|item| item["PK"] != AttributeValue::S("SETTINGS".to_owned()));
        let mut items: Vec<_> = entities.map(|item| format!("{item:?}")).collect();
        items.sort();
        items
    }
}

fn named<'a>(settings: impl IntoIterator<Item = (Setting, &'a str)>) -> BTreeMap<String, String> {
    settings.into_iter().map(|(setting, value)| (setting.name().to_owned(), value.to_owned())).collect()
}

/// The value of an `Authorization` header.
pub(crate) fn basic(credentials: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(credentials))
}

/// Whether the suite runs on DynamoDB Local.
pub(crate) fn on_dynamodb_local() -> bool {
    external_store().is_some()
}

fn dynamo() -> Client {
    let Some(endpoint) = external_store() else { return Embedded::memory().unwrap().client() };
    let environment = Environment::from_iter([("AWS_ENDPOINT_URL".to_owned(), endpoint)]);
    let client = greenroom_store::client(&AwsEnvironment::read(&environment, "DYNAMODB"));
    // On a busy machine an emulator may take longer than the timeout for DynamoDB.
    let timeouts = TimeoutConfig::builder().operation_timeout(LONG_TIMEOUT).build();
    Client::from_conf(client.config().to_builder().timeout_config(timeouts).build())
}
