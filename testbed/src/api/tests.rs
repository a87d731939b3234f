//! The tests play the function: an HTTP client asks for events and posts responses or errors.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
};

use super::{Api, Bytes, Outcome, Posted, Start};
use crate::{
    client::{Client, Response},
    stream::Streamed,
};

struct Runtime {
    api: Api,
    start: oneshot::Receiver<Start>,
    client: Client,
}

impl Runtime {
    async fn new() -> Self {
        let (api, start) = Api::serve("arn:test".into(), Duration::from_secs(3)).await.unwrap();
        let client = Client::new();
        Self { api, start, client }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/2018-06-01/runtime/{path}", self.api.address)
    }

    async fn next(&self) -> Response {
        let request = self.client.get(self.url("invocation/next"));
        request.send().await.unwrap()
    }

    async fn post(&self, path: &str, body: Vec<u8>) -> Response {
        let request = self.client.post(self.url(path)).body(body);
        let request = request.header("lambda-runtime-function-error-type", "unhandled");
        request.send().await.unwrap()
    }
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers()[name].to_str().unwrap()
}

#[tokio::test]
async fn an_event_is_delivered_and_its_response_returned() {
    let runtime = Runtime::new().await;
    let outcome = runtime.api.send(&json!({"hello": "function"}));
    let event = runtime.next().await;
    assert_eq!(header(&event, "lambda-runtime-invoked-function-arn"), "arn:test");
    assert!(header(&event, "lambda-runtime-trace-id").starts_with("Root=1-"));
    let deadline: u64 = header(&event, "lambda-runtime-deadline-ms").parse().unwrap();
    assert!(deadline > 1_700_000_000_000, "{deadline}");
    let id = header(&event, "lambda-runtime-aws-request-id").to_owned();
    assert_eq!(event.json::<Value>().await.unwrap(), json!({"hello": "function"}));

    let path = format!("invocation/{id}/response");
    let accepted = runtime.post(&path, b"\"done\"".to_vec()).await;
    assert_eq!(accepted.status(), StatusCode::ACCEPTED);
    assert_eq!(whole(outcome.await.unwrap()), b"\"done\"".as_slice());

    let again = runtime.post(&path, b"\"done\"".to_vec()).await;
    assert_eq!(again.status(), StatusCode::BAD_REQUEST);
}

fn whole(outcome: Outcome) -> Bytes {
    let Ok(Posted::Whole(body)) = outcome else { panic!("the response was not streamed") };
    body
}

#[tokio::test]
async fn a_streamed_response_is_passed_on_as_it_arrives() {
    let runtime = Runtime::new().await;
    let outcome = runtime.api.send(&json!(1));
    let event = runtime.next().await;
    let id = header(&event, "lambda-runtime-aws-request-id");
    let mut function = TcpStream::connect(runtime.api.address).await.unwrap();
    let head = format!(
        "POST /2018-06-01/runtime/invocation/{id}/response HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\
         lambda-runtime-function-response-mode: streaming\r\n\r\n"
    );
    function.write_all(head.as_bytes()).await.unwrap();
    let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
    let head = chunk("{\"statusCode\":200,\"headers\":{\"content-type\":\"text/plain\"}}\0\0\0\0");
    function.write_all((head + &chunk("\0\0\0\0on")).as_bytes()).await.unwrap();
    let Ok(Posted::Streamed(chunks)) = outcome.await.unwrap() else { panic!("the response was streamed") };
    let mut streamed = Streamed::begin(chunks).await.unwrap();
    assert_eq!((streamed.status(), streamed.header("content-type")), (200, Some("text/plain")));
    assert_eq!(streamed.chunk().await.unwrap(), b"on".as_slice());
    function.write_all(chunk("e").as_bytes()).await.unwrap();
    assert_eq!(streamed.chunk().await.unwrap(), b"e".as_slice());
    function.write_all(b"0\r\n\r\n").await.unwrap();
    assert_eq!(streamed.chunk().await, None);
    let mut answer = [0; 21];
    function.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, *b"HTTP/1.1 202 Accepted");
}

#[tokio::test]
async fn the_first_request_for_an_event_ends_the_start() {
    let mut runtime = Runtime::new().await;
    let _outcome = runtime.api.send(&json!(1));
    assert!(runtime.start.try_recv().is_err());
    runtime.next().await;
    assert!(matches!(runtime.start.try_recv(), Ok(Start::Ready(_))));
}

#[tokio::test]
async fn events_wait_for_the_function_in_order_and_each_has_its_own_id() {
    let runtime = Runtime::new().await;
    let _outcomes = [runtime.api.send(&json!(1)), runtime.api.send(&json!(2))];
    let (first, second) = (runtime.next().await, runtime.next().await);
    let id = "lambda-runtime-aws-request-id";
    assert_ne!(header(&first, id), header(&second, id));
    assert_eq!(first.text().await.unwrap(), "1");
    assert_eq!(second.text().await.unwrap(), "2");
}

#[tokio::test]
async fn a_reported_error_ends_the_invocation() {
    let runtime = Runtime::new().await;
    let outcome = runtime.api.send(&json!(1));
    let event = runtime.next().await;
    let id = header(&event, "lambda-runtime-aws-request-id");
    let body = json!({"errorType": "Oops", "errorMessage": "no", "stackTrace": []});
    let path = format!("invocation/{id}/error");
    let accepted = runtime.post(&path, body.to_string().into()).await;
    assert_eq!(accepted.status(), StatusCode::ACCEPTED);
    let Err(report) = outcome.await.unwrap() else { panic!("the invocation failed") };
    assert_eq!(report.to_string(), "Oops: no");
}

#[tokio::test]
async fn an_error_report_in_another_format_keeps_its_text() {
    let mut runtime = Runtime::new().await;
    let accepted = runtime.post("init/error", b"no table".to_vec()).await;
    assert_eq!(accepted.status(), StatusCode::ACCEPTED);
    let Ok(Start::Failed(report)) = runtime.start.try_recv() else {
        panic!("the start failed");
    };
    assert_eq!(report.to_string(), "unhandled: no table");
}

#[tokio::test]
async fn a_response_larger_than_the_limit_of_lambda_is_refused() {
    let runtime = Runtime::new().await;
    let outcome = runtime.api.send(&json!(1));
    let event = runtime.next().await;
    let id = header(&event, "lambda-runtime-aws-request-id");
    let path = format!("invocation/{id}/response");
    let refused = runtime.post(&path, vec![b'0'; 7 * 1024 * 1024]).await;
    assert_eq!(refused.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let Err(report) = outcome.await.unwrap() else { panic!("the invocation failed") };
    assert_eq!(report.error_type, "Function.ResponseSizeTooLarge");
}
