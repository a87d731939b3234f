//! Openings for which the store is too slow: the viewer is refused, and nothing of the opening is left.

use std::time::Duration;

use rstest::rstest;
use testbed::{
    Fault::{self, BrokenAfter, ResetAfter, SilentAfter, Slow},
    Plan,
};

use crate::{
    bed::{AS_DEPLOYED, Bed, Call},
    world::{operator, webhook, webhook_from},
};

/// Long enough that a read and a write together take longer than a media server waits. Each of them alone stays within
/// the timeout of an attempt.
const TOO_SLOW: Duration = Duration::from_millis(1300);

fn list(stream: &str) -> Call {
    Call::new("GET", format!("/v1/vhosts/default/apps/app/streams/{stream}/sessions")).by(&operator())
}

#[rstest]
#[case::answered_too_late(Slow(TOO_SLOW))]
#[case::never_answered(SilentAfter)]
#[case::cut_off(ResetAfter)]
#[case::answered_with_an_error(BrokenAfter)]
#[tokio::test]
async fn an_opening_that_is_refused_for_taking_too_long_leaves_nothing(#[case] fault: Fault) {
    let bed = Bed::new().await;
    let slow = bed.instance(AS_DEPLOYED);
    // The application is known from here on. Its first viewer stays connected.
    assert_eq!(slow.send(&webhook("opening", "known", "first")).await.body["allowed"], true);
    bed.proxy.inject(Plan::always(fault));
    let late = webhook("opening", "stream", "late");
    let refused = slow.send(&late).await;
    assert_eq!((refused.status, &refused.body["allowed"]), (200, &false.into()), "{refused}");
    bed.proxy.heal();
    slow.app.tasks.done().await;
    assert_eq!(bed.sound.send(&list("stream")).await.status, 404);
    // The late opening is refused even when it is repeated. Another viewer has the name.
    assert_eq!(bed.sound.send(&late).await.body["allowed"], false);
    let other = webhook_from("192.0.2.2", "opening", "stream", "late");
    assert_eq!(bed.sound.send(&other).await.body["allowed"], true);
    assert_eq!(bed.sound.send(&list("stream")).await.body["response"], serde_json::json!(["late"]));
    assert_eq!(bed.sound.send(&list("known")).await.body["response"], serde_json::json!(["first"]));
}
