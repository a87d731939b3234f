//! What is true of the items of a table, whatever happened.

use std::collections::{BTreeMap, BTreeSet};

use shared::store::Attributes;

use crate::bed::{number, text};

/// Records of `/api/v2`, and in how many places each lies.
const RECORDS: [&str; 4] = ["User", "Event", "EventSession", "LoginToken"];

/// Fails unless everything is whole that is written in several places, once all that was deleted is cleared away.
pub(crate) fn check(items: &[Attributes]) {
    let mut partitions: BTreeMap<&str, Vec<&Attributes>> = BTreeMap::new();
    for item in items {
        partitions.entry(text(item, "PK")).or_default().push(item);
    }
    for (partition, items) in &partitions {
        heads_count(partition, items);
        archive_is_in_order(partition, items);
    }
    for kind in RECORDS {
        copies_are_the_same(kind, items);
    }
    no_event_has_two_floors(&partitions);
    nothing_is_left_of_events(&partitions);
    rooms_and_memberships_agree(items);
    rooms_have_their_signs(items);
    devices_count_their_sessions(items);
    managers_know_their_events(items);
    api_tokens_lie_under_their_numbers(items);
}

fn of_kind<'a>(items: &'a [Attributes], kind: &'a str) -> impl Iterator<Item = &'a Attributes> {
    items.iter().filter(move |item| text(item, "Type") == kind)
}

fn is_head(item: &Attributes) -> bool {
    text(item, "SK").starts_with('#')
}

/// The heads of a list count what lies in it.
fn heads_count(partition: &str, items: &[&Attributes]) {
    let counts: Vec<_> =
        items.iter().filter(|item| text(item, "Type") == "Head").map(|head| number(head, "count").unwrap()).collect();
    if !counts.is_empty() {
        let there = items.iter().filter(|item| !is_head(item)).count();
        assert_eq!(counts.iter().sum::<i64>(), i64::try_from(there).unwrap(), "{partition}");
    }
}

/// An archive's last entry is where its head says, and nothing is behind it.
fn archive_is_in_order(partition: &str, items: &[&Attributes]) {
    if let Some(head) = items.iter().find(|item| text(item, "Type") == "ArchiveHead") {
        let times = items.iter().filter(|item| !is_head(item)).map(|item| text(item, "SK").parse::<i64>().unwrap());
        assert_eq!(times.max(), number(head, "last"), "{partition}");
    }
}

/// A record is the same in each of its places, and in all of them.
fn copies_are_the_same(kind: &str, items: &[Attributes]) {
    let mut records: BTreeMap<i64, Vec<&Attributes>> = BTreeMap::new();
    let provided: BTreeSet<_> = items
        .iter()
        .filter(|item| text(item, "PK").starts_with("SESSIONS#"))
        .map(|item| text(item, "sessionId"))
        .collect();
    // What the provider called a session before leads to it as it was then.
    let is_former = |item: &&Attributes| {
        text(item, "PK").starts_with("PROVIDERSESSION#") && !provided.contains(text(item, "sessionId"))
    };
    for item in of_kind(items, kind).filter(|item| !is_former(item)) {
        records.entry(number(item, "id").unwrap()).or_default().push(item);
    }
    for (id, copies) in records {
        let bare = |item: &Attributes| {
            let mut item = item.clone();
            item.retain(|name, _| name != "PK" && name != "SK");
            item
        };
        assert!(copies.iter().all(|copy| bare(copy) == bare(copies[0])), "{kind} {id}: {copies:?}");
        let is_floor = copies[0].get("isFloor").is_some_and(|floor| floor.as_bool() == Ok(&true));
        let places = match kind {
            "User" => 2 + usize::from(number(copies[0], "creator").is_some()),
            "EventSession" => 3 + usize::from(is_floor),
            _ => 3,
        };
        assert_eq!(copies.len(), places, "{kind} {id}: {copies:?}");
    }
}

