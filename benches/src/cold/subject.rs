//! One function, cold-started again and again, and its figures.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::Value;
use testbed::{Function, StartError};

use crate::{Result, cold::quota::Quota, fixture::Event, process, samples::Samples};

/// The timeout that a function is told.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The timeout for an event stream, which ends ten seconds before it: right after its beginning.
const STREAM_TIMEOUT: Duration = Duration::from_millis(10_050);
/// The overhead of a zip file with one entry: the local header, the central one and the end, with the name in both.
const ZIP_HEADERS: usize = 30 + 46 + 22 + 2 * "bootstrap".len();

/// A function, its request, and its figures.
pub(crate) struct Subject {
    pub(crate) name: String,
    /// Memory in megabytes. The share of a processor follows from it.
    pub(crate) memory: u64,
    binary: PathBuf,
    environment: Vec<(String, String)>,
    event: Event,
    status: Option<u16>,
    streams: bool,
    running: Option<Function>,
    sent: usize,
    pub(crate) figures: Figures,
}

/// Times by the clock, and processor times.
#[derive(Default)]
pub(crate) struct Measure {
    pub(crate) wall: Samples,
    pub(crate) cpu: Samples,
}

impl Measure {
    fn push(&mut self, wall: Duration, cpu: Duration) {
        self.wall.push(wall);
        self.cpu.push(cpu);
    }
}

/// The figures of a subject.
#[derive(Default)]
pub(crate) struct Figures {
    /// From the start of the process to its first `/next`, on a whole processor.
    pub(crate) init: Measure,
    /// The first request, at the quota.
    pub(crate) first: Measure,
    /// The requests after the first one.
    pub(crate) warm: Measure,
    /// Bytes in memory after all requests.
    pub(crate) resident: u64,
}

impl Subject {
    /// `first` is the number of its first event. No two subjects register the same devices.
    pub(crate) fn new(name: &str, binary: &Path, event: Event, status: Option<u16>, first: usize) -> Self {
        Self {
            name: name.to_owned(),
            memory: 0,
            binary: binary.to_owned(),
            environment: Vec::new(),
            event,
            status,
            streams: name == "message-events",
            running: None,
            sent: first,
            figures: Figures::default(),
        }
    }

    /// Gives it this much memory, in megabytes, and these variables.
    #[must_use]
    pub(crate) fn with(self, memory: u64, environment: Vec<(String, String)>) -> Self {
        Self { memory, environment, ..self }
    }

    /// Measures a start, and the first request at the quota. The process goes on running.
    pub(crate) async fn measure_start(&mut self, quota: &Quota) -> Result<()> {
        self.stop().await?;
        let timeout = if self.streams { STREAM_TIMEOUT } else { TIMEOUT };
        let function = Function::start_for(timeout, &self.binary, self.environment.clone()).await;
        let function = function.map_err(|error: StartError| format!("{}: {error}", self.name))?;
        let process_id = function.process_id();
        quota.hold(process_id)?;
        let used = process::cpu(process_id)?;
        self.figures.init.push(function.init_duration(), used);
        self.running = Some(function);
        let wall = self.invoke().await?;
        self.figures.first.push(wall, process::cpu(process_id)?.saturating_sub(used));
        Ok(())
    }

    /// Applies this quota from now on.
    pub(crate) fn hold(&self, quota: &Quota) -> Result<()> {
        quota.hold(self.running()?.process_id())
    }

    /// Measures this many more requests, one after the other, each after a pause.
    pub(crate) async fn measure_warm(&mut self, requests: usize, pause: Duration) -> Result<()> {
        let process_id = self.running()?.process_id();
        let mut used = process::cpu(process_id)?;
        for _ in 0..requests {
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
                used = process::cpu(process_id)?;
            }
            let wall = self.invoke().await?;
            let now = process::cpu(process_id)?;
            self.figures.warm.push(wall, now.saturating_sub(used));
            used = now;
        }
        self.figures.resident = process::resident(process_id)?;
        Ok(())
    }

    /// Ends the process, if one runs, so that its end does not overlap with the start of another.
    pub(crate) async fn stop(&mut self) -> Result<()> {
        match self.running.take() {
            Some(function) => Ok(function.stop().await?),
            None => Ok(()),
        }
    }

    /// Deletes the figures.
    pub(crate) fn forget(&mut self) {
        self.figures = Figures::default();
    }

    /// The answer to the event with this number, from a separate process without a quota.
    pub(crate) async fn answer_to(&self, number: usize) -> Result<Value> {
        let function = Function::start(&self.binary, self.environment.clone()).await?;
        let answer = function.invoke(&self.event.numbered(number)).await?;
        function.stop().await?;
        Ok(answer)
    }

    /// Bytes of the zip file that is deployed.
    pub(crate) fn zipped(&self) -> Result<usize> {
        let mut deflated = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        deflated.write_all(&fs::read(&self.binary)?)?;
        Ok(deflated.finish()?.len() + ZIP_HEADERS)
    }

    fn running(&self) -> Result<&Function> {
        Ok(self.running.as_ref().ok_or("the function has not been started")?)
    }

    /// The time of an answer; for a stream, of its beginning.
    async fn invoke(&mut self) -> Result<Duration> {
        self.sent += 1;
        let event = self.event.numbered(self.sent);
        let begun = Instant::now();
        let (taken, status) = if self.streams {
            let stream = self.running()?.invoke_streaming(&event).await?;
            let (taken, status) = (begun.elapsed(), stream.status());
            // Reads the stream to its end, because otherwise the function would take no further event.
            stream.collect().await;
            (taken, Some(u64::from(status)))
        } else {
            let answer = self.running()?.invoke(&event).await?;
            (begun.elapsed(), answer["statusCode"].as_u64())
        };
        if status != self.status.map(u64::from) {
            return Err(format!("{}: answered {status:?}\n{}", self.name, self.running()?.output()).into());
        }
        Ok(taken)
    }
}
