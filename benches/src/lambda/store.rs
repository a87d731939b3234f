//! The table the functions work on, what is in it, and the events that speak of that.

use std::{fs, path::Path};

use crate::{
    OPENVIDU_SECRET, Result, build, openvidu_authorization,
    server::{Kept, Server},
};
use serde_json::Value;
use testbed::Function;

use crate::lambda::subject::body;

/// `OPENVIDUAPP` with the secret that the events are written with.
const EVENTS_AUTHORIZATION: &str = "Basic T1BFTlZJRFVBUFA6TVlfU0VDUkVU";
/// The identifier that the events are written with, and its length, which numbered ones keep.
const EVENTS_IDENTIFIER: &str = "device_unique_id_here";

/// A DynamoDB in the memory of another process, or the one that `GREENROOM_TEST_DYNAMODB` names.
pub(crate) struct Store {
    endpoint: String,
    table: String,
    _gateway: Kept,
}

impl Store {
    /// The gateway serves its own database, or makes the table in the other.
    pub(crate) async fn start() -> Result<Self> {
        let gateway = build::release("greenroom")?;
        let table = format!("benchmark-{}", std::process::id());
        let mut variables = vec![("OPENVIDU_SECRET", OPENVIDU_SECRET), ("TABLE_NAME", &table)];
        let external = std::env::var_os("GREENROOM_TEST_DYNAMODB").map(std::ffi::OsString::into_string).transpose();
        let external = external.map_err(|_| "GREENROOM_TEST_DYNAMODB is not a URL")?;
        let data = build::target_directory()?.join("bench").join("data");
        let data = data.to_str().ok_or("the target directory's name is no text")?;
        let mut arguments = vec!["serve", "--port", "0"];
        if let Some(endpoint) = &external {
            variables.push(("AWS_ENDPOINT_URL_DYNAMODB", endpoint));
            arguments.extend(["--data-dir", data]);
        } else {
            arguments.extend(["--memory", "--dynamodb-port", "0"]);
        }
        let mut server = Server::start(&gateway, &arguments, &variables)?;
        server.address("listening on").await?;
        let endpoint = match external {
            Some(endpoint) => endpoint,
            None => format!("http://{}", server.address("DynamoDB").await?),
        };
        Ok(Self { endpoint, table, _gateway: server.keep() })
    }

    /// What a function is started with.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        [
            ("TABLE_NAME", self.table.as_str()),
            ("AWS_ENDPOINT_URL_DYNAMODB", &self.endpoint),
            ("AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH", "true"),
            ("LOG", "info"),
            ("OPENVIDU_SECRET", OPENVIDU_SECRET),
            ("SIGNING_KEYS", r#"[{"kid":"k1","secret":"x/Ny63SJJFAhRIRsCcGh7U2W0ak4Y0SVhwjvhrVqUgE="}]"#),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    /// A registered device, a session that tokens are issued for, and one with a single token to be read.
    pub(crate) async fn fixture(&self, create_session: &Path, issue_token: &Path) -> Result<Fixture> {
        let create = Function::start(create_session, self.environment()).await?;
        let issue = Function::start(issue_token, self.environment()).await?;
        let empty = Fixture::default();
        let device = create.invoke(&empty.event("create-session/device")?.numbered(0)?).await?;
        let mut sessions = [String::new(), String::new()];
        for id in &mut sessions {
            let session = create.invoke(&empty.event("create-session/openvidu")?.numbered(0)?).await?;
            *id = text(&body(&session)?["id"])?;
        }
        let [read, issued_for] = sessions;
        let fixture = Fixture { device_token: text(&body(&device)?["data"]["token"])?, issued_for: read.clone(), read };
        issue.invoke(&fixture.event("issue-token/issue-token")?.numbered(0)?).await?;
        // What is read has its one token; the other session is the one that grows.
        Ok(Fixture { issued_for, ..fixture })
    }
}

/// What stands in the events' placeholders.
#[derive(Default)]
pub(crate) struct Fixture {
    device_token: String,
    /// The session that is read.
    read: String,
    /// The session that tokens are issued for.
    issued_for: String,
}

impl Fixture {
    /// The event of this name in `events/`.
    pub(crate) fn event(&self, name: &str) -> Result<Event> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events").join(name).with_extension("json");
        let session = if name.starts_with("issue-token/") { &self.issued_for } else { &self.read };
        let text = fs::read_to_string(path)?
            .replace(EVENTS_AUTHORIZATION, &openvidu_authorization())
            .replace("DEVICE_TOKEN", &self.device_token)
            .replace("SESSION_ID", session);
        Ok(Event(text))
    }
}

/// An event, sent many times.
pub(crate) struct Event(String);

impl Event {
    /// The event of this number: each registers a device of its own.
    pub(crate) fn numbered(&self, number: usize) -> Result<Value> {
        let identifier = format!("device_{number:014}");
        Ok(serde_json::from_str(&self.0.replace(EVENTS_IDENTIFIER, &identifier))?)
    }
}

fn text(value: &Value) -> Result<String> {
    Ok(value.as_str().ok_or_else(|| format!("not a text: {value}"))?.to_owned())
}
