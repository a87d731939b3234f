//! What requests of `/api/v2` cost: their round trips to DynamoDB on a warm instance, as each function's docs say.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use shared::{config::Setting, model::user::Role};

use crate::{
    counted::Counted,
    joining::JOIN,
    support::{Answer, TestApp},
};

/// How many requests to DynamoDB a successful request makes.
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
async fn events_cost_what_the_docs_say() {
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
    assert_eq!(cost(&requests, app.organiser(&admin).get(EVENTS)).await.0, 17, "an admin lists events");
    assert_eq!(cost(&requests, app.organiser(&manager).get(EVENTS)).await.0, 3, "a manager lists events");
    let archives = caller.get("/api/v2/events/1/archives/");
    assert_eq!(cost(&requests, archives).await.0, 4, "an event's archives are listed");
    assert_eq!(cost(&requests, caller.delete("/api/v2/events/1/")).await.0, 41, "an empty event is deleted");
    app.login_tokens(2, "token", 28).await;
    assert_eq!(cost(&requests, caller.delete("/api/v2/events/2/")).await.0, 45, "one with 28 login tokens is");
}

#[tokio::test]
async fn sessions_and_login_tokens_cost_what_the_docs_say() {
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
        assert_eq!(cost(&requests, caller.get(list)).await.0, 18, "{list} of everything");
        assert_eq!(cost(&requests, other.get(list)).await.0, 4, "{list} of two events");
        if list == SESSIONS {
            let archives = caller.get("/api/v2/sessions/1/archives/");
            assert_eq!(cost(&requests, archives).await.0, 4, "a session's archives are listed");
            let floor = json!({ "event": 1, "language": "x", "isFloor": true });
            assert_eq!(cost(&requests, caller.post(list, floor)).await.0, 5, "a floor is made");
        }
        // The shards of a session's stream are looked through for who has joined.
        let deletion = if list == SESSIONS { 36 } else { 4 };
        assert_eq!(cost(&requests, caller.delete(&path)).await.0, deletion, "{list} one is deleted");
    }
}

#[tokio::test]
async fn a_page_costs_the_same_however_many_there_are_and_however_deep_it_is() {
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
async fn clients_cost_what_the_docs_say() {
    let dir = tempfile::tempdir().unwrap();
    let app = TestApp::with([(Setting::MailDir, dir.path().to_str().unwrap())]).await;
    app.event_to_join(json!({}), "moderator").await;
    let token = app.client_token(false).await;
    let Counted { app, requests } = Counted::over(app).await;
    let client = app.with_authorization(token);
    let body = || json!({ "loginToken": "the token" });
    assert_eq!(cost(&requests, client.post(JOIN, body())).await.0, 5, "the first participant joins");
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
