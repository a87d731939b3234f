//! Benchmarks of the functions and of the local gateway, each beside the least that could do its work, and of the
//! session management API beside a service of the kind that first served it.
//!
//! `cargo run -p bench` runs the first two, `cargo run -p bench -- lambda`, `-- cold`, `-- gateway`, `-- events`,
//! `-- costs` or `-- sse` one. `events` needs Python and its package index, `cold` those and npm. The other modules are
//! what they share: building what they measure, starting it, and reading the machine.

mod cold;
mod costs;
mod events;
mod gateway;
mod lambda;
mod sse;

mod build;
mod client;
mod machine;
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
            lambda::run().await?;
            gateway::run().await
        }
        Some("lambda") => lambda::run().await,
        Some("gateway") => gateway::run().await,
        Some("cold") => cold::run(&cold::Options::parse(std::env::args().skip(2))?).await,
        Some("events") => events::run().await,
        Some("costs") => costs::run(),
        Some("sse") => sse::run().await,
        Some(other) => Err(format!(
            "there is no benchmark {other}: lambda, cold, gateway, events, costs, sse, or none for the first two"
        )
        .into()),
    }
}

/// A benchmark has nobody to recover for: whatever fails ends it with its own words.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The secret every measured process is started with.
pub(crate) const OPENVIDU_SECRET: &str = "benchmark-secret-of-openvidu";

/// What a back-end sends in `Authorization`.
#[must_use]
pub(crate) fn openvidu_authorization() -> String {
    use base64::{Engine, prelude::BASE64_STANDARD};
    format!("Basic {}", BASE64_STANDARD.encode(format!("OPENVIDUAPP:{OPENVIDU_SECRET}")))
}
