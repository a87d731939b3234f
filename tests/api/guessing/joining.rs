//! Wrong login tokens on joining are counted by address.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use super::{HERE, TEN_MINUTES, THERE, TOKEN, behind_a_proxy};
use crate::{counted::Counted, organisers::Account, participants::PASSWORD};

#[tokio::test]
async fn a_hundred_wrong_login_tokens_lock_joining_for_an_address() {
    let app = behind_a_proxy().await;
    app.with_event().await;
    let client = app.client(false).await;
    let (here, there) = (client.from(HERE), app.client(true).await.from(THERE));
    for number in 0..100 {
        // A repeated token counts once.
        for token in ["wrong-token-0", &format!("wrong-token-{number}")] {
            assert_eq!(here.join(token).await.status, 403, "{number}");
        }
    }
    let elsewhere = app.again_with([]);
    let shut = r#"429 {"detail":"Request was throttled. Expected available in 600 seconds."}"#;
    for token in ["wrong-token-0", "wrong-token-100", TOKEN] {
        let answer = here.join(token).await;
        assert_eq!(answer.to_string(), shut);
        assert_eq!(answer.header("retry-after"), "600");
        let answer = elsewhere.client(false).await.from(HERE).join(token).await;
        assert_eq!(answer.to_string(), shut);
    }
    assert_eq!(there.join(TOKEN).await.status, 201);
    // Only this endpoint is locked.
    assert_eq!(here.post_nothing("/api/v2/networktestsessions/").await.status, 201);
    app.participant("alice").await;
    assert_eq!(app.try_password("alice@localhost", PASSWORD, HERE).await, 200);
    app.wait(TEN_MINUTES);
    assert_eq!(here.join(TOKEN).await.status, 201);
    assert_eq!(here.join("wrong-token-0").await.status, 403);
}

#[tokio::test]
async fn an_address_with_many_successful_joins_may_fail_more_often() {
    let app = behind_a_proxy().await;
    let event = app.with_event().await;
    let admin = app.again(&Account { id: 1, jwt: String::new() }).await;
    for number in 0..3 {
        let token = json!({ "event": event, "token": format!("congress-{number}"), "tokenType": "floor" });
        app.organiser(&admin).make("/api/v2/logintokens/", token).await;
    }
    let client = app.client(false).await.from(HERE);
    // There was no failure yet.
    assert_eq!(client.join(TOKEN).await.status, 201);
    assert_eq!(client.join("wrong-token-0").await.status, 403);
    for token in ["congress-0", "congress-1", "congress-1", "congress-0"] {
        assert_eq!(client.join(token).await.status, 201);
    }
    for number in 1..110 {
        assert_eq!(client.join(&format!("wrong-token-{number}")).await.status, 403, "{number}");
    }
    assert_eq!(client.join("wrong-token-110").await.status, 429);
    assert_eq!(client.join("congress-2").await.status, 429);
    // Successful joins are remembered for an hour.
    app.wait(Duration::from_mins(59));
    for number in 0..110 {
        assert_eq!(client.join(&format!("wrong-token-{number}")).await.status, 403, "{number}");
    }
    app.wait(Duration::from_mins(1));
    assert_eq!(client.join(TOKEN).await.status, 429);
}

#[tokio::test]
async fn concurrent_wrong_login_tokens_are_answered_a_hundred_times() {
    let app = behind_a_proxy().await;
    app.with_event().await;
    let client = app.client(false).await.from(HERE);
    let tokens: Vec<_> = (0..120).map(|number| format!("wrong-token-{number}")).collect();
    let statuses = join_all(tokens.iter().map(|token| client.join(token))).await;
    assert_eq!(statuses.iter().filter(|answer| answer.status == 403).count(), 100);
    assert_eq!(statuses.iter().filter(|answer| answer.status == 429).count(), 20);
}

#[tokio::test]
async fn joining_from_an_address_not_seen_recently_costs_one_more_read() {
    let Counted { app, requests } = Counted::over(behind_a_proxy().await).await;
    app.with_event().await;
    app.store.settings().await.unwrap();
    let count = || requests.load(std::sync::atomic::Ordering::SeqCst);
    let client = app.client(false).await.from(HERE);
    assert_eq!(client.join(TOKEN).await.status, 201);
    let cost = async |token: &str| {
        let before = count();
        client.join(token).await;
        count() - before
    };
    // The event has no session, so nothing is written.
    assert_eq!([cost(TOKEN).await, cost(TOKEN).await], [0, 0]);
    app.wait(Duration::from_secs(5));
    // The reads: the client, the login token, the address, the event and its sessions.
    assert_eq!([cost(TOKEN).await, cost(TOKEN).await], [5, 0]);
    // A wrong token is looked up. Its failure is counted twice at the beginning of a window.
    assert_eq!([cost("wrong-token-0").await, cost("wrong-token-1").await], [3, 2]);
    // A successful join is recorded at an address with failures.
    assert_eq!(cost(TOKEN).await, 1);
}
