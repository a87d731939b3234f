//! Each event reaches the right handler of the right binary, through the same conversion as on Lambda.
//!
//! `INSTA_UPDATE=always cargo test --workspace --test lambda events` writes the statuses of the answers.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use crate::{
    housekeeping::SCHEDULED,
    stage::{Stage, events},
};

/// The events that are requests, each as `<function>/<case>`: every file in `events/` except that of the schedule.
pub(crate) fn every_request() -> BTreeSet<String> {
    let mut requests = BTreeSet::new();
    for function in fs::read_dir(events()).unwrap() {
        let function = function.unwrap();
        for event in fs::read_dir(function.path()).unwrap() {
            let (function, event) = (function.file_name(), event.unwrap().file_name());
            let event = event.to_str().unwrap().strip_suffix(".json").unwrap();
            requests.insert(format!("{}/{event}", function.to_str().unwrap()));
        }
    }
    assert!(requests.remove(SCHEDULED));
    requests
}

#[tokio::test]
async fn every_event_gets_its_expected_status() {
    let stage = Stage::new().await;
    let mut statuses = BTreeMap::new();
    for event in every_request() {
        // An event may end something that the next event needs, so each one gets a new fixture.
        let fixture = stage.fixture_of(&event).await;
        let answer = stage.send(&event, &fixture).await;
        // 501 is the answer to what needs media.
        assert!(answer.status() < 500 || answer.status() == 501, "{event}: {answer:?}");
        statuses.insert(event, answer.status());
    }
    insta::assert_json_snapshot!("statuses", statuses);
}
