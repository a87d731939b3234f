use greenroom_core::id::ProviderSessionId;
use rstest::rstest;
use testbed::HttpStub;

use super::{SESSION, answering, claims, failed, provider};
use crate::provider::MediaProvider;

/// A server that answers every request for the end of a connection with these statuses, one after the other.
async fn ending(statuses: &[u16]) -> HttpStub {
    answering(statuses.iter().copied().map(failed)).await
}

#[rstest]
#[case::done(&[204], "done")]
#[case::gone_before(&[404], "done")]
#[case::a_fault_of_theirs(&[500, 204], "done")]
#[case::gone_after_a_fault(&[503, 404], "done")]
#[case::a_fault_that_stays(&[500, 502], "the media provider answered with status 502")]
#[case::bad_credentials(&[403], "the media provider refused our credentials")]
#[case::another_success(&[200], "the media provider answered with status 200")]
#[case::too_many_requests(&[429], "the media provider answered with status 429")]
#[tokio::test]
async fn a_connection_is_ended_or_was_not_there(#[case] statuses: &[u16], #[case] outcome: &str) {
    let server = ending(statuses).await;
    let session = ProviderSessionId::new(SESSION.to_owned());
    let told = provider(server.url()).disconnect(&session, "c0ffee-1").await;
    assert_eq!(told.map_or_else(|error| error.to_string(), |()| "done".to_owned()), outcome);
    let requests = server.received();
    assert_eq!(requests.len(), statuses.len());
    for request in requests {
        let path = format!("/v2/project/45828062/session/{SESSION}/connection/c0ffee-1");
        assert_eq!((request.method().as_str(), request.uri().path()), ("DELETE", &*path));
        assert_eq!(claims(&request)["iss"], "45828062");
        assert!(request.body().is_empty() && !request.headers().contains_key("content-type"));
    }
}

#[tokio::test]
async fn the_id_of_a_connection_leads_to_no_other_path() {
    let server = ending(&[204]).await;
    let (provider, session) = (provider(server.url()), ProviderSessionId::new(SESSION.to_owned()));
    for id in ["..", ".", ""] {
        provider.disconnect(&session, id).await.unwrap();
    }
    assert!(server.received().is_empty());
    provider.disconnect(&session, "../../x?y#z").await.unwrap();
    let path = server.received()[0].uri().path().to_owned();
    assert!(path.ends_with("/connection/..%2F..%2Fx%3Fy%23z"), "{path}");
}
