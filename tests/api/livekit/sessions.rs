//! Sessions, each of which remembers the media provider that made it.

use axum::{
    Json,
    http::{Method, StatusCode},
    response::IntoResponse,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use greenroom_core::{config::Setting, id::random_hex, model::user::Role};
use rstest::rstest;
use serde_json::{Value, json};
use testbed::HttpStub;

use super::{
    server::{Server, removal},
    stage::{FIRST, ROOM, SECOND, Stage, provided},
};
use crate::{
    joining::{JOIN, t1},
    media_provider::SESSIONS,
    stream_sessions::sessions,
    support::{Answer, TestApp},
};

const NO_OPENTOK: [(Setting, &str); 2] = [(Setting::OpentokApiKey, ""), (Setting::OpentokApiSecret, "")];
const NO_LIVEKIT: [(Setting, &str); 4] = [
    (Setting::VideoProvider, "offline"),
    (Setting::LivekitUrl, ""),
    (Setting::LivekitApiKey, ""),
    (Setting::LivekitApiSecret, ""),
];

/// The sessions of an answer, each by its number and whether it is a room of LiveKit.
fn kinds(answer: &Answer) -> Vec<(u64, bool)> {
    let sessions = answer.body["sessions"].as_array().unwrap();
    sessions.iter().map(|session| (session["id"].as_u64().unwrap(), session.get("livekit").is_some())).collect()
}

async fn join(app: &TestApp) -> Answer {
    app.client(false).await.post(JOIN, json!({ "loginToken": "the token" })).await
}

#[tokio::test]
async fn the_room_is_the_session_id() {
    let stage = Stage::of("moderator").await;
    let listed = stage.app.organiser(&stage.admin).get(SESSIONS).await.body;
    let ids: Vec<_> = listed["results"].as_array().unwrap().iter().map(|session| &session["sessionId"]).collect();
    let rooms: Vec<_> = stage.guests().await.into_iter().map(|guest| json!(guest.room)).collect();
    assert_eq!(ids, rooms.iter().collect::<Vec<_>>());
    assert_eq!(rooms.len(), 2);
}

#[tokio::test]
async fn sessions_of_opentok_go_on_beside_those_of_livekit_while_its_credentials_are_set() {
    let server = Server::start().await;
    let before = TestApp::with(provided(&server)).await.again_with([(Setting::VideoProvider, "offline")]);
    let event = before.event_to_join(json!({}), "moderator").await;
    let app = before.again_with([(Setting::VideoProvider, "livekit")]);
    let admin = app.account("operator", Role::Admin, None).await;
    let old = join(&app).await;
    assert_eq!((old.status.as_u16(), kinds(&old)), (201, vec![(1, false), (2, false)]));
    app.organiser(&admin).make(SESSIONS, json!({ "event": event, "language": "German" })).await;
    app.wait(std::time::Duration::from_secs(6));
    let both = join(&app).await;
    assert_eq!(kinds(&both), [(1, false), (2, false), (3, true)]);
    for session in &both.body["sessions"].as_array().unwrap()[..2] {
        let keys: Vec<_> = session["tokbox"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["sessionId", "sessionToken"]);
        assert_eq!(t1(&session["tokbox"]["sessionToken"])["session_id"], session["tokbox"]["sessionId"]);
    }
    for (stream, provider) in [(1, "opentok"), (3, "livekit")] {
        let listed = app.organiser(&admin).get(&format!("/api/live/?event={event}&stream={stream}")).await.body;
        assert_eq!(
            (&listed["results"][0]["provider"], &listed["results"][0]["state"]),
            (&json!(provider), &json!("issued"))
        );
    }
    // Without the credentials of either, its sessions are left out.
    assert_eq!(kinds(&join(&app.again_with(NO_OPENTOK)).await), [(3, true)]);
    assert_eq!(kinds(&join(&app.again_with(NO_LIVEKIT)).await), [(1, false), (2, false)]);
    assert!(server.asked().is_empty());
}

#[rstest]
#[case::of_opentok("offline", "livekit", NO_OPENTOK.to_vec())]
#[case::of_livekit("livekit", "offline", NO_LIVEKIT.to_vec())]
#[tokio::test]
async fn nobody_joins_where_all_sessions_are_left_out(
    #[case] made_by: &'static str,
    #[case] now: &'static str,
    #[case] without: Vec<(Setting, &'static str)>,
) {
    let server = Server::start().await;
    let before = TestApp::with(provided(&server)).await.again_with([(Setting::VideoProvider, made_by)]);
    before.event_to_join(json!({}), "moderator").await;
    let app = before.again_with([(Setting::VideoProvider, now)]).again_with(without);
    let answer = join(&app).await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "1"), "{answer}");
    // A change of such a session makes it anew, even if neither its mode nor its archiving changes.
    let admin = app.account("operator", Role::Admin, None).await;
    assert_eq!(app.organiser(&admin).patch(&format!("{SESSIONS}1/"), json!({})).await.status, 200);
    app.wait(std::time::Duration::from_secs(6));
    assert_eq!(kinds(&join(&app).await), [(1, now == "livekit")]);
}

