//! The session management API, function by function: logging in, lists, and joining.

use serde_json::{Value, json};

use crate::stage::{Fixture, Stage};

/// The address of the HTTP API in the events.
const HTTP_API: &str = "https://api-id.execute-api.us-east-1.amazonaws.com";
/// The address of the REST API in the events. Its paths begin with its stage.
const REST_API: &str = "https://api-id.execute-api.us-east-1.amazonaws.com/prod";

#[tokio::test]
async fn an_organiser_can_log_in_and_a_participant_can_join() {
    let stage = Stage::new().await;
    let mut fixture = Fixture { meeting: stage.meeting().await, ..stage.fixture().await };
    fixture.meeting.user_token = stage.send("token-auth/obtain", &fixture).await.at("/token");
    fixture.meeting.user_token = stage.send("token-auth/refresh", &fixture).await.at("/token");

    let sessions = stage.send("sessions/list", &fixture).await.json();
    assert_eq!(sessions["count"], 2);
    assert_eq!(languages(&sessions["results"]), ["Floor", "English"]);
    let tokens = stage.send("logintokens/list-of-event", &fixture).await.json();
    assert_eq!(tokens["results"][0]["token"], fixture.meeting.login_token);

    // The flag `view_floor` is in one of the two events only.
    let joined = stage.send("rtcsessions/join", &fixture).await.json();
    assert_eq!(languages(&joined["sessions"]), ["Floor", "English"]);
    let joined = stage.send("rtcsessions/join-device", &fixture).await.json();
    assert_eq!(languages(&joined["sessions"]), ["English"]);
    assert_eq!(joined["event"]["id"], fixture.meeting.event);
    let token = joined["sessions"][0]["tokbox"]["sessionToken"].as_str().unwrap();
    assert!(token.starts_with("T1=="), "{token}");

    assert_eq!(stage.send("events/delete", &fixture).await.status(), 204);
    assert_eq!(stage.send("sessions/list", &fixture).await.json()["count"], 0);
    assert_eq!(stage.send("logintokens/list-of-event", &fixture).await.json()["count"], 0);
}

fn languages(sessions: &Value) -> Vec<&str> {
    sessions.as_array().unwrap().iter().map(|session| session["language"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn links_have_the_base_url_of_the_request() {
    let stage = Stage::new().await;
    let fixture = Fixture { meeting: stage.meeting().await, ..Fixture::default() };
    let endpoints =
        ["bookingemails", "events", "logintokens", "networktestsessions", "rtcsessions", "sessions", "users"];
    for (event, base) in
        [("api-root/read", HTTP_API), ("api-root/read-trailing-slash", HTTP_API), ("api-root/read-rest", REST_API)]
    {
        let urls = endpoints.map(|name| (name.to_owned(), json!(format!("{base}/api/v2/{name}/"))));
        assert_eq!(stage.send(event, &fixture).await.json(), Value::Object(urls.into_iter().collect()), "{event}");
    }
    // A second record of each kind, so that there is a second page.
    stage.send("users/create", &fixture).await;
    stage.send("events/create", &fixture).await;
    stage.send_body("apitokens/create", &fixture, &json!({"name": "one more"})).await;
    stage.send("logintokens/create", &fixture).await;
    for (event, path) in [
        ("users/list-rest", "users/?role=manager&limit=1&offset=1"),
        ("events/list-rest", "events/?limit=1&offset=1"),
        ("sessions/list-rest", "sessions/?event=EVENT&limit=1&offset=1"),
        ("logintokens/list-rest", "logintokens/?event=EVENT&limit=1&offset=1"),
        ("apitokens/list-rest", "apitokens/?limit=1&offset=1"),
    ] {
        let list = stage.send(event, &fixture).await;
        let next = format!("{REST_API}/api/v2/{path}").replace("EVENT", &fixture.meeting.event.to_string());
        assert_eq!(list.at("/next"), next, "{event}");
        let link = list.header("link").unwrap_or_else(|| panic!("no Link: {list:?}"));
        assert!(link.starts_with(&format!("<{next}")) && link.ends_with(r#">; rel="next""#), "{link}");
    }
}

#[tokio::test]
async fn a_blocked_users_token_is_refused_by_every_function() {
    let stage = Stage::new().await;
    let organiser = Fixture { meeting: stage.meeting().await, ..Fixture::default() };
    stage.send("users/password-set", &organiser).await;
    let credentials = json!({"username": organiser.meeting.manager_name, "password": "their first password"});
    let mut manager = organiser.clone();
    manager.meeting.user_token = stage.send_body("token-auth/obtain", &organiser, &credentials).await.at("/token");
    assert_eq!(stage.send("events/list", &manager).await.status(), 200);

    assert_eq!(stage.send("users/block", &organiser).await.status(), 204);
    for event in ["api-root/read", "users/list", "events/list", "sessions/list", "logintokens/list", "apitokens/list"] {
        let refused = stage.send(event, &manager).await;
        assert_eq!((refused.status(), refused.at("/detail").as_str()), (401, "User account is disabled."), "{event}");
    }
}
