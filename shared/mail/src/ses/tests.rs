use base64::{Engine, prelude::BASE64_STANDARD};
use greenroom_core::config::Environment;
use rstest::rstest;
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{method, path},
};

use super::{
    super::tests::{addresses, mail},
    *,
};

/// Long enough for the answers of a server on this machine.
const LIMIT: Duration = Duration::from_secs(8);

/// A server that gives this answer, and a mailer that sends to it.
async fn answering(answer: ResponseTemplate, limit: Duration) -> (MockServer, SesMailer) {
    let server = MockServer::start().await;
    let send = Mock::given(method("POST")).and(path("/v2/email/outbound-emails"));
    send.respond_with(answer).mount(&server).await;
    let environment = Environment::from_iter([("AWS_ENDPOINT_URL_SESV2".to_owned(), server.uri())]);
    let mailer = SesMailer::new(&AwsEnvironment::read(&environment, "SESV2"), addresses(), limit);
    (server, mailer)
}

fn error(status: u16, code: &str) -> ResponseTemplate {
    let body = json!({ "message": "Address bookings@example.org is not verified" });
    ResponseTemplate::new(status).insert_header("x-amzn-errortype", code).set_body_json(body)
}

#[tokio::test]
async fn a_mail_is_handed_over_whole() {
    let (server, mailer) =
        answering(ResponseTemplate::new(200).set_body_json(json!({ "MessageId": "1" })), LIMIT).await;
    assert_eq!(mailer.send(&mail()).await, Ok(()));
    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 1);
    let body: Value = requests[0].body_json().unwrap();
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
async fn what_ses_refuses_for_good_is_refused_at_once(#[case] status: u16, #[case] code: &str) {
    let (server, mailer) = answering(error(status, code), LIMIT).await;
    assert_eq!(mailer.send(&mail()).await, Err(MailError::Refused(code.to_owned())));
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

#[rstest]
#[case(429, "TooManyRequestsException")]
#[case(400, "LimitExceededException")]
#[case(400, "SendingPausedException")]
#[case(400, "ThrottlingException")]
#[case(500, "InternalFailure")]
#[case(503, "ServiceUnavailable")]
#[tokio::test]
async fn what_passes_is_no_refusal(#[case] status: u16, #[case] code: &str) {
    let (_server, mailer) = answering(error(status, code), LIMIT).await;
    assert_eq!(mailer.send(&mail()).await, Err(MailError::Unavailable(code.to_owned())));
}

#[tokio::test]
async fn an_answer_that_says_nothing_is_no_refusal() {
    let (_server, mailer) = answering(ResponseTemplate::new(502).set_body_string("<html>"), LIMIT).await;
    assert!(matches!(mailer.send(&mail()).await, Err(MailError::Unavailable(_))));
}

#[tokio::test]
async fn silence_ends_in_time() {
    let silent = ResponseTemplate::new(200).set_delay(Duration::from_mins(1));
    let (_server, mailer) = answering(silent, Duration::from_millis(200)).await;
    assert_eq!(mailer.send(&mail()).await, Err(MailError::Unavailable("timed out".to_owned())));
}

#[tokio::test]
async fn nobody_there_is_no_refusal() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let environment = Environment::from_iter([("AWS_ENDPOINT_URL".to_owned(), format!("http://{nobody}"))]);
    let mailer = SesMailer::new(&AwsEnvironment::read(&environment, "SESV2"), addresses(), LIMIT);
    assert!(matches!(mailer.send(&mail()).await, Err(MailError::Unavailable(_))));
}
