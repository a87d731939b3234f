//! The data in the table for the measured functions, and the events that refer to it.

use std::{fs, net::SocketAddr, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;
use testbed::{LIVEKIT_KEY, LIVEKIT_SECRET, sign_event};

use crate::{
    OPENVIDU_SECRET, Result,
    client::{Connection, request},
    openvidu_authorization,
};

const PASSWORD: &str = "password of the benchmark";
const API_TOKEN: &str = "0123456789abcdef0123456789abcdef01234567";
const STREAMS_TOKEN: &str = "token-of-the-operators-of-the-benchmark";
const STREAMS_SECRET: &str = "secret-of-the-media-server-of-the-benchmark";
const OPENTOK_CALLBACK_SECRET: &str = "secret-of-the-callbacks-of-the-benchmark";
const SIGNING_KEYS: &str = r#"[{"kid":"k1","secret":"x/Ny63SJJFAhRIRsCcGh7U2W0ak4Y0SVhwjvhrVqUgE="}]"#;
/// `OPENVIDUAPP:MY_SECRET` and `USERNAME@localhost:PASSWORD`, as in the events.
const EVENTS_AUTHORIZATION: &str = "Basic T1BFTlZJRFVBUFA6TVlfU0VDUkVU";
const EVENTS_ACCOUNT: &str = "Basic VVNFUk5BTUVAbG9jYWxob3N0OlBBU1NXT1JE";
/// The identifier that the events register.
const EVENTS_IDENTIFIER: &str = "device_unique_id_here";

/// The settings that the gateway and all functions share.
pub(crate) fn settings() -> Vec<(&'static str, &'static str)> {
    vec![
        ("OPENVIDU_SECRET", OPENVIDU_SECRET),
        ("SIGNING_KEYS", SIGNING_KEYS),
        ("OPENTOK_API_KEY", "12345678"),
        ("OPENTOK_API_SECRET", "secret-of-the-project-of-the-benchmark"),
        ("STREAMS_ACCESS_TOKEN", STREAMS_TOKEN),
        ("STREAMS_WEBHOOK_SECRET", STREAMS_SECRET),
        ("OPENTOK_WEBHOOK_SECRET", OPENTOK_CALLBACK_SECRET),
        ("LIVEKIT_URL", "https://127.0.0.1:1"),
        ("LIVEKIT_API_KEY", LIVEKIT_KEY),
        ("LIVEKIT_API_SECRET", LIVEKIT_SECRET),
    ]
}

/// The additional settings of the gateway, which create the accounts that log in.
pub(crate) const ACCOUNTS: [(&str, &str); 2] = [("ADMIN_PASSWORD", PASSWORD), ("API_TOKEN", API_TOKEN)];

/// The values for the placeholders in the events. Longer placeholders come first, because they may begin with shorter
/// ones.
pub(crate) struct Fixture {
    values: Vec<(&'static str, String)>,
    /// The media session for which tokens are issued. The other one is only read, and keeps its single token.
    issued_for: String,
}

impl Default for Fixture {
    fn default() -> Self {
        let mut fixture = Self { values: Vec::new(), issued_for: String::new() };
        fixture.set(EVENTS_AUTHORIZATION, &openvidu_authorization());
        let account = BASE64_STANDARD.encode(format!("admin@localhost:{PASSWORD}"));
        fixture.set(EVENTS_ACCOUNT, &format!("Basic {account}"));
        fixture.set("STREAMS_CREDENTIALS", &BASE64_STANDARD.encode(STREAMS_TOKEN));
        fixture.set("API_TOKEN", API_TOKEN);
        fixture.set("OPENTOK_WEBHOOK_KEY", OPENTOK_CALLBACK_SECRET);
        fixture.set("USERNAME", "admin");
        fixture.set("PASSWORD", PASSWORD);
        fixture
    }
}

impl Fixture {
    /// Creates the data through a gateway on an empty table: an organiser's event with a floor, a participant of
    /// conversations with a room, a device, a media session with a token, and a media session for further tokens.
    pub(crate) async fn of(gateway: SocketAddr) -> Result<Self> {
        let mut sender = Sender { connection: Connection::open(gateway).await?, fixture: Self::default() };
        let token = sender.send("token-auth/obtain", 200).await?;
        sender.fixture.set("USER_TOKEN", text(&token["token"])?);
        let manager = sender.send("users/create", 201).await?;
        sender.fixture.set("MANAGER_NAME", text(&manager["username"])?);
        sender.fixture.set("MANAGER_ID", &manager["id"].to_string());
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
        sender.send("issue-token/issue-token", 200).await?;
        let session = sender.send("create-session/openvidu", 200).await?;
        text(&session["id"])?.clone_into(&mut sender.fixture.issued_for);
        Ok(sender.fixture)
    }

    fn set(&mut self, placeholder: &'static str, value: &str) {
        self.values.push((placeholder, value.to_owned()));
        self.values.sort_by_key(|(placeholder, _)| std::cmp::Reverse(placeholder.len()));
    }

    /// A text with its placeholders filled.
    pub(crate) fn filled(&self, text: &str) -> String {
        self.values.iter().fold(text.to_owned(), |text, (placeholder, value)| text.replace(placeholder, value))
    }

    /// The event with this name in `events/`.
    pub(crate) fn event(&self, name: &str) -> Result<Event> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events").join(name).with_extension("json");
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let is_for_another = name.starts_with("issue-token/") && !self.issued_for.is_empty();
        let text = if is_for_another { text.replace("SESSION_ID", &self.issued_for) } else { text };
        let mut event: Value = serde_json::from_str(&self.filled(&text))?;
        sign_event(&mut event, STREAMS_SECRET);
        Ok(Event(event))
    }
}

/// An event that is sent many times.
#[derive(Clone)]
pub(crate) struct Event(Value);

impl Event {
    /// Gives a field another text.
    pub(crate) fn set(&mut self, field: &str, text: &str) {
        self.0[field] = text.into();
    }

    /// The event with this number. Each one registers a device of its own.
    #[must_use]
    pub(crate) fn numbered(&self, number: usize) -> Value {
        let mut event = self.0.clone();
        if let Some(body) = event["body"].as_str() {
            event["body"] = body.replace(EVENTS_IDENTIFIER, &identifier(number)).into();
        }
        event
    }
}

/// The identifier of the device with this number, as long as the one in the events.
#[must_use]
pub(crate) fn identifier(number: usize) -> String {
    format!("device_{number:014}")
}

/// Sends events to the local gateway, as HTTP requests.
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
