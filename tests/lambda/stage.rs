//! A table, the functions on it, and the events that they are sent.

use std::{
    cell::RefCell,
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    rc::Rc,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use aws_sdk_dynamodb::Client;
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use greenroom::{embedded::Embedded, table};
use greenroom_core::config::{AwsEnvironment, Environment};
use greenroom_store::{Store, client};
use serde_json::Value;
use tempfile::TempDir;
use testbed::{Function, InvokeError, LIVEKIT_KEY, LIVEKIT_SECRET, external_store, sign_event};
use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    answer::Answer,
    binaries::binary,
    meeting::{Meeting, PASSWORD},
};

/// Long enough for a deployed function. The documented secret in the events is too short.
pub(crate) const OPENVIDU_SECRET: &str = "secret-of-the-functions-under-test";
/// 32 bytes, in base64.
pub(crate) const SIGNING_SECRET: &str = "Vb4Qe8rJtN2mHxZ0kLw5uYgS7pDfC1aEo3iTqRnXyWs=";
/// The access token of the operators of live sessions.
pub(crate) const STREAMS_TOKEN: &str = "token-of-the-operators-under-test";
/// The secret that signs the webhooks of media servers.
pub(crate) const STREAMS_SECRET: &str = "secret-of-the-media-server-under-test";
/// The end of the URL of OpenTok's callbacks.
pub(crate) const OPENTOK_CALLBACK_SECRET: &str = "secret-of-the-callbacks-under-test";
/// The secret that signs the tokens of the OpenTok project.
pub(crate) const OPENTOK_SECRET: &str = "secret-of-the-project-under-test";
/// The identifier that the events register.
pub(crate) const IDENTIFIER: &str = "device_unique_id_here";
/// The origin of the preflight in the events.
pub(crate) const ORIGIN: &str = "https://app.greenroom.test";
/// `OPENVIDUAPP:MY_SECRET`, as in the events.
const EVENTS_AUTHORIZATION: &str = "Basic T1BFTlZJRFVBUFA6TVlfU0VDUkVU";
/// `USERNAME@localhost:PASSWORD`, as in the events.
const EVENTS_ACCOUNT: &str = "Basic VVNFUk5BTUVAbG9jYWxob3N0OlBBU1NXT1JE";

/// The number of stages so far. Each one has a table of its own, on a store that they may share.
static STAGES: AtomicU32 = AtomicU32::new(0);

/// A table of its own, and the functions that were started on it.
pub(crate) struct Stage {
    pub(crate) endpoint: String,
    table: String,
    log: &'static str,
    functions: RefCell<HashMap<String, Rc<Function>>>,
    mails: TempDir,
    // Held for its drop, which ends the server.
    _store: JoinSet<()>,
}

