//! `/api/v2/logintokens`: fields, refusals and changes.

use greenroom_core::model::user::Role;
use rstest::rstest;
use serde_json::{Value, json};

use crate::{organisers::Account, support::TestApp};

const TOKENS: &str = "/api/v2/logintokens/";

async fn with_event() -> (TestApp, Account, u64) {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let event = app.organiser(&admin).make_event("A").await;
    (app, admin, event)
}

#[tokio::test]
async fn a_token_is_made_read_changed_and_deleted() {
    let (app, admin, event) = with_event().await;
    let caller = app.organiser(&admin);
    let other = caller.make_event("B").await;
    let made = caller.post(TOKENS, json!({ "event": event, "token": " first token ", "tokenType": "floor" })).await;
    let mut token = json!({ "id": 1, "event": event, "token": "first token", "tokenType": "floor" });
    assert_eq!((made.status.as_u16(), &made.body), (201, &token));
    for path in ["/api/v2/logintokens/1", "/api/v2/logintokens/1/"] {
        assert_eq!(caller.get(path).await.body, token);
        let required = json!({ "token": ["This field is required."], "tokenType": ["This field is required."] });
        assert_eq!(caller.put(path, json!({})).await.body, required);
        assert_eq!(caller.patch(path, json!({})).await.body, token);
        assert_eq!(caller.put(path, token.clone()).await.body, token);
        let put = json!({ "id": 9, "event": other, "token": "another token", "tokenType": "remote", "x": 1 });
        token = json!({ "id": 1, "event": event, "token": "another token", "tokenType": "remote" });
        let answer = caller.put(path, put).await;
        assert_eq!((answer.status.as_u16(), &answer.body), (200, &token));
        assert_eq!(caller.patch(path, json!({ "event": null, "id": "x" })).await.body, token);
        token["tokenType"] = json!("moderator");
        assert_eq!(caller.patch(path, json!({ "tokenType": "moderator" })).await.body, token);
        token["token"] = json!("12345678");
        assert_eq!(caller.patch(path, json!({ "token": 12_345_678 })).await.body, token);
        assert_eq!(caller.get(&format!("{TOKENS}?event={event}")).await.body["results"], json!([token]));
    }
    assert_eq!(caller.delete("/api/v2/logintokens/1/").await.to_string(), "204 -");
    for answer in [
        caller.get("/api/v2/logintokens/1/").await,
        caller.put("/api/v2/logintokens/1/", token).await,
        caller.patch("/api/v2/logintokens/1/", json!({})).await,
        caller.delete("/api/v2/logintokens/1/").await,
    ] {
        assert_eq!(answer.to_string(), r#"404 {"detail":"Not found."}"#);
    }
}

#[rstest]
#[case("participant")]
#[case("interpreter")]
#[case("floor")]
#[case("remote")]
#[case("moderator")]
#[tokio::test]
async fn every_login_token_type_is_accepted(#[case] kind: &str) {
    let (app, admin, event) = with_event().await;
    let body = json!({ "event": event.to_string(), "token": "12345678", "tokenType": kind });
    let answer = app.organiser(&admin).post(TOKENS, body).await;
    assert_eq!((answer.status.as_u16(), answer.body["tokenType"].as_str()), (201, Some(kind)));
}

#[rstest]
#[case::missing(
    json!({}),
    json!({
        "event": ["This field is required."], "token": ["This field is required."],
        "tokenType": ["This field is required."],
    }),
)]
#[case::null(
    json!({ "event": null, "token": null, "tokenType": null }),
    json!({
        "event": ["This field may not be null."], "token": ["This field may not be null."],
        "tokenType": ["This field may not be null."],
    }),
)]
#[case::malformed(
    json!({ "event": true, "token": [], "tokenType": "king" }),
    json!({
        "event": ["Incorrect type. Expected pk value, received bool."], "token": ["Not a valid string."],
        "tokenType": ["\"king\" is not a valid choice."],
    }),
)]
#[case::short(
    json!({ "event": -1, "token": " 1234567 ", "tokenType": "" }),
    json!({
        "event": ["Invalid pk \"-1\" - object does not exist."],
        "token": ["Ensure this field has at least 8 characters."],
        "tokenType": ["\"\" is not a valid choice."],
    }),
)]
#[case::blank(
    json!({ "event": 1, "token": "        ", "tokenType": "Floor" }),
    json!({ "token": ["This field may not be blank."], "tokenType": ["\"Floor\" is not a valid choice."] }),
)]
#[case::long(
    json!({ "event": 1, "token": "é".repeat(256), "tokenType": "floor" }),
    json!({ "token": ["Ensure this field has no more than 255 characters."] }),
)]
#[case::unknown_event(
    json!({ "event": "12345678901234567890123", "token": "12345678", "tokenType": "floor" }),
    json!({ "event": ["Invalid pk \"12345678901234567890123\" - object does not exist."] }),
)]
#[tokio::test]
async fn the_errors_of_all_fields_are_reported_together(#[case] body: Value, #[case] errors: Value) {
    let (app, admin, _) = with_event().await;
    let answer = app.organiser(&admin).post(TOKENS, body).await;
    assert_eq!((answer.status.as_u16(), answer.body), (400, errors));
    assert_eq!(app.organiser(&admin).get(TOKENS).await.body["count"], 0);
}

#[tokio::test]
async fn eight_to_255_characters_fit() {
    let (app, admin, event) = with_event().await;
    for token in ["éééééééé".to_owned(), "é".repeat(255)] {
        let body = json!({ "event": event, "token": format!(" {token}\n"), "tokenType": "floor" });
        assert_eq!(app.organiser(&admin).post(TOKENS, body).await.body["token"], token);
    }
}

#[tokio::test]
async fn a_token_is_unique_among_all_events() {
    let (app, admin, event) = with_event().await;
    let partner = app.account("partner", Role::Partner, None).await;
    let other = app.organiser(&partner).make_event("B").await;
    let body = |event: u64, token: &str| json!({ "event": event, "token": token, "tokenType": "floor" });
    let first = app.organiser(&admin).make(TOKENS, body(event, "12345678")).await;
    let second = app.organiser(&partner).make(TOKENS, body(other, "abcdefgh")).await;
    app.organiser(&partner).make(TOKENS, body(other, "ABCDEFGH")).await;
    let taken = json!({ "token": ["login token with this token already exists."] });
    let path = format!("{TOKENS}{second}/");
    for answer in [
        app.organiser(&partner).post(TOKENS, body(other, "12345678 ")).await,
        app.organiser(&partner).put(&path, body(other, "12345678")).await,
        app.organiser(&partner).patch(&path, json!({ "token": 12_345_678 })).await,
    ] {
        assert_eq!((answer.status.as_u16(), &answer.body), (400, &taken));
    }
    let both = app.organiser(&partner).post(TOKENS, json!({ "event": other, "token": "12345678" })).await;
    assert_eq!(both.body, json!({ "token": taken["token"], "tokenType": ["This field is required."] }));
    // A token that is renamed or deleted frees its value.
    assert_eq!(app.organiser(&admin).delete(&format!("{TOKENS}{first}/")).await.status, 204);
    assert_eq!(app.organiser(&partner).patch(&path, json!({ "token": "12345678" })).await.status, 200);
    app.organiser(&admin).make(TOKENS, body(event, "abcdefgh")).await;
}
