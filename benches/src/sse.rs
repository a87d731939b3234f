//! How long a message takes to reach all listeners.
//!
//! `cargo run -p bench -- sse` opens 200 event streams on the local gateway, with a database in a file, and sends
//! messages one after the other. It measures the time until the event arrives on each stream, from the beginning of the
//! POST and from its answer. An event may arrive before the answer. The summary goes to standard output, the samples to
//! `target/bench/sse.csv`.

use std::{
    collections::HashMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    sync::mpsc,
    time::timeout,
};

use crate::{
    Result, build,
    client::{Connection, request},
    record::Record,
    samples::{Samples, milliseconds},
    server::Server,
};

/// Accounts that listen.
const ACCOUNTS: usize = 20;
/// The number of streams of each account.
const STREAMS: usize = 10;
/// The number of messages. They go to the accounts in turn.
const MESSAGES: usize = 400;
/// The pause between two messages. It is no multiple of the poll interval, so that messages hit all phases of it.
const PAUSE: Duration = Duration::from_millis(37);
/// The longest time that an event may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The password of all accounts.
const PASSWORD: &str = "benchmark-password";

/// A received event: the message's id, and the time of arrival.
type Arrived = (String, Instant);

/// Measures and prints.
pub(crate) async fn run() -> Result<()> {
    let data = TempDir::new()?;
    let arguments = ["serve", "--port", "0", "--data-dir", data.path().to_str().ok_or("no text")?];
    let variables = [("ADMIN_PASSWORD", PASSWORD), ("LOG", "warn")];
    let mut server = Server::start(&build::release("greenroom")?, &arguments, &variables)?;
    let gateway = server.address("listening on").await?;
    let _server = server.keep();
    let mut connection = Connection::open(gateway).await?;
    make_accounts(&mut connection).await?;
    let (arrivals, mut arrived) = mpsc::unbounded_channel();
    for stream in 0..ACCOUNTS * STREAMS {
        let events = listen(gateway, &account(stream % ACCOUNTS)).await?;
        tokio::spawn(note(events, arrivals.clone()));
    }
    println!("{} streams are open", ACCOUNTS * STREAMS);
    let mut sent = HashMap::new();
    for message in 0..MESSAGES {
        let begun = Instant::now();
        let id = send(&mut connection, message).await?;
        sent.insert(id, (begun, Instant::now()));
        tokio::time::sleep(PAUSE).await;
    }
    let (mut from_start, mut from_answer) = (Samples::default(), Samples::default());
    for _ in 0..MESSAGES * STREAMS {
        let (id, at) = timeout(TIMEOUT, arrived.recv()).await?.ok_or("the streams have ended")?;
        let (begun, answered) = sent.get(&id).ok_or("an event of no message")?;
        from_start.push(at.duration_since(*begun));
        from_answer.push(at.saturating_duration_since(*answered));
    }
    report(&from_start, &from_answer)
}

fn account(number: usize) -> String {
    format!("listener-{number}")
}

fn authorization(username: &str) -> String {
    let credentials = BASE64_STANDARD.encode(format!("{username}@localhost:{PASSWORD}"));
    format!("authorization: Basic {credentials}\r\n")
}

async fn make_accounts(connection: &mut Connection) -> Result<()> {
    let login = json!({"username": "admin", "password": PASSWORD}).to_string();
    let login = connection.answer(&request("POST", "/api/v2/token-auth/obtain", "", &login), 200).await?;
    let token: Value = serde_json::from_slice(login)?;
    let token = format!("authorization: JWT {}\r\n", token["token"].as_str().ok_or("no token")?);
    for number in 0..ACCOUNTS {
        let user = json!({"username": account(number), "role": "partner"}).to_string();
        let user = connection.answer(&request("POST", "/api/v2/users", &token, &user), 201).await?;
        let user: Value = serde_json::from_slice(user)?;
        let password = json!({"newPw": PASSWORD}).to_string();
        let path = format!("/api/v2/users/{}/password_set", user["id"]);
        connection.answer(&request("POST", &path, &token, &password), 204).await?;
    }
    Ok(())
}

/// Sends a message; its id.
async fn send(connection: &mut Connection, number: usize) -> Result<String> {
    let to = format!("{}@localhost", account(number % ACCOUNTS));
    let body = json!({"to": to, "body": format!("message {number}")}).to_string();
    let sent = connection.answer(&request("POST", "/api/messages", &authorization("admin"), &body), 200).await?;
    let sent: Value = serde_json::from_slice(sent)?;
    Ok(sent["id"].as_str().ok_or("no id")?.to_owned())
}

/// Opens an event stream; its beginning has arrived.
async fn listen(gateway: SocketAddr, username: &str) -> Result<BufReader<TcpStream>> {
    let mut stream = TcpStream::connect(gateway).await?;
    stream.write_all(request("GET", "/api/sse", &authorization(username), "").as_bytes()).await?;
    let mut events = BufReader::new(stream);
    let mut head = String::new();
    while !head.contains("retry: ") {
        if events.read_line(&mut head).await? == 0 || !head.starts_with("HTTP/1.1 200 ") {
            return Err(format!("no stream: {head}").into());
        }
    }
    Ok(events)
}

/// Records when each event arrives. Each event is a chunk of its own, so its data is in one line.
async fn note(mut events: BufReader<TcpStream>, arrivals: mpsc::UnboundedSender<Arrived>) {
    let mut line = String::new();
    while events.read_line(&mut line).await.is_ok_and(|read| read > 0) {
        let data = line.strip_prefix("data: ").and_then(|data| serde_json::from_str::<Value>(data).ok());
        if let Some(id) = data.as_ref().and_then(|data| data["id"].as_str()) {
            // The receiver is gone once all events have arrived.
            let _ = arrivals.send((id.to_owned(), Instant::now()));
        }
        line.clear();
    }
}

fn report(from_start: &Samples, from_answer: &Samples) -> Result<()> {
    println!("\n{MESSAGES} messages, each told on {STREAMS} of {} streams\n", ACCOUNTS * STREAMS);
    let mut record = Record::default();
    for (name, samples) in [("from the POST's beginning", from_start), ("from its answer", from_answer)] {
        println!(
            "{name:<26} p50 {}  p99 {}  max {}",
            milliseconds(samples.median()),
            milliseconds(samples.percentile(99)),
            milliseconds(samples.percentile(100)),
        );
        record.add("event", name, samples)?;
    }
    println!("\nsamples: {}", record.write("sse")?.display());
    Ok(())
}
