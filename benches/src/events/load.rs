//! One task on one side, and its figures.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

use crate::{
    Result,
    client::{CONNECTIONS, Connection},
    process,
    record::Record,
    samples::Samples,
};

use crate::events::{Side, Task};

/// The warm-up before the first measurement, for the connections and the caches.
const WARM_UP: Duration = Duration::from_secs(2);
/// A turn has a fixed time instead of a fixed number of requests: the sides may differ a lot, and the kernel counts
/// processor time in hundredths of a second.
pub(crate) const TURN: Duration = Duration::from_secs(5);

/// A task on a side, and its figures.
pub(crate) struct Load<'s> {
    side: &'s Side,
    task: Task,
    jwt: Arc<str>,
    sent: usize,
    latency: Samples,
    // Both are times per request, with one sample for each turn.
    wall: Samples,
    cpu: Samples,
}

struct Turn {
    latency: Samples,
    wall: Duration,
    cpu: Duration,
}

impl<'s> Load<'s> {
    pub(crate) fn new(side: &'s Side, task: Task, jwt: Arc<str>) -> Self {
        let (latency, wall, cpu) = (Samples::default(), Samples::default(), Samples::default());
        Self { side, task, jwt, sent: 0, latency, wall, cpu }
    }

    /// Loads without measuring.
    pub(crate) async fn warm_up(&mut self) -> Result<()> {
        self.load(WARM_UP).await.map(drop)
    }

    /// Measures one turn.
    pub(crate) async fn turn(&mut self) -> Result<()> {
        let turn = self.load(TURN).await?;
        let requests = u32::try_from(turn.latency.len())?;
        self.latency.extend(&turn.latency);
        self.wall.push(turn.wall / requests);
        self.cpu.push(turn.cpu / requests);
        Ok(())
    }

    /// How often the task is done in a second, in the median turn.
    #[must_use]
    pub(crate) fn rate(&self) -> f64 {
        1.0 / self.wall.median().as_secs_f64()
    }

    /// Processor time of all processes of the server for each run of the task, in the median turn.
    #[must_use]
    pub(crate) fn cpu(&self) -> Duration {
        self.cpu.median()
    }

    /// The time of each run.
    #[must_use]
    pub(crate) fn latency(&self) -> &Samples {
        &self.latency
    }

    /// The task.
    #[must_use]
    pub(crate) fn task(&self) -> Task {
        self.task
    }

    /// The side's name.
    #[must_use]
    pub(crate) fn side(&self) -> &'static str {
        self.side.name
    }

    pub(crate) fn record(&self, record: &mut Record) -> Result<()> {
        let subject = format!("{} {}", self.side(), self.task.name());
        record.add(&subject, "latency", &self.latency)?;
        record.add(&subject, "wall per request", &self.wall)?;
        record.add(&subject, "cpu per request", &self.cpu)
    }

    async fn load(&mut self, duration: Duration) -> Result<Turn> {
        let process_id = self.side.server.process_id()?;
        let mut open = Vec::new();
        for _ in 0..CONNECTIONS {
            open.push(Connection::open(self.side.address).await?);
        }
        let before = process::cpu_of_all(process_id)?;
        let begun = Instant::now();
        let mut connections = JoinSet::new();
        for (index, connection) in open.into_iter().enumerate() {
            let numbers = (self.sent + index..).step_by(CONNECTIONS);
            connections.spawn(perform(self.task, connection, self.jwt.clone(), numbers, begun + duration));
        }
        let mut latency = Samples::default();
        while let Some(samples) = connections.join_next().await {
            latency.extend(&samples??);
        }
        let (wall, cpu) = (begun.elapsed(), process::cpu_of_all(process_id)?.saturating_sub(before));
        self.sent += latency.len();
        Ok(Turn { latency, wall, cpu })
    }
}

async fn perform(
    task: Task,
    mut connection: Connection,
    jwt: Arc<str>,
    mut numbers: impl Iterator<Item = usize> + Send,
    end: Instant,
) -> Result<Samples> {
    let mut samples = Samples::default();
    while let Some(number) = numbers.next().filter(|_| Instant::now() < end) {
        let begun = Instant::now();
        task.perform(&mut connection, &jwt, number).await?;
        samples.push(begun.elapsed());
    }
    Ok(samples)
}
