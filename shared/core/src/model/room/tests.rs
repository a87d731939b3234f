use proptest::prelude::*;
use rstest::rstest;

use super::*;

fn person(name: &str, user: Option<u64>) -> Person {
    Person { jid: Jid::of(name, "localhost").unwrap(), user }
}

fn alice() -> Person {
    person("alice", Some(1))
}

fn config(name: &str) -> RoomConfig {
    RoomConfig { name: name.to_owned(), subject: "S".to_owned() }
}

fn room() -> Room {
    Room::create(RoomId::random(), config("R"), alice())
}

fn names(room: &Room) -> Vec<(&str, RoomRole)> {
    let participants = room.participants().iter();
    participants.map(|participant| (participant.person.jid.local(), participant.role)).collect()
}

#[rstest]
#[case("lobby", Some("lobby"))]
#[case("Lobby", Some("Lobby"))]
#[case("Lobby@muclight.localhost", Some("Lobby"))]
#[case("lobby@MUCLight.LocalHost", Some("lobby"))]
#[case("lobby@localhost", None)]
#[case("lobby@muclight.elsewhere", None)]
#[case("lobby@muclight.localhost/alice", None)]
#[case("@muclight.localhost", None)]
#[case("my room", None)]
#[case("a/b", None)]
#[case("", None)]
fn a_room_is_named_by_its_id_or_its_jid(#[case] text: &str, #[case] id: Option<&str>) {
    assert_eq!(named(text, "localhost").as_ref().map(RoomId::as_str), id);
}

#[test]
fn who_makes_a_room_owns_it() {
    let room = room();
    assert_eq!(names(&room), [("alice", RoomRole::Owner)]);
    assert_eq!(room.role_of(&alice()), Some(RoomRole::Owner));
    assert_eq!(room.role_of(&person("bob", Some(2))), None);
}

#[test]
fn only_the_owner_configures_and_invites() {
    let (mut room, bob, carol) = (room(), person("bob", Some(2)), person("carol", None));
    assert_eq!(room.invite(&alice(), bob.clone()), Ok(Change::Joined(bob.clone())));
    assert_eq!(room.configure(&alice(), config("New")), Ok(Change::Configured));
    assert_eq!(room.configure(&alice(), config("New")), Ok(Change::Nothing));
    for caller in [bob, carol.clone()] {
        assert_eq!(room.configure(&caller, config("Mine")), Err(RoomRefusal::NotAllowed));
        assert_eq!(room.invite(&caller, carol.clone()), Err(RoomRefusal::NotAllowed));
    }
}

#[test]
fn who_is_in_a_room_is_not_invited_again() {
    let (mut room, bob) = (room(), person("bob", None));
    room.invite(&alice(), bob.clone()).unwrap();
    for again in [bob, person("bob", Some(2)), alice()] {
        assert_eq!(room.invite(&alice(), again), Ok(Change::Nothing));
    }
}

#[test]
fn whoever_has_the_jid_of_a_former_user_is_a_stranger_until_they_are_invited() {
    let (mut room, former, present) = (room(), person("bob", Some(2)), person("bob", Some(3)));
    room.invite(&alice(), former).unwrap();
    assert_eq!(room.role_of(&present), None);
    assert_eq!(room.remove(&present, &present.jid), Err(RoomRefusal::NotAllowed));
    assert_eq!(room.invite(&alice(), present.clone()), Ok(Change::Joined(present.clone())));
    assert_eq!(room.role_of(&present), Some(RoomRole::Member));
    assert_eq!(names(&room), [("alice", RoomRole::Owner), ("bob", RoomRole::Member)]);
}

#[test]
fn a_member_removes_nobody_else() {
    let (mut room, bob) = (room(), person("bob", Some(2)));
    room.invite(&alice(), bob.clone()).unwrap();
    assert_eq!(room.remove(&bob, &alice().jid), Err(RoomRefusal::NotAllowed));
    assert_eq!(room.remove(&person("carol", None), &bob.jid), Err(RoomRefusal::NotAllowed));
    let left = Change::Left { jid: bob.jid.clone(), successor: None };
    assert_eq!(left.affiliations(), [(bob.jid.clone(), Affiliation::None)]);
    assert_eq!(room.remove(&bob, &bob.jid), Ok(left));
    assert_eq!(room.remove(&alice(), &bob.jid), Ok(Change::Nothing));
}

#[test]
fn the_first_of_the_others_succeeds_an_owner_who_leaves() {
    let (mut room, bob) = (room(), person("bob", Some(2)));
    room.invite(&alice(), person("carol", None)).unwrap();
    room.invite(&alice(), bob.clone()).unwrap();
    let change = room.remove(&alice(), &alice().jid).unwrap();
    assert_eq!(change.affiliations(), [(alice().jid, Affiliation::None), (bob.jid, Affiliation::Owner)]);
    assert_eq!(names(&room), [("bob", RoomRole::Owner), ("carol", RoomRole::Member)]);
}

#[test]
fn the_last_one_to_leave_ends_the_room() {
    let change = room().remove(&alice(), &alice().jid).unwrap();
    assert_eq!(change, Change::Ended(alice().jid));
    assert_eq!(change.affiliations(), [(alice().jid, Affiliation::None)]);
}

#[test]
fn a_room_is_full_one_day() {
    let mut room = room();
    for number in 1..PARTICIPANTS_MAX {
        room.invite(&alice(), person(&format!("guest{number}"), None)).unwrap();
    }
    assert_eq!(room.invite(&alice(), person("bob", None)), Err(RoomRefusal::Full));
    assert_eq!(room.invite(&alice(), person("guest1", None)), Ok(Change::Nothing));
}

#[test]
fn a_room_of_long_names_is_full_before() {
    let mut room = room();
    let joined = (0..).take_while(|number| {
        let name = format!("{number:01000}");
        room.invite(&alice(), person(&name, None)).is_ok()
    });
    assert_eq!(joined.count(), 297);
}

proptest! {
    #[test]
    fn there_is_exactly_one_owner_whatever_happens(steps in prop::collection::vec((0..6_u64, 0..6_u64, any::<bool>()), 0..60)) {
        let somebody = |number: u64| person(&format!("user{number}"), Some(number));
        let mut room = Room::create(RoomId::random(), config("R"), somebody(0));
        for (caller, other, invites) in steps {
            let (caller, other) = (somebody(caller), somebody(other));
            let before = room.clone();
            let change = if invites { room.invite(&caller, other) } else { room.remove(&caller, &other.jid) };
            if let Ok(Change::Ended(_)) = change {
                prop_assert!(room.participants().is_empty());
                break;
            }
            prop_assert_eq!(room == before, matches!(change, Ok(Change::Nothing) | Err(_)));
            let owners = room.participants().iter().filter(|participant| participant.role == RoomRole::Owner);
            prop_assert_eq!(owners.count(), 1);
            prop_assert!(room.participants().is_sorted_by(|a, b| a.person.jid < b.person.jid));
        }
    }
}
