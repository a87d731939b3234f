use axum::http::StatusCode;
use greenroom_core::{clock::Clock, config::OpenTok};
use rstest::rstest;
use testbed::HttpStub;

use super::*;
use crate::provider::OpenTokProvider;

#[rstest]
#[case::all_there(204, true)]
#[case::one_gone(404, true)]
#[case::one_that_fails(429, false)]
#[tokio::test]
async fn every_connection_of_a_name_has_its_turn(#[case] status: u16, #[case] done: bool) {
    let server = HttpStub::start(move |request| {
        let is_first = request.uri().path() == "/v2/project/45828062/session/1_x/connection/first";
        std::future::ready(StatusCode::from_u16(if is_first { status } else { 204 }).unwrap())
    });
    let server = server.await.unwrap();
    let api_url = server.url().to_owned();
    let project = OpenTok { api_key: "45828062".to_owned(), api_secret: "secret".into(), api_url };
    let provider = OpenTokProvider::new(&project, Clock::system());
    let others = (1..20).map(|number| number.to_string());
    let connections = std::iter::once("first".to_owned()).chain(others).collect();
    let ended = disconnect(&provider, &ProviderSessionId::new("1_x".to_owned()), connections).await;
    assert_eq!(ended.is_ok(), done);
    assert_eq!(server.received().len(), 20);
}
