//! `greenroom demo`: makes an event with three languages that participants can join.

mod caller;
mod livekit;

use greenroom_core::{
    clock::Clock,
    config::{Config, Environment},
    id::random_code,
    model::RoomName,
};
use greenroom_http::App;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use self::caller::Caller;
use super::{
    CliError, DataDir,
    accounts::ADMIN,
    data_dir::OpenDataDir,
    place::{self, Place},
    target::say_store,
};

/// The event's name.
const EVENT: &str = "Greenroom demo";
/// Its sessions: language, code, and whether it is the floor.
const SESSIONS: [(&str, Option<&str>, bool); 4] = [
    ("English", Some("en"), false),
    ("German", Some("de"), false),
    ("French", Some("fr"), false),
    ("Floor", None, true),
];
/// The types of login tokens. One of each is made.
const TOKEN_TYPES: [&str; 5] = ["participant", "interpreter", "floor", "remote", "moderator"];

/// Make an event in three languages with its login tokens, in the running server or in the store
#[derive(Debug, clap::Args)]
pub(crate) struct Demo {
    /// Also say how to start a LiveKit server to try it with, and write a page that joins its rooms
    #[arg(long)]
    livekit: bool,
    #[command(flatten)]
    data_dir: DataDir,
}

/// The event of the demo.
struct Made {
    event: u64,
    /// Whether all of its sessions are rooms of a LiveKit server.
    has_rooms: bool,
    /// Its login tokens, in the order of their types.
    tokens: Vec<String>,
}

impl Demo {
    pub(crate) async fn run(self) -> Result<(), CliError> {
        let path = &self.data_dir.path;
        let mut environment = Environment::of_process();
        if self.livekit {
            livekit::fill(&mut environment);
        }
        match Place::of_server(environment, path).await {
            Ok(place) => {
                say_store(&place.description);
                let app = App::new(place.config.clone(), place.store.clone(), Clock::system());
                self.show(&Caller::in_process(crate::service(&app)), &place.config).await
            }
            // The database's server is asked instead.
            Err(CliError::InUse(_)) => {
                let data_dir = OpenDataDir::share(path)?;
                let config = place::local_config(&data_dir)?;
                let address = data_dir.address()?;
                say_store(&format!("{}, through the server at {address}", data_dir.database().display()));
                self.show(&Caller::over_http(address), &config).await
            }
            Err(CliError::NoStore(_)) if self.livekit => {
                print!("{}", livekit::servers(caller::DEFAULT_URL, path).trim_start());
                println!("\nOnce they run, `greenroom demo --livekit` makes an event to join.");
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    async fn show(&self, caller: &Caller, config: &Config) -> Result<(), CliError> {
        let made = fill(caller, config).await?;
        let path = &self.data_dir.path;
        let page = if self.livekit { Some(livekit::write_page(path)?) } else { None };
        let Made { event, has_rooms, tokens } = made;
        println!("event {event}, {EVENT}: English, German, French and the floor");
        let named: Vec<_> = TOKEN_TYPES.iter().zip(&tokens).map(|(kind, token)| format!("{kind} {token}")).collect();
        println!("  login tokens: {}", named.join(", "));
        if self.livekit {
            print!("{}", livekit::servers(caller.url(), path));
            if !has_rooms {
                print!("{}", livekit::moving(event, path));
            }
        }
        say_how_to_join(caller, config, &tokens);
        if let Some(page) = page {
            println!(
                "\nThis page plays it: open the file in a browser, and paste what the line above answers. With the"
            );
            println!("interpreter's login token in that line, the page also speaks:");
            println!("  {}", page.display());
        }
        Ok(())
    }
}

async fn fill(caller: &Caller, config: &Config) -> Result<Made, CliError> {
    let password = config.admin_password.as_ref().map(ExposeSecret::expose_secret);
    let credentials = json!({ "username": ADMIN, "password": password });
    let login = caller.post("token-auth/obtain", "", &credentials).await?;
    let token = login["token"].as_str().ok_or(CliError::DemoLogin)?;
    let jwt = format!("JWT {token}");
    let event = event(caller, &jwt).await?;
    let list = format!("sessions/?event={event}");
    let mut sessions = caller.get(&list, &jwt).await?;
    for (language, code, is_floor) in SESSIONS {
        if find(&sessions, "language", language).is_none() {
            let session = json!({ "event": event, "language": language, "languageCode": code, "isFloor": is_floor });
            caller.post("sessions", &jwt, &session).await?;
        }
    }
    sessions = caller.get(&list, &jwt).await?;
    let is_room = |session: &Value| session["sessionId"].as_str().and_then(RoomName::parse).is_some();
    let has_rooms = sessions["results"].as_array().is_some_and(|sessions| sessions.iter().all(is_room));
    Ok(Made { event, has_rooms, tokens: login_tokens(caller, &jwt, event).await? })
}

/// The event's number. Makes the event if it does not exist.
async fn event(caller: &Caller, jwt: &str) -> Result<u64, CliError> {
    let found = caller.get("events/?name=Greenroom+demo", jwt).await?;
    let event = if let Some(event) = found["results"].get(0) {
        event.clone()
    } else {
        let event = json!({ "name": EVENT, "displayName": EVENT, "subscribersSeeFloor": false });
        caller.post("events", jwt, &event).await?
    };
    event["id"].as_u64().ok_or_else(|| CliError::Demo(event.to_string()))
}

/// A login token of each type. Makes those that do not exist. Nobody may be able to guess one (`docs/apis/access.md`).
async fn login_tokens(caller: &Caller, jwt: &str, event: u64) -> Result<Vec<String>, CliError> {
    let present = caller.get(&format!("logintokens/?event={event}"), jwt).await?;
    let mut tokens = Vec::new();
    for kind in TOKEN_TYPES {
        let token = if let Some(token) = find(&present, "tokenType", kind) {
            token.clone()
        } else {
            let token = json!({ "event": event, "token": random_code(), "tokenType": kind });
            caller.post("logintokens", jwt, &token).await?
        };
        tokens.push(token["token"].as_str().ok_or_else(|| CliError::Demo(token.to_string()))?.to_owned());
    }
    Ok(tokens)
}

/// The item of a list whose field has this value.
fn find<'a>(list: &'a Value, field: &str, value: &str) -> Option<&'a Value> {
    list["results"].as_array()?.iter().find(|result| result[field] == value)
}

fn say_how_to_join(caller: &Caller, config: &Config, tokens: &[String]) {
    let url = caller.url();
    let token = config.api_token.as_ref().map_or("$API_TOKEN", ExposeSecret::expose_secret);
    println!("\nA participant joins it{}:", if caller.is_running() { "" } else { " once `greenroom serve` runs" });
    println!(
        "  curl {url}/api/v2/rtcsessions/ -H 'Authorization: Token {token}' -H 'Content-Type: application/json' \
         -d '{{\"loginToken\":\"{}\"}}'",
        tokens.first().map_or("", String::as_str)
    );
}
