//! The table behind all subjects, and what is in it, so that every function has something to answer with.

use std::{fs, net::SocketAddr, path::Path};

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha1::Sha1;
use tempfile::TempDir;

use crate::{
    OPENVIDU_SECRET, Result, build,
    client::{Connection, request},
    cold::proxy::Proxy,
    openvidu_authorization,
    server::{Kept, Server},
};

const TABLE: &str = "cold-start";
const PASSWORD: &str = "password of the benchmark";
const API_TOKEN: &str = "0123456789abcdef0123456789abcdef01234567";
const STREAMS_TOKEN: &str = "token-of-the-operators-of-the-benchmark";
const STREAMS_SECRET: &str = "secret-of-the-media-server-of-the-benchmark";
const SIGNING_KEYS: &str = r#"[{"kid":"k1","secret":"x/Ny63SJJFAhRIRsCcGh7U2W0ak4Y0SVhwjvhrVqUgE="}]"#;
/// Where the preflight among the events comes from.
const ORIGIN: &str = "https://app.greenroom.test";
/// `OPENVIDUAPP:MY_SECRET` and `USERNAME@localhost:PASSWORD`, as the events carry them.
const EVENTS_AUTHORIZATION: &str = "Basic T1BFTlZJRFVBUFA6TVlfU0VDUkVU";
const EVENTS_ACCOUNT: &str = "Basic VVNFUk5BTUVAbG9jYWxob3N0OlBBU1NXT1JE";
/// The identifier that the events register.
const EVENTS_IDENTIFIER: &str = "device_unique_id_here";

/// A DynamoDB in the memory of another process, TLS in front of it, and the APIs over it.
pub(crate) struct Store {
    pub(crate) proxy: Proxy,
    database: SocketAddr,
    gateway: SocketAddr,
    mails: TempDir,
    _server: Kept,
}

impl Store {
    pub(crate) async fn start() -> Result<Self> {
        let mails = TempDir::new()?;
        let mut variables = settings();
        variables.extend([("ADMIN_PASSWORD", PASSWORD), ("API_TOKEN", API_TOKEN), ("LOG", "warn")]);
        let arguments = ["serve", "--port", "0", "--memory", "--dynamodb-port", "0"];
        let mut server = Server::start(&build::release("greenroom")?, &arguments, &variables)?;
        let gateway = server.address("listening on").await?;
        let database = server.address("DynamoDB").await?;
        Ok(Self { proxy: Proxy::start(database).await?, database, gateway, mails, _server: server.keep() })
    }

