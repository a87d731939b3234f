use greenroom_core::{clock::Clock, config::OpenTok};
use rstest::rstest;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{method, path_regex},
};

use super::*;
use crate::provider::OpenTokProvider;

#[rstest]
#[case::all_there(204, true)]
#[case::one_gone(404, true)]
#[case::one_that_fails(429, false)]
#[tokio::test]
async fn every_connection_of_a_name_has_its_turn(#[case] status: u16, #[case] done: bool) {
    let server = MockServer::start().await;
    let answer = |path: &str, status| {
        Mock::given(method("DELETE")).and(path_regex(path)).respond_with(ResponseTemplate::new(status))
    };
    answer("/connection/first$", status).mount(&server).await;
    answer("/v2/project/45828062/session/1_x/connection/", 204).mount(&server).await;
    let project = OpenTok { api_key: "45828062".to_owned(), api_secret: "secret".into(), api_url: server.uri() };
    let provider = OpenTokProvider::new(&project, Clock::system());
    let others = (1..20).map(|number| number.to_string());
    let connections = std::iter::once("first".to_owned()).chain(others).collect();
    let ended = disconnect(&provider, &ProviderSessionId::new("1_x".to_owned()), connections).await;
    assert_eq!(ended.is_ok(), done);
    assert_eq!(server.received_requests().await.unwrap().len(), 20);
}
