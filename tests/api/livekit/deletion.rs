//! The rooms of deleted sessions and events are deleted, as often as somebody comes back to them.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use super::{
    server::Failure,
    stage::{Came, FIRST, Guest, ROOM, SECOND, Stage},
};
use crate::{media_provider::SESSIONS, opentok_webhook::stored, support::Answer};

fn deletion(room: &str) -> String {
    format!("DeleteRoom {room}")
}

fn deletions<'a>(rooms: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut calls: Vec<_> = rooms.into_iter().map(deletion).collect();
    calls.sort_unstable();
    calls
}

/// An event with two sessions, and who has joined each of them. The server has both rooms.
async fn occupied() -> (Stage, [Guest; 2]) {
    let stage = Stage::of("moderator").await;
    let guests: [Guest; 2] = stage.guests().await.try_into().ok().unwrap();
    for guest in &guests {
        stage.app.hear(&guest.of_room("room_started", 10_000)).await;
        stage.app.hear(&guest.joined(FIRST)).await;
        stage.server.has(&guest.room, ROOM, [guest.listed(FIRST, "ACTIVE", &[])]);
    }
    stage.app.wait(Duration::from_secs(100));
    (stage, guests)
}

impl Stage {
    async fn delete(&self, what: &str, id: u64) -> Answer {
        self.app.organiser(&self.admin).delete(&format!("/api/v2/{what}/{id}/")).await
    }
}

/// What is told of somebody who comes back: the room was made again, and they joined.
fn returns(guest: &Guest) -> [Value; 2] {
    [guest.of_room("room_started", 200_000), guest.joined(Came("PA_again", 201_000))]
}

#[tokio::test]
async fn a_deleted_session_deletes_its_room() {
    let (stage, [guest, other]) = occupied().await;
    assert_eq!(stage.delete("sessions", guest.session).await.status, 204);
    assert_eq!(stage.server.told(), [deletion(&guest.room)]);
    assert_eq!((stage.server.people(&guest.room), stage.app.jobs().await), (None, 0));
    let ended = stage.app.entry(&stage.admin, &format!("event={}&stream=1&state=ended", stage.event)).await;
    assert_eq!((&ended["name"], &ended["endedBy"]["user"]), (&json!(guest.name), &json!(stage.admin.id)));
    // The other session is as it was.
    assert_eq!(stage.names(&other).await, [&*other.name]);
    assert_eq!(stage.server.people(&other.room).unwrap(), [&*other.name]);
    stage.app.hear(&guest.left(FIRST, 101_000, "ROOM_DELETED")).await;
    stage.app.hear(&guest.of_room("room_finished", 101_000)).await;
    stage.app.keep_house().await;
    assert!(stage.server.told().is_empty());
}

#[tokio::test]
async fn a_deleted_event_deletes_all_of_its_rooms_the_former_ones_too() {
    let (stage, [guest, other]) = occupied().await;
    let caller = stage.app.organiser(&stage.admin);
    let moved = caller.patch(&format!("{SESSIONS}1/"), json!({ "archive": false })).await;
    let room = moved.body["sessionId"].as_str().unwrap().to_owned();
    assert_ne!(room, guest.room);
    assert_eq!(stage.delete("events", stage.event).await.status, 204);
    stage.app.keep_house().await;
    assert_eq!(stage.server.told(), deletions([&*guest.room, &other.room, &room]));
    assert_eq!((stage.server.people(&guest.room), stage.server.people(&other.room)), (None, None));
    assert_eq!(stage.app.jobs().await, 0);
}

#[rstest]
#[tokio::test]
async fn a_room_to_which_somebody_comes_back_is_deleted_again(
    #[values("sessions", "events")] what: &str,
    #[values(0, 1)] sign: usize,
) {
    let (stage, [guest, _]) = occupied().await;
    stage.delete(what, if what == "events" { stage.event } else { guest.session }).await;
    stage.app.keep_house().await;
    stage.server.asked();
    for hours in [0, 5, 20, 20] {
        stage.app.wait(Duration::from_hours(hours));
        stage.server.has(&guest.room, "RM_again", [guest.listed(SECOND, "ACTIVE", &[])]);
        let mut told = returns(&guest)[sign].clone();
        told["room"]["sid"] = json!("RM_again");
        stage.app.hear(&told).await;
        assert_eq!(stage.server.asked(), [deletion(&guest.room)], "{what} after {hours}");
        assert_eq!(stage.server.people(&guest.room), None);
    }
    assert_eq!(stage.app.jobs().await, 0);
}

