//! The list of live connections is made to agree with what the server has.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use super::{
    server::{Failure, listed, removal},
    stage::{Came, FIRST, Guest, ROOM, SECOND, Stage},
};
use crate::{opentok_webhook::stored, support::NOW};

/// A name of Greenroom's form that nobody was given.
const UNKNOWN: &str = "0c2b5c1e-6c1f-4b5a-9a43-1f6f3f0f8a11";

/// The state, since when, and since when it publishes.
async fn shown(stage: &Stage, guest: &Guest) -> Value {
    let entry = stage.entry(guest).await;
    json!([entry["state"], entry["since"], entry["publishing"]])
}

fn asking(guest: &Guest) -> Vec<String> {
    vec![format!("ListParticipants {}", guest.room), "ListRooms".to_owned()]
}

#[tokio::test]
async fn who_is_there_becomes_connected_since_they_joined() {
    let (stage, guest) = Stage::joined().await;
    stage.server.has(&guest.room, ROOM, [guest.listed(FIRST, "ACTIVE", &[("TR_one", false)])]);
    stage.app.keep_house().await;
    let connected = json!(["connected", "2023-11-14T22:13:30.782Z", "2023-11-14T22:15:00Z"]);
    assert_eq!(shown(&stage, &guest).await, connected);
    assert_eq!(stage.server.asked(), asking(&guest));
    // What agrees is not written again.
    let before = stored(&stage.app).await;
    stage.app.wait(Duration::from_mins(1));
    stage.app.keep_house().await;
    assert_eq!((stored(&stage.app).await, stage.server.asked()), (before, asking(&guest)));
    // A webhook that comes late after all changes nothing either.
    stage.app.hear(&guest.joined(FIRST)).await;
    assert_eq!(shown(&stage, &guest).await, connected);
}

#[rstest]
#[tokio::test]
async fn whose_media_do_not_flow_yet_is_not_connected(#[values("JOINING", "JOINED", "DISCONNECTED")] state: &str) {
    let (stage, guest) = Stage::joined().await;
    stage.server.has(&guest.room, ROOM, [guest.listed(FIRST, state, &[])]);
    stage.app.keep_house().await;
    assert_eq!(shown(&stage, &guest).await[0], "issued");
    assert!(stage.server.told().is_empty());
}

#[rstest]
#[case::the_room_is_empty(true)]
#[case::the_room_is_gone(false)]
#[tokio::test]
async fn who_is_missing_is_lost(#[case] has_room: bool) {
    let (stage, guest) = Stage::connected().await;
    stage.server.restart();
    if has_room {
        stage.server.has(&guest.room, ROOM, [listed("bot", "PA_bot", "ACTIVE", 0, &[])]);
    }
    stage.app.keep_house().await;
    let ended = stage.ended(&guest).await;
    let end = json!([ended["reason"], ended["since"], ended["endedAt"], ended["endedBy"]["kind"]]);
    assert_eq!(end, json!(["lost", "2023-11-14T22:13:30.782Z", "2023-11-14T22:15:00Z", "provider"]));
    assert!(stage.server.told().is_empty());
    // Who is there again is connected again, and so is who never was away.
    stage.server.has(&guest.room, ROOM, [guest.listed(SECOND, "ACTIVE", &[])]);
    stage.app.wait(Duration::from_mins(1));
    stage.app.keep_house().await;
    assert_eq!(shown(&stage, &guest).await, json!(["connected", "2023-11-14T22:13:40.25Z", null]));
}

#[tokio::test]
async fn who_left_and_is_there_all_the_same_is_connected_again() {
    let (stage, guest) = Stage::connected().await;
    stage.app.hear(&guest.left(FIRST, 50_000, "CONNECTION_TIMEOUT")).await;
    assert_eq!(stage.ended(&guest).await["reason"], "lost");
    stage.app.keep_house().await;
    assert_eq!(shown(&stage, &guest).await, json!(["connected", "2023-11-14T22:13:30.782Z", null]));
    assert!(stage.server.told().is_empty());
}

#[rstest]
#[tokio::test]
async fn who_is_held_is_removed_however_far_they_got(
    #[values("JOINING", "JOINED", "ACTIVE")] state: &str,
    #[values(false, true)] was_connected: bool,
) {
    let (stage, guest) = if was_connected { Stage::connected().await } else { Stage::joined().await };
    assert_eq!(stage.kick(&guest).await.status, 200);
    let ended = stage.termination(&guest).await;
    stage.server.asked();
    for (sid, joined) in [("PA_a", 110_000), ("PA_b", 170_000)] {
        stage.app.wait(Duration::from_mins(1));
        let held = stage.stored(&guest).await.held_until.unwrap();
        stage.server.has(
            &guest.room,
            ROOM,
            [guest.listed(Came(sid, joined), state, &[("TR_one", false)]), listed("bot", "PA_bot", state, 0, &[])],
        );
        stage.app.keep_house().await;
        assert_eq!(stage.server.told(), [removal(&guest.room, &guest.name)]);
        assert_eq!(stage.server.people(&guest.room).unwrap(), ["bot"]);
        let now = stage.app.clock.now();
        assert!(stage.stored(&guest).await.held_until.unwrap() >= held.max(now + Duration::from_mins(15)));
        assert_eq!(stage.termination(&guest).await, ended);
    }
}

