//! Cold starts of every function, compared with the same work in other languages and with AWS's own set-up.
//!
//! `cargo run --release -p bench -- cold` builds each function by itself, starts it fifty times on a whole processor,
//! holds it at its first `/next` to the quota that Lambda gives its memory, and sends its first request and 200 more.
//! The store is behind TLS. It has to be run as root, for the control groups; it needs npm, Python and their package
//! indexes, and cmake, autoconf, automake, libtool and a C++ compiler for Node.js's runtime interface client.
//!
//! `--starts N` takes fewer starts, `--warm N` fewer requests, and `--only NAME,NAME` some of the functions. `--write`
//! puts the figures, the samples and the plot into `docs/`, otherwise into `target/bench`.

pub(crate) mod functions;
mod peers;
mod plot;
mod proxy;
pub(crate) mod quota;
mod report;
pub(crate) mod store;
pub(crate) mod subject;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::{Result, build, fixture::Fixture};

use self::{quota::Quota, store::Store, subject::Subject};

/// The function whose work the peers do as well.
const COMPARED: &str = "create-session";

/// The options of the command line.
pub(crate) struct Options {
    starts: usize,
    /// Requests after the first one.
    warm: usize,
    only: Vec<String>,
    write: bool,
}

impl Options {
    /// Reads the arguments after `cold`.
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self { starts: 50, warm: 200, only: Vec::new(), write: false };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "--starts" => options.starts = value()?.parse()?,
                "--warm" => options.warm = value()?.parse()?,
                "--only" => options.only = value()?.split(',').map(str::to_owned).collect(),
                "--write" => options.write = true,
                other => return Err(format!("cold has no option {other}: --starts, --warm, --only, --write").into()),
            }
        }
        if options.write && !options.only.is_empty() {
            return Err("what is published is of every function: --write goes without --only".into());
        }
        Ok(options)
    }
}

/// Measures, prints and writes.
pub(crate) async fn run(options: &Options) -> Result<()> {
    let store = Store::start().await?;
    let fixture = store.fixture().await?;
    let mut subjects = functions(&store, &fixture, options)?;
    let ours = subjects.iter().position(|subject| subject.name == COMPARED).ok_or("nothing to compare")?;
    let event = fixture.event("create-session/device")?;
    let (peers, versions) = peers::all(&store, &event, subjects[ours].memory).await?;
    peers::require_same(&store, &subjects[ours], &peers).await?;
    println!("the peers answer and write as {COMPARED} does");
    require_primed(&store, &subjects[ours]).await?;
    let functions = subjects.len();
    subjects.extend(peers);
    measure(&mut subjects, options).await?;
    let (functions, peers) = subjects.split_at(functions);
    report::publish(functions, peers, &versions, options)
}

/// Ends the benchmark if the first request does not use the connection that was opened before it.
async fn require_primed(store: &Store, subject: &Subject) -> Result<()> {
    let before = store.proxy.accepted();
    subject.answer_to(98_000_000).await?;
    match store.proxy.accepted() - before {
        1 => Ok(()),
        other => Err(format!("{}: {other} connections to the store before the first answer", subject.name).into()),
    }
}

/// All functions, or the selected ones, including the one that is compared.
fn functions(store: &Store, fixture: &Fixture, options: &Options) -> Result<Vec<Subject>> {
    let memory: BTreeMap<String, u64> = functions::memory()?.into_iter().collect();
    let mut subjects = Vec::new();
    for (name, event, status) in functions::requests()? {
        if !options.only.is_empty() && name != COMPARED && !options.only.contains(&name) {
            continue;
        }
        let mut environment = store.environment()?;
        environment.push(("SSL_CERT_FILE".to_owned(), store.proxy.trusted_beside_amazon()?));
        let event = fixture.event(&format!("{name}/{event}"))?;
        let megabytes = *memory.get(&name).ok_or_else(|| format!("{name} is not in the template"))?;
        println!("building {name}");
        let subject = Subject::new(&name, &build::release(&name)?, event, status, 0);
        subjects.push(subject.with(megabytes, environment));
    }
    Ok(subjects)
}

async fn measure(subjects: &mut [Subject], options: &Options) -> Result<()> {
    let sizes: BTreeSet<_> = subjects.iter().map(|subject| subject.memory).collect();
    let quotas: BTreeMap<_, _> =
        sizes.into_iter().map(|memory| Ok((memory, Quota::of_memory(memory)?))).collect::<Result<_>>()?;
    // The first start of a binary reads it from the disk, which is not to be measured.
    for subject in subjects.iter_mut() {
        subject.measure_start(&quotas[&subject.memory]).await?;
        subject.stop().await?;
        subject.forget();
    }
    // All subjects take turns, so that a change in the machine's load affects all of them.
    for start in 0..options.starts {
        println!("start {} of {}", start + 1, options.starts);
        for subject in subjects.iter_mut() {
            subject.measure_start(&quotas[&subject.memory]).await?;
            if start + 1 == options.starts {
                subject.measure_warm(options.warm, Duration::ZERO).await?;
            }
            subject.stop().await?;
        }
    }
    Ok(())
}
