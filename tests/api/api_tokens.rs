//! `/api/v2/apitokens`: the static tokens that clients carry.

use std::time::Duration;

use greenroom_core::model::user::Role::{Manager, Partner};
use insta::assert_snapshot;
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::TestApp;

const TOKENS: &str = "/api/v2/apitokens/";
const FORBIDDEN: &str = r#"403 {"detail":"You do not have permission to perform this action."}"#;

#[tokio::test]
async fn a_token_is_shown_once_and_listed_without_its_value() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let admin = app.organiser(&admin);
    let made = admin.post(TOKENS, json!({ "name": " web ", "mobile": false })).await;
    let token = made.body["token"].as_str().unwrap().to_owned();
    assert_eq!(made.status, 201);
    assert_eq!(made.body, json!({ "id": 1, "name": "web", "mobile": false, "token": token }));
    assert!(token.len() == 40 && token.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
    assert_eq!(admin.post(TOKENS, json!({ "name": "app", "mobile": true })).await.body["mobile"], true);
    assert_eq!(admin.post(TOKENS, json!({ "name": "App" })).await.body["mobile"], false);
    assert_snapshot!(
        admin.get(TOKENS).await,
        @r#"200 {"count":3,"next":null,"previous":null,"results":[{"id":1,"mobile":false,"name":"web"},{"id":2,"mobile":true,"name":"app"},{"id":3,"mobile":false,"name":"App"}]}"#
    );
    assert!(!app.items().await.iter().any(|item| item.contains(&token)));
}

#[tokio::test]
async fn a_name_is_unique_until_its_token_is_deleted() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let admin = app.organiser(&admin);
    let first = admin.post(TOKENS, json!({ "name": "app" })).await.body;
    assert_snapshot!(
        admin.post(TOKENS, json!({ "name": " app ", "mobile": true })).await,
        @r#"400 {"name":["api token with this name already exists."]}"#
    );
    assert_eq!(admin.get(TOKENS).await.body["count"], 1);
    let at_once = futures_util::future::join_all((0..8).map(|_| admin.post(TOKENS, json!({ "name": "web" })))).await;
    assert_eq!(at_once.iter().filter(|answer| answer.status == 201).count(), 1);
    assert_eq!(admin.delete(&format!("{TOKENS}{}/", first["id"])).await.status, 204);
    assert_eq!(admin.post(TOKENS, json!({ "name": "app" })).await.status, 201);
}

#[tokio::test]
async fn a_token_gives_access_to_client_routes_until_it_is_deleted() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let admin = app.organiser(&admin);
    let made = admin.post(TOKENS, json!({ "name": "app", "mobile": true })).await.body;
    let token = made["token"].as_str().unwrap();
    let client = app.with_authorization(format!("Token {token}"));
    assert_eq!(client.post_nothing("/api/v2/networktestsessions/").await.status, 201);
    // The client is known, but the login token is not.
    let join = json!({ "loginToken": "unknown token" });
    assert_eq!(client.post("/api/v2/rtcsessions/", join.clone()).await.status, 403);
    for other in [token.to_uppercase(), token[..39].to_owned(), format!("{token}0")] {
        if other != token {
            let client = app.with_authorization(format!("Token {other}"));
            let answer = client.post_nothing("/api/v2/networktestsessions/").await;
            assert_eq!(answer.to_string(), r#"401 {"detail":"Invalid token."}"#);
        }
    }
    let path = format!("{TOKENS}{}/", made["id"]);
    assert_snapshot!(admin.delete(&path).await, @"204 -");
    assert_snapshot!(admin.delete(&path).await, @r#"404 {"detail":"Not found."}"#);
    assert_eq!(client.post_nothing("/api/v2/networktestsessions/").await.status, 401);
    // A record that was read recently may be served from the cache for 5 seconds.
    app.wait(Duration::from_secs(5));
    assert_eq!(client.post("/api/v2/rtcsessions/", join.clone()).await.status, 401);
    let another = app.again_with([]);
    assert_eq!(
        another.with_authorization(format!("Token {token}")).post("/api/v2/rtcsessions/", join).await.status,
        401
    );
    assert_eq!(admin.get(TOKENS).await.body["count"], 0);
}

#[rstest]
#[case(json!({}), json!({ "name": ["This field is required."] }))]
#[case(json!({ "name": " ", "mobile": "maybe" }), json!({ "name": ["This field may not be blank."], "mobile": ["\"maybe\" is not a valid boolean."] }))]
#[case(json!({ "name": null, "mobile": null }), json!({ "name": ["This field may not be null."], "mobile": ["This field may not be null."] }))]
#[case(json!({ "name": [], "mobile": 2 }), json!({ "name": ["Not a valid string."], "mobile": ["\"2\" is not a valid boolean."] }))]
#[case(json!({ "name": "x".repeat(256) }), json!({ "name": ["Ensure this field has no more than 255 characters."] }))]
#[tokio::test]
async fn all_errors_of_a_token_are_reported_together(#[case] body: Value, #[case] errors: Value) {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let answer = app.organiser(&admin).post(TOKENS, body).await;
    assert_eq!((answer.status.as_u16(), answer.body), (400, errors));
    assert_eq!(app.organiser(&admin).get(TOKENS).await.body["count"], 0);
}

#[tokio::test]
async fn a_number_is_accepted_as_a_name_and_a_word_as_a_boolean() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let body = json!({ "name": 7, "mobile": "True", "id": 99, "token": "mine" });
    let made = app.organiser(&admin).post(TOKENS, body).await.body;
    assert_eq!((&made["name"], &made["mobile"], &made["id"]), (&json!("7"), &json!(true), &json!(1)));
    assert_ne!(made["token"], "mine");
}

