//! `/api/v2/events`: fields, defaults, refusals and changes.

use axum::body::Body;
use greenroom_core::model::user::Role;
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::TestApp;

const EVENTS: &str = "/api/v2/events/";

/// An event with its defaults.
fn event(id: u64, name: &str, owner: u64) -> Value {
    json!({
        "id": id, "name": name, "displayName": null, "logo": null, "owner": owner, "managers": [], "disabled": false,
        "subscribersSeeFloor": false, "locationHint": "", "allowSourceVideo": false, "quality": "",
        "mobileDisallow": false, "mobileAudienceDisallow": false, "mobileData": "", "mfa": "",
    })
}

#[tokio::test]
async fn only_the_name_is_required_and_everything_else_has_a_default() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let made = app.organiser(&admin).post(EVENTS, json!({ "name": "  A  " })).await;
    assert_eq!((made.status.as_u16(), &made.body), (201, &event(1, "A", admin.id)));
    let read = app.organiser(&admin).get("/api/v2/events/1/").await;
    assert_eq!((read.status.as_u16(), read.body), (200, event(1, "A", admin.id)));
    // The keys are those of the documentation, in its order.
    let keys: Vec<_> = made.body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys.len(), 15);
}

#[tokio::test]
async fn every_field_is_kept_as_it_was_given() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let manager = app.account("manager", Role::Manager, None).await;
    let partner = app.account("partner", Role::Partner, None).await;
    let all = json!({
        "name": "B", "displayName": "Bé 🎧", "logo": "https://e.example/l.png", "owner": partner.id,
        "managers": [manager.id], "disabled": true, "subscribersSeeFloor": true, "locationHint": "1.2.3.4",
        "allowSourceVideo": true, "quality": "high", "mobileDisallow": true, "mobileAudienceDisallow": true,
        "mobileData": "{}", "mfa": "email",
    });
    let caller = app.organiser(&admin);
    let id = caller.make(EVENTS, all.clone()).await;
    let path = format!("{EVENTS}{id}/");
    let mut expected = all;
    expected["id"] = json!(id);
    assert_eq!(caller.get(&path).await.body, expected);
    // Optional fields that are left out keep their values.
    let put = caller.put(&path, json!({ "name": "C" })).await;
    expected["name"] = json!("C");
    assert_eq!((put.status.as_u16(), put.body), (200, expected.clone()));
    let patched = caller.patch(&path, json!({ "displayName": null, "logo": "", "managers": [] })).await;
    (expected["displayName"], expected["logo"], expected["managers"]) = (Value::Null, json!(""), json!([]));
    assert_eq!((patched.status.as_u16(), patched.body), (200, expected.clone()));
    // What was read can be put back.
    assert_eq!(caller.put(&path, expected.clone()).await.body, expected);
    assert_eq!(caller.patch(&path, json!({})).await.body, expected);
}

#[rstest]
#[case::missing(json!({}), json!({ "name": ["This field is required."] }))]
#[case::blank(json!({ "name": " \t" }), json!({ "name": ["This field may not be blank."] }))]
#[case::null(
    json!({ "name": null, "owner": null, "managers": null, "disabled": null, "locationHint": null, "mfa": null }),
    json!({
        "name": ["This field may not be null."], "owner": ["This field may not be null."],
        "managers": ["This field may not be null."], "disabled": ["This field may not be null."],
        "locationHint": ["This field may not be null."], "mfa": ["This field may not be null."],
    }),
)]
#[case::not_a_text(
    json!({ "name": true, "displayName": {}, "logo": [], "quality": false, "mobileData": ["x"] }),
    json!({
        "name": ["Not a valid string."], "displayName": ["Not a valid string."], "logo": ["Not a valid string."],
        "quality": ["Not a valid string."], "mobileData": ["Not a valid string."],
    }),
)]
#[case::not_a_boolean(
    json!({ "name": "x", "disabled": "foo", "subscribersSeeFloor": 2, "mobileDisallow": "", "allowSourceVideo": "yes" }),
    json!({
        "disabled": ["\"foo\" is not a valid boolean."], "subscribersSeeFloor": ["\"2\" is not a valid boolean."],
        "mobileDisallow": ["\"\" is not a valid boolean."], "allowSourceVideo": ["\"yes\" is not a valid boolean."],
    }),
)]
#[case::not_an_object(
    json!({ "name": "x", "owner": 99, "managers": [99] }),
    json!({
        "owner": ["Invalid pk \"99\" - object does not exist."],
        "managers": ["Invalid pk \"99\" - object does not exist."],
    }),
)]
#[case::not_a_number(
    json!({ "name": "x", "owner": "me", "managers": "all" }),
    json!({
        "owner": ["Incorrect type. Expected pk value, received str."],
        "managers": ["Expected a list of items but got type \"str\"."],
    }),
)]
#[case::not_numbers(
    json!({ "name": "x", "owner": [1], "managers": [{}] }),
    json!({
        "owner": ["Incorrect type. Expected pk value, received list."],
        "managers": ["Incorrect type. Expected pk value, received dict."],
    }),
)]
#[case::an_array(json!([]), json!({ "nonFieldErrors": ["Invalid data. Expected a dictionary, but got list."] }))]
#[case::a_string(json!("x"), json!({ "nonFieldErrors": ["Invalid data. Expected a dictionary, but got str."] }))]
#[case::a_number(json!(7), json!({ "nonFieldErrors": ["Invalid data. Expected a dictionary, but got int."] }))]
#[case::nothing(json!(null), json!({ "nonFieldErrors": ["No data provided"] }))]
#[tokio::test]
async fn the_errors_of_all_fields_are_reported_together(#[case] body: Value, #[case] errors: Value) {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let answer = app.organiser(&admin).post(EVENTS, body).await;
    assert_eq!((answer.status.as_u16(), answer.body), (400, errors));
    assert_eq!(app.organiser(&admin).get(EVENTS).await.body["count"], 0);
}