/// The values for the placeholders in an event.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fixture {
    pub(crate) device_token: String,
    pub(crate) session: String,
    pub(crate) connection: String,
    pub(crate) token: String,
    pub(crate) meeting: Meeting,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::logging("info").await
    }

    /// A stage with this filter for the logs of its functions.
    pub(crate) async fn logging(log: &'static str) -> Self {
        let name = format!("lambda-{}-{}", std::process::id(), STAGES.fetch_add(1, Ordering::Relaxed));
        let mut store = JoinSet::new();
        let endpoint = match external_store() {
            Some(endpoint) => {
                let aws = Environment::from_iter([("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), endpoint.clone())]);
                let client = client(&AwsEnvironment::read(&aws, "DYNAMODB"));
                table::ensure(&client, &name, true).await.unwrap();
                endpoint
            }
            None => embedded_store(&name, &mut store).await,
        };
        let mails = TempDir::new().unwrap();
        Self { endpoint, table: name, log, functions: RefCell::default(), mails, _store: store }
    }

    /// The environment with which a function is started.
    pub(crate) fn environment(&self) -> HashMap<String, String> {
        let keys = format!(r#"[{{"kid":"k1","secret":"{SIGNING_SECRET}"}}]"#);
        [
            ("TABLE_NAME", self.table.as_str()),
            ("AWS_ENDPOINT_URL_DYNAMODB", &self.endpoint),
            ("CORS_ORIGINS", ORIGIN),
            ("LOG", self.log),
            ("STACK_NAME", "greenroom-test"),
            ("OPENVIDU_SECRET", OPENVIDU_SECRET),
            ("SIGNING_KEYS", &keys),
            ("OPENTOK_API_KEY", "12345678"),
            ("OPENTOK_API_SECRET", OPENTOK_SECRET),
            ("STREAMS_ACCESS_TOKEN", STREAMS_TOKEN),
            ("STREAMS_WEBHOOK_SECRET", STREAMS_SECRET),
            ("OPENTOK_WEBHOOK_SECRET", OPENTOK_CALLBACK_SECRET),
            ("LIVEKIT_URL", "https://127.0.0.1:1"),
            ("LIVEKIT_API_KEY", LIVEKIT_KEY),
            ("LIVEKIT_API_SECRET", LIVEKIT_SECRET),
            ("LIVEKIT_URL", "https://127.0.0.1:1"),
            ("LIVEKIT_API_KEY", LIVEKIT_KEY),
            ("LIVEKIT_API_SECRET", LIVEKIT_SECRET),
            ("MAIL_DIR", self.mails.path().to_str().unwrap()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    /// The function with this name. It is started on first use.
    pub(crate) async fn function(&self, name: &str) -> Rc<Function> {
        let running = self.functions.borrow().get(name).cloned();
        if let Some(function) = running {
            return function;
        }
        let mut environment = self.environment();
        // The access key id tells a proxy in front of the table which function sends a request.
        environment.insert("AWS_ACCESS_KEY_ID".to_owned(), name.to_owned());
        // An event stream ends ten seconds before the timeout.
        let timeout = Duration::from_secs(if name == "message-events" { 11 } else { 30 });
        let function = Function::start_for(timeout, &binary(name), environment).await;
        let function = Rc::new(function.unwrap_or_else(|error| panic!("{name}: {error}")));
        self.functions.borrow_mut().insert(name.to_owned(), function.clone());
        function
    }

    /// Sends the event with this name, `<function>/<case>`, with its placeholders filled from the fixture.
    pub(crate) async fn send(&self, event: &str, fixture: &Fixture) -> Answer {
        let (function, _) = event.split_once('/').unwrap();
        self.send_to(function, &fixture.event(event)).await
    }

    /// Sends any event to a function.
    pub(crate) async fn send_to(&self, function: &str, event: &Value) -> Answer {
        let answer = self.function(function).await.invoke(event).await;
        Answer::new(answer.unwrap_or_else(|error| panic!("{function}: {error}")))
    }

    /// Invokes a function that no request invokes.
    pub(crate) async fn run(&self, event: &str) -> Result<Value, InvokeError> {
        let (function, _) = event.split_once('/').unwrap();
        self.function(function).await.invoke(&Fixture::default().event(event)).await
    }

    /// Creates a registered device, and an OpenVidu session with one token.
    pub(crate) async fn fixture(&self) -> Fixture {
        let mut fixture = Fixture::default();
        let device = self.send("create-session/device", &fixture).await;
        fixture.device_token = device.at("/data/token");
        fixture.session = self.send("create-session/openvidu", &fixture).await.at("/id");
        fixture.token = self.send("issue-token/issue-token", &fixture).await.at("/id");
        let session = self.send("media-sessions/read", &fixture).await;
        fixture.connection = session.at("/connections/content/0/connectionId");
        fixture
    }

    /// The fixture that the placeholders of this event need.
    pub(crate) async fn fixture_of(&self, event: &str) -> Fixture {
        let text = fs::read_to_string(path(event)).unwrap();
        let is_organisers = ["/api/v2", "USER_TOKEN", EVENTS_ACCOUNT].iter().any(|sign| text.contains(sign));
        let mut fixture = Fixture::default();
        if !is_organisers || text.contains("DEVICE_TOKEN") || text.contains("LIVE_ID") {
            fixture = self.fixture().await;
        }
        if is_organisers {
            fixture.meeting = self.meeting().await;
        }
        if event.starts_with("contacts/") {
            self.send("contacts/add", &fixture).await;
        }
        if event.starts_with("rooms/") && event != "rooms/create-named" {
            self.send("rooms/create-named", &fixture).await;
        }
        fixture
    }

    /// The table itself.
    pub(crate) fn store(&self) -> Store {
        Store::new(self.client(), &self.table)
    }

    /// A client of the table.
    pub(crate) fn client(&self) -> Client {
        let aws = Environment::from_iter(self.environment());
        client(&AwsEnvironment::read(&aws, "DYNAMODB"))
    }

    /// The logs of all functions, by their names.
    pub(crate) fn logs(&self) -> Vec<(String, String)> {
        let functions = self.functions.borrow();
        functions.iter().map(|(name, function)| (name.clone(), function.output())).collect()
    }
}

impl Fixture {
    /// The event with this name, with its placeholders filled from the fixture.
    pub(crate) fn event(&self, event: &str) -> Value {
        self.fill(&fs::read_to_string(path(event)).unwrap())
    }

    /// The event with its placeholders filled.
    fn fill(&self, event: &str) -> Value {
        let placeholders = self.meeting.placeholders();
        let event = placeholders
            .iter()
            .fold(event.to_owned(), |event, (placeholder, value)| event.replace(placeholder, value))
            .replace(EVENTS_AUTHORIZATION, &openvidu_authorization())
            .replace(EVENTS_ACCOUNT, &account_authorization(&self.meeting.username))
            .replace("OPENTOK_WEBHOOK_KEY", OPENTOK_CALLBACK_SECRET)
            .replace("STREAMS_CREDENTIALS", &BASE64_STANDARD.encode(STREAMS_TOKEN))
            .replace("LIVE_ID", &self.live())
            .replace("DEVICE_TOKEN", &self.device_token)
            .replace("CONNECTION_ID", &self.connection)
            .replace("SESSION_ID", &self.session);
        let mut event: Value = serde_json::from_str(&event).unwrap();
        sign_event(&mut event, STREAMS_SECRET);
        event
    }

    /// The id of the connection in the list for users.
    fn live(&self) -> String {
        let place = ["default", "openvidu", &*self.session, &*self.connection];
        BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(&place).unwrap())
    }
}

/// Serves a table in memory to other processes; returns its address.
async fn embedded_store(table: &str, store: &mut JoinSet<()>) -> String {
    let embedded = Embedded::memory().unwrap();
    embedded.create_table(table).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    store.spawn(async move { embedded.listen(listener, std::future::pending()).await.unwrap() });
    endpoint
}

/// The `Authorization` header of a back-end with the right secret.
pub(crate) fn openvidu_authorization() -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("OPENVIDUAPP:{OPENVIDU_SECRET}")))
}

/// The `Authorization` header of a participant with this username.
fn account_authorization(username: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{username}@localhost:{PASSWORD}")))
}

/// The directory of all events.
pub(crate) fn events() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("events")
}

fn path(event: &str) -> PathBuf {
    events().join(event).with_extension("json")
}
