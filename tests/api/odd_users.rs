//! Users with unusual data, and invalid numbers.

use greenroom_core::model::user::Role;
use serde_json::json;

use crate::{joining::JOIN, support::TestApp};

#[tokio::test]
async fn a_user_who_is_their_own_creator_can_be_deleted() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let partner = app.account("partner", Role::Partner, Some(admin.id)).await;
    let caller = app.organiser(&admin);
    let path = format!("/api/v2/users/{}/", partner.id);
    assert_eq!(caller.patch(&path, json!({ "creator": partner.id })).await.status, 200);
    app.account("made", Role::Manager, Some(partner.id)).await;
    assert_eq!(caller.delete(&path).await.status, 204);
    assert_eq!(caller.delete(&path).await.status, 404);
    assert_eq!(caller.get("/api/v2/users/?username=made").await.body["results"][0]["creator"], json!(null));
}

#[tokio::test]
async fn a_user_who_is_no_longer_a_manager_manages_no_event() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let manager = app.account("manager", Role::Manager, None).await;
    let caller = app.organiser(&admin);
    caller.make("/api/v2/events/", json!({ "name": "A", "managers": [manager.id] })).await;
    let path = format!("/api/v2/users/{}/", manager.id);
    assert_eq!(caller.patch(&path, json!({ "email": "m@greenroom.example" })).await.status, 200);
    assert_eq!(caller.get("/api/v2/events/1/").await.body["managers"], json!([manager.id]));
    assert_eq!(caller.patch(&path, json!({ "role": "partner" })).await.status, 200);
    assert_eq!(caller.get("/api/v2/events/1/").await.body["managers"], json!([]));
    let partner = app.again(&manager).await;
    assert_eq!(app.organiser(&partner).get("/api/v2/events/1/").await.status, 404);
}

#[tokio::test]
async fn a_number_with_too_many_digits_is_not_accepted_as_a_login_token() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let caller = app.organiser(&admin);
    let event = caller.make_event("A").await;
    let client = app.client(false).await;
    let token =
        |digits: &str| format!(r#"{{"event":{event},"token":{digits},"tokenType":"floor","loginToken":{digits}}}"#);
    for digits in ["99912222333344445555111", "-99912222333344445555111", "1e300"] {
        let made = caller.post_text("/api/v2/logintokens/", token(digits)).await;
        assert_eq!(made.to_string(), r#"400 {"token":["Not a valid string."]}"#);
        assert_eq!(client.post_text(JOIN, token(digits)).await.status, 400);
    }
    assert_eq!(caller.post_text("/api/v2/logintokens/", token("12345678")).await.status, 201);
    assert_eq!(client.post(JOIN, json!({ "loginToken": "12345678" })).await.status, 201);
    let owner = caller.post_text("/api/v2/events/", r#"{"name":"B","owner":99912222333344445555111}"#).await;
    assert!(owner.to_string().contains("object does not exist."), "{owner}");
}

#[tokio::test]
async fn links_contain_no_user_info_and_no_dot_segments() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let caller = app.organiser(&admin);
    for (name, value) in [("x-forwarded-host", "u:p@elsewhere.example"), ("x-forwarded-prefix", "/a/../b")] {
        let root = caller.send("GET", "/api/v2/", &[(name, value)], "".into()).await;
        let url = root.body["users"].as_str().unwrap();
        assert!(!url.contains('@') && !url.contains(".."), "{url}");
    }
}
