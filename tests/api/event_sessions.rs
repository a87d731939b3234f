//! `/api/v2/sessions`: fields, modes, the floor and the media provider's ids.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use greenroom_core::model::user::Role;
use rstest::rstest;
use serde_json::{Value, json};

use crate::{organisers::Account, support::TestApp};

const SESSIONS: &str = "/api/v2/sessions/";

/// An API with an admin and an event.
async fn with_event() -> (TestApp, Account, u64) {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let event = app.organiser(&admin).make_event("A").await;
    (app, admin, event)
}

/// The decoded session id of the offline provider.
fn decoded(session: &Value) -> String {
    let id = session["sessionId"].as_str().unwrap();
    String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(id.strip_prefix("1_").unwrap()).unwrap()).unwrap()
}

#[tokio::test]
async fn only_the_language_is_required_and_everything_else_has_a_default() {
    let (app, admin, event) = with_event().await;
    let caller = app.organiser(&admin);
    let made = caller.post(SESSIONS, json!({ "event": event, "language": " Floor " })).await;
    let id = &made.body["sessionId"];
    let expected = json!({
        "id": 1, "event": event, "language": "Floor", "languageCode": null, "isFloor": false, "sessionId": id,
        "mode": "routed", "archive": true,
    });
    assert_eq!((made.status.as_u16(), &made.body), (201, &expected));
    assert!(decoded(&made.body).starts_with("1~45828062~~1700000000000~"));
    assert_eq!(caller.get("/api/v2/sessions/1").await.body, expected);
    assert_eq!(caller.delete("/api/v2/sessions/1/").await.to_string(), "204 -");
    for answer in [
        caller.get("/api/v2/sessions/1/").await,
        caller.put("/api/v2/sessions/1/", json!({})).await,
        caller.patch("/api/v2/sessions/1/", json!({})).await,
        caller.delete("/api/v2/sessions/1/").await,
        caller.get("/api/v2/sessions/1/archives/").await,
    ] {
        assert_eq!(answer.to_string(), r#"404 {"detail":"Not found."}"#);
    }
}

#[tokio::test]
async fn a_number_is_accepted_in_every_notation() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let manager = app.account("manager", Role::Manager, Some(admin.id)).await;
    let caller = app.organiser(&admin);
    for (path, body) in [
        ("/api/v2/events/", format!(r#"{{"name":"A","owner":{}.0,"managers":[{}e0]}}"#, admin.id, manager.id)),
        (SESSIONS, r#"{"event":1.0,"language":"x"}"#.to_owned()),
        (SESSIONS, r#"{"event":10e-1,"language":"y"}"#.to_owned()),
        ("/api/v2/logintokens/", r#"{"event":1e0,"token":"the token","tokenType":"floor"}"#.to_owned()),
    ] {
        let made = caller.post_text(path, body.clone()).await;
        assert_eq!(made.status, 201, "{body}: {made}");
        assert_eq!(made.body.get("event").unwrap_or(&made.body["id"]), 1);
    }
    assert_eq!(caller.get("/api/v2/events/1/").await.body["managers"], json!([manager.id]));
}

#[rstest]
#[case::a_fractional_event(
    json!({ "event": 1.5, "language": "x" }), json!({ "event": ["Incorrect type. Expected pk value, received float."] }),
)]
#[case::an_unknown_event_as_a_float(
    json!({ "event": 99.0, "language": "x" }), json!({ "event": ["Invalid pk \"99\" - object does not exist."] }),
)]
#[case::missing(json!({}), json!({ "event": ["This field is required."], "language": ["This field is required."] }))]
#[case::null(
    json!({ "event": null, "language": null, "isFloor": null, "mode": null, "archive": null }),
    json!({
        "event": ["This field may not be null."], "language": ["This field may not be null."],
        "isFloor": ["This field may not be null."], "mode": ["This field may not be null."],
        "archive": ["This field may not be null."],
    }),
)]
#[case::malformed(
    json!({ "event": "x", "language": "", "languageCode": true, "isFloor": "no", "mode": "king", "archive": [] }),
    json!({
        "event": ["Incorrect type. Expected pk value, received str."], "language": ["This field may not be blank."],
        "languageCode": ["Not a valid string."], "isFloor": ["\"no\" is not a valid boolean."],
        "mode": ["\"king\" is not a valid choice."], "archive": ["\"[]\" is not a valid boolean."],
    }),
)]
#[case::an_unknown_event(
    json!({ "event": 99, "language": "x" }), json!({ "event": ["Invalid pk \"99\" - object does not exist."] }),
)]
#[case::relayed(
    json!({ "event": 1, "language": "x", "mode": "relayed" }),
    json!({ "archive": ["May not be true if media mode is relayed."] }),
)]
#[case::relayed_and_archived(
    json!({ "event": "1", "language": "x", "mode": "relayed", "archive": true }),
    json!({ "archive": ["May not be true if media mode is relayed."] }),
)]
#[tokio::test]
async fn the_errors_of_all_fields_are_reported_together(#[case] body: Value, #[case] errors: Value) {
    let (app, admin, _) = with_event().await;
    let answer = app.organiser(&admin).post(SESSIONS, body).await;
    assert_eq!((answer.status.as_u16(), answer.body), (400, errors));
    assert_eq!(app.organiser(&admin).get(SESSIONS).await.body["count"], 0);
}

