//! The memory size for each function, by the time of its warm requests at the share of a processor that the size buys.
//!
//! `cargo run --release -p bench -- memory` builds each function by itself, fills a store, and sends each function its
//! most usual and its heaviest request, at each memory size in turns. It has to be run as root, for the control groups.
//! A request is sent only after the quota has been renewed, because most instances wait most of their time.
//!
//! `--warm N` sends fewer requests, `--only NAME,NAME` measures some of the functions.

mod choice;
mod report;
mod work;

use std::time::Duration;

use crate::{
    Result, build,
    cold::{functions::requests, quota::Quota, store::Store, subject::Subject},
    fixture::Event,
};

use self::{
    choice::{Kind, SIZES},
    report::Row,
    work::{HASHING, HASHING_FIRST, HEAVIEST},
};

/// The pause between two requests, in which the quota is renewed: one and a half of its periods.
const PAUSE: Duration = Duration::from_millis(30);
/// Requests of a turn. Turns are short, so that other work on the machine affects all sizes.
const TURN: usize = 5;

/// The sizes in ascending order, each with its quota.
type Quotas = Vec<(u64, Quota)>;

/// The options of the command line.
pub(crate) struct Options {
    /// Requests of each operation at each size.
    warm: usize,
    only: Vec<String>,
}

impl Options {
    /// Reads the arguments after `memory`.
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self { warm: 25, only: Vec::new() };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "--warm" => options.warm = value()?.parse()?,
                "--only" => options.only = value()?.split(',').map(str::to_owned).collect(),
                other => return Err(format!("memory has no option {other}: --warm, --only").into()),
            }
        }
        Ok(options)
    }
}

/// Measures and prints.
pub(crate) async fn run(options: &Options) -> Result<()> {
    let store = Store::start().await?;
    let fixture = store.fixture().await?;
    let loaded = work::fill(&store, &fixture).await?;
    let quotas: Quotas = SIZES.iter().map(|size| Ok((*size, Quota::of_memory(*size)?))).collect::<Result<_>>()?;
    let mut rows = Vec::new();
    for (name, usual, status) in &requests()? {
        if !options.only.is_empty() && !options.only.iter().any(|only| only == name) {
            continue;
        }
        let kind = match status {
            None => Kind::Unattended,
            Some(_) if name == "message-events" => Kind::Stream,
            Some(_) if HASHING.contains(&&**name) => Kind::Password,
            Some(_) => Kind::Usual,
        };
        println!("{name}");
        let event = || fixture.event(&format!("{name}/{usual}"));
        let mut subject = subject(&store, name, event()?, *status)?;
        rows.push(warm(&mut subject, &quotas, Row::new(name, usual, kind), options.warm).await?);
        if HASHING_FIRST.contains(&&**name) {
            let row = Row::new(name, "with a password not looked at lately", Kind::Password);
            rows.push(first(&mut subject, &quotas, row, options.warm).await?);
        }
        for heaviest in HEAVIEST.iter().filter(|heaviest| heaviest.function == *name) {
            let event = heaviest.event(&fixture, &loaded)?;
            let mut subject = self::subject(&store, name, event, Some(heaviest.status))?;
            let row = Row::new(name, heaviest.what, heaviest.kind);
            rows.push(warm(&mut subject, &quotas, row, options.warm).await?);
        }
    }
    report::print(&rows)
}

fn subject(store: &Store, name: &str, event: Event, status: Option<u16>) -> Result<Subject> {
    let mut environment = store.environment()?;
    environment.push(("SSL_CERT_FILE".to_owned(), store.proxy.trusted_beside_amazon()?));
    Ok(Subject::new(name, &build::release(name)?, event, status, 0).with(0, environment))
}

/// Measures this many warm requests at each size.
async fn warm(subject: &mut Subject, quotas: &Quotas, mut row: Row, requests: usize) -> Result<Row> {
    let (_, whole) = quotas.last().ok_or("no sizes")?;
    subject.measure_start(whole).await?;
    // Fills the caches and opens the connections.
    subject.measure_warm(TURN, Duration::ZERO).await?;
    for _ in 0..requests.div_ceil(TURN) {
        for (size, quota) in quotas {
            subject.hold(quota)?;
            subject.forget();
            subject.measure_warm(TURN, PAUSE).await?;
            row.add(*size, &subject.figures.warm);
        }
    }
    subject.stop().await?;
    Ok(row)
}

/// Measures this many first requests at each size.
async fn first(subject: &mut Subject, quotas: &Quotas, mut row: Row, requests: usize) -> Result<Row> {
    for _ in 0..requests.div_ceil(TURN) {
        for (size, quota) in quotas {
            subject.forget();
            subject.measure_start(quota).await?;
            row.add(*size, &subject.figures.first);
        }
    }
    subject.stop().await?;
    Ok(row)
}
