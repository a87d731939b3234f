use std::{
    net::Ipv4Addr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    body::Bytes,
    http::{Request, StatusCode},
};
use greenroom_core::{
    clock::Timestamp,
    model::{RoomName, SessionMode},
};
use jsonwebtoken::{DecodingKey, Validation};
use rstest::rstest;
use serde_json::{Value, json};
use testbed::{HttpStub, nobody};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;

mod disconnect;

const NOW: i64 = 1_700_000_000;
const SECRET: &str = "1234567890abcdef1234567890abcdef1234567890";
const SESSION: &str = "1_MX40NTgyODA2Mn5-eA";

fn provider(api_url: &str) -> OpenTokProvider {
    let project = OpenTok { api_key: "45828062".to_owned(), api_secret: SECRET.into(), api_url: api_url.to_owned() };
    OpenTokProvider::new(&project, Clock::stopped_at(Timestamp::from_seconds(NOW)))
}

/// A status and a body.
type Answer = (StatusCode, String);

fn created() -> Answer {
    let session = json!([{ "session_id": SESSION, "project_id": "45828062", "media_server_url": null }]);
    (StatusCode::OK, session.to_string())
}

fn failed(status: u16) -> Answer {
    (StatusCode::from_u16(status).unwrap(), "no secret of theirs".to_owned())
}

/// An API that gives these answers, one after the other, and then the last of them again and again.
async fn answering(answers: impl IntoIterator<Item = Answer>) -> HttpStub {
    HttpStub::in_turn(answers).await.unwrap()
}

/// An API that gives this answer, if there is one, and then none.
async fn falling_silent(answer: Option<Answer>) -> HttpStub {
    let answer = Arc::new(Mutex::new(answer));
    let server = HttpStub::start(move |_| {
        let answer = answer.lock().unwrap().take();
        async move { if let Some(answer) = answer { answer } else { std::future::pending().await } }
    });
    server.await.unwrap()
}

async fn create(server: &HttpStub) -> Result<ProviderSessionId, ProviderError> {
    provider(server.url()).create_session(&NewSession::plain(RoomName::NetworkTest)).await
}

/// The number of requests to create a session.
fn attempts(server: &HttpStub) -> usize {
    let received = server.received();
    assert!(received.iter().all(|request| request.method() == "POST" && request.uri() == "/session/create"));
    received.len()
}

/// The claims of a request's credentials, if our secret signed them.
fn claims(request: &Request<Bytes>) -> Value {
    let token = request.headers()["x-opentok-auth"].to_str().unwrap();
    let mut validation = Validation::new(Algorithm::HS256);
    validation.validate_exp = false;
    jsonwebtoken::decode(token, &DecodingKey::from_secret(SECRET.as_bytes()).unwrap(), &validation).unwrap().claims
}