#[tokio::test]
async fn languages_have_a_maximum_length() {
    let (app, admin, event) = with_event().await;
    let caller = app.organiser(&admin);
    for (field, max) in [("language", 255), ("languageCode", 4000)] {
        let mut body = json!({ "event": event, "language": "x" });
        body[field] = json!("é".repeat(max));
        assert_eq!(caller.post(SESSIONS, body.clone()).await.status, 201);
        body[field] = json!("é".repeat(max + 1));
        let message = format!("Ensure this field has no more than {max} characters.");
        assert_eq!(caller.post(SESSIONS, body).await.body, json!({ field: [message] }));
    }
}

#[tokio::test]
async fn only_a_change_of_mode_or_archiving_creates_a_new_provider_session() {
    let (app, admin, event) = with_event().await;
    let caller = app.organiser(&admin);
    let body = json!({ "event": event, "language": "English", "languageCode": "en" });
    let path = format!("{SESSIONS}{}/", caller.make(SESSIONS, body).await);
    let mut session = caller.get(&path).await.body;
    let keeping = [
        json!({}),
        json!({ "language": "French", "languageCode": null }),
        json!({ "isFloor": true }),
        json!({ "mode": "routed", "archive": "True" }),
        json!({ "sessionId": "mine", "id": 7, "event": 99, "x": 1 }),
    ];
    for change in keeping {
        let changed = caller.patch(&path, change.clone()).await;
        assert_eq!(changed.status, 200, "{changed}");
        for key in ["id", "event", "sessionId", "mode", "archive"] {
            assert_eq!(changed.body[key], session[key], "{change}");
        }
        session = changed.body;
    }
    assert_eq!((&session["language"], &session["languageCode"]), (&json!("French"), &Value::Null));
    assert_eq!(session["isFloor"], true);
    let changing = [
        json!({ "archive": false }),
        json!({ "mode": "relayed" }),
        json!({ "mode": "routed" }),
        json!({ "mode": "relayed", "archive": "0" }),
        json!({ "mode": "routed", "archive": true }),
    ];
    for change in changing {
        let changed = caller.patch(&path, change.clone()).await;
        assert_eq!(changed.status, 200, "{changed}");
        assert_ne!(changed.body["sessionId"], session["sessionId"], "{change}");
        assert_eq!(caller.get(&path).await.body, changed.body);
        session = changed.body;
    }
    let refused = json!({ "archive": ["May not be true if media mode is relayed."] });
    assert_eq!(caller.patch(&path, json!({ "mode": "relayed" })).await.body, refused);
    assert_eq!(caller.get(&path).await.body, session);
}

