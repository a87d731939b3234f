//! Webhooks that are not the server's, that cannot be read, and that are about others.

use axum::body::Body;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use greenroom_core::{
    clock::{Clock, Timestamp},
    config::Setting,
};
use hmac::{Hmac, KeyInit, Mac};
use rstest::rstest;
use serde_json::{Value, json};
use sha2::Sha512;

use super::{
    server::{Failure, SECRET, removal},
    stage::{FIRST, Guest, HOOK, ROOM, Stage, claims, signed},
    webhooks::with_real_key,
};
use crate::{opentok_webhook::stored, support::Answer};

/// A name of Greenroom's form that nobody was given.
const UNKNOWN: &str = "0c2b5c1e-6c1f-4b5a-9a43-1f6f3f0f8a11";

fn is_refused(answer: &Answer) -> bool {
    answer.to_string() == r#"401 {"detail":"Invalid signature."}"#
}

/// A token that another algorithm signs, or none.
fn unusual(algorithm: &str, claims: &Value) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(&json!({ "alg": algorithm, "typ": "JWT" })), part(claims));
    let mut mac = Hmac::<Sha512>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    let signature = BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    format!("{text}.{}", if algorithm == "none" { "" } else { &signature })
}

#[tokio::test]
async fn a_webhook_that_the_server_did_not_sign_changes_nothing() {
    let (stage, guest) = Stage::joined().await;
    let body = guest.joined(FIRST).to_string();
    let (now, good) = (stage.app.clock.now().seconds(), claims(body.as_bytes(), stage.app.clock.now()));
    let with = |changes: Value| {
        let mut all = good.clone();
        all.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        signed(&all, SECRET)
    };
    let url_safe = good["sha256"].as_str().unwrap().replace('+', "-").replace('/', "_").replace('=', "");
    let participants = stage.join_token().await;
    let before = stored(&stage.app).await;
    for (what, token) in [
        ("an empty token", String::new()),
        ("nonsense", "a.b.c".to_owned()),
        ("another secret", signed(&good, "another-secret-of-somebody-else-1")),
        ("another key", with(json!({ "iss": "another" }))),
        ("no key", with(json!({ "iss": null }))),
        ("over", with(json!({ "nbf": now - 400, "iat": now - 400, "exp": now - 61 }))),
        ("to come", with(json!({ "nbf": now + 61, "exp": now + 361 }))),
        ("without an end", with(json!({ "exp": null }))),
        ("of another body", with(claims(b"{}", stage.app.clock.now()))),
        ("of no body", with(json!({ "sha256": "" }))),
        ("without a hash", with(json!({ "sha256": null }))),
        ("the hash in another alphabet", with(json!({ "sha256": url_safe }))),
        ("with a scheme", format!("Bearer {}", with(json!({})))),
        ("HS512", unusual("HS512", &good)),
        ("none", unusual("none", &good)),
        ("a participant's token", participants),
    ] {
        assert!(is_refused(&stage.app.send_hook_with(&token, body.clone()).await), "{what}");
    }
    let other = body.replace("participant_joined", "participant_left");
    assert!(is_refused(&stage.app.send_hook_with(&with(json!({})), other).await));
    assert!(is_refused(&stage.app.send_hook_with(&with(json!({})), format!("{body} ")).await));
    assert!(is_refused(&stage.app.anyone().send("POST", HOOK, &[], Body::from(body.clone())).await));
    let query = format!("{HOOK}?access_token={}", with(json!({})));
    assert!(is_refused(&stage.app.anyone().send("POST", &query, &[], Body::from(body.clone())).await));
    assert_eq!(stored(&stage.app).await, before);
    // The server's clock may be a minute off.
    for changes in [json!({ "nbf": now + 60, "exp": now + 360 }), json!({ "nbf": now - 359, "exp": now - 59 })] {
        assert_eq!(stage.app.send_hook_with(&with(changes), body.clone()).await.to_string(), "200 {}");
    }
    assert!(stage.server.asked().is_empty());
}