#[rstest]
#[tokio::test]
async fn strangers_with_names_of_our_form_are_removed_and_others_left_alone(
    #[values("JOINING", "JOINED", "ACTIVE")] state: &str,
) {
    let (stage, guest) = Stage::connected().await;
    let people = [
        guest.listed(FIRST, "ACTIVE", &[]),
        listed(UNKNOWN, "PA_unknown", state, 0, &[]),
        listed("EG_8sDkLmN2pQrS", "PA_recorder", state, 0, &[("TR_none", false)]),
        listed("bot", "PA_bot", state, 0, &[]),
    ];
    stage.server.has(&guest.room, ROOM, people);
    stage.app.keep_house().await;
    assert_eq!(stage.server.told(), [removal(&guest.room, UNKNOWN)]);
    assert_eq!(stage.server.people(&guest.room).unwrap(), [&*guest.name, "EG_8sDkLmN2pQrS", "bot"]);
    assert_eq!(stage.names(&guest).await, [&*guest.name]);
}

#[tokio::test]
async fn only_rooms_of_ours_are_looked_into() {
    let (stage, guest) = Stage::connected().await;
    let foreign =
        ["daily", "e1-s1-abcdefghijkl", "e77-s78-abcdefghijkl", "o-daily-abcdefghijkl", "t-abcdefghijklmnopqrst"];
    for room in foreign {
        let people = [&*guest.name, UNKNOWN, "bot"].map(|name| listed(name, "PA_x", "ACTIVE", 0, &[]));
        stage.server.has(room, "RM_foreign", people);
    }
    let before = stored(&stage.app).await;
    stage.app.keep_house().await;
    // One question was needed for our own room, which no webhook had opened.
    assert_eq!(stage.server.asked(), asking(&guest));
    for room in foreign {
        assert_eq!(stage.server.people(room).unwrap().len(), 3, "{room}");
    }
    assert_eq!(stored(&stage.app).await, before);
}

#[tokio::test]
async fn publishing_is_taken_from_the_tracks_that_are_not_muted() {
    let (stage, guest) = Stage::connected().await;
    let house = async |tracks: &[(&str, bool)]| {
        stage.app.wait(Duration::from_mins(1));
        stage.server.has(&guest.room, ROOM, [guest.listed(FIRST, "ACTIVE", tracks)]);
        stage.app.keep_house().await;
        stage.entry(&guest).await["publishing"].clone()
    };
    assert_eq!(house(&[]).await, Value::Null);
    assert_eq!(house(&[("TR_one", true)]).await, Value::Null);
    assert_eq!(house(&[("TR_one", false)]).await, "2023-11-14T22:18:00Z");
    assert_eq!(house(&[("TR_one", false), ("TR_two", true)]).await, "2023-11-14T22:18:00Z");
    assert_eq!(house(&[("TR_one", true), ("TR_two", true)]).await, Value::Null);
    // A webhook was lost that told of another track.
    stage.app.hear(&guest.track("track_published", FIRST, 400_000, "TR_three")).await;
    assert!(stage.entry(&guest).await["publishing"].is_string());
    assert_eq!(house(&[]).await, Value::Null);
    assert!(stage.server.told().is_empty());
}

#[tokio::test]
async fn after_a_restart_only_who_came_again_is_connected() {
    let (stage, guest) = Stage::connected().await;
    let other = stage.guest().await;
    stage.app.hear(&other.joined(Came("PA_other", 101_000))).await;
    stage.app.hear(&guest.track("track_published", FIRST, 102_000, "TR_one")).await;
    stage.app.wait(Duration::from_mins(1));
    stage.server.restart();
    stage.server.has(&guest.room, "RM_again", [guest.listed(Came("PA_again", 150_000), "ACTIVE", &[])]);
    stage.app.keep_house().await;
    assert_eq!(stage.names(&guest).await, [&*guest.name]);
    assert_eq!(shown(&stage, &guest).await, json!(["connected", "2023-11-14T22:15:50Z", null]));
    assert_eq!(stage.ended(&other).await["reason"], "lost");
    // A late end of the former room ends nobody in the present one.
    stage.app.hear(&guest.of_room("room_finished", 140_000)).await;
    assert_eq!(shown(&stage, &guest).await[0], "connected");
    let mut finished = guest.of_room("room_finished", 159_000);
    finished["room"]["sid"] = json!("RM_again");
    stage.app.hear(&finished).await;
    assert!(stage.names(&guest).await.is_empty());
}

