//! The load that the local gateway can handle, compared with an HTTP server that does nothing.
//!
//! `cargo run -p bench -- gateway` builds both in the release profile and loads them in turns. The summary goes to
//! standard output, the samples to `target/bench/gateway.csv`.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use crate::{
    OPENVIDU_SECRET, Result, build,
    client::{self, CONNECTIONS, Load},
    openvidu_authorization,
    record::Record,
    samples::{Samples, milliseconds},
    server::{Kept, Server},
};
use serde_json::{Value, json};

/// The requests before the first measurement, for the connections and the caches.
const WARM_UP: usize = 2_000;
/// All subjects take turns, so that a change in the machine's load affects all of them.
const TURNS: usize = 3;
/// Requests in a turn.
const REQUESTS: usize = 12_800;
/// The sessions for which tokens are issued, in turn.
const SESSIONS: usize = 100;

struct Subject {
    name: &'static str,
    address: SocketAddr,
    load: Arc<Load>,
    sent: usize,
    latency: Samples,
    // How long each turn took.
    turns: Samples,
}

/// Measures and prints.
pub(crate) async fn run() -> Result<()> {
    let (hello, _hello) = serve("hello-http", &[]).await?;
    let (gateway, _gateway) = serve("greenroom", &["serve", "--memory", "--port", "0"]).await?;
    let mut subjects = [
        Subject::new("hello", hello, device()),
        Subject::new("POST /api/sessions (device)", gateway, device()),
        Subject::new("POST /api/sessions (OpenVidu)", gateway, openvidu()),
        Subject::new("POST /api/tokens", gateway, tokens(gateway).await?),
    ];
    for subject in &mut subjects {
        subject.load(WARM_UP).await?;
    }
    for _ in 0..TURNS {
        for subject in &mut subjects {
            let (latency, turn) = subject.load(REQUESTS).await?;
            subject.latency.extend(&latency);
            subject.turns.push(turn);
        }
    }
    report(&subjects)
}

async fn serve(package: &str, arguments: &[&str]) -> Result<(SocketAddr, Kept)> {
    let binary = build::release(package)?;
    let mut server = Server::start(&binary, arguments, &[("OPENVIDU_SECRET", OPENVIDU_SECRET), ("LOG", "warn")])?;
    Ok((server.address("listening on").await?, server.keep()))
}

fn device() -> Load {
    let body = |number| json!({"identifier": format!("device-{number:012}")}).to_string();
    Load { path: "/api/sessions", headers: String::new(), body: Box::new(body) }
}

fn openvidu() -> Load {
    Load { path: "/api/sessions", headers: authorization(), body: Box::new(|_| "{}".to_owned()) }
}

/// Requests for tokens of sessions that are created here. No session gets more tokens than a large room has
/// participants.
async fn tokens(gateway: SocketAddr) -> Result<Load> {
    let mut sessions = Vec::new();
    for _ in 0..SESSIONS {
        let session: Value = serde_json::from_str(&client::post(gateway, &openvidu()).await?)?;
        sessions.push(session["id"].clone());
    }
    let body = move |number: usize| json!({"session": sessions[number % SESSIONS], "data": "Ada"}).to_string();
    Ok(Load { path: "/api/tokens", headers: authorization(), body: Box::new(body) })
}

fn authorization() -> String {
    format!("authorization: {}\r\n", openvidu_authorization())
}

impl Subject {
    fn new(name: &'static str, address: SocketAddr, load: Load) -> Self {
        let load = Arc::new(load);
        Self { name, address, load, sent: 0, latency: Samples::default(), turns: Samples::default() }
    }

    async fn load(&mut self, requests: usize) -> Result<(Samples, Duration)> {
        let loaded = client::run(self.address, &self.load, self.sent, requests).await?;
        self.sent += requests;
        Ok(loaded)
    }

    fn requests_per_second(&self) -> Result<f64> {
        Ok(f64::from(u32::try_from(REQUESTS)?) / self.turns.median().as_secs_f64())
    }
}

fn report(subjects: &[Subject]) -> Result<()> {
    println!("\n{CONNECTIONS} connections, {TURNS} turns of {REQUESTS} requests each; the rate is the median turn's\n");
    let [hello, ..] = subjects else { return Err("nothing was measured".into()) };
    let most = hello.requests_per_second()?;
    let mut record = Record::default();
    for subject in subjects {
        let rate = subject.requests_per_second()?;
        println!(
            "{:<30} {rate:>8.0} requests/s  p50 {}  p99 {}  {:.2} of hello",
            subject.name,
            milliseconds(subject.latency.median()),
            milliseconds(subject.latency.percentile(99)),
            rate / most,
        );
        record.add(subject.name, "latency", &subject.latency)?;
        record.add(subject.name, "turn", &subject.turns)?;
    }
    println!("\nsamples: {}", record.write("gateway")?.display());
    Ok(())
}
