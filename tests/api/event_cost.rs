//! The cost of `/api/v2` requests: their round trips to DynamoDB on a warm instance.

use std::sync::atomic::{AtomicUsize, Ordering};

use greenroom_core::{config::Setting, model::user::Role};
use serde_json::json;

use crate::{
    counted::Counted,
    joining::JOIN,
    support::{Answer, TestApp},
};

/// The number of requests to DynamoDB that a successful request makes.
async fn cost(requests: &AtomicUsize, request: impl Future<Output = Answer>) -> (usize, Answer) {
    requests.store(0, Ordering::SeqCst);
    let answer = request.await;
    assert!(answer.status.is_success(), "{answer}");
    (requests.load(Ordering::SeqCst), answer)
}

const EVENTS: &str = "/api/v2/events/";
const SESSIONS: &str = "/api/v2/sessions/";
const TOKENS: &str = "/api/v2/logintokens/";

#[tokio::test]
async fn event_requests_take_the_expected_round_trips() {
    let app = TestApp::new().await;
    let partner = app.account("partner", Role::Partner, None).await;
    let admin = app.admin().await;
    let manager = app.account("manager", Role::Manager, Some(partner.id)).await;
    let Counted { app, requests } = Counted::over(app).await;
    let caller = app.organiser(&partner);
    assert_eq!(cost(&requests, caller.post(EVENTS, json!({ "name": "A" }))).await.0, 3, "an event is made");
    let body = json!({ "name": "B", "managers": [manager.id] });
    assert_eq!(cost(&requests, caller.post(EVENTS, body)).await.0, 4, "an event with a manager is made");
    assert_eq!(cost(&requests, caller.get("/api/v2/events/1/")).await.0, 2, "an event is read");
    let change = json!({ "disabled": false });
    assert_eq!(cost(&requests, caller.patch("/api/v2/events/1/", change)).await.0, 3, "an event is changed");
    assert_eq!(cost(&requests, caller.get(EVENTS)).await.0, 2, "a partner lists events");
    assert_eq!(cost(&requests, app.organiser(&admin).get(EVENTS)).await.0, 2, "an admin lists events");
    assert_eq!(cost(&requests, app.organiser(&manager).get(EVENTS)).await.0, 3, "a manager lists events");
    let archives = caller.get("/api/v2/events/1/archives/");
    assert_eq!(cost(&requests, archives).await.0, 4, "an event's archives are listed");
    assert_eq!(cost(&requests, caller.delete("/api/v2/events/1/")).await.0, 44, "an empty event is deleted");
    app.login_tokens(2, "token", 28).await;
    assert_eq!(cost(&requests, caller.delete("/api/v2/events/2/")).await.0, 48, "one with 28 login tokens is");
}

#[tokio::test]
async fn session_and_login_token_requests_take_the_expected_round_trips() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let partner = app.account("partner", Role::Partner, None).await;
    let Counted { app, requests } = Counted::over(app).await;
    let (caller, other) = (app.organiser(&admin), app.organiser(&partner));
    other.make_event("A").await;
    other.make_event("B").await;
    for (list, body, change) in [
        (SESSIONS, json!({ "event": 1, "language": "x" }), json!({ "archive": false })),
        (TOKENS, json!({ "event": 1, "token": "12345678", "tokenType": "floor" }), json!({ "tokenType": "remote" })),
    ] {
        let path = format!("{list}1/");
        assert_eq!(cost(&requests, caller.post(list, body)).await.0, 4, "{list} one is made");
        assert_eq!(cost(&requests, caller.get(&path)).await.0, 3, "{list} one is read");
        assert_eq!(cost(&requests, caller.patch(&path, change)).await.0, 4, "{list} one is changed");
        assert_eq!(cost(&requests, caller.get(&format!("{list}?event=1"))).await.0, 3, "{list} of an event");
        assert_eq!(cost(&requests, caller.get(list)).await.0, 3, "{list} of everything");
        assert_eq!(cost(&requests, other.get(list)).await.0, 4, "{list} of two events");
        if list == SESSIONS {
            let archives = caller.get("/api/v2/sessions/1/archives/");
            assert_eq!(cost(&requests, archives).await.0, 4, "a session's archives are listed");
            let floor = json!({ "event": 1, "language": "x", "isFloor": true });
            assert_eq!(cost(&requests, caller.post(list, floor)).await.0, 5, "a floor is made");
        }
        // The deletion reads the session's former ids, and the shards of its stream to find who has joined.
        let deletion = if list == SESSIONS { 38 } else { 4 };
        assert_eq!(cost(&requests, caller.delete(&path)).await.0, deletion, "{list} one is deleted");
    }
}

