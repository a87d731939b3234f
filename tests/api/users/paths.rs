//! Paths, bodies that are not forms, and the order of the errors.

use axum::body::Body;
use greenroom_core::model::user::Role::Manager;
use insta::assert_snapshot;
use rstest::rstest;
use serde_json::json;

use super::{USERS, path};
use crate::support::TestApp;

const MISSING: &str = r#"401 {"detail":"Authentication credentials were not provided."}"#;
const NOT_FOUND: &str = r#"404 {"detail":"Not found."}"#;
const JSON: [(&str, &str); 1] = [("content-type", "application/json")];
const TEXT: [(&str, &str); 1] = [("content-type", "text/plain; charset=utf-8")];

/// Every path and method with a body.
const FORMS: &[(&str, &str)] = &[
    ("POST", "users"),
    ("PUT", "users/1"),
    ("PATCH", "users/1"),
    ("POST", "users/1/password_change"),
    ("POST", "users/2/password_set"),
    ("POST", "apitokens"),
];

#[rstest]
#[case("[]", "Invalid data. Expected a dictionary, but got list.")]
#[case("\"x\"", "Invalid data. Expected a dictionary, but got str.")]
#[case("1", "Invalid data. Expected a dictionary, but got int.")]
#[case("1.5", "Invalid data. Expected a dictionary, but got float.")]
#[case("true", "Invalid data. Expected a dictionary, but got bool.")]
#[case("null", "No data provided")]
#[tokio::test]
async fn a_body_that_is_not_an_object_is_refused(#[case] body: &'static str, #[case] text: &str) {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    app.account("second", Manager, None).await;
    for (method, path) in FORMS {
        let answer = app.organiser(&admin).send(method, &format!("/api/v2/{path}/"), &JSON, body.into()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.body),
            (400, json!({ "nonFieldErrors": [text] })),
            "{method} {path}"
        );
    }
    for path in ["obtain", "refresh"] {
        let answer = app.anyone().post_text(&format!("/api/v2/token-auth/{path}/"), body).await;
        assert_eq!((answer.status.as_u16(), answer.body), (400, json!({ "non_field_errors": [text] })), "{path}");
    }
}

#[tokio::test]
async fn malformed_json_and_other_media_types_are_refused() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    app.account("second", Manager, None).await;
    for (method, path) in FORMS {
        let path = format!("/api/v2/{path}");
        for body in [r#"{"username":"x",}"#, "{", "x", " ", "{}{}", "\u{feff}\u{feff}{}", r#"{"a":NaN}"#] {
            let answer = app.organiser(&admin).send(method, &path, &JSON, body.into()).await;
            let detail = answer.body["detail"].as_str().unwrap();
            assert_eq!(answer.status, 400, "{method} {path} {body}");
            assert!(detail.starts_with("JSON parse error - ") && !detail.contains("username"), "{detail}");
        }
        let answer = app.organiser(&admin).send(method, &path, &JSON, Body::from(&b"{\"a\":\"\xff\"}"[..])).await;
        assert_eq!(answer.status, 400);
        for body in ["{}", "x"] {
            let answer = app.organiser(&admin).send(method, &path, &TEXT, body.into()).await;
            let refused = r#"415 {"detail":"Unsupported media type \"text/plain; charset=utf-8\" in request."}"#;
            assert_eq!(answer.to_string(), refused, "{method} {path}");
        }
    }
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let answer = app.anyone().send("POST", "/api/v2/token-auth/obtain", &form, "username=a".into()).await;
    assert_snapshot!(answer, @r#"415 {"detail":"Unsupported media type \"application/x-www-form-urlencoded\" in request."}"#);
    for (headers, status) in [(&TEXT[..], 400), (&[][..], 400), (&[("content-type", "Application/JSON; x=y")], 400)] {
        let answer = app.organiser(&admin).send("POST", USERS, headers, Body::empty()).await;
        assert_eq!((answer.status.as_u16(), &answer.body["role"][0]), (status, &json!("This field is required.")));
    }
}

