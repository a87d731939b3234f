//! Event streams, as a function URL passes them on.

use serde_json::json;
use testbed::Function;

use crate::{binaries::binary, stage::Stage};

#[tokio::test]
async fn a_message_arrives_while_the_function_is_still_running() {
    let stage = Stage::new().await;
    let fixture = stage.fixture_of("message-events/listen").await;
    // The test has a process of its own, because it stops in the middle of an answer.
    let function = Function::start(&binary("message-events"), stage.environment()).await.unwrap();
    let mut stream = function.invoke_streaming(&fixture.event("message-events/listen-again")).await.unwrap();
    assert_eq!((stream.status(), stream.header("content-type")), (200, Some("text/event-stream")));
    let mut note = fixture.event("messages/send");
    note["body"] = json!({"to": format!("{}@localhost", fixture.meeting.username), "body": "note"}).to_string().into();
    assert_eq!(stage.send_to("messages", &note).await.status(), 200);
    let mut text = String::new();
    while !text.contains("event: message\n") {
        text.push_str(std::str::from_utf8(&stream.chunk().await.unwrap()).unwrap());
    }
    assert!(text.starts_with("retry: "), "{text}");
}

#[tokio::test]
async fn a_stream_ends_before_the_timeout_of_its_function() {
    let stage = Stage::new().await;
    let fixture = stage.fixture_of("message-events/listen").await;
    // The answer is complete: the stream has reached its end.
    let answer = stage.send("message-events/listen", &fixture).await;
    assert!(answer.text().starts_with("retry: "), "{answer:?}");
}
