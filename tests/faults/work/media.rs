//! Back-ends open media sessions, issue tokens, end connections and close sessions.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{ROUNDS, Work};
use crate::{
    bed::{Call, Instance},
    world::backend,
};

/// The acknowledged state of a session.
pub(super) struct Session {
    id: String,
    is_open: bool,
    /// The number of issued tokens.
    issued: usize,
    /// The number of further tokens that may have been issued.
    maybe: usize,
    /// The ended connections.
    ended: BTreeSet<String>,
}

impl Session {
    fn path(&self) -> String {
        format!("/api/sessions/{}", self.id)
    }
}

fn connections(session: &Value) -> Vec<String> {
    let content = session["connections"]["content"].as_array().unwrap();
    content.iter().map(|connection| connection["connectionId"].as_str().unwrap().to_owned()).collect()
}

pub(super) async fn work(work: &Work<'_>, hand: u64) -> Vec<Session> {
    let (mut all, mut open, mut chance) = (Vec::new(), None, work.chance("media", hand));
    for round in 0..ROUNDS {
        let Some(mut session) = open.take() else {
            open = Some(opened(work, format!("daily-{hand}-{round}")).await);
            continue;
        };
        match chance.below(6) {
            0 => {
                let closed = work.insist(&Call::new("DELETE", session.path()).by(&backend())).await;
                assert!(closed.is(204, 404), "{}", closed.answer);
                session.is_open = false;
                all.push(session);
                continue;
            }
            1 | 2 => disconnect(work, &mut session).await,
            _ => issue(work, &mut session).await,
        }
        open = Some(session);
    }
    all.extend(open);
    all
}

async fn opened(work: &Work<'_>, id: String) -> Session {
    let body = json!({ "customSessionId": id });
    let opened = work.insist(&Call::new("POST", "/api/sessions").by(&backend()).json(body)).await;
    assert!(opened.is(200, 409), "{}", opened.answer);
    Session { id, is_open: true, issued: 0, maybe: 0, ended: BTreeSet::new() }
}

async fn issue(work: &Work<'_>, session: &mut Session) {
    let issue = Call::new("POST", "/api/tokens").by(&backend()).json(json!({ "session": session.id }));
    let answer = work.send(&issue).await;
    match answer.status {
        200 => session.issued += 1,
        503 => session.maybe += 1,
        _ => panic!("{answer}"),
    }
}

async fn disconnect(work: &Work<'_>, session: &mut Session) {
    let read = work.insist(&Call::new("GET", session.path()).by(&backend())).await.answer;
    assert_eq!(read.status, 200, "{read}");
    let Some(connection) = connections(&read.body).into_iter().next() else { return };
    let path = format!("{}/connection/{connection}", session.path());
    let ended = work.insist(&Call::new("DELETE", path).by(&backend())).await;
    assert!(ended.is(204, 404), "{}", ended.answer);
    session.ended.insert(connection);
}

impl Session {
    pub(super) async fn check(&self, instance: &Instance) {
        let read = instance.send(&Call::new("GET", self.path()).by(&backend())).await;
        if !self.is_open {
            assert_eq!(read.status, 404, "{}: {read}", self.id);
            return;
        }
        assert_eq!(read.status, 200, "{}: {read}", self.id);
        let there = connections(&read.body);
        let gone = there.len() + self.ended.len();
        assert!((self.issued..=self.issued + self.maybe).contains(&gone), "{}: {read}", self.id);
        assert!(there.iter().all(|connection| !self.ended.contains(connection)), "{}: {read}", self.id);
    }
}