#[tokio::test]
async fn a_put_requires_only_the_language_and_ignores_the_event() {
    let (app, admin, event) = with_event().await;
    let caller = app.organiser(&admin);
    let other = caller.make_event("B").await;
    let body = json!({ "event": event, "language": "x", "languageCode": "", "isFloor": true, "mode": "relayed", "archive": false });
    let path = format!("{SESSIONS}{}", caller.make(SESSIONS, body).await);
    let mut session = caller.get(&path).await.body;
    assert_eq!(caller.put(&path, json!({})).await.body, json!({ "language": ["This field is required."] }));
    for put in [
        json!({ "language": "y" }),
        json!({ "language": "y", "event": other }),
        json!({ "language": "y", "event": null }),
    ] {
        session["language"] = json!("y");
        let answer = caller.put(&path, put).await;
        assert_eq!((answer.status.as_u16(), &answer.body), (200, &session));
    }
    assert_eq!(caller.put(&path, session.clone()).await.body, session);
}

#[tokio::test]
async fn an_event_has_one_floor() {
    let (app, admin, event) = with_event().await;
    let caller = app.organiser(&admin);
    let taken = json!({ "isFloor": ["Only one session per event may have this flag set to true."] });
    let floor = json!({ "event": event, "language": "Floor", "isFloor": true });
    let first = format!("{SESSIONS}{}/", caller.make(SESSIONS, floor.clone()).await);
    let second = format!("{SESSIONS}{}/", caller.make(SESSIONS, json!({ "event": event, "language": "Floor" })).await);
    for answer in [
        caller.post(SESSIONS, floor.clone()).await,
        caller.patch(&second, json!({ "isFloor": true })).await,
        caller.put(&second, json!({ "language": "Floor", "isFloor": 1 })).await,
    ] {
        assert_eq!((answer.status.as_u16(), &answer.body), (400, &taken));
    }
    // Another event has a floor of its own.
    let other = caller.make_event("B").await;
    caller.make(SESSIONS, json!({ "event": other, "language": "Floor", "isFloor": true })).await;
    // The floor stays the floor when it is changed, and can be handed on.
    assert_eq!(caller.patch(&first, json!({ "isFloor": true, "language": "x" })).await.status, 200);
    assert_eq!(caller.patch(&first, json!({ "isFloor": false })).await.status, 200);
    assert_eq!(caller.patch(&second, json!({ "isFloor": true })).await.status, 200);
    assert_eq!(caller.delete(&second).await.status, 204);
    caller.make(SESSIONS, floor).await;
}

#[rstest]
#[case("1.2.3.4", "1.2.3.4")]
#[case("  12.34.56.78 ", "12.34.56.78")]
#[case("", "")]
#[case("Vienna", "")]
#[case("::1", "")]
#[case("1.2.3", "")]
#[case("01.2.3.4", "")]
#[case("1.2.3.256", "")]
#[case("1.2.3.4~x", "")]
#[tokio::test]
async fn only_a_dotted_ipv4_is_passed_on_as_location(#[case] hint: &str, #[case] location: &str) {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let caller = app.organiser(&admin);
    let event = caller.make("/api/v2/events/", json!({ "name": "A", "locationHint": hint })).await;
    let made = caller.post(SESSIONS, json!({ "event": event, "language": "x" })).await.body;
    assert_eq!(decoded(&made).split('~').nth(2), Some(location));
}

#[tokio::test]
async fn an_event_that_the_caller_cannot_see_does_not_exist_for_them() {
    let (app, _, event) = with_event().await;
    let partner = app.account("partner", Role::Partner, None).await;
    let answer = app.organiser(&partner).post(SESSIONS, json!({ "event": event, "language": "x" })).await;
    let message = format!("Invalid pk \"{event}\" - object does not exist.");
    assert_eq!((answer.status.as_u16(), answer.body), (400, json!({ "event": [message] })));
}