/// The session in a language has the mode `routed` and is archived.
#[rstest]
#[case::mode("PATCH", json!({ "mode": "relayed", "archive": false }), true)]
#[case::archive("PATCH", json!({ "archive": false }), true)]
#[case::put("PUT", json!({ "language": "English", "archive": false }), true)]
#[case::nothing("PATCH", json!({}), false)]
#[case::language("PATCH", json!({ "language": "German", "languageCode": "de" }), false)]
#[case::the_same("PATCH", json!({ "mode": "routed", "archive": true }), false)]
#[case::put_the_same("PUT", json!({ "language": "German", "mode": "routed", "archive": true }), false)]
#[tokio::test]
async fn a_change_of_mode_or_archiving_moves_a_session_to_the_provider_of_new_ones(
    #[case] method: &str,
    #[case] change: Value,
    #[case] moves: bool,
    #[values("offline", "livekit")] made_by: &'static str,
    #[values("offline", "livekit")] configured: &'static str,
) {
    let server = Server::start().await;
    let before = TestApp::with(provided(&server)).await.again_with([(Setting::VideoProvider, made_by)]);
    before.event_to_join(json!({}), "participant").await;
    let app = before.again_with([(Setting::VideoProvider, configured)]);
    let admin = app.account("operator", Role::Admin, None).await;
    let (caller, path) = (app.organiser(&admin), format!("{SESSIONS}1/"));
    let old = caller.get(&path).await.body["sessionId"].clone();
    let changed = if method == "PUT" { caller.put(&path, change).await } else { caller.patch(&path, change).await };
    assert_eq!(changed.status, 200, "{changed}");
    assert_eq!(changed.body["sessionId"] != old, moves);
    let joined = join(&app).await;
    assert_eq!(kinds(&joined), [(1, if moves { configured } else { made_by } == "livekit")]);
    assert_eq!(joined.body["sessions"][0]["tokbox"]["sessionId"], changed.body["sessionId"]);
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn a_room_has_no_archives() {
    let stage = Stage::of("participant").await;
    let caller = stage.app.organiser(&stage.admin);
    for path in [format!("{SESSIONS}1/archives/"), format!("/api/v2/events/{}/archives/", stage.event)] {
        let answer = caller.get(&path).await;
        assert_eq!(answer.to_string(), r#"503 {"detail":"Archiving is not available."}"#, "{path}");
    }
    assert_eq!(caller.get(&format!("{SESSIONS}9/archives/")).await.status, 404);
}

#[tokio::test]
async fn archives_of_other_providers_are_listed_beside_rooms() {
    let stage = Stage::of("participant").await;
    let app = stage.app.again_with([(Setting::VideoProvider, "offline")]);
    let caller = app.organiser(&stage.admin);
    caller.make(SESSIONS, json!({ "event": stage.event, "language": "Recorded" })).await;
    let answer = caller.get(&format!("/api/v2/events/{}/archives/", stage.event)).await;
    assert_eq!((answer.status.as_u16(), &answer.body["count"]), (200, &json!(0)), "{answer}");
    let answer = caller.get(&format!("{SESSIONS}1/archives/")).await;
    assert_eq!(answer.status.as_u16(), 503, "{answer}");
}

#[tokio::test]
async fn rooms_go_on_while_another_provider_makes_new_sessions() {
    let (stage, guest) = Stage::joined().await;
    let app = stage.app.again_with([(Setting::VideoProvider, "offline")]);
    let stage = Stage { app, ..stage };
    assert_eq!(kinds(&join(&stage.app).await), [(1, true)]);
    stage.app.hear(&guest.joined(FIRST)).await;
    assert!(stage.names(&guest).await.contains(&guest.name));
    stage.server.has(&guest.room, ROOM, [guest.listed(FIRST, "ACTIVE", &[])]);
    stage.app.keep_house().await;
    assert!(stage.server.told().is_empty());
    assert_eq!(stage.kick(&guest).await.status, 200);
    stage.app.hear(&guest.joined(SECOND)).await;
    assert_eq!(stage.server.told(), [removal(&guest.room, &guest.name), removal(&guest.room, &guest.name)]);
    assert_eq!(stage.app.organiser(&stage.admin).delete(&format!("{SESSIONS}1/")).await.status, 204);
    assert_eq!(stage.server.told(), [format!("DeleteRoom {}", guest.room)]);
}

#[tokio::test]
async fn clients_of_opentok_are_disconnected_there_while_livekit_makes_new_sessions() {
    let opentok = HttpStub::start(|request| {
        let id = BASE64_URL_SAFE_NO_PAD.encode(format!("1~45828062~~1700000000000~{}~", random_hex()));
        let created = Json(json!([{ "session_id": format!("1_{id}") }]));
        std::future::ready(match *request.method() {
            Method::DELETE => StatusCode::NO_CONTENT.into_response(),
            _ => created.into_response(),
        })
    });
    let (server, opentok) = (Server::start().await, opentok.await.unwrap());
    let url: &'static str = opentok.url().to_owned().leak();
    let before = TestApp::with(provided(&server)).await;
    let before = before.again_with([(Setting::VideoProvider, "opentok"), (Setting::OpentokApiUrl, url)]);
    let (joined, _) = before.joined().await;
    let app = before.again_with([(Setting::VideoProvider, "livekit")]);
    joined.tell(&app, "connectionCreated", "phone", 0).await;
    let made = opentok.received();
    assert!(!made.is_empty() && made.iter().all(|request| request.method() == Method::POST));
    let path = format!("{}/{}", sessions(joined.event, joined.session), joined.name);
    assert_eq!(app.operator().delete(&path).await.status, 200);
    let told: Vec<_> = opentok.received().iter().map(|request| request.uri().path().to_owned()).collect();
    assert!(told.len() == 1 && told[0].ends_with("/connection/phone"), "{told:?}");
    // New ones are made at LiveKit alone.
    let test = app.client(false).await.post_nothing("/api/v2/networktestsessions/").await;
    assert!(test.body["livekit"].is_object());
    assert!(opentok.received().is_empty() && server.asked().is_empty());
}