#[rstest]
#[case::relayed(SessionMode::Relayed, false, None, "p2p.preference=enabled&archiveMode=manual")]
#[case::routed(SessionMode::Routed, false, None, "p2p.preference=disabled&archiveMode=manual")]
#[case::archived(SessionMode::Routed, true, None, "p2p.preference=disabled&archiveMode=always")]
#[case::near(
    SessionMode::Routed,
    true,
    Some(Ipv4Addr::new(12, 34, 56, 78)),
    "p2p.preference=disabled&archiveMode=always&location=12.34.56.78"
)]
#[tokio::test]
async fn a_session_is_asked_for_as_a_form(
    #[case] mode: SessionMode,
    #[case] archive: bool,
    #[case] location: Option<Ipv4Addr>,
    #[case] form: &str,
) {
    let server = answering([created()]).await;
    let id = provider(server.url())
        .create_session(&NewSession { purpose: RoomName::NetworkTest, mode, archive, location })
        .await
        .unwrap();
    assert_eq!(id.as_str(), SESSION);
    let [request] = &server.received()[..] else { panic!("one request") };
    assert_eq!(request.headers()["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(request.headers()["accept"], "application/json");
    assert_eq!(std::str::from_utf8(request.body()).unwrap(), form);
}

#[tokio::test]
async fn each_attempt_has_credentials_of_its_own() {
    let server = answering([failed(500), created()]).await;
    create(&server).await.unwrap();
    let [first, second] = &server.received().iter().map(claims).collect::<Vec<_>>()[..] else { panic!("two requests") };
    assert_ne!(first["jti"], second["jti"]);
    let jti = &first["jti"];
    assert_eq!(jti.as_str().unwrap().len(), 32);
    assert_eq!(*first, json!({ "iss": "45828062", "ist": "project", "iat": NOW, "exp": NOW + 180, "jti": jti }));
}

#[rstest]
#[case::a_fault_of_theirs(&[500, 200], "created")]
#[case::away_for_a_moment(&[503, 200], "created")]
#[case::a_fault_that_stays(&[500, 502, 200], "the media provider answered with status 502")]
#[case::refused_after_a_fault(&[500, 403, 200], "the media provider refused our credentials")]
#[case::bad_credentials(&[403, 200], "the media provider refused our credentials")]
#[case::a_bad_request(&[400, 200], "the media provider answered with status 400")]
#[case::too_many_requests(&[429, 200], "the media provider answered with status 429")]
#[case::another_success(&[204, 200], "the media provider answered with status 204")]
#[tokio::test]
async fn only_their_own_fault_is_worth_another_attempt(#[case] statuses: &[u16], #[case] outcome: &str) {
    let answer = |status: &u16| if *status == 200 { created() } else { failed(*status) };
    let server = answering(statuses.iter().map(answer)).await;
    let told = create(&server).await.map_or_else(|error| error.to_string(), |_| "created".to_owned());
    assert_eq!(told, outcome);
    let first_fails = statuses[0] >= 500;
    assert_eq!(attempts(&server), if first_fails { 2 } else { 1 });
}

#[tokio::test]
async fn credentials_go_nowhere_else() {
    let other = answering([created()]).await;
    let location = format!("{}/session/create", other.url());
    let elsewhere = (StatusCode::TEMPORARY_REDIRECT, [("location", location)]);
    let server = HttpStub::in_turn([elsewhere]).await.unwrap();
    assert!(matches!(create(&server).await, Err(ProviderError::Status(307))));
    assert_eq!(attempts(&other), 0);
}

#[rstest]
#[case::html("<html>")]
#[case::nothing("")]
#[case::an_object(r#"{"session_id":"1_x"}"#)]
#[case::no_session("[]")]
#[case::two_sessions(r#"[{"session_id":"1_x"},{"session_id":"1_y"}]"#)]
#[case::no_id("[{}]")]
#[case::a_number_for_an_id(r#"[{"session_id":7}]"#)]
#[case::an_empty_id(r#"[{"session_id":""}]"#)]
#[tokio::test]
async fn nonsense_is_not_taken_for_a_session(#[case] body: &str) {
    let server = answering([(StatusCode::OK, body.to_owned())]).await;
    assert!(matches!(create(&server).await, Err(ProviderError::Unreadable)));
    assert_eq!(attempts(&server), 1);
}

#[rstest]
#[case::an_answer_without_end(format!(r#"[{{"session_id":"1_x"}}]{}"#, " ".repeat(5 << 20)), "is too long")]
#[case::an_id_without_end(format!(r#"[{{"session_id":"{}"}}]"#, "x".repeat(256)), "cannot be read")]
#[tokio::test]
async fn what_is_too_long_is_not_kept(#[case] body: String, #[case] told: &str) {
    let server = answering([(StatusCode::OK, body)]).await;
    assert_eq!(create(&server).await.unwrap_err().to_string(), format!("the media provider's answer {told}"));
    assert_eq!(attempts(&server), 1);
}

#[tokio::test]
async fn a_slow_answer_is_not_asked_for_again() {
    let server = falling_silent(None).await;
    let mut provider = provider(server.url());
    provider.api.http.attempt_timeout = Duration::from_millis(500);
    let error = provider.create_session(&NewSession::plain(RoomName::NetworkTest)).await.unwrap_err();
    assert!(matches!(error, ProviderError::TimedOut));
    assert_eq!(attempts(&server), 1);
}

#[tokio::test]
async fn both_attempts_share_one_time_limit() {
    let server = falling_silent(Some(failed(500))).await;
    let mut provider = provider(server.url());
    (provider.api.http.attempt_timeout, provider.api.http.call_timeout) =
        (Duration::from_mins(1), Duration::from_secs(1));
    let error = provider.create_session(&NewSession::plain(RoomName::NetworkTest)).await.unwrap_err();
    assert!(matches!(error, ProviderError::TimedOut));
    assert_eq!(attempts(&server), 2);
}

/// A server that reads each request, answers with one of these texts, and closes the connection.
async fn raw(answers: &'static [&'static str]) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&requests);
    tokio::spawn(async move {
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            let read = connection.read(&mut [0; 4096]).await.unwrap();
            assert_ne!(read, 0);
            let answer = answers[count.fetch_add(1, Ordering::SeqCst)];
            connection.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (url, requests)
}

const WHOLE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 39\r\n\r\n[{\"session_id\":\"1_MX40NTgyODA2Mn5-eA\"}]";
const HALF: &str = "HTTP/1.1 200 OK\r\ncontent-length: 39\r\n\r\n[{\"session";

#[rstest]
#[case::dropped_before_the_answer(&["", WHOLE], true)]
#[case::dropped_within_the_answer(&[HALF, WHOLE], true)]
#[case::dropped_each_time(&["", "", WHOLE], false)]
#[tokio::test]
async fn a_dropped_connection_is_worth_one_more_attempt(#[case] answers: &'static [&'static str], #[case] made: bool) {
    let (url, requests) = raw(answers).await;
    let outcome = provider(&url).create_session(&NewSession::plain(RoomName::NetworkTest)).await;
    assert!(matches!((outcome, made), (Ok(_), true) | (Err(ProviderError::Unreachable(_)), false)));
    assert_eq!(requests.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn where_nobody_listens_nothing_is_reached() {
    let url = format!("http://{}", nobody().unwrap());
    let error = provider(&url).create_session(&NewSession::plain(RoomName::NetworkTest)).await.unwrap_err();
    assert!(matches!(&error, ProviderError::Unreachable(_)), "{error}");
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_gets_no_request_over_https() {
    let (url, connections) = raw(&[WHOLE, WHOLE]).await;
    let error = provider(&url.replace("http:", "https:"))
        .create_session(&NewSession::plain(RoomName::NetworkTest))
        .await
        .unwrap_err();
    assert!(matches!(&error, ProviderError::Unreachable(_)), "{error}");
    assert_eq!(connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_page_of_archives_comes_without_what_is_private() {
    let archive = |id: &str| {
        json!({ "id": id, "status": "available", "partnerId": 1, "projectId": 2, "password": "x", "duration": 62,
            "url": null, "sessionId": SESSION })
    };
    let answer = json!({ "count": 7, "items": [archive("newer"), archive("older")] });
    let server = answering([(StatusCode::OK, answer.to_string())]).await;
    let session = ProviderSessionId::new(format!("{SESSION}&role=moderator"));
    let archives = provider(server.url()).archives(&session, 20, 2).await.unwrap();
    let shown =
        |id: &str| json!({ "id": id, "status": "available", "duration": 62, "url": null, "sessionId": SESSION });
    assert_eq!((archives.count, json!(archives.items)), (7, json!([shown("newer"), shown("older")])));

    let [request] = &server.received()[..] else { panic!("one request") };
    let query = format!("sessionId={SESSION}%26role%3Dmoderator&offset=20&count=2");
    let uri = format!("/v2/project/45828062/archive?{query}");
    assert_eq!((request.method().as_str(), request.uri().to_string()), ("GET", uri));
    assert_eq!(claims(request)["iss"], "45828062");
    assert!(request.body().is_empty() && !request.headers().contains_key("content-type"));
}

#[test]
fn a_provider_does_not_show_its_secret() {
    assert_eq!(format!("{:?}", provider("http://127.0.0.1")), "OpenTokProvider");
}
