//! Changes that need more than one transaction, interrupted after each of their writes. The result has to be the same
//! as without the interruption.

mod before;

use std::{collections::BTreeSet, time::Duration};

use aws_sdk_dynamodb::types::AttributeValue;
use greenroom_core::model::{User, job::LEASE};
use greenroom_store::Attributes;
use rstest::rstest;
use serde_json::{Value, json};
use testbed::Fault::{self, Broken, BrokenAfter};

use self::before::World;
use crate::{
    bed::{Bed, Call, text},
    table,
    world::{backend, participant},
};

/// After this time the messages of an ended room are no longer sent to listeners.
const UNTOLD: Duration = Duration::from_hours(25);
/// The attributes that depend on the time of a change.
const OF_THE_TIME: [&str; 5] = ["expiresAt", "last", "left", "since", "timestamp"];

/// A change that needs more than one transaction.
type Change = fn(&World) -> Call;

fn change(world: &World, method: &'static str, path: &str, body: Option<Value>) -> Call {
    let call = Call::new(method, format!("/api/v2/{path}")).by(&world.admin);
    match body {
        Some(body) => call.json(body),
        None => call,
    }
}

#[rstest]
#[case::an_event_is_deleted(|world: &World| change(world, "DELETE", &format!("events/{}", world.event), None))]
#[case::a_session_is_deleted(|world: &World| change(world, "DELETE", &format!("sessions/{}", world.session), None))]
#[case::a_user_is_deleted(|world: &World| change(world, "DELETE", &format!("users/{}", world.manager), None))]
#[case::a_creator_of_users_is_deleted(|world: &World| change(world, "DELETE", &format!("users/{}", world.partner), None))]
#[case::a_manager_gets_another_role(|world: &World| {
    change(world, "PATCH", &format!("users/{}", world.manager), Some(json!({ "role": "partner" })))
})]
#[case::a_user_is_renamed(|world: &World| {
    change(world, "PATCH", &format!("users/{}", world.manager), Some(json!({ "username": "renamed" })))
})]
#[case::a_user_is_renamed_to_an_invalid_jid(|world: &World| {
    change(world, "PATCH", &format!("users/{}", world.manager), Some(json!({ "username": "re named" })))
})]
#[case::a_manager_is_renamed_and_gets_another_role(|world: &World| {
    let body = json!({ "username": "renamed", "role": "partner" });
    change(world, "PATCH", &format!("users/{}", world.manager), Some(body))
})]
#[case::a_media_session_is_closed(|_: &World| Call::new("DELETE", "/api/sessions/daily").by(&backend()))]
#[case::a_room_ends(|_: &World| Call::new("DELETE", "/api/rooms/three/users/manager@localhost").by(&participant("manager")))]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_change_is_finished_by_housekeeping(
    #[case] change: Change,
    #[values(Broken, BrokenAfter)] fault: Fault,
) {
    let world = World::get().await;
    let call = change(world);
    let whole = outcome(world, &call, None).await;
    assert!((200..300).contains(&whole.status), "{}", whole.status);
    assert!(whole.writes > 0);
    for after in 0..whole.writes {
        let broken = outcome(world, &call, Some((after, fault))).await;
        let what = format!("{fault:?} after {after} of {} writes", whole.writes);
        assert!(broken.status == whole.status || broken.status == 503, "{what}: {}", broken.status);
        if after == 0 && fault == Broken {
            // The request was refused, and nothing was written.
            assert_eq!(broken.status, 503, "{what}");
            assert_same(&broken.items, &normal(&world.items), &what);
        } else {
            assert_same(&broken.items, &whole.items, &what);
        }
    }
}

/// The result of a request, and of housekeeping after it.
struct Outcome {
    status: u16,
    writes: u64,
    items: BTreeSet<String>,
}

/// Sends a request that is interrupted, and runs housekeeping.
async fn outcome(world: &World, call: &Call, broken: Option<(u64, Fault)>) -> Outcome {
    let bed = world.again().await;
    let instance = bed.instance(1);
    // The time is after the last entry of every archive, so that the first write decides the result.
    bed.clock.advance(Duration::from_secs(1));
    // Once an hour the first request with a credential records that it is in use.
    let warm = Call { method: "GET".into(), body: None, path: "/api/v2".to_owned(), ..call.clone() };
    for path in ["/api/v2", "/api/sessions", "/api/rooms"] {
        instance.send(&Call { path: path.to_owned(), ..warm.clone() }).await;
    }
    let (after, fault) = broken.unwrap_or((u64::MAX, Broken));
    bed.proxy.break_after(after, fault);
    let status = instance.send(call).await.status;
    let writes = bed.proxy.writes();
    bed.proxy.heal();
    for wait in [LEASE, UNTOLD] {
        bed.clock.advance(wait);
        bed.sound.keep_house().await.unwrap();
    }
    let items = bed.items().await;
    table::check(&items);
    assert!(!items.iter().any(|item| text(item, "Type") == "Job"), "{call}: a job is left");
    Outcome { status, writes, items: normal(&items) }
}

/// The items without attributes that depend on the time or on chance.
fn normal(items: &[Attributes]) -> BTreeSet<String> {
    items.iter().filter(|item| text(item, "Type") != "Settings").map(normal_item).collect()
}

fn normal_item(item: &Attributes) -> String {
    let is_entry = text(item, "Type") == "RoomEntry";
    let mut attributes: Vec<_> = item
        .iter()
        .filter(|(name, _)| !OF_THE_TIME.contains(&name.as_str()))
        .filter(|(name, _)| !(is_entry && ["SK", "id"].contains(&name.as_str())))
        .filter(|(name, _)| *name != "sessionId" || text(item, "Type") != "EventSession")
        .map(|(name, value)| format!("{name}={}", shown(value)))
        .collect();
    attributes.sort();
    attributes.join(" ")
}