#[rstest]
#[case("0")]
#[case("-1")]
#[case("+1")]
#[case("1.0")]
#[case("x")]
#[case("1%20")]
#[case("99")]
#[case("99999999999999999999")]
#[case("18446744073709551615")]
#[case("340282366920938463463374607431768211456")]
#[tokio::test]
async fn a_path_with_an_invalid_number_is_not_found(#[case] id: &str) {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let admin = app.organiser(&admin);
    for slash in ["", "/"] {
        let user = format!("{USERS}{id}");
        for method in ["GET", "PUT", "PATCH", "DELETE"] {
            // Errors in the body are not looked at.
            for (headers, body) in [(&JSON, "{"), (&TEXT, "x"), (&JSON, "{}")] {
                let answer = admin.send(method, &format!("{user}{slash}"), headers, body.into()).await;
                assert_eq!(answer.to_string(), NOT_FOUND);
            }
        }
        for action in ["password_change", "password_set", "block", "unblock"] {
            let answer = admin.post_text(&format!("{user}/{action}{slash}"), "{").await;
            assert_eq!(answer.to_string(), NOT_FOUND);
        }
        let token = format!("/api/v2/apitokens/{id}{slash}");
        assert_eq!(admin.delete(&token).await.to_string(), NOT_FOUND);
    }
}

#[tokio::test]
async fn leading_zeros_in_a_number_are_ignored() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    assert_eq!(app.organiser(&admin).get("/api/v2/users/0001/").await.body["id"], admin.id);
}

#[tokio::test]
async fn every_path_is_served_with_and_without_its_slash() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    app.give_passwords(&[admin.id], "the old one").await;
    for (turn, slash) in ["", "/"].into_iter().enumerate() {
        let caller = app.again(&admin).await;
        let caller = app.organiser(&caller);
        let body = json!({ "username": format!("user {turn}"), "role": "manager" });
        let id = caller.make(&format!("/api/v2/users{slash}"), body.clone()).await;
        let user = format!("/api/v2/users/{id}");
        let at = format!("{user}{slash}");
        assert_eq!(caller.get(&format!("/api/v2{slash}")).await.status, 200);
        assert_eq!(caller.get(&format!("/api/v2/users{slash}?limit=1")).await.status, 200);
        assert_eq!(caller.get(&at).await.status, 200);
        assert_eq!(caller.put(&at, body.clone()).await.status, 200);
        assert_eq!(caller.patch(&at, json!({})).await.status, 200);
        assert_eq!(caller.post_nothing(&format!("{user}/block{slash}")).await.status, 204);
        assert_eq!(caller.post_nothing(&format!("{user}/unblock{slash}")).await.status, 204);
        let password = json!({ "newPw": "long enough" });
        assert_eq!(caller.post(&format!("{user}/password_set{slash}"), password).await.status, 204);
        let same = json!({ "oldPw": "the old one", "newPw": "the old one", "newPwRepeat": "the old one" });
        let change = format!("{USERS}{}/password_change{slash}", admin.id);
        assert_eq!(caller.post(&change, same).await.status, 204);
        let caller = app.again(&admin).await;
        let caller = app.organiser(&caller);
        assert_eq!(caller.delete(&at).await.status, 204);
        let token = caller.make(&format!("/api/v2/apitokens{slash}"), json!({ "name": "app" })).await;
        assert_eq!(caller.get(&format!("/api/v2/apitokens{slash}")).await.status, 200);
        assert_eq!(caller.delete(&format!("/api/v2/apitokens/{token}{slash}")).await.status, 204);
        let login = json!({ "username": "admin", "password": "the old one" });
        let login = caller.post(&format!("/api/v2/token-auth/obtain{slash}"), login).await;
        assert_eq!(login.status, 200);
        assert_eq!(caller.post(&format!("/api/v2/token-auth/refresh{slash}"), login.body).await.status, 200);
    }
}

#[tokio::test]
async fn a_user_is_deleted_once() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let admin = app.organiser(&admin);
    let user = path(admin.make(USERS, json!({ "username": "ada", "role": "manager" })).await);
    assert_snapshot!(admin.delete(&user).await, @"204 -");
    assert_snapshot!(admin.delete(&user).await, @r#"404 {"detail":"Not found."}"#);
    assert_eq!(admin.get(USERS).await.body["count"], 1);
}

#[tokio::test]
async fn without_credentials_nothing_else_is_checked() {
    let app = TestApp::new().await;
    for (method, path) in FORMS.iter().chain(&[("DELETE", "users/x"), ("PUT", "users"), ("PATCH", "apitokens/1")]) {
        for (headers, body) in [(&JSON, "{"), (&TEXT, "x"), (&JSON, "{}")] {
            let answer = app.anyone().send(method, &format!("/api/v2/{path}"), headers, body.into()).await;
            assert_eq!(answer.to_string(), MISSING, "{method} {path}");
            assert_eq!(answer.header("www-authenticate"), "JWT realm=\"api\"");
            assert_eq!(answer.header("allow"), "-");
        }
    }
}

