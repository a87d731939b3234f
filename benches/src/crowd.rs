//! Many concurrent requests about one parent, on a table whose transactions can conflict.
//!
//! `cargo run -p bench -- crowd` starts a gateway with a table of its own, and another gateway on the same table behind
//! a proxy. In the proxy each transaction holds its items for 8 ms, and other requests for them are refused meanwhile,
//! as DynamoDB does. Most of the time is waiting, so the profile of the benchmark itself is good enough. A second
//! argument names another `greenroom` to measure. The summary goes to standard output, the samples to
//! `target/bench/crowd.csv`.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use testbed::FaultyStore;
use tokio::task::JoinSet;

use crate::{
    Result, build,
    client::{Connection, request},
    organiser::{log_in, send},
    record::Record,
    samples::{Samples, milliseconds},
    server::Server,
};

/// How long a transaction holds its items.
const HELD: Duration = Duration::from_millis(8);
/// The number of requests of each crowd.
const REQUESTS: usize = 240;
/// The numbers of requests in flight at once.
const CONCURRENCIES: [usize; 4] = [1, 8, 16, 32];
/// The password of the admin.
const PASSWORD: &str = "benchmark-password";
/// The access key id of the table's port.
const ACCESS_KEY: &str = "key_of_the_table_of_the_benchmark";
/// The table.
const TABLE: &str = "crowd";

/// The requests of a crowd.
struct Crowd {
    name: &'static str,
    method: &'static str,
    path: String,
    status: u16,
    body: fn(usize, &Value) -> Value,
}

/// Measures and prints.
pub(crate) async fn run(binary: Option<&str>) -> Result<()> {
    let binary = binary.map_or_else(|| build::alike("greenroom"), |binary| Ok(PathBuf::from(binary)))?;
    let (data, mails) = (TempDir::new()?, TempDir::new()?);
    let variables =
        [("ADMIN_PASSWORD", PASSWORD), ("LOG", "error"), ("TABLE_NAME", TABLE), ("LOCAL_DYNAMODB_KEY", ACCESS_KEY)];
    let arguments = ["serve", "--port", "0", "--memory", "--dynamodb-port", "0"];
    let mut store = Server::start(&binary, &arguments, &variables)?;
    store.address("listening on").await?;
    let table = store.address("DynamoDB").await?;
    let _store = store.keep();
    let proxy = FaultyStore::before(&format!("http://{table}")).await?;
    let gateway = serve(&binary, data.path(), mails.path(), &proxy.url()).await?;
    let address = gateway.0;
    let (token, admin) = log_in(address, PASSWORD).await?;
    proxy.hold(HELD);
    println!("\n{REQUESTS} requests each; a transaction holds its items for {}\n", milliseconds(HELD));
    let mut record = Record::default();
    for at_once in CONCURRENCIES {
        let event = json!({ "name": format!("Congress {at_once}"), "owner": admin });
        let event = send(address, "/api/v2/events", &token, &event).await?["id"].clone();
        for crowd in crowds(&event) {
            let (samples, refused, took) = load(address, &crowd, &token, &event, at_once).await?;
            println!(
                "{:<34} {at_once:>2} at once  {:>5.0} a second  p50 {}  p99 {}  {refused} refused",
                crowd.name,
                f64::from(u32::try_from(REQUESTS)?) / took.as_secs_f64(),
                milliseconds(samples.median()),
                milliseconds(samples.percentile(99)),
            );
            record.add(crowd.name, &at_once.to_string(), &samples)?;
        }
    }
    println!("\nsamples: {}", record.write("crowd")?.display());
    Ok(())
}

/// Starts a gateway on this table.
async fn serve(binary: &Path, data: &Path, mails: &Path, table: &str) -> Result<(SocketAddr, crate::server::Kept)> {
    let (data, mails) = (data.to_str().ok_or("no text")?, mails.to_str().ok_or("no text")?);
    let variables = [
        ("ADMIN_PASSWORD", PASSWORD),
        ("LOG", "error"),
        ("TABLE_NAME", TABLE),
        ("MAIL_DIR", mails),
        ("AWS_ENDPOINT_URL_DYNAMODB", table),
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
        ("AWS_SECRET_ACCESS_KEY", "any"),
    ];
    let mut gateway = Server::start(binary, &["serve", "--port", "0", "--data-dir", data], &variables)?;
    Ok((gateway.address("listening on").await?, gateway.keep()))
}

fn crowds(event: &Value) -> [Crowd; 3] {
    [
        Crowd {
            name: "POST /logintokens/ of one event",
            method: "POST",
            path: "/api/v2/logintokens/".to_owned(),
            status: 201,
            body: |number, event| json!({ "event": event, "token": format!("token-{event}-{number}"), "tokenType": "floor" }),
        },
        Crowd {
            name: "POST /users/ by one admin",
            method: "POST",
            path: "/api/v2/users/".to_owned(),
            status: 201,
            body: |number, event| json!({ "username": format!("user-{event}-{number}"), "role": "manager" }),
        },
        Crowd {
            name: "PATCH of one event",
            method: "PATCH",
            path: format!("/api/v2/events/{event}/"),
            status: 200,
            body: |number, _| json!({ "displayName": format!("The congress, {number}") }),
        },
    ]
}

/// Sends a crowd's requests with this many in flight. Returns the time of each, the number of those refused with a
/// retry, and the time of all.
async fn load(
    address: SocketAddr,
    crowd: &Crowd,
    token: &str,
    event: &Value,
    at_once: usize,
) -> Result<(Samples, usize, Duration)> {
    let requests: Arc<[String]> = (0..REQUESTS)
        .map(|number| request(crowd.method, &crowd.path, token, &(crowd.body)(number, event).to_string()))
        .collect();
    let (next, status, begun) = (Arc::new(AtomicUsize::new(0)), crowd.status, Instant::now());
    let mut hands = JoinSet::new();
    for _ in 0..at_once {
        let (requests, next) = (requests.clone(), next.clone());
        hands.spawn(async move {
            let (mut samples, mut refused) = (Samples::default(), 0);
            let mut connection = Connection::open(address).await?;
            while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                let begun = Instant::now();
                if let Err(error) = connection.answer(request, status).await {
                    if !error.to_string().starts_with("HTTP/1.1 503 ") {
                        return Err(error);
                    }
                    refused += 1;
                }
                samples.push(begun.elapsed());
            }
            Ok::<_, crate::Error>((samples, refused))
        });
    }
    let (mut samples, mut refused) = (Samples::default(), 0);
    while let Some(hand) = hands.join_next().await {
        let (some, of_them) = hand??;
        samples.extend(&some);
        refused += of_them;
    }
    Ok((samples, refused, begun.elapsed()))
}
