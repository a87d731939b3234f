use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use greenroom_core::config::Environment;
use rstest::rstest;
use serde_json::{Value, json};
use testbed::{HttpStub, nobody};

use super::{
    super::tests::{addresses, mail},
    *,
};

/// Long enough for the answers of a server on this machine.
const LIMIT: Duration = Duration::from_secs(8);

/// A server that gives this answer, and a mailer that sends to it.
async fn answering(answer: impl IntoResponse + Clone + Send + Sync + 'static) -> (HttpStub, SesMailer) {
    let server = HttpStub::in_turn([answer]).await.unwrap();
    let mailer = mailer(server.url(), LIMIT);
    (server, mailer)
}

fn mailer(url: &str, limit: Duration) -> SesMailer {
    let environment = Environment::from_iter([("AWS_ENDPOINT_URL_SESV2".to_owned(), url.to_owned())]);
    SesMailer::new(&AwsEnvironment::read(&environment, "SESV2"), addresses(), limit)
}

fn error(status: u16, code: &'static str) -> impl IntoResponse + Clone + Send + Sync + 'static {
    let body = json!({ "message": "Address bookings@example.org is not verified" }).to_string();
    (StatusCode::from_u16(status).unwrap(), [("x-amzn-errortype", code)], body)
}

#[tokio::test]
async fn a_mail_is_handed_over_whole() {
    let (server, mailer) = answering(json!({ "MessageId": "1" }).to_string()).await;
    assert_eq!(mailer.send(&mail()).await, Ok(()));
    let [request] = &server.received()[..] else { panic!("one request") };
    assert_eq!((request.method().as_str(), request.uri().path()), ("POST", "/v2/email/outbound-emails"));
    let body: Value = serde_json::from_slice(request.body()).unwrap();
    assert_eq!(body["FromEmailAddress"], "greenroom@example.com");
    assert_eq!(body["Destination"]["ToAddresses"], json!(["bookings@example.org"]));
    let raw = BASE64_STANDARD.decode(body["Content"]["Raw"]["Data"].as_str().unwrap()).unwrap();
    assert_eq!(raw, addresses().write(&mail()).unwrap());
}

#[rstest]
#[case(400, "MessageRejected")]
#[case(400, "BadRequestException")]
#[case(400, "MailFromDomainNotVerifiedException")]
#[case(400, "AccountSuspendedException")]
#[case(404, "NotFoundException")]
#[case(403, "AccessDeniedException")]
#[tokio::test]
async fn what_ses_refuses_for_good_is_refused_at_once(#[case] status: u16, #[case] code: &'static str) {
    let (server, mailer) = answering(error(status, code)).await;
    assert_eq!(mailer.send(&mail()).await, Err(MailError::Refused(code.to_owned())));
    assert_eq!(server.received().len(), 1);
}

#[rstest]
#[case(429, "TooManyRequestsException")]
#[case(400, "LimitExceededException")]
#[case(400, "SendingPausedException")]
#[case(400, "ThrottlingException")]
#[case(500, "InternalFailure")]
#[case(503, "ServiceUnavailable")]
#[tokio::test]
async fn what_passes_is_no_refusal(#[case] status: u16, #[case] code: &'static str) {
    let (_server, mailer) = answering(error(status, code)).await;
    assert_eq!(mailer.send(&mail()).await, Err(MailError::Unavailable(code.to_owned())));
}

#[tokio::test]
async fn an_answer_that_says_nothing_is_no_refusal() {
    let (_server, mailer) = answering((StatusCode::BAD_GATEWAY, "<html>")).await;
    assert!(matches!(mailer.send(&mail()).await, Err(MailError::Unavailable(_))));
}

#[tokio::test]
async fn silence_ends_in_time() {
    let silent = HttpStub::start(|_| std::future::pending::<Response>()).await.unwrap();
    let mailer = mailer(silent.url(), Duration::from_millis(200));
    assert_eq!(mailer.send(&mail()).await, Err(MailError::Unavailable("timed out".to_owned())));
}

#[tokio::test]
async fn nobody_there_is_no_refusal() {
    let mailer = mailer(&format!("http://{}", nobody().unwrap()), LIMIT);
    assert!(matches!(mailer.send(&mail()).await, Err(MailError::Unavailable(_))));
}
