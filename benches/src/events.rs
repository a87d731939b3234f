//! The session management API, compared with a Django service that gives the same answers,
//! `benches/peers/django-events`.
//!
//! `cargo run -p bench -- events` makes a Python environment for the peer, fills the database of each with the same
//! events and login tokens, and loads both in turns. The summary goes to standard output, the samples to
//! `target/bench/events.csv`.

mod greenroom;
mod load;
mod mint;
mod peer;
mod report;
mod same;
mod task;

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use tempfile::TempDir;

use crate::{
    Result,
    build::{self, target_directory},
    record::Record,
    server::Kept,
};

use self::{load::Load, peer::Environment, task::Task};

/// The password of the user `admin` on both sides.
const ADMIN_PASSWORD: &str = "benchmark-password-of-admin";
/// The clients' static token on both sides.
const API_TOKEN: &str = "0123456789abcdef0123456789abcdef01234567";
const OPENTOK_API_KEY: &str = "45828062";
const OPENTOK_API_SECRET: &str = "1234567890abcdef1234567890abcdef1234567890";
/// Events on both sides. The first has the sessions and the login tokens.
const EVENTS: usize = 20;
/// Login tokens on both sides, `token-000000` and on.
const LOGIN_TOKENS: usize = 1_000;

/// Both sides take turns, so that a change in the machine's load affects both.
const TURNS: usize = 3;

/// A service under measurement.
struct Side {
    name: &'static str,
    address: SocketAddr,
    server: Kept,
    /// The directory of its database, which is deleted when it is dropped.
    _data: TempDir,
}

/// Measures and prints.
pub(crate) async fn run() -> Result<()> {
    let environment = peer::environment()?;
    println!("peer: {}", environment.versions()?);
    // Everything is built before the first measurement, because compiling keeps every core busy.
    let signer = build::release("t1")?;
    let sides = [greenroom::start().await?, peer::start(&environment).await?];
    let mut measured = measure(&sides, &environment, &signer).await;
    for side in sides {
        measured = measured.and(side.server.stop().await);
    }
    measured
}

async fn measure(sides: &[Side; 2], environment: &Environment, signer: &Path) -> Result<()> {
    let session_id = same::require(sides).await?;
    let mut loads = Vec::new();
    for task in Task::ALL {
        for side in sides {
            let jwt = Arc::from(task::obtain_jwt(side.address).await?);
            loads.push(Load::new(side, *task, jwt));
        }
    }
    for load in &mut loads {
        load.warm_up().await?;
    }
    for _ in 0..TURNS {
        for load in &mut loads {
            load.turn().await?;
        }
    }
    let mut record = Record::default();
    for load in &loads {
        load.record(&mut record)?;
    }
    let mint = mint::mint(signer, environment, &session_id)?;
    report::print(&loads, &mint)?;
    println!("\nsamples: {}", record.write("events")?.display());
    Ok(())
}

/// A directory for a database. It is below the target directory: a temporary directory may be in memory, where syncing
/// is free.
fn data_directory() -> Result<TempDir> {
    let parent = bench_directory()?;
    Ok(tempfile::tempdir_in(parent)?)
}

fn bench_directory() -> Result<PathBuf> {
    let directory = target_directory()?.join("bench");
    fs::create_dir_all(&directory)?;
    Ok(directory)
}
