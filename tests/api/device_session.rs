//! What a device token gives access to.

use std::time::Duration;

use greenroom_core::config::Setting;
use insta::assert_json_snapshot;
use rstest::rstest;
use serde_json::Value;

use crate::support::TestApp;

const REFRESH: &str = "/api/session/refresh";

async fn refresh(app: &TestApp, token: &str) -> Option<String> {
    let answer = app.bearer(token).post_nothing(REFRESH).await;
    if answer.status == 401 {
        assert_eq!(answer.code(), "401 unauthenticated");
        return None;
    }
    assert_eq!(answer.status, 200);
    Some(answer.body["data"]["token"].as_str().unwrap().to_owned())
}

async fn status(app: &TestApp, token: &str) -> u16 {
    app.bearer(token).get("/api/session").await.status.as_u16()
}

#[tokio::test]
async fn a_device_reads_its_session() {
    let app = TestApp::new().await;
    let token = app.register("phone").await;
    let answer = app.bearer(&token).get("/api/session").await;
    assert_json_snapshot!(answer.body, { ".data.session" => "[session]" }, @r#"
    {
      "data": {
        "createdAt": "2023-11-14T22:13:20Z",
        "expiresAt": "2023-12-14T22:13:20Z",
        "identifier": "phone",
        "session": "[session]"
      }
    }
    "#);
}

#[rstest]
#[case::missing(None)]
#[case::another_scheme(Some("Basic dXNlcjpwYXNz"))]
#[case::malformed(Some("Bearer x.y.z"))]
#[case::empty(Some("Bearer "))]
#[case::no_algorithm(Some("Bearer eyJhbGciOiJub25lIiwidHlwIjoiSldUIiwia2lkIjoiazEifQ.eyJzZXNzaW9uIjoieCJ9."))]
#[tokio::test]
async fn every_route_refuses_requests_without_a_valid_token(#[case] authorization: Option<&str>) {
    let app = TestApp::new().await;
    let caller = authorization.map_or(app.anyone(), |value| app.with_authorization(value));
    let answers = [
        caller.get("/api/session").await,
        caller.delete("/api/session").await,
        caller.post_nothing(REFRESH).await,
        caller.get("/api/devices/current/sessions").await,
    ];
    for answer in answers {
        assert_eq!(answer.code(), "401 unauthenticated");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
}

#[tokio::test]
async fn the_scheme_is_read_without_regard_to_case() {
    let app = TestApp::new().await;
    let token = app.register("phone").await;
    assert_eq!(app.with_authorization(format!("bEARER {token}")).get("/api/session/").await.status, 200);
}

#[tokio::test]
async fn a_token_expires_at_its_stated_time() {
    let app = TestApp::new().await;
    let token = app.register("phone").await;
    app.wait(Duration::from_hours(30 * 24) - Duration::from_millis(1));
    assert_eq!(status(&app, &token).await, 200);
    app.wait(Duration::from_millis(1));
    assert_eq!(status(&app, &token).await, 401);
    assert_eq!(refresh(&app, &token).await, None);
}

#[tokio::test]
async fn a_refresh_replaces_the_token_and_extends_the_session() {
    let app = TestApp::new().await;
    let old = app.register("phone").await;
    let before = app.bearer(&old).get("/api/session").await.body;
    app.wait(Duration::from_hours(24));
    let new = refresh(&app, &old).await.unwrap();
    assert_eq!(status(&app, &old).await, 401);
    let after = app.bearer(&new).get("/api/session").await.body;
    for same in ["session", "identifier", "createdAt"] {
        assert_eq!(after["data"][same], before["data"][same]);
    }
    assert_eq!(after["data"]["expiresAt"], "2023-12-15T22:13:20Z");
}

#[tokio::test]
async fn a_lost_answer_gets_the_same_new_token_once_more() {
    let app = TestApp::new().await;
    let old = app.register("phone").await;
    let new = refresh(&app, &old).await;
    app.wait(Duration::from_secs(10));
    assert_eq!(refresh(&app, &old).await, new);
    assert_eq!(status(&app, &new.unwrap()).await, 200);
}

#[tokio::test]
async fn the_same_new_token_is_given_even_when_the_keys_were_rotated_in_between() {
    let app = TestApp::new().await;
    let old = app.register("phone").await;
    let new = refresh(&app, &old).await;
    let rotated = app.again_with([(
        Setting::SigningKeys,
        r#"[{"kid":"k2","secret":"3pT0iJvZ1cB6nq8sYd5mXo2LwQ7aRfUe9hKgVtCyMzE="},{"kid":"k1","secret":"x/Ny63SJJFAhRIRsCcGh7U2W0ak4Y0SVhwjvhrVqUgE="}]"#,
    )]);
    assert_eq!(refresh(&rotated, &old).await, new);
    let newest = refresh(&rotated, &new.unwrap()).await.unwrap();
    assert_eq!(status(&rotated, &newest).await, 200);
    // The newest token is signed with a key that this instance does not have.
    assert_eq!(status(&app, &newest).await, 401);
}

#[tokio::test]
async fn a_replaced_token_shown_later_ends_the_session() {
    let app = TestApp::new().await;
    let old = app.register("phone").await;
    let new = refresh(&app, &old).await.unwrap();
    let other = app.register("phone").await;
    app.wait(Duration::from_millis(10_001));
    assert_eq!(refresh(&app, &old).await, None);
    assert_eq!(status(&app, &new).await, 401);
    assert_eq!(refresh(&app, &new).await, None);
    // The device's other sessions are not affected.
    assert_eq!(status(&app, &other).await, 200);
}

#[tokio::test]
async fn a_token_older_than_the_one_just_replaced_ends_the_session_at_once() {
    let app = TestApp::new().await;
    let first = app.register("phone").await;
    let second = refresh(&app, &first).await.unwrap();
    let third = refresh(&app, &second).await.unwrap();
    assert_eq!(refresh(&app, &first).await, None);
    assert_eq!(status(&app, &third).await, 401);
}

#[tokio::test]
async fn an_old_token_is_refused_on_other_routes_without_ending_the_session() {
    let app = TestApp::new().await;
    let old = app.register("phone").await;
    let new = refresh(&app, &old).await.unwrap();
    app.wait(Duration::from_mins(1));
    assert_eq!(status(&app, &old).await, 401);
    assert_eq!(app.bearer(&old).delete("/api/session").await.status, 401);
    assert_eq!(status(&app, &new).await, 200);
}

#[tokio::test]
async fn ending_a_session_ends_its_token_on_every_instance() {
    let app = TestApp::new().await;
    let other_instance = app.again_with([]);
    let (ended, other) = (app.register("phone").await, app.register("phone").await);
    let answer = app.bearer(&ended).delete("/api/session").await;
    assert_eq!(answer.to_string(), "204 -");
    assert_eq!(status(&other_instance, &ended).await, 401);
    assert_eq!(refresh(&other_instance, &ended).await, None);
    assert_eq!(app.bearer(&ended).delete("/api/session").await.status, 401);
    assert_eq!(status(&app, &other).await, 200);
}

#[tokio::test]
async fn nothing_of_a_device_stays_in_the_table_after_its_last_session() {
    let app = TestApp::new().await;
    let tokens = [app.register("phone").await, app.register("phone").await];
    for token in tokens {
        assert!(app.items().await.iter().any(|item| item.contains("phone")));
        app.bearer(&token).delete("/api/session").await;
    }
    assert!(!app.items().await.iter().any(|item| item.contains("phone")));
}

#[tokio::test]
async fn the_list_shows_the_live_sessions_of_the_device_oldest_first() {
    let app = TestApp::with([(Setting::DeviceSessionTtl, "100")]).await;
    app.register("phone").await;
    app.wait(Duration::from_secs(40));
    let second = app.register("phone").await;
    app.wait(Duration::from_secs(40));
    let third = app.register("phone").await;
    app.register("another phone").await;
    app.wait(Duration::from_secs(20));
    let list = app.bearer(&third).get("/api/devices/current/sessions").await;
    let created: Vec<_> = list.body["data"].as_array().unwrap().iter().map(|session| &session["createdAt"]).collect();
    assert_eq!(created, [&Value::from("2023-11-14T22:14:00Z"), &Value::from("2023-11-14T22:14:40Z")]);
    let session = app.bearer(&second).get("/api/session").await.body["data"].clone();
    assert_eq!(list.body["data"][0], session);
}