#[rstest]
#[case::busy(Failure::Answer(429, "text/plain", ""))]
#[case::fault(Failure::Answer(500, "text/plain", "oops"))]
#[case::no_server_behind(Failure::Answer(
    503,
    "application/json",
    r#"{"code":"unavailable","msg":"no response from servers"}"#
))]
#[case::html(Failure::Answer(200, "text/html", "<html>"))]
#[case::another_route(Failure::Answer(404, "application/json", r#"{"code":"bad_route","msg":""}"#))]
#[case::an_unknown_key(Failure::UnknownKey)]
#[case::silence(Failure::Silence)]
#[tokio::test]
async fn a_server_that_does_not_answer_changes_nothing(#[case] failure: Failure) {
    let (stage, guest) = Stage::connected().await;
    stage.server.restart();
    stage.server.fails(failure);
    let before = stored(&stage.app).await;
    stage.app.keep_house().await;
    assert_eq!(stored(&stage.app).await, before);
    stage.server.fails(None);
    stage.app.keep_house().await;
    assert_eq!(stage.ended(&guest).await["reason"], "lost");
}

#[tokio::test]
async fn who_stays_for_days_stays_connected() {
    let (stage, guest) = Stage::connected().await;
    for _ in 0..12 {
        stage.app.wait(Duration::from_hours(6));
        stage.app.keep_house().await;
        assert_eq!(stage.names(&guest).await, [&*guest.name]);
    }
    stage.server.restart();
    stage.app.keep_house().await;
    assert!(stage.names(&guest).await.is_empty());
}

#[tokio::test]
async fn a_joining_that_a_list_does_not_have_yet_is_not_ended() {
    let (stage, guest) = Stage::joined().await;
    stage.server.has(&guest.room, ROOM, []);
    stage.app.hear(&guest.joined(Came("PA_now", 99_000))).await;
    assert_eq!(stage.app.clock.now().millis(), NOW + 100_000);
    stage.app.keep_house().await;
    assert_eq!(shown(&stage, &guest).await[0], "connected");
    stage.app.wait(Duration::from_mins(1));
    stage.app.keep_house().await;
    assert_eq!(stage.ended(&guest).await["reason"], "lost");
}

/// The webhooks that told of the present room are lost; the server is killed before its lists are read.
#[rstest]
#[case::of_which_only_a_track_was_told(&["track"])]
#[case::that_was_opened_again(&["joined", "left", "finished", "joined again"])]
#[case::that_was_told_of_backwards(&["track", "joined"])]
#[tokio::test]
async fn who_was_in_a_room_that_is_gone_is_lost(#[case] words: &[&str]) {
    let (stage, guest) = Stage::joined().await;
    for word in words {
        let mut told = match *word {
            "track" => guest.track("track_published", FIRST, 12_000, "TR_one"),
            "joined" => guest.joined(FIRST),
            "left" => guest.left(FIRST, 15_000, "CLIENT_INITIATED"),
            "finished" => guest.of_room("room_finished", 36_000),
            _ => guest.joined(Came("PA_again", 60_000)),
        };
        if *word == "joined again" {
            told["room"]["sid"] = json!("RM_again");
        }
        stage.app.hear(&told).await;
    }
    assert_eq!(shown(&stage, &guest).await[0], "connected");
    stage.app.keep_house().await;
    // A visit that ended before has an entry of its own, and the last comes first.
    let path = format!("/api/live/?event={}&state=ended", guest.event);
    let ended = stage.app.organiser(&stage.admin).get(&path).await;
    assert_eq!(ended.body["results"][0]["reason"], "lost", "{ended}");
}

#[tokio::test]
async fn a_list_is_read_with_keys_in_camel_case_too() {
    let (stage, guest) = Stage::joined().await;
    let participant = json!({
        "sid": "PA_first", "identity": guest.name, "state": "ACTIVE", "joinedAt": "1700000010",
        "joinedAtMs": "1700000010782", "tracks": [{ "sid": "TR_one", "source": "MICROPHONE" }],
    });
    stage.server.has(&guest.room, ROOM, [participant]);
    stage.app.keep_house().await;
    let connected = json!(["connected", "2023-11-14T22:13:30.782Z", "2023-11-14T22:15:00Z"]);
    assert_eq!(shown(&stage, &guest).await, connected);
}