#[tokio::test]
async fn only_admins_manage_tokens() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let id = app.organiser(&admin).make(TOKENS, json!({ "name": "app" })).await;
    for role in [Partner, Manager] {
        let account = app.account(&format!("{role:?}"), role, Some(admin.id)).await;
        let caller = app.organiser(&account);
        assert_eq!(caller.get(TOKENS).await.to_string(), FORBIDDEN);
        assert_eq!(caller.post(TOKENS, json!({ "name": "app" })).await.to_string(), FORBIDDEN);
        assert_eq!(caller.post_text(TOKENS, "{").await.to_string(), FORBIDDEN);
        assert_eq!(caller.delete(&format!("{TOKENS}{id}/")).await.to_string(), FORBIDDEN);
        assert_eq!(caller.delete(&format!("{TOKENS}99/")).await.to_string(), FORBIDDEN);
    }
    assert_eq!(app.organiser(&admin).get(TOKENS).await.body["count"], 1);
    assert_eq!(app.client(true).await.get(TOKENS).await.status, 401);
}

#[tokio::test]
async fn tokens_are_listed_by_page_and_filter() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let admin = app.organiser(&admin);
    for turn in 0..5 {
        admin.make(TOKENS, json!({ "name": format!("app {turn}"), "mobile": turn % 2 == 0 })).await;
    }
    let page = admin.get(&format!("{TOKENS}?limit=2&offset=1&mobile=")).await.body;
    assert_eq!((&page["count"], &page["results"][0]["id"]), (&json!(5), &json!(3)));
    assert_eq!(page["next"], "http://greenroom.example/api/v2/apitokens/?mobile=&limit=2&offset=2");
    assert_eq!(page["previous"], "http://greenroom.example/api/v2/apitokens/?mobile=&limit=2");
    assert_eq!(admin.get(&format!("{TOKENS}?mobile=True")).await.body["count"], 3);
    assert_eq!(admin.get(&format!("{TOKENS}?name=app 1").replace(' ', "%20")).await.body["results"][0]["id"], 2);
    assert_eq!(admin.get(&format!("{TOKENS}?offset=9")).await.body["results"], json!([]));
}

#[tokio::test]
async fn a_cursor_continues_the_list_even_when_tokens_are_deleted_meanwhile() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let caller = app.organiser(&admin);
    for name in ["a", "b", "c", "d", "e"] {
        caller.make("/api/v2/apitokens/", json!({ "name": name })).await;
    }
    let first = caller.get("/api/v2/apitokens/?limit=2").await;
    let link = first.header("link").split(['<', '>']).nth(1).unwrap().to_owned();
    let path = link.strip_prefix("http://greenroom.example").unwrap();
    assert_eq!(caller.delete("/api/v2/apitokens/1/").await.status, 204);
    let second = caller.get(path).await;
    let ids: Vec<_> = second.body["results"].as_array().unwrap().iter().map(|token| token["id"].clone()).collect();
    assert_eq!(ids, [3, 4]);
    assert!(second.header("link").contains("cursor="));
}