    /// What every function and every peer is started with: its secrets lie in its environment.
    pub(crate) fn environment(&self) -> Result<Vec<(String, String)>> {
        let url = self.proxy.url();
        let others = [
            ("AWS_ENDPOINT_URL_DYNAMODB", url.as_str()),
            ("AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH", "true"),
            ("CORS_ORIGINS", ORIGIN),
            ("LOG", "info"),
            ("MAIL_DIR", self.mails.path().to_str().ok_or("a path that is no text")?),
        ];
        let all = settings().into_iter().chain(others);
        Ok(all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// What devices' identifiers are hashed with, which the table knows.
    pub(crate) async fn device_key(&self) -> Result<String> {
        let item = self.item("SETTINGS", "SETTINGS").await?;
        Ok(text(&item["deviceKey"]["S"])?.to_owned())
    }

    /// An item as it lies in the table.
    pub(crate) async fn item(&self, pk: &str, sk: &str) -> Result<Value> {
        let key = json!({"TableName": TABLE, "Key": {"PK": {"S": pk}, "SK": {"S": sk}}, "ConsistentRead": true});
        // Only its form is looked at.
        let headers = "x-amz-target: DynamoDB_20120810.GetItem\r\nx-amz-date: 20260101T000000Z\r\n\
             authorization: AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, \
             SignedHeaders=host, Signature=0\r\n";
        let mut connection = Connection::open(self.database).await?;
        let answer = connection.answer(&request("POST", "/", headers, &key.to_string()), 200).await?;
        Ok(serde_json::from_slice::<Value>(answer)?["Item"].take())
    }

    /// An organiser's event with a floor, a participant of conversations with a room, a device and a media session.
    pub(crate) async fn fixture(&self) -> Result<Fixture> {
        let mut sender = Sender { connection: Connection::open(self.gateway).await?, fixture: Fixture::default() };
        let token = sender.send("token-auth/obtain", 200).await?;
        sender.fixture.set("USER_TOKEN", text(&token["token"])?);
        let manager = sender.send("users/create", 201).await?;
        sender.fixture.set("MANAGER_NAME", text(&manager["username"])?);
        let event = sender.send("events/create", 201).await?;
        sender.fixture.set("EVENT_ID", &event["id"].to_string());
        sender.send("sessions/create", 201).await?;
        let token = sender.send("logintokens/create", 201).await?;
        sender.fixture.set("LOGIN_TOKEN", text(&token["token"])?);
        sender.send("contacts/add", 204).await?;
        sender.send("rooms/create-named", 201).await?;
        let device = sender.send("create-session/device", 200).await?;
        sender.fixture.set("DEVICE_TOKEN", text(&device["data"]["token"])?);
        let session = sender.send("create-session/openvidu", 200).await?;
        sender.fixture.set("SESSION_ID", text(&session["id"])?);
        Ok(sender.fixture)
    }
}

fn settings() -> Vec<(&'static str, &'static str)> {
    vec![
        ("TABLE_NAME", TABLE),
        ("OPENVIDU_SECRET", OPENVIDU_SECRET),
        ("SIGNING_KEYS", SIGNING_KEYS),
        ("OPENTOK_API_KEY", "12345678"),
        ("OPENTOK_API_SECRET", "secret-of-the-project-of-the-benchmark"),
        ("STREAMS_ACCESS_TOKEN", STREAMS_TOKEN),
        ("STREAMS_WEBHOOK_SECRET", STREAMS_SECRET),
    ]
}

/// What stands in the events' placeholders; the longer ones lead, since they may begin with others.
pub(crate) struct Fixture(Vec<(&'static str, String)>);

impl Default for Fixture {
    fn default() -> Self {
        let mut fixture = Self(Vec::new());
        fixture.set(EVENTS_AUTHORIZATION, &openvidu_authorization());
        let account = BASE64_STANDARD.encode(format!("admin@localhost:{PASSWORD}"));
        fixture.set(EVENTS_ACCOUNT, &format!("Basic {account}"));
        fixture.set("STREAMS_CREDENTIALS", &BASE64_STANDARD.encode(STREAMS_TOKEN));
        fixture.set("API_TOKEN", API_TOKEN);
        fixture.set("USERNAME", "admin");
        fixture.set("PASSWORD", PASSWORD);
        fixture
    }
}

impl Fixture {
    fn set(&mut self, placeholder: &'static str, value: &str) {
        self.0.push((placeholder, value.to_owned()));
        self.0.sort_by_key(|(placeholder, _)| std::cmp::Reverse(placeholder.len()));
    }

    /// The event of this name in `events/`.
    pub(crate) fn event(&self, name: &str) -> Result<Event> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events").join(name).with_extension("json");
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let filled = self.0.iter().fold(text, |text, (placeholder, value)| text.replace(placeholder, value));
        let mut event: Value = serde_json::from_str(&filled)?;
        if event["headers"]["x-ome-signature"] == "ADMISSION_SIGNATURE" {
            let mac = Hmac::<Sha1>::new_from_slice(STREAMS_SECRET.as_bytes())?;
            let mac = mac.chain_update(event["body"].as_str().unwrap_or_default()).finalize().into_bytes();
            event["headers"]["x-ome-signature"] = BASE64_URL_SAFE_NO_PAD.encode(mac).into();
        }
        Ok(Event(event))
    }
}

/// An event, sent many times.
#[derive(Clone)]
pub(crate) struct Event(Value);

impl Event {
    /// The event of this number: each registers a device of its own.
    #[must_use]
    pub(crate) fn numbered(&self, number: usize) -> Value {
        let mut event = self.0.clone();
        if let Some(body) = event["body"].as_str() {
            event["body"] = body.replace(EVENTS_IDENTIFIER, &identifier(number)).into();
        }
        event
    }
}

/// The identifier of the device of this number, as long as the events' own.
#[must_use]
pub(crate) fn identifier(number: usize) -> String {
    format!("device_{number:014}")
}

/// Sends events to the local gateway, as requests.
struct Sender {
    connection: Connection,
    fixture: Fixture,
}

impl Sender {
    async fn send(&mut self, name: &str, status: u16) -> Result<Value> {
        let Event(event) = self.fixture.event(name)?;
        let headers = match event["headers"]["authorization"].as_str() {
            Some(credentials) => format!("authorization: {credentials}\r\n"),
            None => String::new(),
        };
        let method = text(&event["requestContext"]["http"]["method"])?;
        let body = event["body"].as_str().unwrap_or_default();
        let request = request(method, text(&event["rawPath"])?, &headers, body);
        let answer = self.connection.answer(&request, status).await;
        let answer = answer.map_err(|error| format!("{name}: {error}"))?;
        Ok(if answer.is_empty() { Value::Null } else { serde_json::from_slice(answer)? })
    }
}

/// A value that has to be text.
pub(crate) fn text(value: &Value) -> Result<&str> {
    Ok(value.as_str().ok_or_else(|| format!("not a text: {value}"))?)
}
