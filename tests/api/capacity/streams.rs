//! Live sessions: operators, media servers, the ledger.

use std::time::Duration;

use serde_json::json;

use super::{Rows, instance};
use crate::{
    live_cost::fill,
    stream_sessions::{sessions, viewer},
};

pub(super) async fn measure(rows: &mut Rows) {
    operators(rows).await;
    media_servers(rows).await;
    ledger(rows).await;
    provider(rows).await;
}

async fn operators(rows: &mut Rows) {
    let app = instance().await;
    app.event_to_join(json!({}), "moderator").await;
    for (session, many) in [(1, 10), (2, 1000)] {
        let name = fill(&app, session, many).await;
        let path = sessions(1, session);
        rows.note(&format!("an event's session with {many}"), app.operator().get(&path).await);
        let ended = app.operator().delete(&format!("{path}/{name}")).await;
        rows.note(&format!("one of {many} in an event's session"), ended);
    }
    let media = app.open_session().await;
    app.issue(&media).await;
    let connection = app.issue(&media).await;
    let path = sessions("openvidu", &media);
    rows.note("a media session with two", app.operator().get(&path).await);
    rows.note("one of two in a media session", app.operator().delete(&format!("{path}/{connection}")).await);
}

async fn media_servers(rows: &mut Rows) {
    let app = instance().await;
    let url = "ws://live.example:3333/app/stream?session=one";
    let other = "ws://live.example:3333/app/stream";
    for (case, body) in [
        ("the first opening of an application", viewer("opening", 1, 0, url)),
        ("an opening", viewer("opening", 2, 0, other)),
        ("a repeated opening", viewer("opening", 1, 0, url)),
        ("a closing", viewer("closing", 1, 1, url)),
        ("another opening under the same name", viewer("opening", 1, 2, url)),
    ] {
        rows.note(case, app.webhook(&body).await);
    }
    rows.note("a media server's stream with two", app.operator().get(&sessions("app", "stream")).await);
}

async fn ledger(rows: &mut Rows) {
    let app = instance().await;
    let event = app.event_to_join(json!({}), "moderator").await;
    let admin = app.account("operator", greenroom_core::model::user::Role::Admin, None).await;
    let caller = app.organiser(&admin);
    app.wait(Duration::from_secs(1));
    fill(&app, 1, 300).await;
    app.wait(Duration::from_secs(1));
    let answer = rows.note("50 of 300 of an event", caller.get(&format!("/api/live/?event={event}")).await);
    rows.note("50 of all, by an admin, of one application", caller.get("/api/live/").await);
    let id = answer.body["results"][0]["id"].as_str().unwrap().to_owned();
    rows.note("of an event", caller.post_nothing(&format!("/api/live/{id}/terminate/")).await);
}

async fn provider(rows: &mut Rows) {
    let app = instance().await;
    let (joined, _) = app.joined().await;
    rows.note("a client comes", joined.tell(&app, "connectionCreated", "a", 0).await);
    rows.note("a client goes", joined.tell(&app, "connectionDestroyed", "a", 1).await);
    joined.tell(&app, "connectionCreated", "b", 2).await;
    let again = joined.tell(&app, "connectionCreated", "b", 2).await;
    rows.note("told again", again);
}
