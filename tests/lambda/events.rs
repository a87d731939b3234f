//! Each event reaches the right handler of the right binary, through the same conversion as on Lambda.

use std::{collections::BTreeSet, fs};

use crate::stage::{Stage, events};

/// Every file in `events/`, and the status of its answer.
const EVENTS: &[(&str, u16)] = &[
    ("create-session/device", 200),
    ("create-session/device-base64", 200),
    ("create-session/device-rest", 200),
    ("create-session/device-trailing-slash", 200),
    ("create-session/device-without-identifier", 400),
    ("create-session/openvidu", 200),
    ("create-session/openvidu-rest", 200),
    ("create-session/openvidu-without-body", 200),
    ("create-session/openvidu-without-credentials", 401),
    ("device-session/list", 200),
    ("device-session/read", 200),
    ("device-session/read-rest", 200),
    ("device-session/read-trailing-slash", 200),
    ("device-session/read-without-credentials", 401),
    ("device-session/refresh", 200),
    ("device-session/revoke", 204),
    ("fallback/delete-sessions", 405),
    ("fallback/not-found", 404),
    ("fallback/not-found-rest", 404),
    ("fallback/preflight", 200),
    ("issue-token/issue-token", 200),
    ("issue-token/issue-token-rest", 200),
    ("issue-token/issue-token-trailing-slash", 200),
    ("issue-token/issue-token-without-credentials", 401),
    ("issue-token/issue-token-without-session", 400),
    ("media-sessions/close", 204),
    ("media-sessions/list", 200),
    ("media-sessions/list-trailing-slash", 200),
    ("media-sessions/list-without-credentials", 401),
    ("media-sessions/read", 200),
    ("media-sessions/read-rest", 200),
    ("media-sessions/revoke-connection", 204),
    ("media-sessions/stop-stream", 404),
];

#[test]
fn every_file_has_a_row_and_every_row_a_file() {
    let mut files = BTreeSet::new();
    for function in fs::read_dir(events()).unwrap() {
        let function = function.unwrap();
        for event in fs::read_dir(function.path()).unwrap() {
            let (function, event) = (function.file_name(), event.unwrap().file_name());
            let event = event.to_str().unwrap().strip_suffix(".json").unwrap();
            files.insert(format!("{}/{event}", function.to_str().unwrap()));
        }
    }
    let rows: BTreeSet<String> = EVENTS.iter().map(|(event, _)| (*event).to_owned()).collect();
    assert_eq!(files, rows);
}

#[tokio::test]
async fn every_event_is_answered_with_its_status() {
    let stage = Stage::new().await;
    let mut wrong = Vec::new();
    for (event, status) in EVENTS {
        // What one event ends, the next one finds alive again.
        let fixture = stage.fixture().await;
        let answer = stage.send(event, &fixture).await;
        if answer.status() != *status {
            wrong.push(format!("{event}: {status} expected, {answer:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
