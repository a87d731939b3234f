//! How the functions start and answer under Lambda's Runtime API, compared with bare functions that make the same calls
//! to the table.
//!
//! `cargo run -p bench -- lambda` builds each function by itself in the release profile and measures it over a store
//! in the memory of another process. The summary goes to standard output, the samples to `target/bench/lambda.csv`.
//!
//! `--before DIR` also measures the functions in that directory, in turns with the present ones. Put
//! `target/release/create-session` of another state of the project there, and any other functions of interest. `--warm
//! N` takes N turns, `--starts N` takes N starts, `--only NAME,NAME` some of the functions.

mod report;
mod store;
mod subject;

use std::{collections::HashMap, path::PathBuf};

use crate::{Result, build, record::Record};

use self::{store::Store, subject::Subject};

/// Invocations after which a process is warm, and before its resident memory is read.
const WARM_UP: usize = 200;
/// Invocations in a turn. Turns are short, so that other work on the machine affects all subjects.
const INVOCATIONS: usize = 50;

/// The bare functions: the operation with which each calls the table, by the name under which it is measured.
const BARE: [(&str, &str); 4] =
    [("PutItem", ""), ("transaction of two", "transaction"), ("BatchWriteItem", "batch"), ("GetItem", "get")];

/// The measured functions: the name, the bare function for comparison, the package and the event.
const FUNCTIONS: [(&str, Option<&str>, &str, &str); 6] = [
    ("POST /api/sessions (device)", Some("PutItem"), "create-session", "create-session/device"),
    ("POST /api/sessions (OpenVidu)", Some("PutItem"), "create-session", "create-session/openvidu"),
    ("GET /api/session", Some("GetItem"), "device-session", "device-session/read"),
    ("POST /api/tokens", Some("transaction of two"), "issue-token", "issue-token/issue-token"),
    ("GET /api/sessions/{id}", None, "media-sessions", "media-sessions/read"),
    ("POST /api/v2/rtcsessions", Some("BatchWriteItem"), "rtcsessions", "rtcsessions/join"),
];

/// The options of the command line.
pub(crate) struct Options {
    before: Option<PathBuf>,
    /// How often each function is started.
    starts: usize,
    /// Turns of warm invocations. Every subject runs once in each turn.
    turns: usize,
    only: Vec<String>,
}

impl Options {
    /// Reads the arguments after `lambda`.
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self { before: None, starts: 20, turns: 20, only: Vec::new() };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "--before" => options.before = Some(value()?.into()),
                "--starts" => options.starts = value()?.parse()?,
                "--warm" => options.turns = value()?.parse()?,
                "--only" => options.only = value()?.split(',').map(str::to_owned).collect(),
                other => return Err(format!("lambda has no option {other}: --before, --starts, --warm, --only").into()),
            }
        }
        Ok(options)
    }
}

/// Measures and prints.
pub(crate) async fn run(options: &Options) -> Result<()> {
    let store = Store::start().await?;
    let mut subjects = subjects(&store, options).await?;
    for subject in &mut subjects {
        // The first start of a binary reads it from the disk, which is not to be measured.
        subject.start().await?;
    }
    for _ in 0..options.starts {
        for subject in &mut subjects {
            subject.measure_start().await?;
        }
    }
    for subject in &mut subjects {
        subject.warm_up(WARM_UP).await?;
    }
    for _ in 0..options.turns {
        for subject in &mut subjects {
            subject.measure_warm(INVOCATIONS).await?;
        }
    }
    let mut record = Record::default();
    for subject in &subjects {
        subject.record(&mut record)?;
    }
    println!("\nsamples: {}", record.write("lambda")?.display());
    report::print(&subjects)?;
    Ok(())
}

/// All subjects: the function that does nothing, the bare functions, the project's functions, and the earlier build of
/// each.
async fn subjects(store: &Store, options: &Options) -> Result<Vec<Subject>> {
    let fixture = store.fixture().await?;
    let is_wanted = |package: &str| options.only.is_empty() || options.only.iter().any(|only| only == package);
    let functions: Vec<_> = FUNCTIONS.into_iter().filter(|(_, _, package, _)| is_wanted(package)).collect();
    let mut binaries = HashMap::new();
    for package in ["hello", "put-item"].into_iter().chain(functions.iter().map(|(_, _, package, _)| *package)) {
        if !binaries.contains_key(package) {
            binaries.insert(package, build::release(package)?);
        }
    }
    let of = |name, package, event, number| -> Result<Subject> {
        let event = fixture.event(event)?;
        Ok(Subject::new(name, &binaries[package], event, store.environment(), number))
    };
    let mut subjects = vec![of(("hello", None), "hello", "create-session/device", 0)?];
    for (name, call) in BARE {
        let mut bare = of((name, None), "put-item", "create-session/device", 0)?;
        bare.set("CALL", call);
        subjects.push(bare);
    }
    for (name, peer, package, event) in functions {
        let subject = of((name, peer), package, event, 0)?;
        let before = options.before.as_ref().map(|before| before.join(package)).filter(|before| before.exists());
        let before = before.map(|before| subject.built_before(&before));
        subjects.push(subject);
        subjects.extend(before);
    }
    Ok(subjects)
}
