use axum::http::HeaderMap;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use greenroom_core::config::{LiveKitKey, LiveKitRooms};
use rstest::rstest;
use testbed::{HttpStub, nobody};

use super::*;

const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

fn api(url: &str) -> LiveKitApi {
    let key = LiveKitKey { id: "key".to_owned(), secret: "the-secret-of-the-server-of-tests".into() };
    let server = LiveKit {
        api_url: url.to_owned(),
        client_url: String::new(),
        keys: vec![key],
        token_ttl: Duration::from_hours(1),
        rooms: LiveKitRooms::Auto,
    };
    LiveKitApi::new(&server, Clock::stopped_at(NOW))
}

async fn answering(status: u16, body: &str) -> HttpStub {
    HttpStub::in_turn([(StatusCode::from_u16(status).unwrap(), body.to_owned())]).await.unwrap()
}

fn claims(headers: &HeaderMap) -> Value {
    let token = headers[header::AUTHORIZATION].to_str().unwrap().strip_prefix("Bearer ").unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

#[tokio::test]
async fn each_method_has_the_one_permission_that_it_needs() {
    let server = answering(200, "{}").await;
    let api = api(server.url());
    api.remove_participant("e1-s2-abcdefghijkl", "somebody").await.unwrap();
    api.delete_room("e1-s2-abcdefghijkl").await.unwrap();
    api.create_room("e1-s2-abcdefghijkl").await.unwrap();
    api.update_participant("e1-s2-abcdefghijkl", "somebody", LiveKitRights::Speak).await.unwrap();
    assert!(api.rooms().await.unwrap().is_empty());
    assert!(api.participants(Permission::of_room("e1-s2-abcdefghijkl")).await.unwrap().is_empty());
    let room = "e1-s2-abcdefghijkl";
    // A permission that is not written out is lost, and a source in lower case allows all of them.
    let speaking = json!({
        "can_subscribe": true, "can_publish": true, "can_publish_data": true, "can_publish_sources": ["MICROPHONE"],
        "hidden": false, "can_update_metadata": false, "can_subscribe_metrics": false,
    });
    let expected = [
        ("RemoveParticipant", json!({"room": room, "roomAdmin": true}), json!({"room": room, "identity": "somebody"})),
        ("DeleteRoom", json!({"roomCreate": true}), json!({"room": room})),
        (
            "CreateRoom",
            json!({"roomCreate": true}),
            json!({"name": room, "empty_timeout": 86_400, "departure_timeout": 86_400}),
        ),
        (
            "UpdateParticipant",
            json!({"room": room, "roomAdmin": true}),
            json!({"room": room, "identity": "somebody", "permission": speaking}),
        ),
        ("ListRooms", json!({"roomList": true}), json!({})),
        ("ListParticipants", json!({"room": room, "roomAdmin": true}), json!({"room": room})),
    ];
    for (request, (method, video, body)) in server.received().iter().zip(expected) {
        assert_eq!(request.uri().path(), format!("/twirp/livekit.RoomService/{method}"));
        assert_eq!(request.headers()[header::CONTENT_TYPE], "application/json");
        let (nbf, exp) = (1_700_000_000, 1_700_000_060);
        assert_eq!(claims(request.headers()), json!({"iss": "key", "nbf": nbf, "exp": exp, "video": video}));
        assert_eq!(serde_json::from_slice::<Value>(request.body()).unwrap(), body);
    }
}

#[rstest]
#[case::done(200, "{}", None)]
#[case::not_there(404, r#"{"code":"not_found","msg":"participant does not exist"}"#, None)]
#[case::no_such_method(404, r#"{"code":"bad_route","msg":"no handler"}"#, Some("status 404"))]
#[case::another_server(404, "<html>", Some("status 404"))]
#[case::another_key(401, "invalid token: eyJhbGciOi", Some("refused our credentials"))]
#[case::another_permission(401, r#"{"code":"unauthenticated","msg":"permissions denied"}"#, Some("permission"))]
#[case::a_page_with_success(200, "<html>", Some("cannot be read"))]
#[case::too_many(429, "", Some("status 429"))]
#[case::fault(500, r#"{"code":"unavailable","msg":"no response from servers"}"#, Some("status 500"))]
#[tokio::test]
async fn an_answer_says_whether_the_participant_is_out(
    #[case] status: u16,
    #[case] body: &str,
    #[case] error: Option<&str>,
) {
    let server = answering(status, body).await;
    let outcome = api(server.url()).remove_participant("e1-s2-abcdefghijkl", "somebody").await;
    match error {
        None => assert!(outcome.is_ok()),
        Some(expected) => {
            let error = outcome.unwrap_err().to_string();
            assert!(error.contains(expected) && !error.contains("eyJ"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_server_that_is_away_or_silent_is_not_waited_for() {
    let away = api(&format!("http://{}", nobody().unwrap())).rooms().await.map(drop);
    assert!(matches!(away, Err(ProviderError::Unreachable(_))));
    let silent = HttpStub::start(|_| std::future::pending::<StatusCode>()).await.unwrap();
    let mut api = api(silent.url());
    api.timeout = Duration::from_millis(20);
    assert!(matches!(api.rooms().await.map(drop), Err(ProviderError::TimedOut)));
}

#[tokio::test]
async fn lists_are_read_as_the_server_writes_them() {
    let rooms =
        r#"{"rooms":[{"sid":"RM_1","name":"daily","empty_timeout":300,"creation_time":"1","num_participants":2}]}"#;
    let server = answering(200, rooms).await;
    let listed = api(server.url()).rooms().await.unwrap();
    assert_eq!((listed[0].sid.as_str(), listed[0].name.as_str()), ("RM_1", "daily"));
    let participants = r#"{"participants":[
        {"sid":"PA_1","identity":"a","state":"ACTIVE","joined_at":"1700000000","joined_at_ms":"1700000000123",
         "tracks":[{"sid":"TR_1","muted":false,"type":"AUDIO"},{"sid":"TR_2","muted":true}],"is_publisher":true},
        {"sid":"PA_2","identity":"b","state":"JOINED","joined_at":"1700000000","joined_at_ms":"0"},
        {"sid":"PA_3","identity":"c","state":"SOMETHING_NEW"}]}"#;
    let server = answering(200, participants).await;
    let listed = api(server.url()).participants(Permission::of_room("daily")).await.unwrap();
    assert_eq!(listed.iter().map(ListedParticipant::is_active).collect::<Vec<_>>(), [true, false, false]);
    assert_eq!(listed[0].tracks(), ["TR_1"]);
    let joined = listed.iter().map(|listed| listed.joined_at().millis());
    assert_eq!(joined.collect::<Vec<_>>(), [1_700_000_000_123, 1_700_000_000_000, 0]);
    for body in ["<html>", r#"{"participants":[{"identity":"a"}]}"#] {
        let server = answering(200, body).await;
        let read = api(server.url()).participants(Permission::of_room("daily")).await;
        assert!(matches!(read, Err(ProviderError::Unreadable)), "{body}");
    }
}
