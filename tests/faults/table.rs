//! Invariants of the items of a table.

use std::collections::{BTreeMap, BTreeSet};

use greenroom_store::Attributes;

use crate::bed::{number, text};

/// Records of `/api/v2`, and the number of copies of each.
const RECORDS: [&str; 4] = ["User", "Event", "EventSession", "LoginToken"];

/// Fails unless all copies and counters agree, once everything that was deleted is cleared away.
pub(crate) fn check(items: &[Attributes]) {
    let mut partitions: BTreeMap<&str, Vec<&Attributes>> = BTreeMap::new();
    for item in items {
        partitions.entry(text(item, "PK")).or_default().push(item);
    }
    for (partition, items) in &partitions {
        counter_items_have_right_counts(partition, items);
        archive_ends_at_its_high_water_mark(partition, items);
    }
    for kind in RECORDS {
        copies_are_complete_and_equal(kind, items);
    }
    no_event_has_two_floors(&partitions);
    nothing_is_left_of_events(&partitions);
    rooms_and_memberships_agree(items);
    rooms_have_their_sign_items(items);
    devices_count_their_sessions(items);
    managers_list_their_events(items);
    api_tokens_are_indexed_by_number(items);
}

fn of_kind<'a>(items: &'a [Attributes], kind: &'a str) -> impl Iterator<Item = &'a Attributes> {
    items.iter().filter(move |item| text(item, "Type") == kind)
}

/// Whether an item lies before the records of a list or the entries of an archive.
fn is_before_all(item: &Attributes) -> bool {
    text(item, "SK").starts_with('#')
}

/// The counter items of a list count its records.
fn counter_items_have_right_counts(partition: &str, items: &[&Attributes]) {
    let counters = items.iter().filter(|item| text(item, "Type") == "Head");
    let counts: Vec<_> = counters.map(|counter| number(counter, "count").unwrap()).collect();
    if !counts.is_empty() {
        let there = items.iter().filter(|item| !is_before_all(item)).count();
        assert_eq!(counts.iter().sum::<i64>(), i64::try_from(there).unwrap(), "{partition}");
    }
}

/// The last entry of an archive is the one that its high-water mark names. No entry comes after it.
fn archive_ends_at_its_high_water_mark(partition: &str, items: &[&Attributes]) {
    if let Some(mark) = items.iter().find(|item| text(item, "Type") == "ArchiveHead") {
        let times =
            items.iter().filter(|item| !is_before_all(item)).map(|item| text(item, "SK").parse::<i64>().unwrap());
        assert_eq!(times.max(), number(mark, "last"), "{partition}");
    }
}

/// All copies of a record exist, and all are the same.
fn copies_are_complete_and_equal(kind: &str, items: &[Attributes]) {
    let mut records: BTreeMap<i64, Vec<&Attributes>> = BTreeMap::new();
    let provided: BTreeSet<_> = items
        .iter()
        .filter(|item| text(item, "PK").starts_with("SESSIONS#"))
        .map(|item| text(item, "sessionId"))
        .collect();
    // An earlier provider session leads to the session as it was at that time.
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

/// Every participant of a room has a membership, and nobody else has one. Exactly one of them owns the room.
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

/// The sign item of a room has the name that lists show, and no other item has it.
fn rooms_have_their_sign_items(items: &[Attributes]) {
    let called = |kind| {
        let sign = |item: &Attributes| ["archive", "name", "subject"].map(|name| text(item, name).to_owned());
        of_kind(items, kind).map(sign).collect::<BTreeSet<_>>()
    };
    assert_eq!(called("Room"), called("RoomSign"));
}

/// A device's sessions are separate attributes, and their counter is right.
fn devices_count_their_sessions(items: &[Attributes]) {
    for device in of_kind(items, "Device") {
        let sessions = device.values().filter(|value| value.is_m()).count();
        assert_eq!(number(device, "live"), i64::try_from(sessions).ok(), "{device:?}");
    }
}

/// A manager lists exactly the events that list them.
fn managers_list_their_events(items: &[Attributes]) {
    let mut managed = BTreeSet::new();
    for event in items.iter().filter(|item| text(item, "PK").starts_with("EVENTS#") && text(item, "Type") == "Event") {
        for manager in event["managers"].as_l().unwrap() {
            managed.insert((manager.as_n().unwrap().clone(), number(event, "id").unwrap().to_string()));
        }
    }
    let mut known = BTreeSet::new();
    for counter in items.iter().filter(|item| item.contains_key("managed")) {
        let user = text(counter, "PK").strip_prefix("USER#").unwrap().strip_suffix("/EVENTS").unwrap();
        known.extend(counter["managed"].as_ns().unwrap().iter().map(|event| (user.to_owned(), event.clone())));
    }
    assert_eq!(managed, known);
}

/// A static API token is found by its number and by its hash.
fn api_tokens_are_indexed_by_number(items: &[Attributes]) {
    let by_hash: BTreeSet<_> =
        of_kind(items, "ApiToken").map(|token| (number(token, "id"), text(token, "SK").to_owned())).collect();
    let by_number: BTreeSet<_> =
        of_kind(items, "ApiTokenNumber").map(|token| (number(token, "id"), text(token, "hash").to_owned())).collect();
    assert_eq!(by_hash, by_number);
}
