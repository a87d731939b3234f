//! Lists of many users, while another client joins an event.
//!
//! `cargo run --release -p bench -- lists` starts a gateway on an empty store and creates 20,000 users, an event and a
//! login token. It then requests single records by their keys, a page past the end, and filters that no index supports.
//! At last eight clients filter continuously while another one joins. The summary goes to standard output, the samples
//! to `target/bench/lists.csv`.

use std::{net::SocketAddr, time::Instant};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    Result, build,
    client::{Connection, request},
    organiser::{log_in, send},
    record::Record,
    samples::{Samples, milliseconds},
    server::Server,
};

/// Users in the store.
const USERS: usize = 20_000;
/// The number of connections that create them.
const HANDS: usize = 8;
/// Requests of each kind.
const REQUESTS: usize = 50;
/// Requests that read all users.
const SEARCHES: usize = 8;
/// The number of clients that filter while another one joins.
const MAX_CONCURRENT: usize = 8;
/// A filter that no index supports. No user matches, so all are read.
const FILTER: &str = "/api/v2/users/?role=partner";
const PASSWORD: &str = "benchmark-password";
const API_TOKEN: &str = "0123456789abcdef0123456789abcdef01234567";
const LOGIN_TOKEN: &str = "token-of-the-guest";

/// Measures and prints.
pub(crate) async fn run() -> Result<()> {
    let binary = build::release("greenroom")?;
    let variables = [("ADMIN_PASSWORD", PASSWORD), ("API_TOKEN", API_TOKEN), ("LOG", "error")];
    let mut gateway = Server::start(&binary, &["serve", "--port", "0", "--memory"], &variables)?;
    let address = gateway.address("listening on").await?;
    let _gateway = gateway.keep();
    let (token, admin) = log_in(address, PASSWORD).await?;
    let event = json!({ "name": "Congress", "owner": admin });
    let event = send(address, "/api/v2/events", &token, &event).await?["id"].clone();
    let session =
        json!({ "event": event, "language": "Spanish", "languageCode": "es", "mode": "relayed", "archive": false });
    send(address, "/api/v2/sessions/", &token, &session).await?;
    let guest = json!({ "event": event, "token": LOGIN_TOKEN, "tokenType": "participant" });
    send(address, "/api/v2/logintokens/", &token, &guest).await?;
    make_users(address, &token).await?;
    println!("\n{USERS} users\n");
    let mut record = Record::default();
    let lists = [
        ("?id=", "/api/v2/users/?id=9999", REQUESTS),
        ("?username=", "/api/v2/users/?username=user-10000", REQUESTS),
        ("?name=", "/api/v2/events/?name=Congress", REQUESTS),
        ("?token=", "/api/v2/logintokens/?token=token-of-the-guest", REQUESTS),
        ("an offset behind the end", "/api/v2/users/?offset=50000", REQUESTS),
        ("the first page", "/api/v2/users/", REQUESTS),
        ("a filter without an index", FILTER, SEARCHES),
    ];
    for (name, path, requests) in lists {
        let samples = ask(address, &token, path, requests).await?;
        report(&mut record, name, &samples)?;
    }
    let alone = join(address, REQUESTS).await?;
    report(&mut record, "a join", &alone)?;
    let mut searching = JoinSet::new();
    for _ in 0..MAX_CONCURRENT {
        let token = token.clone();
        searching.spawn(async move { ask(address, &token, FILTER, usize::MAX).await.map(drop) });
    }
    let beside = join(address, REQUESTS).await?;
    // The searches never end by themselves, so one that has ended has failed.
    if let Some(ended) = searching.try_join_next() {
        ended??;
    }
    searching.shutdown().await;
    report(&mut record, "a join beside eight such filters", &beside)?;
    println!("\nsamples: {}", record.write("lists")?.display());
    Ok(())
}

fn report(record: &mut Record, name: &str, samples: &Samples) -> Result<()> {
    let (median, worst) = (milliseconds(samples.median()), milliseconds(samples.percentile(100)));
    println!("{name:<34} p50 {median}  worst {worst}");
    record.add(name, "", samples)
}

/// Creates all users, over several connections.
async fn make_users(address: SocketAddr, token: &str) -> Result<()> {
    let mut hands = JoinSet::new();
    for hand in 0..HANDS {
        let token = token.to_owned();
        hands.spawn(async move {
            let mut connection = Connection::open(address).await?;
            for number in (hand..USERS).step_by(HANDS) {
                let user = json!({ "username": format!("user-{number:05}"), "role": "manager" }).to_string();
                connection.answer(&request("POST", "/api/v2/users/", &token, &user), 201).await?;
            }
            Ok::<_, crate::Error>(())
        });
    }
    while let Some(hand) = hands.join_next().await {
        hand??;
    }
    Ok(())
}

/// Requests a list repeatedly.
async fn ask(address: SocketAddr, token: &str, path: &str, requests: usize) -> Result<Samples> {
    let request = request("GET", path, token, "");
    let mut connection = Connection::open(address).await?;
    let mut samples = Samples::default();
    for _ in 0..requests {
        let begun = Instant::now();
        serde_json::from_slice::<Value>(connection.answer(&request, 200).await?)?;
        samples.push(begun.elapsed());
    }
    Ok(samples)
}

/// Joins repeatedly.
async fn join(address: SocketAddr, requests: usize) -> Result<Samples> {
    let authorization = format!("authorization: Token {API_TOKEN}\r\n");
    let body = json!({ "loginToken": LOGIN_TOKEN }).to_string();
    let request = request("POST", "/api/v2/rtcsessions/", &authorization, &body);
    let mut connection = Connection::open(address).await?;
    let mut samples = Samples::default();
    for _ in 0..requests {
        let begun = Instant::now();
        connection.answer(&request, 201).await?;
        samples.push(begun.elapsed());
    }
    Ok(samples)
}
