//! `/api/sse` through any number of disconnects: no event is lost or repeated.

use std::time::Duration;

use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::json;
use tokio::runtime;

use crate::{listener::Listener, support::TestApp};

/// The next step.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Alice writes to Bob.
    Message,
    /// Alice says something in the room that both are in.
    Said,
    /// Bob writes to Alice. The message is in his archive but is no event for him.
    Answer,
    /// Time passes, in seconds.
    Wait(u64),
    /// Bob reads this many of the available events.
    Read(usize),
    /// Bob's connection breaks, and he reconnects to one of the instances.
    Reconnect { instance: usize },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Message),
        3 => Just(Step::Said),
        1 => Just(Step::Answer),
        1 => select(vec![0, 1, 59, 61, 3600]).prop_map(Step::Wait),
        3 => (1_usize..4).prop_map(Step::Read),
        3 => (0_usize..2).prop_map(|instance| Step::Reconnect { instance }),
    ]
}

/// A table that all cases share. Each case has users of its own.
struct Conversation {
    instances: [TestApp; 2],
    people: [String; 2],
    sent: Vec<String>,
    heard: Vec<String>,
}

impl Conversation {
    async fn begin(instances: &[TestApp; 2], case: usize) -> Self {
        let people = ["alice", "bob"].map(|name| format!("{name}{case}"));
        let [alice, bob] = &people;
        let app = &instances[0];
        app.participants(&[alice, bob]).await;
        let room = format!("/api/rooms/{alice}");
        app.as_participant(alice).put(&room, json!({"name": "", "subject": ""})).await;
        let user = json!({"user": format!("{bob}@localhost")});
        app.as_participant(alice).post(&format!("{room}/users"), user).await;
        Self { instances: instances.clone(), people, sent: Vec::new(), heard: Vec::new() }
    }

    async fn post(&mut self, from: usize, path: &str, to: Option<usize>) {
        let body = self.sent.len().to_string();
        let to = to.map(|to| format!("{}@localhost", self.people[to]));
        // The instances take turns.
        let app = &self.instances[self.sent.len() % 2];
        let sent = app.as_participant(&self.people[from]).post(path, json!({"to": to, "body": body})).await;
        assert_eq!(sent.status, 200, "{sent}");
        self.sent.push(body);
    }

    async fn read(&mut self, bob: &mut Listener, count: usize) {
        for _ in 0..count.min(self.sent.len() - self.heard.len()) {
            self.heard.push(bob.event().await.data["body"].as_str().unwrap().to_owned());
        }
    }

    async fn run(&mut self, steps: &[Step]) {
        let name = self.people[1].clone();
        let mut bob = self.instances[0].as_participant(&name).listen().await;
        for step in steps {
            match step {
                Step::Message => self.post(0, "/api/messages", Some(1)).await,
                Step::Said => self.post(0, &format!("/api/rooms/{}/messages", self.people[0]), None).await,
                Step::Answer => {
                    self.post(1, "/api/messages", Some(0)).await;
                    self.sent.pop();
                }
                Step::Wait(seconds) => self.instances[0].wait(Duration::from_secs(*seconds)),
                Step::Read(count) => self.read(&mut bob, *count).await,
                Step::Reconnect { instance } => {
                    let caller = self.instances[*instance].as_participant(&name);
                    let again = if bob.last_id.is_empty() { None } else { Some(caller.resume(&bob.last_id).await) };
                    let last_id = bob.last_id.clone();
                    bob = again.unwrap_or(bob);
                    bob.last_id = last_id;
                }
            }
        }
        self.read(&mut bob, usize::MAX).await;
        bob.is_quiet().await;
    }
}

#[test]
fn no_event_is_lost_or_repeated_across_disconnects() {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let app = runtime.block_on(TestApp::new());
    let instances = [app.again_with([]), app];
    let cases = std::cell::Cell::new(0);
    let config = ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(steps in vec(step(), 1..30))| {
        cases.set(cases.get() + 1);
        runtime.block_on(async {
            let mut conversation = Conversation::begin(&instances, cases.get()).await;
            conversation.run(&steps).await;
            conversation.heard.sort_by_key(|body| body.parse::<usize>().unwrap());
            assert_eq!(conversation.heard, conversation.sent);
        });
    });
}
