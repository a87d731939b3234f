//! What the webhooks of the server change.

use std::time::Duration;

use greenroom_core::{
    clock::{Clock, Timestamp},
    config::Setting,
};
use rstest::rstest;
use serde_json::{Value, json};

use super::{
    server::Server,
    stage::{Came, FIRST, SECOND, Stage, claims, provided, signed},
};
use crate::support::TestApp;

/// Webhooks of a real server, with the key that signed them.
pub(super) fn real() -> (String, String, Vec<Value>) {
    let file: Value = serde_json::from_str(include_str!("webhooks.json")).unwrap();
    let [key, secret] = ["apiKey", "apiSecret"].map(|name| file[name].as_str().unwrap().to_owned());
    (key, secret, file["webhooks"].as_array().unwrap().clone())
}

/// An API to which these webhooks are sent.
pub(super) async fn with_real_key() -> (Server, TestApp, Vec<Value>) {
    let (key, secret, webhooks) = real();
    let server = Server::start().await;
    let keys = [(Setting::LivekitApiKey, &*key), (Setting::LivekitApiSecret, &*secret)];
    let app = TestApp::with(provided(&server).into_iter().chain(keys)).await;
    (server, app, webhooks)
}

#[tokio::test]
async fn webhooks_of_a_real_server_are_taken_at_their_time() {
    let (server, app, webhooks) = with_real_key().await;
    assert_eq!(webhooks.len(), 14);
    for webhook in webhooks {
        let text = |key: &str| webhook[key].as_str().unwrap().to_owned();
        let at = Timestamp::from_seconds(webhook["receivedAt"].as_i64().unwrap());
        let app = app.again_at(Clock::stopped_at(at));
        let answer = app.send_hook_with(&text("authorization"), text("body")).await;
        assert_eq!(answer.to_string(), "200 {}", "{webhook}");
    }
    // Their rooms and identities are another application's.
    assert!(server.asked().is_empty());
    assert!(app.items().await.is_empty());
}

