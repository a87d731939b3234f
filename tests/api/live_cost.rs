//! The cost of live session requests, with few connections and with many.

use std::sync::atomic::Ordering;

use greenroom_core::{
    clock::Timestamp,
    id::{ConnectionName, ProviderSessionId},
    model::{
        live::{LiveConnection, Source, Stream},
        login_token::StreamRole,
    },
};
use serde_json::json;

use crate::{
    counted::Counted,
    stream_sessions::{sessions, viewer},
    support::{Answer, NOW, TestApp},
};

/// Puts this many connections into a session of an event; the name of one.
pub(crate) async fn fill(app: &TestApp, session: u64, many: usize) -> String {
    let source = Source::Event { provider_session: ProviderSessionId::new("1_x".to_owned()) };
    let [now, end] = [NOW, NOW + 86_400_000].map(Timestamp::from_millis);
    let one = |number: usize| {
        // The names are the same in each run, so that each shard holds the same number of them.
        let name = ConnectionName::parse(&format!("{number:036x}")).unwrap();
        let stream = Stream::of_session(1, session);
        LiveConnection::begin(stream, name, StreamRole::Subscriber, source.clone(), now, end)
    };
    let connections: Vec<_> = (0..many).map(one).collect();
    // An emulator needs longer than the timeout of a request to write all of them at once.
    for some in connections.chunks(500) {
        app.store.insert_live_connections(some).await.unwrap();
    }
    connections[0].name.to_string()
}

/// The number of requests to DynamoDB that a request makes, and its answer.
async fn cost(counted: &Counted, request: impl Future<Output = Answer>) -> (usize, Answer) {
    counted.requests.store(0, Ordering::SeqCst);
    let answer = request.await;
    assert_eq!(answer.status, 200, "{answer}");
    (counted.requests.load(Ordering::SeqCst), answer)
}

#[tokio::test]
async fn listing_and_terminating_cost_the_same_with_ten_and_with_thousands() {
    let app = TestApp::new().await;
    app.event_to_join(json!({}), "moderator").await;
    let names = [(10, fill(&app, 1, 10).await), (3000, fill(&app, 2, 3000).await)];
    let counted = Counted::over(app).await;
    for (session, (many, name)) in (1..).zip(names) {
        let operator = counted.app.operator();
        let path = sessions(1, session);
        let (requests, answer) = cost(&counted, operator.get(&path)).await;
        assert_eq!((requests, answer.body["response"].as_array().unwrap().len()), (18, many), "listing {many}");
        let (requests, _) = cost(&counted, operator.delete(&format!("{path}/{name}"))).await;
        assert_eq!(requests, 2, "terminating one of {many}");
    }
}

#[tokio::test]
async fn media_session_and_media_server_requests_take_the_expected_round_trips() {
    let app = TestApp::new().await;
    let media = app.open_session().await;
    app.issue(&media).await;
    app.issue(&media).await;
    let connections = app.live_names("openvidu", &media).await;
    let counted = Counted::over(app).await;
    let operator = counted.app.operator();
    let path = sessions("openvidu", &media);
    assert_eq!(cost(&counted, operator.get(&path)).await.0, 17, "a media session is listed");
    for connection in connections {
        let requests = cost(&counted, operator.delete(&format!("{path}/{connection}"))).await.0;
        assert!((4..=5).contains(&requests), "a media session's connection is terminated: {requests}");
    }
    let url = "ws://live.example:3333/app/stream?session=one";
    let webhook = |status, time| viewer(status, 1, time, url);
    for (status, time, requests, what) in [
        ("opening", 0, 3, "the application is new"),
        ("opening", 0, 2, "an opening is repeated"),
        ("closing", 1, 2, "a viewer goes"),
        ("opening", 2, 3, "a viewer comes again"),
    ] {
        assert_eq!(cost(&counted, counted.app.webhook(&webhook(status, time))).await.0, requests, "{what}");
    }
    let new = viewer("opening", 2, 0, "ws://live.example:3333/app/stream");
    assert_eq!(cost(&counted, counted.app.webhook(&new)).await.0, 3, "a new viewer comes, without a name");
    assert_eq!(
        cost(&counted, operator.get(&sessions("app", "stream"))).await.0,
        16,
        "a media server's stream is listed"
    );
}
