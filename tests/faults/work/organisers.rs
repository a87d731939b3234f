//! Organisers create, change and delete events with their sessions and login tokens. Several of them want the same
//! names.

use greenroom_core::model::user::Role;
use serde_json::{Value, json};

use super::{Chance, ROUNDS, Work};
use crate::bed::{Bed, Call, Instance};

const EVENTS: &str = "/api/v2/events";
const SESSIONS: &str = "/api/v2/sessions";
const TOKENS: &str = "/api/v2/logintokens";
/// Names that all organisers want.
const CONTENDED: [&str; 3] = ["Gala", "Summit", "Congress"];

/// The organisers, and an event that can be joined.
pub(crate) struct Setting {
    pub(super) admin: String,
    pub(super) client: String,
    pub(super) event: u64,
    /// The users who may manage events.
    managers: Vec<u64>,
}

impl Setting {
    pub(crate) async fn make(bed: &Bed) -> Self {
        let admin = bed.sound.account("organiser", Role::Admin).await.jwt;
        let event = bed.sound.makes(EVENTS, &admin, json!({ "name": "To be joined" })).await;
        for language in ["English", "Danish"] {
            bed.sound.makes(SESSIONS, &admin, json!({ "event": event, "language": language })).await;
        }
        let token = json!({ "event": event, "token": "the token", "tokenType": "moderator" });
        bed.sound.makes(TOKENS, &admin, token).await;
        let mut managers = Vec::new();
        for name in ["manager1", "manager2"] {
            managers.push(bed.sound.account(name, Role::Manager).await.id);
        }
        Self { client: bed.sound.client().await, admin, event, managers }
    }
}

/// The acknowledged state of an organiser.
#[derive(Default)]
pub(super) struct Organiser {
    events: Vec<Event>,
    /// The names of events that were deleted, with their numbers.
    deleted: Vec<(u64, String)>,
}

/// The acknowledged state of an event.
#[derive(Default)]
struct Event {
    id: u64,
    name: String,
    /// The possible display names; exactly one if the last change was acknowledged.
    shown_as: Vec<Value>,
    sessions: Vec<u64>,
    /// The number of sessions that may have been created.
    maybe: usize,
    tokens: Vec<(u64, String)>,
    gone: Vec<String>,
    gone_tokens: Vec<String>,
}

pub(super) async fn work(work: &Work<'_>, setting: &Setting, hand: u64) -> Organiser {
    let (mut organiser, mut chance) = (Organiser::default(), work.chance("organiser", hand));
    let by = &setting.admin;
    for round in 0..ROUNDS {
        let what = chance.below(10);
        if organiser.events.is_empty() || what == 0 {
            organiser.events.extend(made(work, by, format!("Event {hand}/{round}")).await);
            continue;
        }
        match what {
            1 => contend(work, by, &mut chance).await,
            2 if organiser.events.len() > 1 => {
                let event = chance.take(&mut organiser.events).unwrap();
                delete(work, by, &format!("{EVENTS}/{}", event.id)).await;
                organiser.deleted.push((event.id, event.name));
            }
            _ => {
                let which = chance.below(organiser.events.len());
                let event = &mut organiser.events[which];
                if what == 3 {
                    event.pass_on(work, setting, &mut chance).await;
                } else {
                    change(work, by, event, &mut chance, &format!("{hand}/{round}")).await;
                }
            }
        }
    }
    organiser
}

/// Creates an event with a name that no other organiser wants.
async fn made(work: &Work<'_>, by: &str, name: String) -> Option<Event> {
    let made = work.insist(&Call::new("POST", EVENTS).by(by).json(json!({ "name": name }))).await;
    assert!(made.is(201, 400), "{}", made.answer);
    let id = found(work, by, &format!("{EVENTS}?name={}", name.replace(' ', "%20"))).await.unwrap();
    Some(Event { id, name, shown_as: vec![json!("")], ..Event::default() })
}

/// The number of the first record of a list.
async fn found(work: &Work<'_>, by: &str, path: &str) -> Option<u64> {
    let list = work.insist(&Call::new("GET", path).by(by)).await.answer;
    assert_eq!(list.status, 200, "{list}");
    list.body["results"][0]["id"].as_u64()
}

/// Creates an event with a contended name, and deletes it again.
async fn contend(work: &Work<'_>, by: &str, chance: &mut Chance) {
    let name = chance.one_of(&CONTENDED).unwrap();
    let answer = work.insist(&Call::new("POST", EVENTS).by(by).json(json!({ "name": name }))).await.answer;
    match answer.status {
        201 => delete(work, by, &format!("{EVENTS}/{}", answer.body["id"])).await,
        400 => {}
        _ => panic!("{answer}"),
    }
}

async fn delete(work: &Work<'_>, by: &str, path: &str) {
    let deleted = work.insist(&Call::new("DELETE", path).by(by)).await;
    assert!(deleted.is(204, 404), "{path}: {}", deleted.answer);
}