#[tokio::test]
async fn a_webhook_may_be_signed_with_any_live_key() {
    let secrets = r#"["the-secret-of-the-livekit-server","the-other-secret-of-the-server-002"]"#;
    let keys = [(Setting::LivekitApiKey, r#"["the-key-of-greenroom","other"]"#), (Setting::LivekitApiSecret, secrets)];
    let stage = Stage::with("participant", json!({}), &keys).await;
    let guest = stage.guest().await;
    let body = guest.joined(FIRST).to_string();
    let mut claims = claims(body.as_bytes(), stage.app.clock.now());
    claims["iss"] = json!("other");
    // The secrets belong to their keys.
    let crossed = signed(&claims, super::server::SECRET);
    assert_eq!(stage.app.send_hook_with(&crossed, body.clone()).await.status, 401);
    let token = signed(&claims, "the-other-secret-of-the-server-002");
    assert_eq!(stage.app.send_hook_with(&token, body).await.to_string(), "200 {}");
    assert_eq!(stage.entry(&guest).await["state"], "connected");
}

/// The entry's state, since when it has it, the seconds since, since when it publishes, and the provider.
fn outline(entry: &Value) -> Value {
    json!([entry["state"], entry["since"], entry["duration"], entry["publishing"], entry["provider"]])
}

#[tokio::test]
async fn a_participant_is_connected_since_they_joined_and_publishing_since_their_first_track() {
    let (stage, guest) = Stage::joined().await;
    let outline = async || outline(&stage.entry(&guest).await);
    assert_eq!(outline().await, json!(["issued", "2023-11-14T22:13:20Z", null, null, "livekit"]));
    stage.app.hear(&guest.of_room("room_started", 10_000)).await;
    assert_eq!(outline().await[0], "issued");
    stage.app.hear(&guest.joined(FIRST)).await;
    let since = "2023-11-14T22:13:30.782Z";
    assert_eq!(outline().await, json!(["connected", since, 89, null, "livekit"]));
    stage.app.hear(&guest.track("track_published", FIRST, 12_000, "TR_one")).await;
    assert_eq!(outline().await, json!(["connected", since, 89, "2023-11-14T22:13:32Z", "livekit"]));
    stage.app.hear(&guest.track("track_published", FIRST, 14_000, "TR_two")).await;
    assert_eq!(outline().await[3], "2023-11-14T22:13:32Z");
    stage.app.hear(&guest.track("track_unpublished", FIRST, 15_000, "TR_one")).await;
    assert_ne!(outline().await[3], Value::Null);
    stage.app.hear(&guest.track("track_unpublished", FIRST, 16_000, "TR_two")).await;
    assert_eq!(outline().await, json!(["connected", since, 89, null, "livekit"]));
    assert_eq!(stage.names(&guest).await, [&*guest.name]);
    stage.app.hear(&guest.track("track_published", FIRST, 17_000, "TR_three")).await;
    stage.app.hear(&guest.left(FIRST, 40_000, "CLIENT_INITIATED")).await;
    let ended = stage.ended(&guest).await;
    let wanted = json!(["ended", since, 29, null, "livekit", "2023-11-14T22:14:00Z", "left", "participant"]);
    let end = [&ended["endedAt"], &ended["reason"], &ended["endedBy"]["kind"]];
    let shown: Vec<_> = outline_of(&ended).into_iter().chain(end.map(Clone::clone)).collect();
    assert_eq!(json!(shown), wanted);
    assert!(stage.server.asked().is_empty());
}

fn outline_of(entry: &Value) -> Vec<Value> {
    outline(entry).as_array().unwrap().clone()
}

#[rstest]
#[case("CLIENT_INITIATED", "left")]
#[case("PARTICIPANT_REMOVED", "removed_by_moderator")]
#[case("DUPLICATE_IDENTITY", "replaced")]
#[case("ROOM_DELETED", "session_ended")]
#[case("CONNECTION_TIMEOUT", "lost")]
#[case("SERVER_SHUTDOWN", "failed")]
#[case("SIGNAL_CLOSE", "failed")]
#[case("JOIN_FAILURE", "failed")]
#[case("SOMETHING_LATER", "failed")]
#[case("", "failed")]
#[tokio::test]
async fn a_participant_who_left_is_ended_with_the_reason(#[case] word: &str, #[case] reason: &str) {
    let (stage, guest) = Stage::connected().await;
    stage.app.hear(&guest.left(FIRST, 60_000, word)).await;
    let ended = stage.ended(&guest).await;
    assert_eq!((&ended["reason"], &ended["endedAt"]), (&json!(reason), &json!("2023-11-14T22:14:20Z")));
    // Whoever was not terminated may come again.
    stage.app.hear(&guest.joined(Came("PA_again", 70_000))).await;
    let again = stage.entry(&guest).await;
    assert_eq!((&again["state"], &again["since"]), (&json!("connected"), &json!("2023-11-14T22:14:30Z")));
    assert!(stage.server.told().is_empty());
}

#[rstest]
#[case("JOIN_FAILURE", "failed")]
#[case("SIGNAL_CLOSE", "failed")]
#[case("PARTICIPANT_REMOVED", "removed_by_moderator")]
#[tokio::test]
async fn who_did_not_get_in_stays_issued_with_the_reason(#[case] word: &str, #[case] reason: &str) {
    let (stage, guest) = Stage::joined().await;
    stage.app.hear(&guest.aborted(FIRST, 12_000, word)).await;
    let shown = stage.entry(&guest).await;
    let wanted = json!(["issued", "2023-11-14T22:13:20Z", null, null, "livekit"]);
    assert_eq!((outline(&shown), &shown["reason"], &shown["endedAt"]), (wanted, &json!(reason), &Value::Null));
    stage.app.hear(&guest.joined(SECOND)).await;
    let shown = stage.entry(&guest).await;
    assert_eq!((&shown["state"], &shown["reason"]), (&json!("connected"), &Value::Null));
    // A failed attempt beside them ends nothing.
    stage.app.hear(&guest.aborted(FIRST, 30_000, word)).await;
    assert_eq!(stage.entry(&guest).await, shown);
}

#[tokio::test]
async fn the_end_of_a_room_ends_everybody_who_was_in_it() {
    let (stage, guest) = Stage::connected().await;
    let second = stage.guest().await;
    stage.app.wait(Duration::from_secs(100));
    stage.app.hear(&second.joined(Came("PA_other", 120_000))).await;
    // A third one is in the room that was made again under the name.
    let third = stage.guest().await;
    let mut joined = third.joined(Came("PA_third", 190_000));
    joined["room"]["sid"] = json!("RM_again");
    stage.app.hear(&joined).await;
    let fourth = stage.guest().await;
    stage.app.hear(&guest.of_room("room_finished", 180_000)).await;
    let mut names = stage.names(&guest).await;
    names.sort();
    let mut wanted = vec![third.name.clone(), fourth.name.clone()];
    wanted.sort();
    assert_eq!(names, wanted);
    let path = format!("/api/live/?event={}&state=ended", stage.event);
    let ended = stage.app.organiser(&stage.admin).get(&path).await.body;
    let ended = ended["results"].as_array().unwrap();
    assert_eq!(ended.len(), 2);
    for one in ended {
        let end = json!([one["reason"], one["endedAt"], one["endedBy"]["kind"]]);
        assert_eq!(end, json!(["session_ended", "2023-11-14T22:16:20Z", "provider"]));
    }
}

#[tokio::test]
async fn an_issued_connection_expires_with_its_token_and_a_connected_one_does_not() {
    let stage = Stage::with("moderator", json!({}), &[(Setting::LivekitTokenTtl, "3600")]).await;
    let guests = stage.guests().await;
    stage.app.hear(&guests[1].joined(FIRST)).await;
    stage.app.wait(Duration::from_secs(3_599));
    assert_eq!(stage.names(&guests[0]).await.len(), 1);
    stage.app.wait(Duration::from_secs(1));
    assert!(stage.names(&guests[0]).await.is_empty());
    stage.app.wait(Duration::from_hours(5));
    assert_eq!(stage.names(&guests[1]).await, [&*guests[1].name]);
    // The server takes a token for a minute longer, and gives out others that end later.
    stage.app.hear(&guests[0].joined(Came("PA_late", 3_630_000))).await;
    assert_eq!(stage.names(&guests[0]).await, [&*guests[0].name]);
}

/// The same, with keys in snake case, and with zero values.
fn in_snake_case(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let snake = |name: &str| name.replace("At", "_at").replace("Ms", "_ms").replace("Reason", "_reason");
            fields.iter().map(|(name, value)| (snake(name), in_snake_case(value))).collect()
        }
        Value::Array(values) => values.iter().map(in_snake_case).collect(),
        other => other.clone(),
    }
}

