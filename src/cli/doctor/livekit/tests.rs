use axum::http::HeaderMap;
use greenroom_core::{
    config::Strictness,
    id::ProviderSessionId,
    model::{Event, EventSession, User, user::Role},
};
use http::header;
use rstest::rstest;
use serde_json::json;
use testbed::{HttpStub, nobody};

use super::*;
use crate::{cli::media, embedded::Embedded};

const SECRET: &str = "a-secret-of-a-server-that-tests-play";
/// The server's clock: `NOW` as its `Date` says it.
const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);
const DATE: &str = "Tue, 14 Nov 2023 22:13:20 GMT";
const ROOM: &str = "e1-s1-abcdefghijkl";

/// The answers of a server.
#[derive(Clone)]
struct Answers {
    root: (u16, &'static str),
    date: &'static str,
    list: (u16, String),
    validate: (u16, &'static str),
}

/// The answers in which the doctor finds no fault.
fn healthy() -> Answers {
    Answers { root: (200, "OK"), date: DATE, list: (200, "{}".to_owned()), validate: (200, "success") }
}

/// A list of one room, which was opened so long ago.
fn listing(room: &str, age: Duration) -> (u16, String) {
    let opened = (NOW - age).seconds().to_string();
    (200, json!({ "rooms": [{ "sid": "RM_1", "name": room, "creation_time": opened }] }).to_string())
}

async fn play(answers: Answers) -> HttpStub {
    let server = HttpStub::start(move |request| {
        let answers = answers.clone();
        async move {
            let (status, body) = match request.uri().path() {
                "/" => (answers.root.0, answers.root.1.to_owned()),
                "/rtc/validate" => (answers.validate.0, answers.validate.1.to_owned()),
                _ => answers.list,
            };
            let mut headers = HeaderMap::new();
            headers.insert(header::DATE, answers.date.parse().unwrap());
            (StatusCode::from_u16(status).unwrap(), headers, body)
        }
    });
    server.await.unwrap()
}

fn settings(url: &str, secret: &str) -> Result<Option<LiveKit>, CliError> {
    let settings = [("LIVEKIT_URL", url), ("LIVEKIT_API_KEY", "key"), ("LIVEKIT_API_SECRET", secret)];
    let environment = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
    media::livekit(&environment, Strictness::Local)
}

/// A store with one session, whose room is `ROOM`.
async fn store() -> Store {
    let database = Embedded::memory().unwrap();
    database.create_table("greenroom").await.unwrap();
    let store = Store::new(database.direct_client(), "greenroom");
    store.insert_record(&User::named(1, "owner", Role::Admin)).await.unwrap().unwrap();
    store.insert_record(&Event::new(1, "event".to_owned(), 1)).await.unwrap().unwrap();
    let session_id = ProviderSessionId::new(ROOM.to_owned());
    let session = EventSession { id: 1, session_id, ..EventSession::new(1) };
    store.insert_record(&session).await.unwrap().unwrap();
    store
}

/// Each check as `name: result, detail`.
async fn found(url: &str, secret: &str, store: Option<&Store>) -> Vec<String> {
    let checks = check(settings(url, secret), store, &Clock::stopped_at(NOW)).await;
    let checks = serde_json::to_value(checks).unwrap();
    let text = |check: &serde_json::Value, name: &str| check[name].as_str().unwrap().to_owned();
    let line = |check| format!("{}: {}, {}", text(check, "check"), text(check, "result"), text(check, "detail"));
    checks.as_array().unwrap().iter().map(line).collect()
}

/// Asserts that only this check is not `ok`, and that it is of this result and says this.
async fn is_found(answers: Answers, store: &Store, name: &str, words: &str) {
    let server = play(answers).await;
    let checks = found(server.url(), SECRET, Some(store)).await;
    let wrong: Vec<_> = checks.iter().filter(|check| !check.contains(": ok, ")).collect();
    assert!(matches!(*wrong, [wrong] if wrong.starts_with(name) && wrong.contains(words)), "{checks:?}");
    assert!(!checks.concat().contains(SECRET) && !checks.concat().contains("eyJ"), "{checks:?}");
}

#[tokio::test]
async fn a_healthy_server_passes() {
    let server = play(healthy()).await;
    let checks = found(server.url(), SECRET, Some(&store().await)).await;
    let expected = [
        &format!("LiveKit settings: ok, {}, keys: 1, secret: long enough", server.url()),
        &format!("LiveKit server: ok, {} answers 200 OK", server.url()),
        "LiveKit clock: ok, 0 s apart",
        "LiveKit key: ok, accepted; open rooms: 0",
        "LiveKit rooms: ok, joining makes them",
        "LiveKit webhooks: ok, none has come; none is due, since no room of ours is open",
        "LiveKit archives: ok, none: Greenroom has LiveKit record nothing",
    ];
    assert_eq!(checks, expected);
    let paths: Vec<_> = server.received().iter().map(|request| request.uri().path().to_owned()).collect();
    assert_eq!(paths, ["/", "/twirp/livekit.RoomService/ListRooms", "/rtc/validate"]);
}

#[rstest]
#[case::no_page("LiveKit server: fail", "no LiveKit server", Answers { root: (404, "OK"), ..healthy() })]
#[case::another_page("LiveKit server: fail", "no LiveKit server", Answers { root: (200, "<html>"), ..healthy() })]
#[case::a_slow_clock("LiveKit clock: warn", "20 s apart", Answers { date: "Tue, 14 Nov 2023 22:12:59 GMT", ..healthy() })]
#[case::a_wrong_clock("LiveKit clock: fail", "NTP", Answers { date: "Tue, 14 Nov 2023 22:12:48 GMT", ..healthy() })]
#[case::ahead("LiveKit clock: fail", "31 s", Answers { date: "Tue, 14 Nov 2023 22:13:51 GMT", ..healthy() })]
#[case::key("LiveKit key: fail", "compare", Answers { list: (401, "invalid token: eyJhb".to_owned()), ..healthy() })]
#[case::away("LiveKit key: fail", "status 503", Answers { list: (503, String::new()), ..healthy() })]
#[case::made(
    "LiveKit rooms: fail",
    "room.auto_create",
    Answers { validate: (404, "requested room does not exist"), ..healthy() }
)]
#[case::a_proxy("LiveKit rooms: fail", "404", Answers { validate: (404, "<html>"), ..healthy() })]
#[case::token("LiveKit rooms: fail", "401", Answers { validate: (401, "invalid token: eyJhb"), ..healthy() })]
#[tokio::test]
async fn each_fault_is_found(#[case] name: &str, #[case] words: &str, #[case] answers: Answers) {
    is_found(answers, &store().await, name, words).await;
}