#[rstest]
#[case("PUT", "users", "GET, POST")]
#[case("DELETE", "users/", "GET, POST")]
#[case("POST", "users/1", "GET, PUT, PATCH, DELETE")]
#[case("POST", "users/99/", "GET, PUT, PATCH, DELETE")]
#[case("GET", "users/1/block", "POST")]
#[case("DELETE", "users/99/unblock/", "POST")]
#[case("PUT", "users/1/password_set", "POST")]
#[case("GET", "users/x/password_change", "POST")]
#[case("POST", "", "GET")]
#[case("PATCH", "apitokens", "GET, POST")]
#[case("GET", "apitokens/1", "DELETE")]
#[case("PUT", "events", "GET, POST")]
#[case("POST", "events/1", "GET, PUT, PATCH, DELETE")]
#[case("GET", "token-auth/obtain", "POST")]
#[case("PUT", "token-auth/refresh/", "POST")]
#[tokio::test]
async fn an_unsupported_method_is_405_after_the_credentials_are_checked(
    #[case] method: &str,
    #[case] path: &str,
    #[case] allow: &str,
) {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let path = format!("/api/v2/{path}");
    let answer = app.organiser(&admin).send(method, &path, &TEXT, "{".into()).await;
    assert_eq!(answer.to_string(), format!(r#"405 {{"detail":"Method \"{method}\" not allowed."}}"#));
    assert_eq!(answer.header("allow"), allow);
    let answer = app.anyone().send(method, &path, &[], Body::empty()).await;
    assert_eq!(answer.status, if path.contains("token-auth") { 405 } else { 401 });
}

#[tokio::test]
async fn the_role_is_checked_before_the_method_and_the_object() {
    let app = TestApp::new().await;
    let manager = app.account("manager", Manager, None).await;
    let manager = app.organiser(&manager);
    for (method, path) in
        [("PUT", "apitokens"), ("GET", "apitokens/1"), ("DELETE", "apitokens/1"), ("DELETE", "apitokens/x")]
    {
        let answer = manager.send(method, &format!("/api/v2/{path}"), &[], Body::empty()).await;
        assert_eq!(answer.status, 403, "{method} {path}");
        assert_eq!(answer.header("allow"), "-");
    }
}

#[tokio::test]
async fn an_unknown_path_is_not_found() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    for path in ["nowhere", "users/1/nowhere", "token-auth", "users/1/block/1", "apitokens/1/x"] {
        let path = format!("/api/v2/{path}");
        assert_eq!(app.organiser(&admin).get(&path).await.to_string(), NOT_FOUND);
        assert_eq!(app.anyone().post_text(&path, "{").await.to_string(), NOT_FOUND);
    }
}

#[tokio::test]
async fn the_root_lists_all_endpoints() {
    let app = TestApp::new().await;
    let manager = app.account("manager", Manager, None).await;
    assert_snapshot!(
        app.organiser(&manager).get("/api/v2/").await,
        @r#"200 {"bookingemails":"http://greenroom.example/api/v2/bookingemails/","events":"http://greenroom.example/api/v2/events/","logintokens":"http://greenroom.example/api/v2/logintokens/","networktestsessions":"http://greenroom.example/api/v2/networktestsessions/","rtcsessions":"http://greenroom.example/api/v2/rtcsessions/","sessions":"http://greenroom.example/api/v2/sessions/","users":"http://greenroom.example/api/v2/users/"}"#
    );
    assert_eq!(app.anyone().get("/api/v2/").await.to_string(), MISSING);
    let forwarded =
        [("x-forwarded-proto", "https"), ("x-forwarded-host", "api.example"), ("x-forwarded-prefix", "/prod")];
    let answer = app.organiser(&manager).send("GET", "/api/v2", &forwarded, Body::empty()).await;
    assert_eq!(answer.body["users"], "https://api.example/prod/api/v2/users/");
    let app = app.again_with([(greenroom_core::config::Setting::PublicUrl, "https://public.example")]);
    let answer = app.organiser(&manager).get("/api/v2").await;
    assert_eq!(answer.body["users"], "https://public.example/api/v2/users/");
}