#[rstest]
#[tokio::test]
async fn the_former_room_of_a_deleted_session_is_gone_too(#[values(0, 1)] sign: usize) {
    let (stage, [guest, _]) = occupied().await;
    let caller = stage.app.organiser(&stage.admin);
    assert_eq!(caller.patch(&format!("{SESSIONS}1/"), json!({ "archive": false })).await.status, 200);
    assert!(stage.server.asked().is_empty());
    assert_eq!(stage.delete("sessions", guest.session).await.status, 204);
    assert!(stage.server.told().contains(&deletion(&guest.room)));
    assert_eq!(stage.server.people(&guest.room), None);
    stage.server.has(&guest.room, "RM_again", [guest.listed(SECOND, "ACTIVE", &[])]);
    stage.app.hear(&returns(&guest)[sign]).await;
    assert_eq!(stage.server.asked(), [deletion(&guest.room)]);
    assert_eq!(stage.server.people(&guest.room), None);
}

#[rstest]
#[tokio::test]
async fn housekeeping_deletes_a_gone_room_that_it_finds(#[values("sessions", "events")] what: &str) {
    let (stage, [guest, _]) = occupied().await;
    stage.delete(what, if what == "events" { stage.event } else { guest.session }).await;
    stage.app.keep_house().await;
    stage.server.asked();
    // No webhook tells of a client that only opened the signalling.
    for state in ["JOINING", "ACTIVE"] {
        stage.server.has(&guest.room, "RM_again", [guest.listed(SECOND, state, &[])]);
        stage.app.keep_house().await;
        assert_eq!(stage.server.told(), [deletion(&guest.room)], "{what} {state}");
        assert_eq!(stage.server.people(&guest.room), None);
    }
}

#[rstest]
#[tokio::test]
async fn a_server_that_does_not_answer_is_told_later(
    #[values("sessions", "events")] what: &str,
    #[values(Failure::Answer(500, "text/plain", ""), Failure::UnknownKey)] failure: Failure,
) {
    let (stage, [guest, other]) = occupied().await;
    stage.server.fails(failure);
    let answer = stage.delete(what, if what == "events" { stage.event } else { guest.session }).await;
    assert_eq!(answer.to_string(), "204 -");
    assert_eq!(stage.app.organiser(&stage.admin).get(&format!("{SESSIONS}1/")).await.status, 404);
    assert_eq!(stage.server.people(&guest.room).unwrap(), [&*guest.name]);
    stage.server.fails(None);
    stage.server.asked();
    stage.app.wait(Duration::from_secs(30));
    stage.app.keep_house().await;
    let wanted = if what == "events" { deletions([&*guest.room, &other.room]) } else { deletions([&*guest.room]) };
    // Reconciling may find the room before the outbox message is delivered.
    let mut told = stage.server.told();
    told.dedup();
    assert_eq!(told, wanted);
    assert_eq!((stage.server.people(&guest.room), stage.app.jobs().await), (None, 0));
}

#[rstest]
#[case::of_a_deleted_event("e1-s1-abcdefghijkl")]
#[case::of_no_event("e99-s99-abcdefghijkl")]
#[case::of_a_media_session("o-daily-abcdefghijkl")]
#[case::of_a_network_test("t-abcdefghijklmnopqrst")]
#[case::of_another_application("daily")]
#[tokio::test]
async fn a_room_that_is_not_ours_is_never_deleted(#[case] room: &str) {
    let (stage, [guest, _]) = occupied().await;
    assert_eq!(stage.delete("events", stage.event).await.status, 204);
    stage.app.keep_house().await;
    stage.server.asked();
    let foreign = Guest { room: room.to_owned(), ..guest };
    stage.server.has(room, "RM_foreign", [foreign.listed(SECOND, "ACTIVE", &[])]);
    let before = stored(&stage.app).await;
    for told in returns(&foreign) {
        stage.app.hear(&told).await;
    }
    stage.app.hear(&foreign.of_room("room_finished", 202_000)).await;
    stage.app.keep_house().await;
    assert_eq!(stage.server.asked(), ["ListRooms"]);
    assert_eq!(stored(&stage.app).await, before);
}

#[tokio::test]
async fn a_network_test_needs_no_deletion() {
    let stage = Stage::of("participant").await;
    let made = stage.app.client(false).await.post_nothing("/api/v2/networktestsessions/").await;
    let room = made.body["sessionId"].as_str().unwrap();
    let guest = stage.guest().await;
    let test = Guest { room: room.to_owned(), ..guest };
    stage.server.has(room, "RM_test", [test.listed(FIRST, "ACTIVE", &[])]);
    for told in returns(&test) {
        stage.app.hear(&told).await;
    }
    stage.app.keep_house().await;
    assert_eq!(stage.server.asked(), ["ListRooms"]);
    assert_eq!(stage.names(&test).await, [&*test.name]);
    assert_eq!(stage.entry(&test).await["state"], "issued");
}