#[tokio::test]
async fn webhooks_are_missed_where_a_room_of_ours_is_open() {
    let store = store().await;
    let hours = |hours: u64| Duration::from_secs(hours * 3600);
    let open = |room, age| Answers { list: listing(room, age), ..healthy() };
    is_found(open(ROOM, hours(1)), &store, "LiveKit webhooks: fail", "none has come, and a room is open").await;
    for unknown in [open(ROOM, Duration::from_secs(9)), open("e1-s9-abcdefghijkl", hours(1)), open("daily", hours(1))] {
        let checks = found(play(unknown).await.url(), SECRET, Some(&store)).await.join("\n");
        assert!(checks.contains("LiveKit webhooks: ok, none has come; none is due"), "{checks}");
    }
    let settings = store.settings().await.unwrap();
    let fingerprint = settings.fingerprint("LIVEKIT_API_SECRET", SECRET);
    store.note_use(&fingerprint, NOW - hours(2)).await.unwrap();
    let checks = found(play(open(ROOM, hours(2))).await.url(), SECRET, Some(&store)).await.join("\n");
    assert!(checks.contains("LiveKit webhooks: ok, the last one that was noted came 2 hours ago"), "{checks}");
    let stopped = open(ROOM, Duration::from_mins(40));
    is_found(stopped, &store, "LiveKit webhooks: fail", "webhook.urls has to lead to /webhooks/livekit").await;
    let checks = found(play(open(ROOM, hours(1))).await.url(), SECRET, None).await.join("\n");
    assert!(checks.contains("LiveKit webhooks: warn"), "{checks}");
}

#[tokio::test]
async fn a_server_that_is_away_and_settings_that_are_refused_are_reported() {
    let away = format!("http://{}", nobody().unwrap());
    let checks = found(&away, "secret", None).await;
    assert!(matches!(&*checks, [_, server] if server.starts_with("LiveKit server: fail")), "{checks:?}");
    assert!(checks[0].contains("that of the development mode"), "{checks:?}");
    let short = found(&away, "short", None).await;
    assert!(matches!(&*short, [one] if one.starts_with("LiveKit settings: fail") && one.contains("32")), "{short:?}");
    let elsewhere = found("https://livekit.test", "secret", None).await;
    assert!(elsewhere[0].starts_with("LiveKit settings: fail"), "{elsewhere:?}");
    let none = media::livekit(&greenroom_core::config::Environment::default(), Strictness::Local);
    assert!(check(none, None, &Clock::system()).await.is_empty());
}
