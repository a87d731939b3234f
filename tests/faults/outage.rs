//! Outages: work that began before or during an outage continues after it.

use axum::body::BodyDataStream;
use futures_util::StreamExt;
use greenroom_core::model::{job::LEASE, user::Role};
use rstest::rstest;
use serde_json::{Value, json};
use testbed::{
    Fault::{self, Broken, BrokenAfter, CutOff, Reset, Silent, Throttled, Unprocessed},
    Plan,
};

use crate::{
    bed::{AS_DEPLOYED, Bed, Call, Instance, text},
    table,
    work::{
        live::{connections, join},
        organisers::Setting,
    },
    world::{operator, participant, webhook},
};

/// The beginning of a stream: how long its client waits before it reconnects.
const RETRY: &str = "retry: 1000\n";

/// A client that listens, as a browser does.
struct Listener {
    chunks: BodyDataStream,
    text: String,
    last_id: String,
}

impl Listener {
    /// Listens as bob, from now on or after this position. Returns the status if the stream is refused.
    async fn begin(instance: &Instance, from: Option<&str>) -> Result<Self, u16> {
        let call = Call::new("GET", "/api/sse").by(&participant("bob"));
        let call = if let Some(id) = from { call.with("last-event-id", id.to_owned()) } else { call };
        let response = instance.begin(&call).await;
        match response.status().as_u16() {
            200 => {
                let chunks = response.into_body().into_data_stream();
                let mut listener = Self { chunks, text: String::new(), last_id: String::new() };
                // The first comment has the current position.
                assert!(listener.block().await.is_none());
                Ok(listener)
            }
            status => Err(status),
        }
    }

