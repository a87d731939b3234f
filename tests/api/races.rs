//! Concurrent requests: a condition in the table guards every invariant.

use std::{collections::HashSet, time::Duration};

use futures_util::future::join_all;
use serde_json::json;

use crate::support::{Answer, TestApp};

/// Sends the same request many times at once, from tasks of their own.
pub(crate) async fn race<F>(times: usize, request: impl Fn() -> F) -> Vec<Answer>
where
    F: Future<Output = Answer> + Send + 'static,
{
    let tasks: Vec<_> = (0..times).map(|_| tokio::spawn(request())).collect();
    join_all(tasks).await.into_iter().map(Result::unwrap).collect()
}

pub(crate) fn count(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_twenty_concurrent_sessions_with_the_same_custom_id_is_opened() {
    let app = TestApp::new().await;
    let answers = race(20, || {
        let app = app.clone();
        async move { app.backend().post("/api/sessions", json!({ "customSessionId": "daily" })).await }
    });
    let answers = answers.await;
    assert_eq!((count(&answers, 200), count(&answers, 409)), (1, 19));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_twenty_concurrent_openings_over_a_half_closed_session_succeeds() {
    let app = TestApp::new().await;
    app.backend().post("/api/sessions", json!({ "customSessionId": "daily" })).await;
    for _ in 0..30 {
        app.backend().post("/api/tokens", json!({ "session": "daily" })).await;
    }
    let closing = tokio::spawn({
        let app = app.clone();
        async move { app.backend().delete("/api/sessions/daily").await }
    });
    let answers = race(20, || {
        let app = app.clone();
        async move { app.backend().post("/api/sessions", json!({ "customSessionId": "daily" })).await }
    });
    let answers = answers.await;
    assert_eq!(closing.await.unwrap().status, 204);
    // All openings may have come before the session was closed.
    let opened = count(&answers, 200);
    assert!(opened <= 1 && opened + count(&answers, 409) == 20, "{opened}");
    if opened == 1 {
        let session = app.backend().get("/api/sessions/daily").await.body;
        assert_eq!(session["connections"]["numberOfElements"], 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_concurrent_refreshes_of_a_token_get_the_same_new_token() {
    let app = TestApp::new().await;
    let token = app.register("phone").await;
    let answers = race(8, || {
        let (app, token) = (app.clone(), token.clone());
        async move { app.bearer(&token).post_nothing("/api/session/refresh").await }
    });
    let answers = answers.await;
    assert_eq!(count(&answers, 200), 8);
    let tokens: HashSet<_> = answers.iter().map(|answer| answer.body["data"]["token"].to_string()).collect();
    assert_eq!(tokens.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_never_exceeds_its_session_limit() {
    let app = TestApp::new().await;
    let answers = race(24, || {
        let app = app.clone();
        async move { app.anyone().post("/api/sessions", json!({ "identifier": "phone" })).await }
    });
    let answers = answers.await;
    let done = count(&answers, 200);
    assert_eq!(done + count(&answers, 503), 24);
    let mut live = 0;
    for answer in answers.iter().filter(|answer| answer.status == 200) {
        let token = answer.body["data"]["token"].as_str().unwrap();
        live += usize::from(app.bearer(token).get("/api/session").await.status == 200);
    }
    assert_eq!(live, done.min(10));
}

#[tokio::test(flavor = "multi_thread")]
async fn issuing_tokens_while_closing_leaves_no_token_of_the_closed_session() {
    let app = TestApp::new().await;
    app.backend().post("/api/sessions", json!({ "customSessionId": "daily" })).await;
    let issuing = race(20, || {
        let app = app.clone();
        async move { app.backend().post("/api/tokens", json!({ "session": "daily" })).await }
    });
    let (answers, closed) = tokio::join!(issuing, async { app.backend().delete("/api/sessions/daily").await });
    assert_eq!(closed.status, 204);
    assert_eq!(count(&answers, 200) + count(&answers, 404), 20);
    // The ledger has entries for them, but no token.
    assert!(!app.items().await.iter().any(|item| item.contains("tok_")));
}

#[tokio::test(flavor = "multi_thread")]
async fn disconnecting_everyone_at_once_leaves_the_session_for_an_hour() {
    let app = TestApp::new().await;
    let id = app.open_session().await;
    for _ in 0..4 {
        app.backend().post("/api/tokens", json!({ "session": id })).await;
        app.wait(Duration::from_secs(1));
    }
    let path = format!("/api/sessions/{id}");
    let session = app.backend().get(&path).await.body;
    let connections: Vec<_> = session["connections"]["content"].as_array().unwrap().clone();
    let tasks = connections.into_iter().map(|connection| {
        let (app, path) = (app.clone(), format!("{path}/connection/{}", connection["connectionId"].as_str().unwrap()));
        tokio::spawn(async move { app.backend().delete(&path).await.status.as_u16() })
    });
    let statuses: Vec<_> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(statuses, [204; 4]);
    app.wait(Duration::from_secs(3599));
    assert_eq!(app.backend().get(&path).await.body["connections"]["numberOfElements"], 0);
    app.wait(Duration::from_secs(1));
    assert_eq!(app.backend().get(&path).await.status, 404);
}
