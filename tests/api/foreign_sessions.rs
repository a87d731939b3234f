//! Sessions whose provider session belongs to another OpenTok project than the configured one.

use std::time::Duration;

use greenroom_core::{config::Setting, model::user::Role};
use rstest::rstest;
use serde_json::json;

use crate::{
    joining::{JOIN, t1},
    media_provider::{Provider, SESSIONS, table, with_provider},
    support::TestApp,
};

#[rstest]
#[case::bare("1_MX40NTgyODA2Mn54fg")]
#[case::padded("1_MX40NTgyODA2Mn54fg==")]
#[tokio::test]
async fn a_provider_session_id_is_signed_unchanged(#[case] id: &'static str) {
    let provider = Provider::default();
    let (app, admin) = with_provider(&provider).await;
    let caller = app.organiser(&admin);
    let event = caller.make_event("A").await;
    provider.makes(id);
    let made = caller.post(SESSIONS, json!({ "event": event, "language": "x" })).await;
    assert_eq!((made.status.as_u16(), &made.body["sessionId"]), (201, &json!(id)));
    let token = json!({ "event": event, "token": "the token", "tokenType": "participant" });
    caller.make("/api/v2/logintokens/", token).await;
    let joined = app.client(false).await.post(JOIN, json!({ "loginToken": "the token" })).await;
    let tokbox = &joined.body["sessions"][0]["tokbox"];
    assert_eq!((&tokbox["sessionId"], &t1(&tokbox["sessionToken"])["session_id"]), (&json!(id), &json!(escaped(id))));
}

fn escaped(id: &str) -> String {
    id.replace('=', "%3D")
}

#[rstest]
#[case::of_another_project("1_MX45OTk5OTk5OX54")]
#[case::not_base64("1_!!!!")]
#[case::not_an_id("hello")]
#[tokio::test]
async fn an_unusable_provider_session_id_is_not_stored(#[case] id: &'static str) {
    let provider = Provider::default();
    let (app, admin) = with_provider(&provider).await;
    let caller = app.organiser(&admin);
    let event = caller.make_event("A").await;
    let session = caller.make(SESSIONS, json!({ "event": event, "language": "x" })).await;
    let client = app.client_token(false).await;
    let before = table(&app).await;
    provider.makes(id);
    for answer in [
        caller.post(SESSIONS, json!({ "event": event, "language": "y" })).await,
        caller.patch(&format!("{SESSIONS}{session}/"), json!({ "archive": false })).await,
        app.with_authorization(client).post_nothing("/api/v2/networktestsessions/").await,
    ] {
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "1"), "{answer}");
    }
    assert_eq!(table(&app).await, before);
}

#[tokio::test]
async fn a_session_of_another_opentok_project_is_left_out_until_it_is_changed() {
    let old = TestApp::new().await;
    let event = old.event_to_join(json!({ "subscribersSeeFloor": true }), "participant").await;
    let client = old.client_token(false).await;
    // The configured key now belongs to another project.
    let app = old.again_with([(Setting::OpentokApiKey, "99999999")]);
    let admin = app.account("another admin", Role::Admin, None).await;
    let caller = app.organiser(&admin);
    let join = async || {
        app.wait(Duration::from_secs(6));
        app.with_authorization(client.clone()).post(JOIN, json!({ "loginToken": "the token" })).await
    };
    let ids = |answer: &crate::support::Answer| -> Vec<u64> {
        answer.body["sessions"].as_array().unwrap().iter().map(|session| session["id"].as_u64().unwrap()).collect()
    };
    let nobody = join().await;
    assert_eq!((nobody.status.as_u16(), nobody.header("retry-after")), (503, "1"), "{nobody}");
    let path = format!("{SESSIONS}1/");
    let before = caller.get(&path).await.body;
    // Even an empty change replaces the session.
    let changed = caller.patch(&path, json!({})).await;
    assert_eq!(changed.status, 200);
    assert_ne!(changed.body["sessionId"], before["sessionId"]);
    let some = join().await;
    assert_eq!((some.status.as_u16(), ids(&some)), (201, vec![1]), "{some}");
    caller.put(&format!("{SESSIONS}2/"), json!({ "event": event, "language": "Floor" })).await;
    assert_eq!(ids(&join().await), [1, 2]);
    // A provider session of the configured project is kept.
    assert_eq!(caller.patch(&path, json!({ "language": "German" })).await.body["sessionId"], changed.body["sessionId"]);
}
