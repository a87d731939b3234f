//! Benchmarks of the functions and of the local gateway, compared with the least that could do the same work. The
//! session management API is compared with a service of the kind that first served it.
//!
//! `cargo run -p bench` runs the first two; `cargo run -p bench -- lambda`, `-- cold`, `-- memory`, `-- gateway`, `--
//! events`, `-- costs`, `-- sse`, `-- crowd` or `-- lists` runs one. `events` needs Python and its package index, and
//! `cold` also needs npm. The other modules are shared: they build the programs, start them, and read the machine.

mod cold;
mod costs;
mod crowd;
mod events;
mod gateway;
mod lambda;
mod lists;
mod memory;
mod sse;

mod build;
mod client;
mod fixture;
mod machine;
mod organiser;
mod process;
mod record;
mod samples;
mod server;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let chosen = std::env::args().nth(1);
    machine::require_quiet()?;
    machine::describe()?;
    match chosen.as_deref() {
        None => {
            lambda::run(&lambda::Options::parse(std::iter::empty())?).await?;
            gateway::run().await
        }
        Some("lambda") => lambda::run(&lambda::Options::parse(std::env::args().skip(2))?).await,
        Some("memory") => memory::run(&memory::Options::parse(std::env::args().skip(2))?).await,
        Some("gateway") => gateway::run().await,
        Some("cold") => cold::run(&cold::Options::parse(std::env::args().skip(2))?).await,
        Some("events") => events::run().await,
        Some("costs") => costs::run(),
        Some("sse") => sse::run().await,
        Some("lists") => lists::run().await,
        Some("crowd") => crowd::run(std::env::args().nth(2).as_deref()).await,
        Some(other) => Err(format!(
            "there is no benchmark {other}: lambda, cold, memory, gateway, events, costs, sse, crowd, lists, or none for the first two"
        )
        .into()),
    }
}

/// The result of a benchmark. No error is recovered from: each one ends the benchmark with its message.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// Any error.
pub(crate) type Error = Box<dyn std::error::Error + Send + Sync>;

/// The OpenVidu secret of every measured process.
pub(crate) const OPENVIDU_SECRET: &str = "benchmark-secret-of-openvidu";

/// The `Authorization` header of a back-end.
#[must_use]
pub(crate) fn openvidu_authorization() -> String {
    use base64::{Engine, prelude::BASE64_STANDARD};
    format!("Basic {}", BASE64_STANDARD.encode(format!("OPENVIDUAPP:{OPENVIDU_SECRET}")))
}
