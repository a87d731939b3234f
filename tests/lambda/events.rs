//! Each event reaches the right handler of the right binary, through the same conversion as on Lambda.

use std::{collections::BTreeSet, fs};

use crate::stage::{Stage, events};

/// Every file in `events/`, and the status of its answer.
pub(crate) const EVENTS: &[(&str, u16)] = &[
    ("admission/closing", 200),
    ("admission/opening", 200),
    ("admission/opening-trailing-slash", 200),
    ("admission/opening-unsigned", 401),
    ("api-root/read", 200),
    ("api-root/read-rest", 200),
    ("api-root/read-trailing-slash", 200),
    ("api-root/read-without-credentials", 401),
    ("apitokens/create", 201),
    ("apitokens/delete", 204),
    ("apitokens/list", 200),
    ("apitokens/list-rest", 200),
    ("apitokens/list-without-credentials", 401),
    ("bookingemails/send", 204),
    ("bookingemails/send-base64", 204),
    ("bookingemails/send-rest", 204),
    ("bookingemails/send-trailing-slash", 204),
    ("bookingemails/send-with-missing-fields", 400),
    ("contacts/add", 204),
    ("contacts/add-rest", 204),
    ("contacts/delete", 204),
    ("contacts/delete-several", 200),
    ("contacts/invite", 204),
    ("contacts/list", 200),
    ("contacts/list-trailing-slash", 200),
    ("contacts/list-without-credentials", 401),
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
    ("events/archives", 200),
    ("events/create", 201),
    ("events/create-base64", 201),
    ("events/create-trailing-slash", 201),
    ("events/delete", 204),
    ("events/list", 200),
    ("events/list-rest", 200),
    ("events/list-without-credentials", 401),
    ("events/patch", 200),
    ("events/put", 200),
    ("events/read", 200),
    ("fallback/delete-sessions", 405),
    ("fallback/get-rtcsessions", 405),
    ("fallback/get-rtcsessions-device", 405),
    ("fallback/not-found", 404),
    ("fallback/not-found-api-v2", 404),
    ("fallback/not-found-rest", 404),
    ("fallback/not-found-sse", 404),
    ("fallback/preflight", 200),
    ("fallback/put-events", 405),
    ("fallback/put-events-without-credentials", 401),
    ("issue-token/issue-token", 200),
    ("issue-token/issue-token-rest", 200),
    ("issue-token/issue-token-trailing-slash", 200),
    ("issue-token/issue-token-without-credentials", 401),
    ("issue-token/issue-token-without-session", 400),
    ("live/list", 200),
    ("live/list-ended", 200),
    ("live/list-without-credentials", 401),
    ("live/terminate", 200),
    ("logintokens/create", 201),
    ("logintokens/create-trailing-slash", 201),
    ("logintokens/delete", 204),
    ("logintokens/list", 200),
    ("logintokens/list-of-event", 200),
    ("logintokens/list-rest", 200),
    ("logintokens/list-without-credentials", 401),
    ("logintokens/patch", 200),
    ("logintokens/put", 200),
    ("logintokens/read", 200),
    ("media-sessions/close", 204),
    ("media-sessions/list", 200),
    ("media-sessions/list-trailing-slash", 200),
    ("media-sessions/list-without-credentials", 401),
    ("media-sessions/read", 200),
    ("media-sessions/read-rest", 200),
    ("media-sessions/revoke-connection", 204),
    ("media-sessions/stop-stream", 404),
    ("message-events/listen", 200),
    ("message-events/listen-again", 200),
    ("message-events/listen-for-json", 406),
    ("message-events/listen-trailing-slash", 200),
    ("message-events/listen-without-credentials", 401),
    ("messages/list", 200),
    ("messages/list-rest", 200),
    ("messages/list-with", 200),
    ("messages/list-with-wrong-password", 401),
    ("messages/list-without-credentials", 401),
    ("messages/send", 200),
    ("messages/send-rest", 200),
    ("messages/send-trailing-slash", 200),
    ("messages/send-without-body", 400),
    ("networktestsessions/create", 201),
    ("networktestsessions/create-by-other-name", 201),
    ("networktestsessions/create-rest", 201),
    ("networktestsessions/create-trailing-slash", 201),
    ("networktestsessions/create-without-credentials", 401),
    ("rooms/configure", 204),
    ("rooms/create", 200),
    ("rooms/create-named", 201),
    ("rooms/create-without-name", 400),
    ("rooms/invite", 204),
    ("rooms/list", 200),
    ("rooms/list-messages", 200),
    ("rooms/list-trailing-slash", 200),
    ("rooms/list-without-credentials", 401),
    ("rooms/read", 200),
    ("rooms/read-by-jid", 200),
    ("rooms/read-unknown", 404),
    ("rooms/remove", 204),
    ("rooms/send-message", 200),
    ("rooms/send-message-rest", 200),
    ("opentok-webhook/connected", 200),
    ("opentok-webhook/stream-created", 200),
    ("rtcsessions/join", 201),
    ("rtcsessions/join-device", 201),
    ("rtcsessions/join-rest", 201),
    ("rtcsessions/join-trailing-slash", 201),
    ("rtcsessions/join-with-unknown-token", 403),
    ("rtcsessions/join-without-credentials", 401),
    ("sessions/archives", 200),
    ("sessions/create", 201),
    ("sessions/create-second-floor", 400),
    ("sessions/delete", 204),
    ("sessions/list", 200),
    ("sessions/list-rest", 200),
    ("sessions/list-without-credentials", 401),
    ("sessions/patch", 200),
    ("sessions/put", 200),
    ("sessions/read", 200),
    ("sessions/read-trailing-slash", 200),
    ("specification/browse", 200),
    ("specification/browse-trailing-slash", 200),
    ("specification/read", 200),
    ("specification/read-rest", 200),
    ("specification/style", 200),
    ("specification/unknown-file", 404),
    ("stream-sessions/list", 200),
    ("stream-sessions/list-trailing-slash", 200),
    ("stream-sessions/list-without-credentials", 401),
    ("stream-sessions/terminate", 200),
    ("stream-sessions/terminate-unknown", 404),
    ("token-auth/obtain", 200),
    ("token-auth/obtain-rest", 200),
    ("token-auth/obtain-trailing-slash", 200),
    ("token-auth/obtain-wrong-password", 400),
    ("token-auth/refresh", 200),
    ("users/block", 204),
    ("users/create", 201),
    ("users/create-base64", 201),
    ("users/delete", 204),
    ("users/list", 200),
    ("users/list-rest", 200),
    ("users/list-without-credentials", 401),
    ("users/password-change", 204),
    ("users/password-set", 204),
    ("users/patch", 200),
    ("users/put", 200),
    ("users/read", 200),
    ("users/read-trailing-slash", 200),
    ("users/unblock", 204),
];

/// The files of events that are no requests: nobody waits for an answer.
pub(crate) const SCHEDULED: &[&str] = &["housekeeping/scheduled"];

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
    let requests = EVENTS.iter().map(|(event, _)| *event);
    let rows: BTreeSet<String> = requests.chain(SCHEDULED.iter().copied()).map(str::to_owned).collect();
    assert_eq!(files, rows);
}

#[tokio::test]
async fn every_event_is_answered_with_its_status() {
    let stage = Stage::new().await;
    let mut wrong = Vec::new();
    for (event, status) in EVENTS {
        // What one event ends, the next one finds alive again.
        let fixture = stage.fixture_of(event).await;
        let answer = stage.send(event, &fixture).await;
        if answer.status() != *status {
            wrong.push(format!("{event}: {status} expected, {answer:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
