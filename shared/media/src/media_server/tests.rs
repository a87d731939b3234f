use axum::http::StatusCode;
use rstest::rstest;
use testbed::{HttpStub, nobody};

use super::*;

const TOKEN: &str = "ome:access token";

fn client(url: &str, token: Option<&str>) -> MediaServer {
    MediaServer::new(&StreamsApi { url: url.to_owned(), token: token.map(Into::into) })
}

fn name(name: &str) -> ConnectionName {
    serde_json::from_value(name.into()).unwrap()
}

fn stream(parts: [&str; 3]) -> Stream {
    let [vhost, app, stream] = parts.map(str::to_owned);
    Stream { vhost, app, stream }
}

async fn answering(status: u16, body: &'static str) -> HttpStub {
    HttpStub::in_turn([(StatusCode::from_u16(status).unwrap(), body)]).await.unwrap()
}

#[rstest]
#[case::done(200, r#"{"message":"OK","statusCode":200}"#, "Ok(Off)")]
#[case::gone_before(
    404,
    r#"{"message":"Not Found","response":"Could not find the session","statusCode":404}"#,
    "Ok(Off)"
)]
#[case::no_such_stream(
    404,
    r#"{"message":"[HTTP] Could not find the stream: [default/#default#app/stream] (404)","statusCode":404}"#,
    "Ok(Off)"
)]
#[case::no_such_call(404, r#"{"message":"[HTTP] Controller not found (404)","statusCode":404}"#, "Ok(Impossible)")]
#[case::somebody_in_between(404, "<h1>Not found</h1>", "the media server answered with status 404")]
#[case::another_service(404, r#"{"detail":"Not found."}"#, "the media server answered with status 404")]
#[case::wrong_token(401, "no secret of theirs", "the media server refused our credentials (401)")]
#[case::forbidden(403, "no secret of theirs", "the media server refused our credentials (403)")]
#[case::a_fault_of_theirs(500, "no secret of theirs", "the media server answered with status 500")]
#[case::elsewhere(307, "", "the media server answered with status 307")]
#[tokio::test]
async fn a_session_is_ended_or_was_not_there_or_cannot_be(
    #[case] status: u16,
    #[case] body: &'static str,
    #[case] outcome: &str,
) {
    let server = answering(status, body).await;
    let told = client(server.url(), Some(TOKEN)).terminate(&stream(["default", "app", "stream"]), &name("x")).await;
    assert_eq!(told.map_or_else(|error| error.to_string(), |cut| format!("Ok({cut:?})")), outcome);
    let [request] = &server.received()[..] else { panic!("one request") };
    assert_eq!(
        (request.method().as_str(), request.uri().path()),
        ("DELETE", "/v1/vhosts/default/apps/app/streams/stream/sessions/x")
    );
    let authorization = format!("Basic {}", BASE64_STANDARD.encode(TOKEN));
    assert_eq!(request.headers()["authorization"], authorization.as_str());
    assert!(request.body().is_empty());
}

#[tokio::test]
async fn a_server_that_asks_for_no_token_is_shown_none() {
    let server = answering(200, "{}").await;
    client(server.url(), None).terminate(&stream(["v", "a", "s"]), &name("n")).await.unwrap();
    assert!(!server.received()[0].headers().contains_key("authorization"));
}

#[tokio::test]
async fn a_name_leads_to_no_other_path() {
    let server = answering(200, "{}").await;
    let client = client(server.url(), Some(TOKEN));
    client.terminate(&stream(["a/b", "é", "%2e"]), &name("x/../y?z#")).await.unwrap();
    for dots in ["..", ".", ""] {
        client.terminate(&stream(["default", "app", "stream"]), &name(dots)).await.unwrap();
        client.terminate(&stream(["default", dots, "stream"]), &name("x")).await.unwrap();
    }
    let [request] = &server.received()[..] else { panic!("one request") };
    let path = "/v1/vhosts/a%2Fb/apps/%C3%A9/streams/%252e/sessions/x%2F..%2Fy%3Fz%23";
    assert_eq!((request.uri().path(), request.uri().query()), (path, None));
}

#[tokio::test]
async fn a_server_that_is_down_is_not_reached() {
    let url = format!("http://{}", nobody().unwrap());
    let error = client(&url, None).terminate(&stream(["v", "a", "s"]), &name("n")).await.unwrap_err();
    assert!(matches!(&error, MediaServerError::Unreachable(_)), "{error}");
}

#[test]
fn a_client_does_not_show_its_token() {
    assert_eq!(format!("{:?}", client("http://127.0.0.1", Some(TOKEN))), "MediaServer");
}
