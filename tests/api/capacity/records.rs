//! Events, their sessions and their login tokens.

use greenroom_core::model::user::Role;
use serde_json::{Value, json};

use super::{Rows, instance, write_down_uses};
use crate::live_cost::fill;

const EVENTS: &str = "/api/v2/events/";
const SESSIONS: &str = "/api/v2/sessions/";
const TOKENS: &str = "/api/v2/logintokens/";

pub(super) async fn measure(rows: &mut Rows) {
    events(rows).await;
    for (list, body, other, change) in [
        (
            SESSIONS,
            json!({ "event": 1, "language": "English", "languageCode": "en" }),
            json!({ "event": 1, "language": "Floor", "isFloor": true }),
            json!({ "archive": false }),
        ),
        (
            TOKENS,
            json!({ "event": 1, "token": "congress-2026", "tokenType": "interpreter" }),
            json!({ "event": 1, "token": "congress-2027", "tokenType": "participant" }),
            json!({ "tokenType": "remote" }),
        ),
    ] {
        parts(rows, list, body, other, change).await;
    }
    large(rows).await;
}

async fn events(rows: &mut Rows) {
    let app = instance().await;
    let partner = app.account("partner", Role::Partner, None).await;
    let admin = app.admin().await;
    let manager = app.account("manager", Role::Manager, Some(partner.id)).await;
    let caller = app.organiser(&partner);
    let body = || json!({ "name": "Congress", "displayName": "Our congress" });
    rows.note("any", caller.post(EVENTS, body()).await);
    let fair = json!({ "name": "Fair", "managers": [manager.id] });
    rows.note("with a manager", caller.post(EVENTS, fair).await);
    let path = format!("{EVENTS}1/");
    rows.note("any", caller.get(&path).await);
    rows.note("any", caller.put(&path, body()).await);
    rows.note("any", caller.patch(&path, json!({ "disabled": false })).await);
    rows.note("two, by a partner", caller.get(EVENTS).await);
    rows.note("two of all, by an admin", app.organiser(&admin).get(EVENTS).await);
    rows.note("one, by a manager", app.organiser(&manager).get(EVENTS).await);
    let fresh = app.again_with([]);
    write_down_uses(&fresh).await;
    rows.note("two of all, by an admin, the first of its instance", fresh.organiser(&admin).get(EVENTS).await);
    rows.note("none", caller.get(&format!("{path}archives/")).await);
    rows.note("empty", caller.delete(&path).await);
    for (made, case) in
        [(3..=99, "98 of all, by an admin"), (100..=100, "99 of all, of 100 that were made, by an admin")]
    {
        for number in made {
            caller.make(EVENTS, json!({ "name": format!("Congress {number}"), "displayName": "Our congress" })).await;
        }
        rows.note(case, app.organiser(&admin).get(EVENTS).await);
    }
}

async fn parts(rows: &mut Rows, list: &str, body: Value, other: Value, change: Value) {
    let app = instance().await;
    let admin = app.admin().await;
    let caller = app.organiser(&admin);
    caller.make_event("A").await;
    let path = format!("{list}1/");
    rows.note("any", caller.post(list, body.clone()).await);
    let case = if list == SESSIONS { "the floor" } else { "a second" };
    rows.note(case, caller.post(list, other).await);
    rows.note("any", caller.get(&path).await);
    rows.note("any", caller.put(&path, body).await);
    rows.note("any", caller.patch(&path, change).await);
    rows.note("two, of one event", caller.get(&format!("{list}?event=1")).await);
    rows.note("two of all, by an admin", caller.get(list).await);
    if list == SESSIONS {
        rows.note("none", caller.get(&format!("{path}archives/")).await);
    }
    rows.note("any", caller.delete(&path).await);
}

/// An event with 200 login tokens, two sessions and 100 participants in each.
async fn large(rows: &mut Rows) {
    let app = instance().await;
    let admin = app.admin().await;
    let caller = app.organiser(&admin);
    let event = caller.make_event("A").await;
    for language in ["English", "German"] {
        caller.make(SESSIONS, json!({ "event": event, "language": language })).await;
    }
    app.login_tokens(event, "congress", 200).await;
    for session in [1, 2] {
        fill(&app, session, 100).await;
    }
    rows.note("50 of 200 of an event", caller.get(&format!("{TOKENS}?event={event}")).await);
    rows.note("the last 50 of 200 of an event", caller.get(&format!("{TOKENS}?event={event}&offset=150")).await);
    rows.note("with 100 participants", caller.delete(&format!("{SESSIONS}1/")).await);
    let case = "with 200 login tokens, a session and 100 participants";
    rows.note(case, caller.delete(&format!("{EVENTS}{event}/")).await);
}
