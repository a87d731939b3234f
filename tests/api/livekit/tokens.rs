//! What participants join with.

use std::collections::BTreeSet;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use greenroom_core::config::Setting;
use insta::assert_json_snapshot;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use rstest::rstest;
use serde_json::{Value, json};

use super::{
    server::{KEY, SECRET},
    stage::{Stage, token_claims},
};
use crate::{joining::JOIN, support::NOW};

const NOW_SECONDS: i64 = NOW / 1000;

/// Whether a room's name is this, a hyphen, and so many random characters.
fn is_room(room: &Value, before: &str, random: usize) -> bool {
    let rest = room.as_str().unwrap().strip_prefix(before).and_then(|rest| rest.strip_prefix('-')).unwrap_or_default();
    rest.len() == random && rest.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'))
}

/// Whether this secret signed the token.
fn is_signed_with(token: &Value, secret: &str) -> bool {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.validate_exp = false;
    let key = DecodingKey::from_secret(secret.as_bytes()).unwrap();
    jsonwebtoken::decode::<Value>(token.as_str().unwrap(), &key, &validation).is_ok()
}

/// The permissions of these rights.
fn video(rights: &str, room: &Value) -> Value {
    let publishes = rights != "subscribe";
    let mut video = json!({
        "room": room, "roomJoin": true, "canPublish": publishes, "canSubscribe": true, "canPublishData": publishes,
    });
    match rights {
        "speak" => video["canPublishSources"] = json!(["microphone"]),
        "moderate" => video["roomAdmin"] = json!(true),
        _ => {}
    }
    video
}

#[tokio::test]
async fn a_session_shows_its_room_and_a_token_beside_what_clients_read_before() {
    let stage = Stage::of("interpreter").await;
    let mut answer = stage.join().await.body;
    for session in answer["sessions"].as_array_mut().unwrap() {
        let (tokbox, livekit) = (session["tokbox"].clone(), session["livekit"].clone());
        assert!(is_room(&livekit["room"], &format!("e{}-s{}", stage.event, session["id"]), 12), "{livekit}");
        assert_eq!(tokbox, json!({ "sessionId": livekit["room"], "sessionToken": livekit["token"] }));
        assert_eq!(livekit["url"], stage.server.client_url());
        session["livekit"]["url"] = json!("[url]");
    }
    assert_json_snapshot!(answer, {
        ".sessions[].tokbox.sessionId" => "[room]",
        ".sessions[].tokbox.sessionToken" => "[token]",
        ".sessions[].livekit.room" => "[room]",
        ".sessions[].livekit.token" => "[token]",
    });
    // Neither the sessions nor the tokens took a call.
    assert!(stage.server.asked().is_empty());
}