    /// The event in the next part of the stream, if there is one.
    async fn block(&mut self) -> Option<Value> {
        loop {
            if self.text.starts_with(RETRY) {
                self.text.drain(..RETRY.len());
            }
            let end = if self.text.starts_with(':') { "\n" } else { "\n\n" };
            if let Some((block, rest)) = self.text.split_once(end) {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                let data = field("data: ").map(|data| serde_json::from_str(&data).unwrap());
                self.last_id = field("id: ").or(field(": keep-alive ")).unwrap();
                return data;
            }
            let chunk = self.chunks.next().await.unwrap().unwrap();
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The bodies of the next messages.
    async fn hears(&mut self, messages: usize) -> Vec<String> {
        let mut bodies = Vec::new();
        while bodies.len() < messages {
            if let Some(message) = self.block().await {
                bodies.push(message["body"].as_str().unwrap().to_owned());
            }
        }
        bodies
    }
}

async fn alice_and_bob() -> Bed {
    let bed = Bed::new().await;
    bed.sound.participant("alice").await;
    bed.sound.participant("bob").await;
    bed
}

/// Alice writes to bob through an instance without faults.
async fn write(bed: &Bed, bodies: &[&str]) {
    for body in bodies {
        let message = json!({ "to": "bob@localhost", "body": body });
        bed.sound.does(Call::new("POST", "/api/messages").by(&participant("alice")).json(message)).await;
    }
}

#[rstest]
#[case(Throttled)]
#[case(Broken)]
#[case(Silent)]
#[case(CutOff)]
#[tokio::test]
async fn a_stream_continues_after_an_outage_without_losing_or_repeating_events(#[case] fault: Fault) {
    let bed = alice_and_bob().await;
    let instance = bed.instance(AS_DEPLOYED);
    let mut bob = Listener::begin(&instance, None).await.unwrap();
    write(&bed, &["before"]).await;
    assert_eq!(bob.hears(1).await, ["before"]);
    bed.proxy.inject(Plan::always(fault));
    write(&bed, &["one", "two"]).await;
    // A stream reads the table only while its client reads the stream.
    let ((), heard) = tokio::join!(
        async {
            bed.proxy.injects(2).await;
            bed.proxy.heal();
            write(&bed, &["three"]).await;
        },
        bob.hears(3),
    );
    assert_eq!(heard, ["one", "two", "three"]);
    write(&bed, &["after"]).await;
    assert_eq!(bob.hears(1).await, ["after"]);
}

#[tokio::test]
async fn a_stream_receives_every_event_once_while_requests_fail() {
    let bed = alice_and_bob().await;
    let instance = bed.instance(1);
    let mut bob = Listener::begin(&instance, None).await.unwrap();
    bed.proxy.inject(Plan::some(300, 3));
    for round in 0..5 {
        let bodies: Vec<_> = (0..4).map(|number| format!("{round}/{number}")).collect();
        write(&bed, &bodies.iter().map(String::as_str).collect::<Vec<_>>()).await;
        assert_eq!(bob.hears(4).await, bodies);
    }
}

#[tokio::test]
async fn a_listener_who_reconnects_during_an_outage_is_told_to_retry_and_misses_nothing() {
    let bed = alice_and_bob().await;
    let instance = bed.instance(AS_DEPLOYED);
    let mut bob = Listener::begin(&instance, None).await.unwrap();
    write(&bed, &["before"]).await;
    assert_eq!(bob.hears(1).await, ["before"]);
    bed.proxy.inject(Plan::always(Reset));
    write(&bed, &["meanwhile"]).await;
    assert_eq!(Listener::begin(&instance, Some(&bob.last_id)).await.err(), Some(503));
    bed.proxy.heal();
    let mut again = Listener::begin(&instance, Some(&bob.last_id)).await.unwrap();
    assert_eq!(again.hears(1).await, ["meanwhile"]);
}

#[tokio::test]
async fn an_instance_that_starts_during_an_outage_works_after_it() {
    let bed = Bed::new().await;
    bed.proxy.inject(Plan::always(Reset));
    let instance = bed.instance(AS_DEPLOYED);
    // The store is primed as at the start of a function.
    assert!(instance.store.prime().await.is_err());
    let register = Call::new("POST", "/api/sessions").json(json!({ "identifier": "phone" }));
    assert_eq!(instance.send(&register).await.status, 503);
    bed.proxy.heal();
    let token = instance.does(register).await.body["data"]["token"].as_str().unwrap().to_owned();
    // Another instance accepts the token that this one issued.
    bed.sound.does(Call::new("GET", "/api/session").by(&format!("Bearer {token}"))).await;
}

#[tokio::test]
async fn deletions_are_complete_even_if_batches_are_only_half_processed() {
    let bed = alice_and_bob().await;
    let admin = bed.sound.account("admin", Role::Admin).await.jwt;
    let bodies: Vec<_> = (0..40).map(|number| number.to_string()).collect();
    write(&bed, &bodies.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for name in 0..30 {
        bed.sound.does(webhook("opening", "stream", &format!("viewer-{name}"))).await;
    }
    let instance = bed.instance(AS_DEPLOYED);
    bed.proxy.inject(Plan::always(Unprocessed));
    let users = instance.does(Call::new("GET", "/api/v2/users?username=alice").by(&admin)).await;
    let alice = users.body["results"][0]["id"].as_u64().unwrap();
    instance.does(Call::new("DELETE", format!("/api/v2/users/{alice}")).by(&admin)).await;
    let items = bed.items().await;
    let of_alice = |item: &&_| {
        let partition = text(item, "PK");
        partition.starts_with(&format!("ARCHIVE#{alice}")) || partition == "FORMERUSERS"
    };
    assert_eq!(items.iter().filter(of_alice).count(), 0);
    table::check(&items);
}

#[tokio::test]
async fn a_client_joins_every_session_even_if_batches_are_only_half_processed() {
    let bed = Bed::with_long_timing().await;
    let setting = Setting::make(&bed).await;
    bed.proxy.inject(Plan::always(Unprocessed));
    let joined = bed.instance(AS_DEPLOYED).does(join(&setting)).await;
    for (path, name) in connections(&setting, &joined.body) {
        let list = bed.sound.does(Call::new("GET", path).by(&operator())).await;
        assert_eq!(list.body["response"], json!([name]));
    }
}

#[rstest]
#[case(Reset)]
#[case(BrokenAfter)]
#[tokio::test]
async fn a_deletion_interrupted_by_an_outage_is_finished_later(#[case] fault: Fault) {
    let bed = Bed::with_long_timing().await;
    let admin = bed.sound.account("admin", Role::Admin).await.jwt;
    let event = bed.sound.makes("/api/v2/events", &admin, json!({ "name": "Gala" })).await;
    for number in 0..60 {
        let token = json!({ "event": event, "token": format!("login token {number}"), "tokenType": "floor" });
        bed.sound.makes("/api/v2/logintokens", &admin, token).await;
    }
    let instance = bed.instance(1);
    let path = format!("/api/v2/events/{event}");
    let is_there = Call::new("GET", &path).by(&admin);
    for seed in 0.. {
        bed.proxy.inject(Plan { faults: vec![fault], per_mille: 100, seed });
        let answer = instance.send(&Call::new("DELETE", &path).by(&admin)).await;
        assert!(matches!(answer.status, 204 | 503 | 404), "{answer}");
        if bed.sound.send(&is_there).await.status == 404 {
            break;
        }
    }
    assert!(has_a_login_token_left(&bed).await, "the deletion did not break off");
    bed.clock.advance(LEASE);
    bed.proxy.inject(Plan::always(fault));
    assert!(instance.keep_house().await.is_err());
    bed.proxy.heal();
    instance.keep_house().await.unwrap();
    table::check(&bed.items().await);
    assert!(!has_a_login_token_left(&bed).await);
}

async fn has_a_login_token_left(bed: &Bed) -> bool {
    bed.items().await.iter().any(|item| text(item, "Type") == "LoginToken")
}