/// A value, with its elements in a stable order.
fn shown(value: &AttributeValue) -> String {
    match value {
        AttributeValue::M(map) => {
            let mut parts: Vec<_> = map.iter().map(|(name, value)| format!("{name}={}", shown(value))).collect();
            parts.sort();
            format!("{{{}}}", parts.join(" "))
        }
        AttributeValue::L(list) => list.iter().map(shown).collect::<Vec<_>>().join(","),
        AttributeValue::Ns(numbers) => {
            let mut numbers = numbers.clone();
            numbers.sort();
            numbers.join(",")
        }
        value => format!("{value:?}"),
    }
}

fn assert_same(found: &BTreeSet<String>, expected: &BTreeSet<String>, what: &str) {
    let missing: Vec<_> = expected.difference(found).collect();
    let extra: Vec<_> = found.difference(expected).collect();
    assert!(missing.is_empty() && extra.is_empty(), "{what}: missing {missing:#?}, too many {extra:#?}");
}

/// Each of two renames is interrupted in the middle. Afterwards the user is in their rooms with the last name.
#[tokio::test]
async fn a_user_renamed_twice_and_deleted_is_in_no_room() {
    for deleted in [false, true] {
        let world = World::get().await;
        let bed = world.again().await;
        let instance = bed.instance(1);
        let path = format!("/api/v2/users/{}", world.manager);
        for name in ["second", "third"] {
            bed.proxy.break_after(1, Broken);
            let rename = Call::new("PATCH", &path).by(&world.admin).json(json!({ "username": name }));
            assert_eq!(instance.send(&rename).await.status, 200);
        }
        if deleted {
            bed.proxy.break_after(1, Broken);
            assert_eq!(instance.send(&Call::new("DELETE", &path).by(&world.admin)).await.status, 204);
        }
        bed.proxy.heal();
        bed.clock.advance(LEASE);
        bed.sound.keep_house().await.unwrap();
        let items = bed.items().await;
        table::check(&items);
        let named = |name: &str| {
            let jid = AttributeValue::S(format!("{name}@localhost"));
            let rooms = items.iter().filter(|item| text(item, "Type") == "Room");
            let people = rooms.flat_map(|room| room["participants"].as_l().unwrap());
            people.filter(|one| one.as_m().unwrap()["jid"] == jid).count()
        };
        let third = if deleted { 0 } else { 3 };
        assert_eq!([named("manager"), named("second"), named("third")], [0, 0, third]);
    }
}

/// Before the user has been removed everywhere, other users change records that name them, and they become a manager
/// again.
#[tokio::test]
async fn a_user_who_is_still_being_removed_does_not_block_other_changes() {
    let world = World::get().await;
    let bed = world.copied_to(Bed::new().await).await;
    let (instance, sound) = (bed.instance(1), &bed.sound);
    let path = format!("/api/v2/users/{}", world.manager);
    let becomes = |role: &str| Call::new("PATCH", &path).by(&world.admin).json(json!({ "role": role }));
    bed.proxy.break_after(1, Broken);
    assert_eq!(instance.send(&becomes("partner")).await.status, 200);
    bed.proxy.heal();
    // An event that still lists the user can be changed and deleted. No event can list them anew.
    let gala = format!("/api/v2/events/{}", world.event);
    sound.does(Call::new("PATCH", &gala).by(&world.admin).json(json!({ "name": "Ball" }))).await;
    sound.does(Call::new("PATCH", "/api/v2/events/1").by(&world.admin).json(json!({ "managers": [] }))).await;
    sound.does(Call::new("DELETE", "/api/v2/events/2").by(&world.admin)).await;
    let anew = json!({ "name": "New", "managers": [world.manager] });
    assert_eq!(sound.send(&Call::new("POST", "/api/v2/events").by(&world.admin).json(anew.clone())).await.status, 400);
    assert_eq!(sound.send(&becomes("manager")).await.status, 503);
    bed.clock.advance(LEASE);
    sound.keep_house().await.unwrap();
    sound.does(becomes("manager")).await;
    let managed = sound.makes("/api/v2/events", &world.admin, anew).await;
    let jwt = sound.jwt(&sound.store.record::<User>(world.manager).await.unwrap().unwrap().record);
    let events = sound.does(Call::new("GET", "/api/v2/events").by(&jwt)).await.body;
    assert_eq!((&events["count"], &events["results"][0]["id"]), (&json!(1), &json!(managed)));
    // A half-deleted user does not block the changes either.
    bed.proxy.break_after(1, Broken);
    assert_eq!(instance.send(&Call::new("DELETE", &path).by(&world.admin)).await.status, 204);
    bed.proxy.heal();
    sound.does(Call::new("DELETE", format!("/api/v2/events/{managed}")).by(&world.admin)).await;
    bed.clock.advance(LEASE);
    sound.keep_house().await.unwrap();
    table::check(&bed.items().await);
}

#[tokio::test]
async fn a_refused_change_changes_nothing() {
    let world = World::get().await;
    let bed = world.again().await;
    let path = format!("/api/v2/users/{}", world.manager);
    for body in [r#"{"role":"partner","username":"FRIEND"}"#, r#"{"username":"FRIEND","role":"partner"}"#] {
        let body: Value = serde_json::from_str(body).unwrap();
        let refused = bed.sound.send(&Call::new("PATCH", &path).by(&world.admin).json(body)).await;
        assert_eq!(refused.status, 400, "{refused}");
    }
    assert_same(&normal(&bed.items().await), &normal(&world.items), "a refused change");
}