#[tokio::test]
async fn texts_have_a_maximum_length() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let limits = [("name", 255), ("displayName", 255), ("logo", 2000), ("locationHint", 4000), ("quality", 4000)];
    for (field, max) in limits.into_iter().chain([("mobileData", 4000), ("mfa", 4000)]) {
        let mut body = json!({ "name": format!("fits {field}") });
        body[field] = json!(format!(" {} ", "é".repeat(max)));
        assert_eq!(app.organiser(&admin).post(EVENTS, body.clone()).await.status, 201, "{field}");
        body["name"] = json!("another");
        body[field] = json!("é".repeat(max + 1));
        let answer = app.organiser(&admin).post(EVENTS, body).await;
        let message = format!("Ensure this field has no more than {max} characters.");
        assert_eq!((answer.status.as_u16(), answer.body), (400, json!({ field: [message] })));
    }
}

#[tokio::test]
async fn booleans_and_numbers_are_accepted_in_many_spellings() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let manager = app.account("manager", Role::Manager, None).await;
    let caller = app.organiser(&admin);
    let path = format!("{EVENTS}{}/", caller.make_event("A").await);
    for (spelling, meaning) in [
        (json!("t"), true),
        (json!("T"), true),
        (json!("true"), true),
        (json!("True"), true),
        (json!("TRUE"), true),
        (json!("1"), true),
        (json!(1), true),
        (json!("f"), false),
        (json!("F"), false),
        (json!("false"), false),
        (json!("False"), false),
        (json!("FALSE"), false),
        (json!("0"), false),
        (json!(0), false),
    ] {
        let change = json!({ "disabled": spelling, "mobileDisallow": spelling });
        assert_eq!(caller.patch(&path, change).await.body["disabled"], meaning);
    }
    let spelt =
        json!({ "name": 7.5, "owner": manager.id.to_string(), "managers": [format!(" {} ", manager.id), manager.id] });
    let answer = caller.patch(&path, spelt).await;
    let seen = ["name", "owner", "managers"].map(|field| answer.body[field].clone());
    assert_eq!(seen, [json!("7.5"), json!(manager.id), json!([manager.id])], "{answer}");
}

#[tokio::test]
async fn a_name_is_unique_even_among_events_that_the_caller_cannot_see() {
    let app = TestApp::new().await;
    let [one, other] = [app.account("one", Role::Partner, None).await, app.account("other", Role::Partner, None).await];
    let first = app.organiser(&one).make_event("A").await;
    let second = app.organiser(&other).make_event("a").await;
    let taken = json!({ "name": ["event with this name already exists."] });
    let answer = app.organiser(&other).post(EVENTS, json!({ "name": " A " })).await;
    assert_eq!((answer.status.as_u16(), &answer.body), (400, &taken));
    let path = format!("{EVENTS}{second}/");
    for answer in [
        app.organiser(&other).put(&path, json!({ "name": "A" })).await,
        app.organiser(&other).patch(&path, json!({ "name": "A" })).await,
    ] {
        assert_eq!((answer.status.as_u16(), &answer.body), (400, &taken));
    }
    // The error is reported together with others.
    let both = app.organiser(&other).post(EVENTS, json!({ "name": "A", "disabled": 7 })).await;
    assert_eq!(both.body, json!({ "name": taken["name"], "disabled": ["\"7\" is not a valid boolean."] }));
    assert_eq!(app.organiser(&other).patch(&path, json!({ "name": "a" })).await.status, 200);
    // An event that is renamed or deleted frees its name.
    assert_eq!(app.organiser(&one).patch(&format!("{EVENTS}{first}/"), json!({ "name": "B" })).await.status, 200);
    assert_eq!(app.organiser(&other).patch(&path, json!({ "name": "A" })).await.status, 200);
    assert_eq!(app.organiser(&other).delete(&path).await.status, 204);
    app.organiser(&one).make_event("A").await;
}

