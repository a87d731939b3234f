//! The heaviest requests, and the data that makes them heavy.

use serde_json::json;

use crate::{
    Result,
    client::{Connection, request},
    cold::store::Store,
    fixture::{Event, Fixture},
    memory::choice::Kind,
};

/// The length of each long list.
const MANY: usize = 1_000;

/// The functions whose most usual request hashes a password.
pub(crate) const HASHING: &[&str] = &["token-auth"];
/// The functions that hash a password which they have not checked recently, as in their first request.
pub(crate) const HASHING_FIRST: &[&str] = &["messages", "rooms", "contacts"];

/// A function's heaviest request: an event with another path or query.
pub(crate) struct Heaviest {
    pub(crate) function: &'static str,
    pub(crate) what: &'static str,
    pub(crate) status: u16,
    pub(crate) kind: Kind,
    event: &'static str,
    query: &'static str,
    /// Whether its path names the event's first session.
    of_session: bool,
}

const fn of(function: &'static str, what: &'static str, event: &'static str, query: &'static str) -> Heaviest {
    Heaviest { function, what, status: 200, kind: Kind::Heavy, event, query, of_session: false }
}

/// The heaviest requests of functions with lists, or with passwords to hash.
pub(crate) const HEAVIEST: &[Heaviest] = &[
    of("media-sessions", "all sessions", "list", ""),
    of("logintokens", "1000 of an event", "list-of-event", "event=EVENT_ID&limit=1000"),
    Heaviest { of_session: true, ..of("stream-sessions", "1000 of a session", "list", "") },
    of("live", "1000 of an application", "list", "limit=1000"),
    of("rooms", "500 messages", "list-messages", "limit=500&before=4102444800000"),
    Heaviest { status: 204, kind: Kind::Password, ..of("users", "a password is set", "password-set", "") },
];

/// The records in the store.
pub(crate) struct Loaded {
    session: String,
}

impl Heaviest {
    pub(crate) fn event(&self, fixture: &Fixture, loaded: &Loaded) -> Result<Event> {
        let mut event = fixture.event(&format!("{}/{}", self.function, self.event))?;
        if !self.query.is_empty() {
            event.set("rawQueryString", &fixture.filled(self.query));
        }
        if self.of_session {
            let stream = format!("/v1/vhosts/default/apps/EVENT_ID/streams/{}/sessions", loaded.session);
            event.set("rawPath", &fixture.filled(&stream));
        }
        Ok(event)
    }
}

/// Creates the long lists through the API.
pub(crate) async fn fill(store: &Store, fixture: &Fixture) -> Result<Loaded> {
    let mut connection = Connection::open(store.gateway).await?;
    let user = fixture.filled("authorization: JWT USER_TOKEN\r\n");
    let guest = fixture.filled("authorization: Token API_TOKEN\r\n");
    let account = fixture.filled("authorization: Basic VVNFUk5BTUVAbG9jYWxob3N0OlBBU1NXT1JE\r\n");
    let sessions = request("GET", &fixture.filled("/api/v2/sessions/?event=EVENT_ID"), &user, "");
    let sessions: serde_json::Value = serde_json::from_slice(connection.answer(&sessions, 200).await?)?;
    let session = sessions["results"][0]["id"].to_string();
    let event: u64 = fixture.filled("EVENT_ID").parse()?;
    for number in 0..MANY {
        let token = json!({ "event": event, "token": format!("heavy-{number:04}"), "tokenType": "participant" });
        let token = request("POST", "/api/v2/logintokens/", &user, &token.to_string());
        connection.answer(&token, 201).await?;
        let join = fixture.filled(r#"{"loginToken": "LOGIN_TOKEN", "additionalAccess": ["view_floor"]}"#);
        connection.answer(&request("POST", "/api/v2/rtcsessions/", &guest, &join), 201).await?;
        if number % 2 == 0 {
            let message = json!({ "body": format!("Message {number} of a long archive") }).to_string();
            let path = fixture.filled("/api/rooms/USERNAME/messages");
            connection.answer(&request("POST", &path, &account, &message), 200).await?;
        }
    }
    Ok(Loaded { session })
}