/// The rights of each type in the language, on the floor, and on the floor of an event that shows it to participants.
#[rstest]
#[case("participant", "subscribe", "-", "subscribe")]
#[case("interpreter", "speak", "subscribe", "subscribe")]
#[case("floor", "-", "publish", "publish")]
#[case("remote", "subscribe", "publish", "publish")]
#[case("moderator", "moderate", "moderate", "moderate")]
#[tokio::test]
async fn the_login_token_type_decides_what_a_token_allows(
    #[case] kind: &str,
    #[case] language: &str,
    #[case] floor: &str,
    #[case] seen_floor: &str,
    #[values("-", "event", "request")] shows_floor: &str,
) {
    let stage = Stage::with(kind, json!({ "subscribersSeeFloor": shows_floor == "event" }), &[]).await;
    let flags = if shows_floor == "request" { json!(["view_floor"]) } else { json!([]) };
    let body = json!({ "loginToken": "the token", "additionalAccess": flags });
    let answer = stage.app.client(false).await.post(JOIN, body).await.body;
    let floor = if shows_floor == "-" { floor } else { seen_floor };
    let wanted: Vec<_> = [(1, language), (2, floor)].into_iter().filter(|(_, rights)| *rights != "-").collect();
    let sessions = answer["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), wanted.len());
    for (session, (id, rights)) in sessions.iter().zip(wanted) {
        assert_eq!(session["id"], id);
        let token = &session["livekit"]["token"];
        let names = stage.app.live_names(stage.event, id).await;
        assert_eq!(names.len(), 1);
        let claims = json!({
            "iss": KEY, "sub": names[0], "iat": NOW_SECONDS, "nbf": NOW_SECONDS, "exp": NOW_SECONDS + 21_600,
            "video": video(rights, &session["livekit"]["room"]),
        });
        assert_eq!(token_claims(token), claims);
        let header = token.as_str().unwrap().split('.').next().unwrap();
        let header: Value = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
        assert_eq!(header, json!({ "alg": "HS256", "typ": "JWT" }));
        assert!(is_signed_with(token, SECRET) && !is_signed_with(token, "another-secret-of-32-characters-x"));
    }
}

#[rstest]
#[case("60", NOW_SECONDS + 60, "2023-11-14T22:14:20Z")]
#[case("86400", NOW_SECONDS + 86_400, "2023-11-15T22:13:20Z")]
#[tokio::test]
async fn a_token_lives_as_long_as_configured(#[case] ttl: &'static str, #[case] exp: i64, #[case] text: &str) {
    let stage = Stage::with("participant", json!({}), &[(Setting::LivekitTokenTtl, ttl)]).await;
    let access = stage.join().await.body["sessions"][0]["livekit"].clone();
    assert_eq!((&token_claims(&access["token"])["exp"], &access["expiresAt"]), (&json!(exp), &json!(text)));
}

#[tokio::test]
async fn the_first_key_signs() {
    let (other, both) = (
        "the-other-secret-of-the-server-002",
        r#"["the-secret-of-the-livekit-server","the-other-secret-of-the-server-002"]"#,
    );
    let keys = [(Setting::LivekitApiKey, r#"["first","second"]"#), (Setting::LivekitApiSecret, both)];
    let stage = Stage::with("participant", json!({}), &keys).await;
    let token = stage.join().await.body["sessions"][0]["livekit"]["token"].clone();
    assert_eq!(token_claims(&token)["iss"], "first");
    assert!(is_signed_with(&token, SECRET) && !is_signed_with(&token, other));
}

#[tokio::test]
async fn each_joining_has_a_name_of_its_own_in_the_same_room() {
    let stage = Stage::of("moderator").await;
    let [first, second] = [stage.guests().await, stage.guests().await];
    let all = || first.iter().chain(&second);
    assert_eq!(all().map(|guest| &guest.name).collect::<BTreeSet<_>>().len(), 4);
    assert_eq!(all().map(|guest| &guest.room).collect::<BTreeSet<_>>().len(), 2);
    for (one, other) in first.iter().zip(&second) {
        assert_eq!(one.room, other.room);
    }
}

#[tokio::test]
async fn a_network_test_has_a_room_of_its_own_for_an_hour() {
    let stage = Stage::of("participant").await;
    let client = stage.app.client(false).await;
    let mut rooms = BTreeSet::new();
    for path in ["networktestsessions", "networktestsession"] {
        let answer = client.post_nothing(&format!("/api/v2/{path}/")).await;
        let livekit = &answer.body["livekit"];
        let expected = json!({
            "sessionId": livekit["room"], "sessionToken": livekit["token"],
            "livekit": {
                "url": stage.server.client_url(), "room": livekit["room"], "token": livekit["token"],
                "expiresAt": "2023-11-14T23:13:20Z",
            },
        });
        assert_eq!((answer.status.as_u16(), &answer.body), (201, &expected));
        assert!(is_room(&livekit["room"], "t", 20), "{livekit}");
        let claims = token_claims(&livekit["token"]);
        let wanted = json!({
            "iss": KEY, "sub": claims["sub"], "iat": NOW_SECONDS, "nbf": NOW_SECONDS, "exp": NOW_SECONDS + 3_600,
            "video": video("publish", &livekit["room"]),
        });
        assert_eq!(claims, wanted);
        assert!(claims["sub"].as_str().is_some_and(|sub| !sub.is_empty()));
        assert!(is_signed_with(&livekit["token"], SECRET));
        rooms.insert(livekit["room"].to_string());
    }
    assert_eq!(rooms.len(), 2);
    assert!(stage.server.asked().is_empty());
}