#[rstest]
#[case::in_snake_case(in_snake_case, "2023-11-14T22:13:30.782Z")]
#[case::with_numbers(with_numbers, "2023-11-14T22:13:30.782Z")]
#[case::of_an_older_server(without_milliseconds, "2023-11-14T22:13:30Z")]
#[tokio::test]
async fn a_webhook_is_read_in_each_way_of_writing_it(#[case] written: fn(&Value) -> Value, #[case] since: &str) {
    let (stage, guest) = Stage::joined().await;
    stage.app.hear(&written(&guest.joined(FIRST))).await;
    assert_eq!(stage.entry(&guest).await["since"], since);
    stage.app.hear(&written(&guest.left(FIRST, 40_000, "DUPLICATE_IDENTITY"))).await;
    let ended = stage.ended(&guest).await;
    assert_eq!(
        json!([ended["since"], ended["endedAt"], ended["reason"]]),
        json!([since, "2023-11-14T22:14:00Z", "replaced"])
    );
}

/// The same, with numbers where the server writes them as texts.
fn with_numbers(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), with_numbers(value))).collect(),
        Value::String(text) => text.parse::<i64>().map_or_else(|_| json!(text), |number| json!(number)),
        other => other.clone(),
    }
}

/// The same, without the milliseconds.
fn without_milliseconds(value: &Value) -> Value {
    let mut value = value.clone();
    value["participant"].as_object_mut().unwrap().remove("joinedAtMs");
    value
}
