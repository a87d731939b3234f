//! The lines of the table about events and the records that belong to them.

use greenroom_core::model::{
    Event,
    user::Role::{self, Admin, Manager, Partner},
};
use serde_json::{Value, json};

use super::{NOBODY, ROLES, ask};
use crate::{organisers::Account, support::TestApp};

/// The event of a request: one that the caller owns, one that he manages, one of others, one that does not exist.
type Targets<T> = [T; 4];

const READ: [Targets<u16>; 3] = [[200, 200, 200, 404], [200, 404, 404, 404], [404, 200, 404, 404]];
const DELETED: [Targets<u16>; 3] = [[204, 204, 204, 404], [204, 404, 404, 404], [404, 204, 404, 404]];
const MADE: [Targets<u16>; 3] = [[201, 201, 201, 400], [201, 400, 400, 400], [400, 201, 400, 400]];

/// The statuses for an admin, a partner and a manager.
const TABLE: &[(&str, &str, [Targets<u16>; 3])] = &[
    ("GET", "events/EVENT", READ),
    ("PUT", "events/EVENT", READ),
    ("PATCH", "events/EVENT", READ),
    ("DELETE", "events/EVENT", [[204, 204, 204, 404], [204, 404, 404, 404], [404, 403, 404, 404]]),
    ("GET", "events/EVENT/archives", READ),
    ("POST", "sessions", MADE),
    ("GET", "sessions/SESSION", READ),
    ("PUT", "sessions/SESSION", READ),
    ("PATCH", "sessions/SESSION", READ),
    ("DELETE", "sessions/SESSION", DELETED),
    ("GET", "sessions/SESSION/archives", READ),
    ("POST", "logintokens", MADE),
    ("GET", "logintokens/TOKEN", READ),
    ("PUT", "logintokens/TOKEN", READ),
    ("PATCH", "logintokens/TOKEN", READ),
    ("DELETE", "logintokens/TOKEN", DELETED),
];

/// An event with a session and a login token.
#[derive(Clone, Copy)]
struct Target {
    event: u64,
    session: u64,
    token: u64,
}

struct World {
    app: TestApp,
    caller: Account,
    targets: Targets<Target>,
}

impl World {
    async fn of(role: Role) -> Self {
        let app = TestApp::new().await;
        let root = app.admin().await;
        let caller = app.account("caller", role, Some(root.id)).await;
        let other = app.account("other", Partner, Some(root.id)).await.id;
        let somebody = app.account("somebody", Manager, Some(other)).await.id;
        let owned = target(&app, &root, "owned", caller.id, somebody).await;
        let managed = target(&app, &root, "managed", other, caller.id).await;
        let foreign = target(&app, &root, "foreign", other, somebody).await;
        let none = Target { event: NOBODY, session: NOBODY, token: NOBODY };
        Self { app, caller, targets: [owned, managed, foreign, none] }
    }

    async fn ask(&self, method: &str, path: &str, target: usize) -> u16 {
        let Target { event, session, token } = self.targets[target];
        let body = match (method, path.split('/').next()) {
            ("GET" | "DELETE", _) => Value::Null,
            (_, Some("events")) => json!({ "name": format!("renamed {target}") }),
            (_, Some("sessions")) => json!({ "event": event, "language": "Dutch" }),
            _ => json!({ "event": event, "token": format!("password {target}"), "tokenType": "floor" }),
        };
        let path = path.replace("EVENT", &event.to_string()).replace("SESSION", &session.to_string());
        let path = format!("/api/v2/{}/", path.replace("TOKEN", &token.to_string()));
        ask(&self.app.organiser(&self.caller), method, &path, &body).await
    }
}

async fn target(app: &TestApp, root: &Account, name: &str, owner: u64, manager: u64) -> Target {
    let event = app.store.new_id::<Event>().await.unwrap();
    let record = Event { managers: vec![manager], ..Event::new(event, name.to_owned(), owner) };
    app.store.insert_record(&record).await.unwrap().unwrap();
    let admin = app.organiser(root);
    let session = admin.make("/api/v2/sessions/", json!({ "event": event, "language": "English" })).await;
    let token = json!({ "event": event, "token": format!("token of {name}"), "tokenType": "participant" });
    Target { event, session, token: admin.make("/api/v2/logintokens/", token).await }
}

#[tokio::test]
async fn access_to_events_follows_the_table() {
    for (method, path, lines) in TABLE {
        for (role, expected) in ROLES.into_iter().zip(lines) {
            let world = World::of(role).await;
            let mut answered = [0; 4];
            for (target, status) in answered.iter_mut().enumerate() {
                *status = world.ask(method, path, target).await;
            }
            assert_eq!(answered, *expected, "{method} {path} by {role:?}");
        }
    }
}

#[tokio::test]
async fn event_lists_contain_what_the_caller_can_read() {
    for (role, expected) in ROLES.into_iter().zip(READ) {
        let World { app, caller, targets } = World::of(role).await;
        for list in ["events", "sessions", "logintokens"] {
            let body = app.organiser(&caller).get(&format!("/api/v2/{list}/")).await.body;
            let listed: Vec<_> = body["results"].as_array().unwrap().iter().map(|one| one["id"].as_u64()).collect();
            for (target, status) in targets.iter().zip(expected) {
                let id = [("events", target.event), ("sessions", target.session), ("logintokens", target.token)];
                let id = id.into_iter().find_map(|(kind, id)| (kind == list).then_some(id));
                assert_eq!(listed.contains(&id), status == 200, "{list} of {role:?}");
            }
            assert_eq!(body["count"], listed.len());
        }
    }
}

#[tokio::test]
async fn lists_filtered_by_an_invisible_event_are_empty() {
    let World { app, caller, targets } = World::of(Manager).await;
    for list in ["sessions", "logintokens"] {
        for (target, count) in targets.iter().zip([0, 1, 0, 0]) {
            let body = app.organiser(&caller).get(&format!("/api/v2/{list}/?event={}", target.event)).await.body;
            assert_eq!(body["count"], count);
        }
    }
}

#[tokio::test]
async fn an_admin_makes_events_for_everybody_and_a_partner_for_himself() {
    for (role, chosen) in [(Admin, true), (Partner, false)] {
        let app = TestApp::new().await;
        let (caller, other) = (app.account("caller", role, None).await, app.account("other", Partner, None).await.id);
        for owner in [json!(other), json!(other.to_string())] {
            let body = json!({ "name": format!("of {owner}"), "owner": owner });
            let answer = app.organiser(&caller).post("/api/v2/events/", body).await;
            assert_eq!(answer.status, 201);
            assert_eq!(answer.body["owner"], if chosen { other } else { caller.id });
        }
        assert_eq!(
            app.organiser(&caller).post("/api/v2/events/", json!({ "name": "own" })).await.body["owner"],
            caller.id
        );
    }
}

#[tokio::test]
async fn a_manager_cannot_create_events() {
    let World { app, caller, .. } = World::of(Manager).await;
    let manager = app.organiser(&caller);
    assert_eq!(ask(&manager, "POST", "/api/v2/events/", &json!({ "name": "new" })).await, 403);
    assert_eq!(manager.post_text("/api/v2/events/", "{").await.status, 403);
}
