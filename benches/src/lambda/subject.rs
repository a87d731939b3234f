//! One function with one kind of event, and its figures.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use crate::{Result, fixture::Event, process, record::Record, samples::Samples};
use testbed::Function;

/// The overhead of a zip file with one entry: the local header, the central one and the end, with the name in both.
const ZIP_HEADERS: usize = 30 + 46 + 22 + 2 * "bootstrap".len();

/// The suffix of the name of an earlier build.
pub(crate) const BEFORE: &str = " (before)";
/// The distance between the event numbers of two builds of a function.
const APART: usize = 50_000_000;

/// A function, its event, and its figures.
pub(crate) struct Subject {
    pub(crate) name: String,
    /// The bare function that calls the table as this one does.
    pub(crate) peer: Option<&'static str>,
    binary: PathBuf,
    event: Event,
    environment: Vec<(String, String)>,
    running: Option<Function>,
    sent: usize,
    pub(crate) figures: Figures,
}

/// The figures of a subject.
#[derive(Default)]
pub(crate) struct Figures {
    pub(crate) start: Samples,
    pub(crate) start_cpu: Samples,
    pub(crate) first: Samples,
    pub(crate) warm: Samples,
    /// The time that the function itself measured. Only the bare functions report one.
    pub(crate) told: Samples,
    /// Processor time of an invocation, in each turn.
    pub(crate) cpu: Samples,
    pub(crate) resident: u64,
}

impl Subject {
    /// Sets one more variable for its start.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// `first` is the number of its first event. No two subjects register the same devices.
    pub(crate) fn new(
        (name, peer): (&str, Option<&'static str>),
        binary: &Path,
        event: Event,
        environment: Vec<(String, String)>,
        first: usize,
    ) -> Self {
        let (name, binary, figures) = (name.to_owned(), binary.to_owned(), Figures::default());
        Self { name, peer, binary, event, environment, running: None, sent: first, figures }
    }

    /// The same function, built from another state of the project.
    pub(crate) fn built_before(&self, binary: &Path) -> Self {
        let name = format!("{}{BEFORE}", self.name);
        let (event, environment) = (self.event.clone(), self.environment.clone());
        Self::new((&name, self.peer), binary, event, environment, self.sent + APART)
    }

    /// Starts the function again, in place of the running one.
    pub(crate) async fn start(&mut self) -> Result<()> {
        // The old process ends first, so that its end does not overlap with the start of the new one.
        self.running = None;
        self.running = Some(Function::start(&self.binary, self.environment.clone()).await?);
        Ok(())
    }

    /// A start and the first event after it.
    pub(crate) async fn measure_start(&mut self) -> Result<()> {
        self.start().await?;
        let function = self.running()?;
        let (duration, cpu) = (function.init_duration(), process::cpu(function.process_id())?);
        self.figures.start.push(duration);
        self.figures.start_cpu.push(cpu);
        let (first, _) = self.invoke().await?;
        self.figures.first.push(first);
        Ok(())
    }

    /// Invokes the function until it is warm, and then reads its memory.
    pub(crate) async fn warm_up(&mut self, invocations: usize) -> Result<()> {
        for _ in 0..invocations {
            self.invoke().await?;
        }
        self.figures.resident = process::resident(self.running()?.process_id())?;
        Ok(())
    }

    /// One turn of warm invocations.
    pub(crate) async fn measure_warm(&mut self, invocations: usize) -> Result<()> {
        let process_id = self.running()?.process_id();
        let before = process::cpu(process_id)?;
        for _ in 0..invocations {
            let (warm, told) = self.invoke().await?;
            self.figures.warm.push(warm);
            if let Some(told) = told {
                self.figures.told.push(told);
            }
        }
        let used = process::cpu(process_id)?.saturating_sub(before);
        self.figures.cpu.push(used / u32::try_from(invocations.max(1))?);
        Ok(())
    }

    /// Bytes of the binary as it is deployed, and of the zip file around it.
    pub(crate) fn sizes(&self) -> Result<(usize, usize)> {
        let binary = fs::read(&self.binary)?;
        let mut deflated = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        deflated.write_all(&binary)?;
        Ok((binary.len(), deflated.finish()?.len() + ZIP_HEADERS))
    }

    pub(crate) fn record(&self, record: &mut Record) -> Result<()> {
        let measures = [
            ("start", &self.figures.start),
            ("start cpu", &self.figures.start_cpu),
            ("first", &self.figures.first),
            ("warm", &self.figures.warm),
            ("told", &self.figures.told),
            ("cpu of a turn", &self.figures.cpu),
        ];
        measures.into_iter().try_for_each(|(measure, samples)| record.add(&self.name, measure, samples))
    }

    fn running(&self) -> Result<&Function> {
        Ok(self.running.as_ref().ok_or("the function has not been started")?)
    }

    /// The time of an answer, and the number in it if it is one.
    async fn invoke(&mut self) -> Result<(Duration, Option<Duration>)> {
        self.sent += 1;
        let event = self.event.numbered(self.sent);
        let begun = Instant::now();
        let answer = self.running()?.invoke(&event).await?;
        let duration = begun.elapsed();
        if answer["statusCode"].as_u64().is_none_or(|status| status >= 300) {
            return Err(format!("{}: {answer}", self.name).into());
        }
        let told = answer["body"].as_str().and_then(|body| body.parse().ok()).map(Duration::from_nanos);
        Ok((duration, told))
    }
}
