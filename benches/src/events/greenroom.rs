//! The Greenroom side: the local gateway with a database in a file, filled through its own API.

use serde_json::{Value, json};

use crate::{
    OPENVIDU_SECRET, Result, build,
    client::{Connection, request},
    server::Server,
};

use crate::events::{
    ADMIN_PASSWORD, API_TOKEN, EVENTS, LOGIN_TOKENS, OPENTOK_API_KEY, OPENTOK_API_SECRET, Side, data_directory, task,
};

const SESSIONS: [(&str, Option<&str>); 4] =
    [("English", Some("en")), ("Deutsch", Some("de")), ("Français", Some("fr")), ("Floor", None)];
/// The types of the login tokens, in turn.
const TYPES: [&str; 5] = ["participant", "interpreter", "floor", "remote", "moderator"];

/// Starts the gateway and fills its database.
pub(crate) async fn start() -> Result<Side> {
    let data = data_directory()?;
    let binary = build::release("greenroom")?;
    let directory = data.path().to_str().ok_or("a path that is no text")?;
    let variables = [
        ("OPENVIDU_SECRET", OPENVIDU_SECRET),
        ("VIDEO_PROVIDER", "offline"),
        ("OPENTOK_API_KEY", OPENTOK_API_KEY),
        ("OPENTOK_API_SECRET", OPENTOK_API_SECRET),
        ("ADMIN_PASSWORD", ADMIN_PASSWORD),
        ("API_TOKEN", API_TOKEN),
        ("LOG", "warn"),
    ];
    let mut server = Server::start(&binary, &["serve", "--data-dir", directory, "--port", "0"], &variables)?;
    let address = server.address("listening on").await?;
    let server = server.keep();
    let jwt = task::obtain_jwt(address).await?;
    seed(&mut Connection::open(address).await?, &jwt).await?;
    Ok(Side { name: "greenroom", address, server, _data: data })
}

/// Creates the same records as the peer's `seed` command.
async fn seed(connection: &mut Connection, jwt: &str) -> Result<()> {
    let mut first = None;
    for number in 0..EVENTS {
        let (name, logo) = (format!("Event {number}"), format!("https://example.com/{number}.png"));
        let event = json!({"name": name, "displayName": name, "logo": logo, "locationHint": "1.2.3.4", "mfa": "email"});
        let event = create(connection, jwt, "/api/v2/events/", &event).await?;
        first.get_or_insert(event["id"].clone());
    }
    for (language, code) in SESSIONS {
        let floor = language == "Floor";
        let session = json!({"event": first, "language": language, "languageCode": code, "isFloor": floor});
        create(connection, jwt, "/api/v2/sessions/", &session).await?;
    }
    for number in 0..LOGIN_TOKENS {
        let token = task::login_token(number);
        let login_token = json!({"event": first, "token": token, "tokenType": TYPES[number % TYPES.len()]});
        create(connection, jwt, "/api/v2/logintokens/", &login_token).await?;
    }
    Ok(())
}

async fn create(connection: &mut Connection, jwt: &str, path: &str, body: &Value) -> Result<Value> {
    let authorization = format!("authorization: JWT {jwt}\r\n");
    let created = connection.answer(&request("POST", path, &authorization, &body.to_string()), 201).await?;
    Ok(serde_json::from_slice(created)?)
}
