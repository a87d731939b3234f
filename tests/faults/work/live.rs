//! Media servers ask for admission, clients join an event, and operators end connections.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{ROUNDS, Work, organisers::Setting};
use crate::{
    bed::{Call, Instance},
    world::{operator, webhook},
};

/// The acknowledged connections of one client.
#[derive(Default)]
pub(super) struct Connections {
    /// The live connections, with the paths of their streams' lists.
    live: Vec<(String, String)>,
    /// The ended connections.
    ended: Vec<(String, String)>,
}

fn sessions(app: impl std::fmt::Display, stream: impl std::fmt::Display) -> String {
    format!("/v1/vhosts/default/apps/{app}/streams/{stream}/sessions")
}

pub(crate) fn join(setting: &Setting) -> Call {
    Call::new("POST", "/api/v2/rtcsessions").by(&setting.client).json(json!({ "loginToken": "the token" }))
}

/// The names of the connections of a join in the list of live sessions, each with the path of its stream's list.
pub(crate) fn connections(setting: &Setting, joined: &Value) -> Vec<(String, String)> {
    let one = |session: &Value| {
        let token = session["tokbox"]["sessionToken"].as_str().unwrap().strip_prefix("T1==").unwrap();
        let token = String::from_utf8(BASE64_STANDARD.decode(token).unwrap()).unwrap();
        let name = token.split(['&', ':']).find_map(|field| field.strip_prefix("connection_data=")).unwrap();
        (sessions(setting.event, &session["id"]), name.to_owned())
    };
    joined["sessions"].as_array().unwrap().iter().map(one).collect()
}

pub(super) async fn work(work: &Work<'_>, setting: &Setting, hand: u64) -> Connections {
    let (mut told, mut chance) = (Connections::default(), work.chance("live", hand));
    for round in 0..ROUNDS {
        match chance.below(4) {
            0 => {
                let name = format!("viewer-{hand}-{round}");
                let opened = work.send(&webhook("opening", "stream", &name)).await;
                if opened.body["allowed"] == true {
                    told.live.push((sessions("app", "stream"), name));
                } else {
                    assert_eq!(opened.body["reason"], "The service is busy; try again");
                }
            }
            1 => {
                let joined = work.send(&join(setting)).await;
                assert!([201, 503].contains(&joined.status), "{joined}");
                if joined.status == 201 {
                    told.live.extend(connections(setting, &joined.body));
                }
            }
            _ => {
                if let Some((path, name)) = chance.take(&mut told.live) {
                    let ended = work.insist(&Call::new("DELETE", format!("{path}/{name}")).by(&operator())).await;
                    assert!(ended.is(200, 404), "{}", ended.answer);
                    told.ended.push((path, name));
                }
            }
        }
    }
    told
}

impl Connections {
    pub(super) async fn check(&self, instance: &Instance, setting: &Setting) {
        for (path, name) in &self.live {
            let list = instance.does(Call::new("GET", path).by(&operator())).await;
            assert!(list.body["response"].as_array().unwrap().contains(&json!(name)), "{name}: {list}");
        }
        for (path, name) in &self.ended {
            let list = instance.send(&Call::new("GET", path).by(&operator())).await;
            let listed = list.body["response"].as_array().is_some_and(|listed| listed.contains(&json!(name)));
            assert!(!listed, "{name}: {list}");
            if name.starts_with("viewer") {
                let again = instance.does(webhook("opening", "stream", name)).await;
                assert_eq!(again.body["allowed"], false, "{name}");
            }
        }
        let joined = instance.does(join(setting)).await;
        assert_eq!(connections(setting, &joined.body).len(), 2);
    }
}
