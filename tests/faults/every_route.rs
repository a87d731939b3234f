//! Calls every operation while every request to the store meets the same fault.

use std::{collections::BTreeSet, time::Duration};

use futures_util::future::join_all;
use greenroom_http::dialect::Api;
use rstest::rstest;
use testbed::{
    Fault::{
        self, Broken, BrokenAfter, Conflicted, CutOff, Reset, ResetAfter, Silent, SilentAfter, Slow, Throttled,
        Unavailable, Unprocessed,
    },
    Plan,
};

use crate::{
    bed::{AS_DEPLOYED, Bed, Call, Instance},
    calls,
    contract::{self, operation_of},
};

/// The operations that cannot succeed here, because there are no media, and their answers.
const NEVER_DONE: [(&str, u16); 10] = [
    ("DELETE /api/sessions/{sessionId}/stream/{streamId}", 404),
    ("DELETE /openvidu/api/sessions/{sessionId}/stream/{streamId}", 404),
    ("POST /openvidu/api/signal", 406),
    ("POST /openvidu/api/recordings/start", 501),
    ("POST /openvidu/api/recordings/stop/{recordingId}", 501),
    ("GET /openvidu/api/recordings", 501),
    ("GET /openvidu/api/recordings/{recordingId}", 501),
    ("DELETE /openvidu/api/recordings/{recordingId}", 501),
    ("POST /openvidu/api/broadcast/start", 501),
    ("POST /openvidu/api/broadcast/stop", 501),
];

/// The operations that begin with a write, so they may already be done when their answer is lost.
const DONE_BEFORE: [&str; 2] = ["DELETE /api/sessions/{sessionId}", "DELETE /openvidu/api/sessions/{sessionId}"];

/// The answer of an operation that cannot succeed.
fn refusal_of(call: &Call) -> Option<u16> {
    let operation = operation_of(call);
    NEVER_DONE.into_iter().find(|(never, _)| *never == operation).map(|(_, status)| status)
}

/// Sends all calls, one after the other. Each one has to succeed, if it ever can. These operations may also find
/// nothing.
async fn all_succeed(instance: &Instance, calls: &[Call], or_finds_nothing: &[&str]) {
    for call in calls {
        let answer = instance.send(call).await;
        contract::check(call, &answer);
        let nothing = answer.status == 404 && or_finds_nothing.contains(&&*operation_of(call));
        let done = refusal_of(call).map_or((200..300).contains(&answer.status), |status| answer.status == status);
        assert!(done || nothing, "{call}: {answer}");
        assert_ne!(answer.body["allowed"], false, "{call}: {answer}");
    }
}

#[tokio::test]
async fn every_operation_of_the_document_has_a_call() {
    let bed = Bed::with_long_timing().await;
    let calls = calls::every(&bed).await;
    let called: BTreeSet<_> = calls.iter().map(operation_of).collect();
    assert_eq!(called, contract::operations());
    all_succeed(&bed.instance(AS_DEPLOYED), &calls, &[]).await;
}

#[rstest]
#[case(Throttled)]
#[case(Broken)]
#[case(BrokenAfter)]
#[case(Unavailable)]
#[case(Silent)]
#[case(SilentAfter)]
#[case(Reset)]
#[case(ResetAfter)]
#[case(CutOff)]
#[case(Slow(Duration::from_secs(2)))]
#[tokio::test]
async fn a_silent_store_makes_every_operation_503_until_it_answers_again(#[case] fault: Fault) {
    let bed = Bed::new().await;
    let calls = calls::every(&bed).await;
    let instance = bed.instance(AS_DEPLOYED);
    bed.proxy.inject(Plan::always(fault));
    let answers = join_all(calls.iter().map(|call| instance.send(call))).await;
    for (call, answer) in calls.iter().zip(&answers) {
        contract::check(call, answer);
        // A media server treats any status but 200 as a fault of this service, so the webhook is answered with a
        // refusal.
        let is_told_otherwise = call.path == "/v1/admission";
        let needs_it = contract::needs_the_table(call) && !is_told_otherwise;
        let status = if needs_it { 503 } else { refusal_of(call).unwrap_or(200) };
        assert_eq!(answer.status, status, "{call}: {answer}");
        assert_ne!(answer.body["allowed"], true, "{call}: {answer}");
    }
    bed.proxy.heal();
    let calls: Vec<_> = calls.iter().map(calls::anew).collect();
    all_succeed(&instance, &calls, &DONE_BEFORE).await;
}

#[tokio::test]
async fn while_every_write_conflicts_reads_succeed_and_writes_are_503() {
    let bed = Bed::new().await;
    let calls = calls::every(&bed).await;
    let instance = bed.instance(AS_DEPLOYED);
    bed.proxy.inject(Plan::always(Conflicted));
    let answers = join_all(calls.iter().map(|call| instance.send(call))).await;
    for (call, answer) in calls.iter().zip(&answers) {
        contract::check(call, answer);
        // A participant's right password is recorded in the table, so even a GET writes.
        if call.method == "GET" && contract::api_of(call) != Api::Conversation {
            assert_eq!(answer.status, refusal_of(call).unwrap_or(200), "{call}: {answer}");
        }
    }
    assert!(answers.iter().filter(|answer| answer.status == 503).count() > 30);
    bed.proxy.heal();
    let calls: Vec<_> = calls.iter().map(calls::anew).collect();
    all_succeed(&instance, &calls, &[]).await;
}

#[tokio::test]
async fn unprocessed_items_of_a_batch_are_retried() {
    let bed = Bed::with_long_timing().await;
    let calls = calls::every(&bed).await;
    bed.proxy.inject(Plan::always(Unprocessed));
    all_succeed(&bed.instance(AS_DEPLOYED), &calls, &[]).await;
}

#[tokio::test]
async fn every_request_succeeds_while_the_store_is_slow() {
    let bed = Bed::new().await;
    let calls = calls::every(&bed).await;
    let instance = bed.instance(AS_DEPLOYED);
    bed.proxy.inject(Plan::always(Slow(Duration::from_millis(200))));
    let answers = join_all(calls.iter().map(|call| instance.send(call))).await;
    for (call, answer) in calls.iter().zip(&answers) {
        contract::check(call, answer);
    }
}