#[tokio::test]
async fn a_page_costs_the_same_at_any_list_length_and_depth() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let Counted { app, requests } = Counted::over(app).await;
    let caller = app.organiser(&admin);
    for (event, tokens) in [(1, 3), (2, 300)] {
        caller.make_event(&event.to_string()).await;
        app.login_tokens(event, &format!("token of {event}"), tokens).await;
    }
    for (event, count) in [(1, 3), (2, 300)] {
        for limit in ["", "&limit=1000", "&limit=2"] {
            let (n, answer) = cost(&requests, caller.get(&format!("{TOKENS}?event={event}{limit}"))).await;
            assert_eq!((n, &answer.body["count"]), (3, &json!(count)), "{limit}");
        }
    }
    for (path, first, further) in [("?event=2&limit=7", 3, 4), ("?limit=40", 18, 19)] {
        let (n, answer) = cost(&requests, caller.get(&format!("{TOKENS}{path}"))).await;
        assert_eq!(n, first, "the first page of {path}");
        let mut next = answer.following();
        while let Some(path) = next {
            let (n, answer) = cost(&requests, caller.get(&path)).await;
            assert_eq!(n, further, "{path}");
            next = answer.following();
        }
    }
}

#[tokio::test]
async fn filters_on_a_key_read_one_item_and_a_page_past_the_end_reads_none() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let Counted { app, requests } = Counted::over(app).await;
    let caller = app.organiser(&admin);
    let event = caller.make_event("A").await;
    let ids = app.login_tokens(event, "token", 60).await;
    let session = caller.make(SESSIONS, json!({ "event": event, "language": "x" })).await;
    let (id, token) = (ids[40], "token 000041");
    for (query, found) in [
        (format!("{TOKENS}?id={id}"), true),
        (format!("{TOKENS}?token={token}"), true),
        (format!("{TOKENS}?id={id}&token={token}&event={event}&tokenType=participant"), true),
        (format!("{TOKENS}?id={id}&token=other"), false),
        (format!("{TOKENS}?id={id}&event=99"), false),
        (format!("{TOKENS}?id=x"), false),
        (format!("{TOKENS}?id=9999"), false),
        (format!("{SESSIONS}?id={session}&isFloor=False"), true),
        (format!("{SESSIONS}?id={session}&isFloor=True"), false),
        (format!("{EVENTS}?id={event}"), true),
        (format!("{EVENTS}?id={event}&name=A"), true),
        (format!("{EVENTS}?id={event}&name=B"), false),
        (format!("{EVENTS}?id={event}&owner=99"), false),
        (format!("/api/v2/users/?id={}", admin.id), true),
        (format!("/api/v2/users/?id={}&username=admin&role=admin", admin.id), true),
        (format!("/api/v2/users/?id={}&role=partner", admin.id), false),
        (format!("/api/v2/users/?username=ADMIN&creator={}", admin.id), false),
    ] {
        let (n, answer) = cost(&requests, caller.get(&query.replace(' ', "%20"))).await;
        assert!(n <= 5, "{query}: {n}");
        assert_eq!((&answer.body["count"], answer.ids().len()), (&json!(u8::from(found)), found.into()), "{query}");
    }
    for list in [format!("{TOKENS}?event={event}&"), format!("{TOKENS}?"), format!("{EVENTS}?"), format!("{SESSIONS}?")]
    {
        let (n, answer) = cost(&requests, caller.get(&format!("{list}offset=99999999999"))).await;
        assert!(n <= 5 && answer.ids().is_empty(), "{list}: {n}");
        assert!(answer.body["count"].as_u64() > Some(0), "{list}");
    }
}

#[tokio::test]
async fn client_requests_take_the_expected_round_trips() {
    let dir = tempfile::tempdir().unwrap();
    let app = TestApp::with([(Setting::MailDir, dir.path().to_str().unwrap())]).await;
    app.event_to_join(json!({}), "moderator").await;
    let token = app.client_token(false).await;
    let Counted { app, requests } = Counted::over(app).await;
    let client = app.with_authorization(token);
    let body = || json!({ "loginToken": "the token" });
    assert_eq!(cost(&requests, client.post(JOIN, body())).await.0, 6, "the first participant joins");
    assert_eq!(cost(&requests, client.post(JOIN, body())).await.0, 1, "the next one joins");
    let tested = client.post_nothing("/api/v2/networktestsessions/");
    assert_eq!(cost(&requests, tested).await.0, 1, "a network is tested");
    let text = || json!("x");
    let event = json!({
        "date": text(), "country": text(), "lengthDays": text(), "lengthHoursDay": text(), "amountPeople": text(),
        "fromLang": text(), "toLang": text(),
    });
    let contact = json!({ "name": text(), "position": text(), "company": text(), "phone": text(), "email": text() });
    let booking = json!({ "event": event, "contact": contact });
    assert_eq!(cost(&requests, client.post("/api/v2/bookingemails/", booking)).await.0, 3, "a booking is sent");
}
