//! The table of these tests before the change that is interrupted.

use greenroom_core::model::user::Role;
use greenroom_store::Attributes;
use serde_json::json;
use tokio::sync::OnceCell;

use crate::{
    bed::{Bed, Call},
    world::{backend, participant},
};

/// The same world for every test. To make one takes longer than to copy it.
static WORLD: OnceCell<World> = OnceCell::const_new();

/// A table with many records of every kind, and its items.
pub(super) struct World {
    pub(super) items: Vec<Attributes>,
    pub(super) admin: String,
    pub(super) event: u64,
    pub(super) session: u64,
    /// The manager manages events, writes messages, is in rooms and has contacts.
    pub(super) manager: u64,
    /// The partner has created users.
    pub(super) partner: u64,
}

impl World {
    pub(super) async fn get() -> &'static Self {
        WORLD.get_or_init(Self::make).await
    }

    async fn make() -> Self {
        let bed = Bed::with_long_timing().await;
        let sound = &bed.sound;
        let admin = sound.account("admin", Role::Admin).await.jwt;
        let partner = sound.account("partner", Role::Partner).await.id;
        let manager = sound.participant("manager").await.id;
        sound.participant("friend").await;
        let path = format!("/api/v2/users/{manager}");
        sound.does(Call::new("PATCH", path).by(&admin).json(json!({ "role": "manager", "creator": partner }))).await;
        for number in 0..30 {
            let user = json!({ "username": format!("made {number}"), "role": "manager", "creator": partner });
            sound.makes("/api/v2/users", &admin, user).await;
        }
        for number in 0..17 {
            let event = json!({ "name": format!("Managed {number}"), "managers": [manager] });
            sound.makes("/api/v2/events", &admin, event).await;
        }
        let (event, session) = fill_event(&bed, &admin, manager).await;
        fill_talk(&bed).await;
        let by = backend();
        sound.does(Call::new("POST", "/api/sessions").by(&by).json(json!({ "customSessionId": "daily" }))).await;
        for _ in 0..45 {
            sound.does(Call::new("POST", "/api/tokens").by(&by).json(json!({ "session": "daily" }))).await;
        }
        let items = bed.items().await;
        Self { items, admin, event, session, manager, partner }
    }

    /// Another table with the same items.
    pub(super) async fn again(&self) -> Bed {
        self.copied_to(Bed::with_long_timing().await).await
    }

    pub(super) async fn copied_to(&self, bed: Bed) -> Bed {
        bed.fill(&self.items).await;
        bed
    }
}

async fn fill_event(bed: &Bed, admin: &str, manager: u64) -> (u64, u64) {
    let sound = &bed.sound;
    let event = json!({ "name": "Gala", "managers": [manager] });
    let event = sound.makes("/api/v2/events", admin, event).await;
    let mut session = 0;
    for (language, is_floor) in [("English", true), ("German", false)] {
        let body = json!({ "event": event, "language": language, "isFloor": is_floor });
        session = sound.makes("/api/v2/sessions", admin, body).await;
    }
    let path = format!("/api/v2/sessions/{session}");
    sound.does(Call::new("PATCH", path).by(admin).json(json!({ "archive": false }))).await;
    for number in 0..30 {
        let token = json!({ "event": event, "token": format!("login token {number}"), "tokenType": "moderator" });
        sound.makes("/api/v2/logintokens", admin, token).await;
    }
    let client = sound.client().await;
    for number in 0..6 {
        let join = json!({ "loginToken": format!("login token {number}") });
        sound.does(Call::new("POST", "/api/v2/rtcsessions").by(&client).json(join)).await;
    }
    (event, session)
}

async fn fill_talk(bed: &Bed) {
    let (sound, manager, friend) = (&bed.sound, participant("manager"), participant("friend"));
    for room in ["one", "two", "three"] {
        let config = json!({ "name": room, "subject": "Talk" });
        sound.does(Call::new("PUT", format!("/api/rooms/{room}")).by(&manager).json(config)).await;
        for number in 0..20 {
            let body = json!({ "body": format!("word {number}") });
            sound.does(Call::new("POST", format!("/api/rooms/{room}/messages")).by(&manager).json(body)).await;
        }
    }
    for room in ["one", "two"] {
        let user = json!({ "user": "friend@localhost" });
        sound.does(Call::new("POST", format!("/api/rooms/{room}/users")).by(&manager).json(user)).await;
    }
    for (by, contact) in [(&manager, "friend@localhost"), (&friend, "manager@localhost"), (&manager, "other@localhost")]
    {
        sound.does(Call::new("POST", "/api/contacts").by(by).json(json!({ "jid": contact }))).await;
    }
    for number in 0..30 {
        let to = if number % 2 == 0 { "friend@localhost" } else { "other@localhost" };
        let message = json!({ "to": to, "body": format!("letter {number}") });
        sound.does(Call::new("POST", "/api/messages").by(&manager).json(message)).await;
    }
}