#[tokio::test]
async fn unknown_and_read_only_keys_are_ignored() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let caller = app.organiser(&admin);
    let id = caller.make(EVENTS, json!({ "id": 70, "name": "A", "x": { "y": [1] }, "sessions": 7 })).await;
    assert_eq!(id, 1);
    let answer = caller.patch(&format!("{EVENTS}{id}"), json!({ "id": 70, "count": null })).await;
    assert_eq!((answer.status.as_u16(), answer.body), (200, event(1, "A", admin.id)));
}

#[tokio::test]
async fn an_event_is_deleted_once_and_found_only_by_its_number() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let caller = app.organiser(&admin);
    let id = caller.make_event("A").await;
    for path in ["0", "-1", "+1", "x", "1.0", "99", "12345678901234567890", "1/x"] {
        let answer = caller.get(&format!("{EVENTS}{path}/")).await;
        assert_eq!(answer.to_string(), r#"404 {"detail":"Not found."}"#, "{path}");
    }
    let path = format!("{EVENTS}{id}/");
    let deleted = caller.delete(&path).await;
    assert_eq!(deleted.to_string(), "204 -");
    for answer in [
        caller.delete(&path).await,
        caller.get(&path).await,
        caller.put(&path, json!({})).await,
        caller.patch(&path, json!({})).await,
        caller.get(&format!("{path}archives/")).await,
    ] {
        assert_eq!(answer.to_string(), r#"404 {"detail":"Not found."}"#);
    }
    // Numbers are never reused.
    assert_eq!(caller.make_event("A").await, id + 1);
}

#[tokio::test]
async fn every_path_is_served_with_and_without_the_trailing_slash() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let caller = app.organiser(&admin);
    for slash in ["", "/"] {
        let made = caller.post(&format!("/api/v2/events{slash}"), json!({ "name": format!("A{slash}") })).await;
        assert_eq!(made.status, 201);
        let path = format!("/api/v2/events/{}{slash}", made.body["id"]);
        assert_eq!(caller.get(&path).await.status, 200);
        assert_eq!(caller.put(&path, made.body).await.status, 200);
        assert_eq!(caller.patch(&path, json!({})).await.status, 200);
        assert_eq!(caller.delete(&path).await.status, 204);
        assert_eq!(caller.get(&format!("/api/v2/events{slash}")).await.status, 200);
    }
}

#[tokio::test]
async fn refusals_come_in_the_documented_order() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let manager = app.account("manager", Role::Manager, None).await;
    let json = [("content-type", "application/json")];
    let text = [("content-type", "text/plain")];
    assert_eq!(app.anyone().send("POST", EVENTS, &json, Body::from("{")).await.status, 401);
    assert_eq!(app.organiser(&manager).send("POST", EVENTS, &json, Body::from("{")).await.status, 403);
    assert_eq!(app.organiser(&admin).send("PATCH", "/api/v2/events/9", &json, Body::from("{")).await.status, 404);
    let answer = app.organiser(&admin).send("POST", EVENTS, &text, Body::from("{}")).await;
    assert_eq!(answer.to_string(), r#"415 {"detail":"Unsupported media type \"text/plain\" in request."}"#);
    let answer = app.organiser(&admin).send("POST", EVENTS, &json, Body::from("{\"name\":}")).await;
    assert_eq!(answer.status, 400);
    assert!(answer.body["detail"].as_str().unwrap().starts_with("JSON parse error - "));
    let answer = app.organiser(&admin).delete(EVENTS).await;
    assert_eq!(answer.to_string(), r#"405 {"detail":"Method \"DELETE\" not allowed."}"#);
    assert!(answer.header("allow").contains("POST"));
    // A missing body counts as an empty one.
    assert_eq!(app.organiser(&admin).post_nothing(EVENTS).await.body["name"], json!(["This field is required."]));
}
