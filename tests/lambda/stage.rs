//! A table, the functions over it, and the events they are sent.

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
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha1::Sha1;
use shared::{
    config::{AwsEnvironment, Environment},
    store::{Store, client},
};
use tempfile::TempDir;
use testbed::{Function, InvokeError};
use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    answer::Answer,
    binaries::binary,
    meeting::{Meeting, PASSWORD},
};

/// Long enough to be let through on Lambda, which the documented one of the events is not.
pub(crate) const OPENVIDU_SECRET: &str = "secret-of-the-functions-under-test";
/// 32 bytes, in base64.
pub(crate) const SIGNING_SECRET: &str = "Vb4Qe8rJtN2mHxZ0kLw5uYgS7pDfC1aEo3iTqRnXyWs=";
/// What operators of live sessions know.
pub(crate) const STREAMS_TOKEN: &str = "token-of-the-operators-under-test";
/// What media servers sign their webhooks with.
pub(crate) const STREAMS_SECRET: &str = "secret-of-the-media-server-under-test";
/// What the URL of OpenTok's callbacks ends in.
pub(crate) const OPENTOK_CALLBACK_SECRET: &str = "secret-of-the-callbacks-under-test";
/// The secret of the OpenTok project that tokens are of.
pub(crate) const OPENTOK_SECRET: &str = "secret-of-the-project-under-test";
/// The identifier that the events register.
pub(crate) const IDENTIFIER: &str = "device_unique_id_here";
/// The origin that the preflight among the events comes from.
pub(crate) const ORIGIN: &str = "https://app.greenroom.test";
/// `OPENVIDUAPP:MY_SECRET`, as the events carry it.
const EVENTS_AUTHORIZATION: &str = "Basic T1BFTlZJRFVBUFA6TVlfU0VDUkVU";
/// `USERNAME@localhost:PASSWORD`, as the events carry it.
const EVENTS_ACCOUNT: &str = "Basic VVNFUk5BTUVAbG9jYWxob3N0OlBBU1NXT1JE";

/// How many stages there have been: each has a table of its own, on a store they may share.
static STAGES: AtomicU32 = AtomicU32::new(0);

/// A table of its own, and the functions that have been started over it.
pub(crate) struct Stage {
    pub(crate) endpoint: String,
    table: String,
    log: &'static str,
    functions: RefCell<HashMap<String, Rc<Function>>>,
    mails: TempDir,
    // Held for its drop, which ends the server.
    _store: JoinSet<()>,
}

/// What stands in an event's placeholders.
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

    /// With this filter for what the functions log.
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

    /// What a function is started with.
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
            ("MAIL_DIR", self.mails.path().to_str().unwrap()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    /// The function of this name, started when it is first asked for.
    pub(crate) async fn function(&self, name: &str) -> Rc<Function> {
        let running = self.functions.borrow().get(name).cloned();
        if let Some(function) = running {
            return function;
        }
        let mut environment = self.environment();
        // Whoever looks at requests to the table sees by it whose they are.
        environment.insert("AWS_ACCESS_KEY_ID".to_owned(), name.to_owned());
        // A stream of events ends ten seconds before that.
        let timeout = Duration::from_secs(if name == "message-events" { 11 } else { 30 });
        let function = Function::start_for(timeout, &binary(name), environment).await;
        let function = Rc::new(function.unwrap_or_else(|error| panic!("{name}: {error}")));
        self.functions.borrow_mut().insert(name.to_owned(), function.clone());
        function
    }

    /// Sends the event of this name, `<function>/<case>`, with the fixture in its placeholders.
    pub(crate) async fn send(&self, event: &str, fixture: &Fixture) -> Answer {
        let (function, _) = event.split_once('/').unwrap();
        self.send_to(function, &fixture.event(event)).await
    }

    /// Sends any event to a function.
    pub(crate) async fn send_to(&self, function: &str, event: &Value) -> Answer {
        let answer = self.function(function).await.invoke(event).await;
        Answer::new(answer.unwrap_or_else(|error| panic!("{function}: {error}")))
    }

    /// Has a function do what it does by itself.
    pub(crate) async fn run(&self, event: &str) -> Result<Value, InvokeError> {
        let (function, _) = event.split_once('/').unwrap();
        self.function(function).await.invoke(&Fixture::default().event(event)).await
    }

    /// A registered device, and an OpenVidu session with one token.
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

    /// What stands in the placeholders of this event.
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

    /// What reaches the table.
    pub(crate) fn client(&self) -> Client {
        let aws = Environment::from_iter(self.environment());
        client(&AwsEnvironment::read(&aws, "DYNAMODB"))
    }

    /// All that the functions have logged, by their names.
    pub(crate) fn logs(&self) -> Vec<(String, String)> {
        let functions = self.functions.borrow();
        functions.iter().map(|(name, function)| (name.clone(), function.output())).collect()
    }
}

impl Fixture {
    /// The event of this name, with the fixture in its placeholders.
    pub(crate) fn event(&self, event: &str) -> Value {
        self.fill(&fs::read_to_string(path(event)).unwrap())
    }

    /// The event with what it stands for in place of its placeholders.
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
        if event["headers"]["x-ome-signature"] == "ADMISSION_SIGNATURE" {
            event["headers"]["x-ome-signature"] = admission_signature(event["body"].as_str().unwrap()).into();
        }
        event
    }

    /// What people know the connection by.
    fn live(&self) -> String {
        let place = ["default", "openvidu", &*self.session, &*self.connection];
        BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(&place).unwrap())
    }
}

/// Serves a table in memory to other processes; returns where.
async fn embedded_store(table: &str, store: &mut JoinSet<()>) -> String {
    let embedded = Embedded::memory().unwrap();
    embedded.create_table(table).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    store.spawn(async move { embedded.listen(listener, std::future::pending()).await.unwrap() });
    endpoint
}

/// The DynamoDB to use instead of the embedded one, which the machine's user chooses.
fn external_store() -> Option<String> {
    std::env::var_os("GREENROOM_TEST_DYNAMODB").map(|endpoint| endpoint.into_string().unwrap())
}

/// What a media server signs a body with.
fn admission_signature(body: &str) -> String {
    let mac = Hmac::<Sha1>::new_from_slice(STREAMS_SECRET.as_bytes()).unwrap().chain_update(body);
    BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}

/// What a back-end with the right secret sends.
pub(crate) fn openvidu_authorization() -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("OPENVIDUAPP:{OPENVIDU_SECRET}")))
}

/// What a participant of conversations with this user's name sends.
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