fn no_event_has_two_floors(partitions: &BTreeMap<&str, Vec<&Attributes>>) {
    for (partition, items) in partitions {
        if partition.starts_with("EVENT#") && partition.ends_with("/SESSIONS") {
            let is_floor = |item: &&&Attributes| item.get("isFloor").is_some_and(|floor| floor.as_bool() == Ok(&true));
            assert!(items.iter().filter(is_floor).count() <= 1, "{partition}");
        }
    }
}

fn nothing_is_left_of_events(partitions: &BTreeMap<&str, Vec<&Attributes>>) {
    let is_event = |item: &&&Attributes| text(item, "Type") == "Event";
    let there: BTreeSet<_> =
        partitions.values().flatten().filter(is_event).filter_map(|event| number(event, "id")).collect();
    for partition in partitions.keys() {
        let id = partition.strip_prefix("EVENT#").and_then(|rest| rest.split_once('/')?.0.parse().ok());
        assert!(id.is_none_or(|id| there.contains(&id)), "{partition} is left");
        assert_ne!(*partition, "ENDED");
    }
}

/// Who is in a room has a membership, and nobody else; one of them owns it.
fn rooms_and_memberships_agree(items: &[Attributes]) {
    for room in of_kind(items, "Room") {
        let participants = room["participants"].as_l().unwrap();
        let archive = text(room, "archive");
        let members = of_kind(items, "Membership")
            .filter(|membership| text(membership, "archive") == archive && !membership.contains_key("left"));
        assert_eq!(members.count(), participants.len(), "{room:?}");
        let is_owner = |one: &&aws_sdk_dynamodb::types::AttributeValue| {
            one.as_m()
                .is_ok_and(|one| one.get("role").is_some_and(|role| role.as_s().is_ok_and(|role| role == "owner")))
        };
        assert_eq!(participants.iter().filter(is_owner).count(), 1, "{room:?}");
    }
}

/// What a room is called stands where lists read it, and nowhere else.
fn rooms_have_their_signs(items: &[Attributes]) {
    let called = |kind| {
        let sign = |item: &Attributes| ["archive", "name", "subject"].map(|name| text(item, name).to_owned());
        of_kind(items, kind).map(sign).collect::<BTreeSet<_>>()
    };
    assert_eq!(called("Room"), called("RoomSign"));
}

/// A device's sessions are attributes of their own, and counted.
fn devices_count_their_sessions(items: &[Attributes]) {
    for device in of_kind(items, "Device") {
        let sessions = device.values().filter(|value| value.is_m()).count();
        assert_eq!(number(device, "live"), i64::try_from(sessions).ok(), "{device:?}");
    }
}

/// Whoever manages an event knows of it, and of no other.
fn managers_know_their_events(items: &[Attributes]) {
    let mut managed = BTreeSet::new();
    for event in items.iter().filter(|item| text(item, "PK").starts_with("EVENTS#") && text(item, "Type") == "Event") {
        for manager in event["managers"].as_l().unwrap() {
            managed.insert((manager.as_n().unwrap().clone(), number(event, "id").unwrap().to_string()));
        }
    }
    let mut known = BTreeSet::new();
    for head in items.iter().filter(|item| item.contains_key("managed")) {
        let user = text(head, "PK").strip_prefix("USER#").unwrap().strip_suffix("/EVENTS").unwrap();
        known.extend(head["managed"].as_ns().unwrap().iter().map(|event| (user.to_owned(), event.clone())));
    }
    assert_eq!(managed, known);
}

/// A static API token is found by its number as by its hash.
fn api_tokens_lie_under_their_numbers(items: &[Attributes]) {
    let by_hash: BTreeSet<_> =
        of_kind(items, "ApiToken").map(|token| (number(token, "id"), text(token, "SK").to_owned())).collect();
    let by_number: BTreeSet<_> =
        of_kind(items, "ApiTokenNumber").map(|token| (number(token, "id"), text(token, "hash").to_owned())).collect();
    assert_eq!(by_hash, by_number);
}
