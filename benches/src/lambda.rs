//! How the functions start and answer under Lambda's Runtime API, beside a function that does nothing.
//!
//! `cargo run -p bench -- lambda` builds each function by itself in the release profile and measures it over a store
//! in the memory of another process. The summary goes to standard output, the samples to `target/bench/lambda.csv`.

mod report;
mod store;
mod subject;

use crate::{Result, build, record::Record};

use self::{store::Store, subject::Subject};

/// How often each function is started.
const STARTS: usize = 20;
/// Invocations after which a process is warm, and before its resident memory is read.
const WARM_UP: usize = 200;
/// Every subject is invoked in turns, so that a change of the machine's mood meets them all.
const TURNS: usize = 5;
/// Invocations in a turn.
const INVOCATIONS: usize = 200;

/// Measures and prints.
pub(crate) async fn run() -> Result<()> {
    let store = Store::start().await?;
    let mut subjects = subjects(&store).await?;
    for subject in &mut subjects {
        // What the disk has to say about a binary's first start is no part of the figures.
        subject.start().await?;
    }
    for _ in 0..STARTS {
        for subject in &mut subjects {
            subject.measure_start().await?;
        }
    }
    for subject in &mut subjects {
        subject.warm_up(WARM_UP).await?;
    }
    for _ in 0..TURNS {
        for subject in &mut subjects {
            subject.measure_warm(INVOCATIONS).await?;
        }
    }
    let mut record = Record::default();
    for subject in &subjects {
        subject.record(&mut record)?;
    }
    report::print(&subjects)?;
    println!("\nsamples: {}", record.write("lambda")?.display());
    Ok(())
}

/// Everything that is measured, the function that does nothing first and the raw writes behind it.
async fn subjects(store: &Store) -> Result<Vec<Subject>> {
    let mut binaries = std::collections::HashMap::new();
    for package in ["hello", "put-item", "create-session", "device-session", "issue-token", "media-sessions"] {
        binaries.insert(package, build::release(package)?);
    }
    let fixture = store.fixture(&binaries["create-session"], &binaries["issue-token"]).await?;
    let of = |name, package, event| -> Result<Subject> {
        Ok(Subject::new(name, &binaries[package], fixture.event(event)?, store.environment()))
    };
    let mut transaction = of("transaction", "put-item", "create-session/device")?;
    transaction.set("WRITE", "transaction");
    Ok(vec![
        of("hello", "hello", "create-session/device")?,
        of("put-item", "put-item", "create-session/device")?,
        transaction,
        of("POST /api/sessions (device)", "create-session", "create-session/device")?,
        of("POST /api/sessions (OpenVidu)", "create-session", "create-session/openvidu")?,
        of("GET /api/session", "device-session", "device-session/read")?,
        of("POST /api/tokens", "issue-token", "issue-token/issue-token")?,
        of("GET /api/sessions/{id}", "media-sessions", "media-sessions/read")?,
    ])
}
