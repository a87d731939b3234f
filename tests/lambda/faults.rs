//! Functions whose table fails, at their start and while they are running.

use rstest::rstest;
use testbed::{
    Fault::{self, Broken, Reset, Silent, Throttled},
    FaultyStore, InvokeError, Plan,
};

use crate::{
    housekeeping::{jobs, leave_work},
    stage::{Fixture, Stage},
};

/// Puts a proxy that can fail in front of the stage's store. It causes no fault yet.
async fn before(stage: &mut Stage) -> FaultyStore {
    let proxy = FaultyStore::before(&stage.endpoint).await.unwrap();
    stage.endpoint = proxy.url();
    proxy
}

#[rstest]
#[case(Silent)]
#[case(Reset)]
#[case(Throttled)]
#[tokio::test]
async fn a_function_started_during_an_outage_works_after_it_and_after_another_one(#[case] fault: Fault) {
    let mut stage = Stage::new().await;
    let proxy = before(&mut stage).await;
    let fixture = Fixture::default();
    for _ in 0..2 {
        proxy.inject(Plan::always(fault));
        for event in ["create-session/device", "create-session/openvidu"] {
            let answer = stage.send(event, &fixture).await;
            assert_eq!((answer.status(), answer.header("retry-after").is_some()), (503, true), "{answer:?}");
        }
        proxy.heal();
        for event in ["create-session/device", "create-session/openvidu"] {
            assert_eq!(stage.send(event, &fixture).await.status(), 200);
        }
    }
}

#[tokio::test]
async fn a_job_that_fails_during_an_outage_succeeds_after_it() {
    let mut stage = Stage::new().await;
    Box::pin(leave_work(&stage)).await;
    let proxy = before(&mut stage).await;
    proxy.inject(Plan::always(Broken));
    let failed = stage.run("housekeeping/scheduled").await;
    assert!(matches!(failed, Err(InvokeError::Reported(_))), "{failed:?}");
    proxy.heal();
    stage.run("housekeeping/scheduled").await.unwrap();
    let store = stage.store();
    assert!(store.ended_events().await.unwrap().is_empty());
    assert_eq!(jobs(&stage).await, 0);
}