impl Stage {
    /// The token of somebody who joins the event.
    async fn join_token(&self) -> String {
        self.join().await.body["sessions"][0]["livekit"]["token"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn without_a_server_every_webhook_is_refused() {
    let (stage, guest) = Stage::joined().await;
    let none = [Setting::LivekitUrl, Setting::LivekitApiKey, Setting::LivekitApiSecret].map(|setting| (setting, ""));
    let app = stage.app.again_with([(Setting::VideoProvider, "offline")]).again_with(none);
    assert!(is_refused(&app.send_hook(guest.joined(FIRST).to_string()).await));
    assert_eq!(app.anyone().get(HOOK).await.status, 405);
}

#[tokio::test]
async fn a_real_webhook_is_refused_with_another_body_or_at_another_time() {
    let (_server, app, webhooks) = with_real_key().await;
    for webhook in webhooks {
        let text = |key: &str| webhook[key].as_str().unwrap().to_owned();
        let at = |offset: i64| {
            app.again_at(Clock::stopped_at(Timestamp::from_seconds(webhook["receivedAt"].as_i64().unwrap() + offset)))
        };
        let (token, body) = (text("authorization"), text("body"));
        assert!(is_refused(&at(0).send_hook_with(&token, body.replacen('"', "'", 1)).await));
        assert!(is_refused(&at(0).send_hook_with(&token[..token.len() - 4], body.clone()).await));
        assert!(is_refused(&at(361).send_hook_with(&token, body.clone()).await));
        assert!(is_refused(&at(-61).send_hook_with(&token, body.clone()).await));
        for offset in [-60, 359] {
            assert_eq!(at(offset).send_hook_with(&token, body.clone()).await.to_string(), "200 {}", "{offset}");
        }
    }
}

const MIB: usize = 1024 * 1024;

#[rstest]
#[case::nearly(MIB - 1, 200)]
#[case::full(MIB, 200)]
#[case::more(MIB + 1, 413)]
#[case::far_more(5 * MIB, 413)]
#[tokio::test]
async fn a_body_may_have_a_mebibyte(#[case] size: usize, #[case] status: u16) {
    let (stage, guest) = Stage::joined().await;
    let mut body = guest.joined(FIRST).to_string();
    body.push_str(&" ".repeat(size - body.len()));
    assert_eq!(stage.app.send_hook(body).await.status, status);
    let state = if status == 200 { "connected" } else { "issued" };
    assert_eq!(stage.entry(&guest).await["state"], state);
}

#[tokio::test]
async fn signed_nonsense_is_taken_and_changes_nothing() {
    let (stage, guest) = Stage::connected().await;
    let before = stored(&stage.app).await;
    for text in ["", " ", "{", "nonsense", "[]", "null", "7", r#""text""#, "{}", "\u{feff}{}", r#"{"event":7}"#] {
        assert_eq!(stage.app.send_hook(text).await.to_string(), "200 {}", "{text}");
    }
    assert_eq!(stage.app.send_hook(*b"\xff\xfe\x00").await.to_string(), "200 {}");
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    assert_eq!(stage.app.send_hook(deep).await.to_string(), "200 {}");
    for event in ["track_muted", "egress_started", "egress_ended", "ingress_started", "PARTICIPANT_LEFT", ""] {
        let mut told = guest.left(FIRST, 50_000, "CLIENT_INITIATED");
        told["event"] = json!(event);
        stage.app.hear(&told).await;
    }
    for (path, odd) in [
        ("/participant", json!(null)),
        ("/participant", json!([])),
        ("/participant/sid", json!("")),
        ("/participant/sid", json!("x".repeat(5_000))),
        ("/participant/sid", json!(7)),
        ("/participant/identity", json!("")),
        ("/participant/identity", json!(null)),
        ("/room", json!(null)),
        ("/room/name", json!("")),
        ("/room/name", json!("e1-s1-".repeat(1_000))),
        ("/room/sid", json!({})),
    ] {
        let mut told = guest.left(FIRST, 50_000, "CLIENT_INITIATED");
        *told.pointer_mut(path).unwrap() = odd;
        stage.app.hear(&told).await;
        assert_eq!(stored(&stage.app).await, before, "{path}");
    }
    let mut told = guest.track("track_published", FIRST, 50_000, "");
    stage.app.hear(&told).await;
    told.as_object_mut().unwrap().remove("track");
    stage.app.hear(&told).await;
    assert_eq!(stored(&stage.app).await, before);
    assert!(stage.server.asked().is_empty());
}

/// What the server tells of somebody's visit.
fn visit(guest: &Guest) -> [Value; 5] {
    [
        guest.joined(FIRST),
        guest.track("track_published", FIRST, 20_000, "TR_one"),
        guest.track("track_unpublished", FIRST, 21_000, "TR_one"),
        guest.aborted(FIRST, 22_000, "JOIN_FAILURE"),
        guest.left(FIRST, 23_000, "CLIENT_INITIATED"),
    ]
}

#[rstest]
#[case::a_recorder("EG_8sDkLmN2pQrS")]
#[case::an_agent("agent-AJ_7fGh2kLm")]
#[case::a_bot("bot")]
#[case::a_name_in_capitals("0C2B5C1E-6C1F-4B5A-9A43-1F6F3F0F8A11")]
#[case::a_name_in_braces("{0c2b5c1e-6c1f-4b5a-9a43-1f6f3f0f8a11}")]
#[tokio::test]
async fn other_identities_in_our_rooms_are_left_alone(#[case] identity: &str) {
    let (stage, guest) = Stage::connected().await;
    let other = Guest { name: identity.to_owned(), ..guest.clone() };
    stage.server.has(&guest.room, ROOM, [guest.listed(FIRST, "ACTIVE", &[]), other.listed(FIRST, "ACTIVE", &[])]);
    stage.app.keep_house().await;
    stage.server.asked();
    let before = stored(&stage.app).await;
    for told in visit(&other) {
        stage.app.hear(&told).await;
    }
    stage.app.keep_house().await;
    assert!(stage.server.told().is_empty());
    assert_eq!(stored(&stage.app).await, before);
}

#[rstest]
#[case::of_another_application("daily-standup")]
#[case::a_shorter_name("e1-s1-abcdefghijk")]
#[case::of_another_deployment("e1-s1-abcdefghijkl")]
#[case::of_an_event_that_we_do_not_have("e77-s78-abcdefghijkl")]
#[case::of_a_media_session_that_we_do_not_have("o-daily-abcdefghijkl")]
#[case::of_a_network_test("t-abcdefghijklmnopqrst")]
#[tokio::test]
async fn rooms_that_are_not_ours_are_left_alone(
    #[case] room: &str,
    #[values(None, Some(UNKNOWN), Some("bot"))] identity: Option<&str>,
) {
    let (stage, guest) = Stage::connected().await;
    // Even who has a name of ours is nobody there.
    let name = identity.map_or_else(|| guest.name.clone(), str::to_owned);
    let foreign = Guest { room: room.to_owned(), name, ..guest.clone() };
    let before = stored(&stage.app).await;
    for told in [foreign.of_room("room_started", 10_000)].into_iter().chain(visit(&foreign)) {
        stage.app.hear(&told).await;
    }
    stage.app.hear(&foreign.of_room("room_finished", 30_000)).await;
    assert!(stage.server.asked().is_empty());
    assert_eq!(stored(&stage.app).await, before);
    assert_eq!(stage.entry(&guest).await["state"], "connected");
}

#[rstest]
#[case::unknown(UNKNOWN, false)]
#[case::of_another_session("", true)]
#[tokio::test]
async fn an_identity_of_our_form_that_does_not_belong_to_the_room_is_removed(
    #[case] name: &str,
    #[case] of_floor: bool,
) {
    let stage = Stage::of("moderator").await;
    let guests = stage.guests().await;
    let name = if of_floor { guests[1].name.clone() } else { name.to_owned() };
    let stranger = Guest { name, ..guests[0].clone() };
    let other = super::server::listed("bot", "PA_bot", "ACTIVE", 0, &[]);
    stage.server.has(&stranger.room, ROOM, [stranger.listed(FIRST, "ACTIVE", &[]), other]);
    stage.app.hear(&stranger.joined(FIRST)).await;
    assert_eq!(stage.server.asked(), [removal(&stranger.room, &stranger.name)]);
    assert_eq!(stage.server.people(&stranger.room).unwrap(), ["bot"]);
    for guest in &guests {
        assert_eq!(stage.entry(guest).await["state"], "issued");
    }
}

#[tokio::test]
async fn a_stranger_whom_the_server_does_not_remove_is_removed_later() {
    let (stage, guest) = Stage::connected().await;
    let stranger = Guest { name: UNKNOWN.to_owned(), ..guest.clone() };
    let people = [guest.listed(FIRST, "ACTIVE", &[]), stranger.listed(FIRST, "ACTIVE", &[])];
    stage.server.has(&guest.room, ROOM, people);
    stage.server.fails(Failure::Answer(503, "text/plain", ""));
    stage.app.hear(&stranger.joined(FIRST)).await;
    assert_eq!(stage.server.people(&guest.room).unwrap().len(), 2);
    stage.server.fails(None);
    stage.app.wait(std::time::Duration::from_mins(1));
    stage.app.keep_house().await;
    assert_eq!(stage.server.people(&guest.room).unwrap(), [&*guest.name]);
}
