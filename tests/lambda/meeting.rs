//! The records that the events of `/api/v2` need: an organiser with an event, and the participants who may join it.

use std::sync::atomic::{AtomicU32, Ordering};

use greenroom_core::{
    model::{User, user::Role},
    password,
};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::{
    answer::Answer,
    stage::{Fixture, Stage},
};

/// The organisers' password.
pub(crate) const PASSWORD: &str = "password of an organiser";

/// The number of meetings so far. It keeps their names different.
static MEETINGS: AtomicU32 = AtomicU32::new(0);
/// The hash of the password. It is computed once, because hashing is slow on purpose.
static HASH: OnceCell<password::PasswordHash> = OnceCell::const_new();

/// The values for the placeholders in the events of `/api/v2`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meeting {
    pub(crate) username: String,
    user: u64,
    pub(crate) user_token: String,
    manager: u64,
    pub(crate) manager_name: String,
    pub(crate) event: u64,
    event_name: String,
    session: u64,
    login_token_id: u64,
    pub(crate) login_token: String,
    api_token_id: u64,
    pub(crate) api_token: String,
    api_token_name: String,
}

impl Meeting {
    fn new() -> Self {
        let number = MEETINGS.fetch_add(1, Ordering::Relaxed);
        Self {
            username: format!("organiser-{number}"),
            manager_name: format!("manager-{number}"),
            event_name: format!("Congress {number}"),
            login_token: format!("listen-{number:04}"),
            api_token_name: format!("web app {number}"),
            ..Self::default()
        }
    }

    /// The placeholders and their values. A placeholder that is part of another one comes after it.
    pub(crate) fn placeholders(&self) -> [(&'static str, String); 13] {
        [
            ("USERNAME", self.username.clone()),
            ("PASSWORD", PASSWORD.to_owned()),
            ("USER_ID", self.user.to_string()),
            ("USER_TOKEN", self.user_token.clone()),
            ("MANAGER_ID", self.manager.to_string()),
            ("MANAGER_NAME", self.manager_name.clone()),
            ("EVENT_SESSION_ID", self.session.to_string()),
            ("EVENT_ID", self.event.to_string()),
            ("EVENT_NAME", self.event_name.clone()),
            ("LOGIN_TOKEN_ID", self.login_token_id.to_string()),
            ("LOGIN_TOKEN", self.login_token.clone()),
            ("API_TOKEN_ID", self.api_token_id.to_string()),
            ("API_TOKEN", self.api_token.clone()),
        ]
    }
}

impl Stage {
    /// Creates an organiser who is logged in, a manager, an event with a floor and a language, a login token for it,
    /// and an API token of a client.
    pub(crate) async fn meeting(&self) -> Meeting {
        let mut fixture = Fixture { meeting: Meeting::new(), ..Fixture::default() };
        fixture.meeting.user = self.keep_organiser(&fixture.meeting.username).await;
        fixture.meeting.user_token = self.send("token-auth/obtain", &fixture).await.at("/token");
        let manager = json!({"username": fixture.meeting.manager_name, "role": "manager"});
        fixture.meeting.manager = id(&self.send_body("users/create", &fixture, &manager).await);
        let event = json!({"name": fixture.meeting.event_name});
        fixture.meeting.event = id(&self.send_body("events/create", &fixture, &event).await);
        for (language, is_floor) in [("Floor", true), ("English", false)] {
            let session = json!({"event": fixture.meeting.event, "language": language, "isFloor": is_floor});
            fixture.meeting.session = id(&self.send_body("sessions/create", &fixture, &session).await);
        }
        let token = &fixture.meeting.login_token;
        let token = json!({"event": fixture.meeting.event, "token": token, "tokenType": "participant"});
        fixture.meeting.login_token_id = id(&self.send_body("logintokens/create", &fixture, &token).await);
        let client = json!({"name": fixture.meeting.api_token_name});
        let client = self.send_body("apitokens/create", &fixture, &client).await;
        fixture.meeting.api_token_id = id(&client);
        fixture.meeting.api_token = client.at("/token");
        fixture.meeting
    }

    /// Sends an event with another body.
    pub(crate) async fn send_body(&self, event: &str, fixture: &Fixture, body: &Value) -> Answer {
        let (function, _) = event.split_once('/').unwrap();
        let mut event = fixture.event(event);
        event["body"] = json!(body.to_string());
        self.send_to(function, &event).await
    }

    /// Creates an admin with a password, like the first one of a table; their number.
    async fn keep_organiser(&self, username: &str) -> u64 {
        let store = self.store();
        let user = User::named(store.new_id::<User>().await.unwrap(), username, Role::Admin);
        let hash = HASH.get_or_init(|| async { password::hash(PASSWORD.to_owned().into()).await.unwrap() }).await;
        store.insert_user(&user, hash).await.unwrap().unwrap();
        user.id
    }
}

fn id(answer: &Answer) -> u64 {
    answer.json()["id"].as_u64().unwrap_or_else(|| panic!("no id in {answer:?}"))
}