async fn change(work: &Work<'_>, by: &str, event: &mut Event, chance: &mut Chance, unique: &str) {
    let id = event.id;
    match chance.below(7) {
        0 | 1 => {
            let name = json!(format!("As {unique}"));
            let patch = Call::new("PATCH", format!("{EVENTS}/{id}")).by(by).json(json!({ "displayName": name }));
            match work.send(&patch).await {
                answer if answer.status == 200 => event.shown_as = vec![name],
                answer if answer.status == 503 => event.shown_as.push(name),
                answer => panic!("{answer}"),
            }
        }
        2 => {
            let floor = json!({ "event": id, "language": "Floor", "isFloor": true });
            let made = work.insist(&Call::new("POST", SESSIONS).by(by).json(floor)).await;
            match made.answer.status {
                201 => event.sessions.push(made.answer.body["id"].as_u64().unwrap()),
                // The session exists already, unless an earlier attempt of this client created it.
                400 => event.maybe += usize::from(made.again),
                _ => panic!("{}", made.answer),
            }
        }
        3 => match work.send(&Call::new("POST", SESSIONS).by(by).json(json!({ "event": id, "language": "X" }))).await {
            answer if answer.status == 201 => event.sessions.push(answer.body["id"].as_u64().unwrap()),
            answer if answer.status == 503 => event.maybe += 1,
            answer => panic!("{answer}"),
        },
        4 => {
            let text = format!("token-{}", unique.replace('/', "-"));
            let token = json!({ "event": id, "token": text, "tokenType": "floor" });
            let made = work.insist(&Call::new("POST", TOKENS).by(by).json(token)).await;
            assert!(made.is(201, 400), "{}", made.answer);
            event.tokens.push((found(work, by, &format!("{TOKENS}?token={text}")).await.unwrap(), text));
        }
        5 => {
            if let Some(session) = chance.take(&mut event.sessions) {
                delete(work, by, &format!("{SESSIONS}/{session}")).await;
                event.gone.push(format!("{SESSIONS}/{session}"));
            }
        }
        _ => {
            if let Some((token, text)) = chance.take(&mut event.tokens) {
                delete(work, by, &format!("{TOKENS}/{token}")).await;
                event.gone.push(format!("{TOKENS}/{token}"));
                event.gone_tokens.push(text);
            }
        }
    }
}

impl Organiser {
    pub(super) async fn check(&self, instance: &Instance, setting: &Setting) {
        let by = &setting.admin;
        for event in &self.events {
            event.check(instance, setting).await;
        }
        for (id, name) in &self.deleted {
            assert_eq!(instance.send(&Call::new("GET", format!("{EVENTS}/{id}")).by(by)).await.status, 404);
            instance.makes(EVENTS, by, json!({ "name": name })).await;
        }
        for name in CONTENDED {
            let list = instance.does(Call::new("GET", format!("{EVENTS}?name={name}")).by(by)).await;
            if let Some(id) = list.body["results"][0]["id"].as_u64() {
                instance.does(Call::new("DELETE", format!("{EVENTS}/{id}")).by(by)).await;
            }
            let id = instance.makes(EVENTS, by, json!({ "name": name })).await;
            instance.does(Call::new("DELETE", format!("{EVENTS}/{id}")).by(by)).await;
        }
    }
}

impl Event {
    /// Makes another user, or nobody, the manager of the event.
    async fn pass_on(&self, work: &Work<'_>, setting: &Setting, chance: &mut Chance) {
        let managers = &setting.managers[chance.below(setting.managers.len() + 1)..];
        let patch = Call::new("PATCH", format!("{EVENTS}/{}", self.id)).by(&setting.admin);
        let patched = work.insist(&patch.json(json!({ "managers": managers }))).await.answer;
        assert_eq!((patched.status, &patched.body["managers"]), (200, &json!(managers)), "{patched}");
    }

    async fn check(&self, instance: &Instance, setting: &Setting) {
        let by = &setting.admin;
        let read = instance.does(Call::new("GET", format!("{EVENTS}/{}", self.id)).by(by)).await;
        assert_eq!(read.body["name"], self.name.as_str());
        let shown_as = if read.body["displayName"].is_null() { json!("") } else { read.body["displayName"].clone() };
        assert!(self.shown_as.contains(&shown_as), "{read}");
        for path in &self.gone {
            assert_eq!(instance.send(&Call::new("GET", path).by(by)).await.status, 404, "{path}");
        }
        let list = instance.does(Call::new("GET", format!("{SESSIONS}?event={}", self.id)).by(by)).await;
        let listed: Vec<_> = list.body["results"].as_array().unwrap().iter().map(|one| one["id"].as_u64()).collect();
        assert_eq!(list.body["count"], listed.len());
        assert!(self.sessions.iter().all(|session| listed.contains(&Some(*session))), "{list}");
        assert!(listed.len() <= self.sessions.len() + self.maybe, "{list}");
        let join = |token: &str| {
            Call::new("POST", "/api/v2/rtcsessions").by(&setting.client).json(json!({ "loginToken": token }))
        };
        for (id, token) in &self.tokens {
            instance.does(Call::new("GET", format!("{TOKENS}/{id}")).by(by)).await;
            instance.does(join(token)).await;
        }
        for token in &self.gone_tokens {
            assert_eq!(instance.send(&join(token)).await.status, 403);
        }
    }
}
