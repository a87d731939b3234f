//! The thread that works on a database. It runs the waiting operations one after the other, syncs their writes
//! together, and then answers them. The threads that serve requests never work on the database, so a long query delays
//! only the operations that wait behind it.

use std::{
    fs::File,
    io,
    path::Path,
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
    thread::{self, JoinHandle},
};

use tokio::sync::oneshot;

use super::engine::Engine;

/// The largest number of answers that wait for one sync.
const GROUP_MAX: usize = 256;

/// The way to hand operations to the thread. Dropping the last copy waits until all of them are done and the file is
/// closed.
#[derive(Clone)]
pub(super) struct Desk(Arc<Thread>);

/// Why an operation gets no answer.
#[derive(Debug, thiserror::Error)]
#[error("the embedded database has stopped working; the log says why")]
pub struct Stopped;

struct Thread {
    jobs: Option<Sender<Job>>,
    handle: Option<JoinHandle<()>>,
}

struct Job {
    writes: bool,
    work: Box<dyn FnOnce(&Engine) -> Answer + Send>,
}

/// Sends an answer to the waiting task. If it is dropped, the task learns that there is none.
type Answer = Box<dyn FnOnce() + Send>;

impl Desk {
    /// Starts a thread for this engine and its file.
    pub(super) fn over_file(engine: Engine, file: &Path) -> io::Result<Self> {
        let mut log = file.as_os_str().to_owned();
        log.push("-wal");
        let log = File::open(log)?;
        Self::start(engine, move || log.sync_data())
    }

    /// Starts a thread for an engine in memory. Nothing is synced.
    pub(super) fn over_memory(engine: Engine) -> io::Result<Self> {
        Self::start(engine, || Ok(()))
    }

    fn start(engine: Engine, sync: impl Fn() -> io::Result<()> + Send + 'static) -> io::Result<Self> {
        let (jobs, received) = channel();
        let thread = thread::Builder::new().name("table".to_owned());
        let handle = thread.spawn(move || work(&engine, sync, &received))?;
        Ok(Self(Arc::new(Thread { jobs: Some(jobs), handle: Some(handle) })))
    }

    /// Runs work on the database. Returns its result once everything that it wrote is on the disk.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        writes: bool,
        work: impl FnOnce(&Engine) -> T + Send + 'static,
    ) -> Result<T, Stopped> {
        let (job, answered) = Job::of(writes, work);
        let jobs = self.0.jobs.as_ref().ok_or(Stopped)?;
        jobs.send(job).map_err(|_| Stopped)?;
        answered.await.map_err(|_| Stopped)
    }
}

impl Job {
    /// A job, and the receiver of its result.
    fn of<T: Send + 'static>(
        writes: bool,
        work: impl FnOnce(&Engine) -> T + Send + 'static,
    ) -> (Self, oneshot::Receiver<T>) {
        let (answer, answered) = oneshot::channel();
        let work = Box::new(move |engine: &Engine| -> Answer {
            let outcome = work(engine);
            // A caller that has gone needs no answer.
            Box::new(move || drop(answer.send(outcome)))
        });
        (Self { writes, work }, answered)
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(handle) = self.handle.take() {
            // This fails if the thread panicked, which has been printed.
            let _ = handle.join();
        }
    }
}

/// Runs the jobs. After a failed sync it is unknown what is on the disk. Then no more jobs run, and the next start
/// reads the file.
fn work(engine: &Engine, sync: impl Fn() -> io::Result<()>, jobs: &Receiver<Job>) {
    let mut answers: Vec<Answer> = Vec::new();
    while let Ok(first) = jobs.recv() {
        let mut next = Some(first);
        let mut unsynced = false;
        while let Some(job) = next {
            unsynced |= job.writes;
            let answer = (job.work)(engine);
            // A read may see an earlier write of the same group, so its answer waits for the sync too.
            if unsynced {
                answers.push(answer);
            } else {
                answer();
            }
            next = if answers.len() < GROUP_MAX { jobs.try_recv().ok() } else { None };
        }
        if unsynced && let Err(error) = sync() {
            tracing::error!(%error, "what was written cannot be synced; the embedded database stops working");
            return;
        }
        answers.drain(..).for_each(|answer| answer());
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// The answers to four operations. The second and the fourth write.
    fn four(sync: impl Fn() -> io::Result<()>) -> Vec<bool> {
        let (sender, receiver) = channel();
        let answers = [false, true, false, true].map(|writes| {
            let (job, answered) = Job::of(writes, |_| ());
            sender.send(job).unwrap();
            answered
        });
        drop(sender);
        work(&Engine::memory().unwrap(), sync, &receiver);
        answers.into_iter().map(|mut answered| answered.try_recv().is_ok()).collect()
    }

    #[test]
    fn writes_that_wait_are_synced_together_and_then_answered() {
        let syncs = Cell::new(0);
        let answered = four(|| {
            syncs.set(syncs.get() + 1);
            Ok(())
        });
        assert_eq!((syncs.get(), answered), (1, vec![true; 4]));
    }

    #[test]
    fn what_could_not_be_synced_is_not_answered() {
        let answered = four(|| Err(io::Error::other("the disk is gone")));
        // The read before the first write had its answer already.
        assert_eq!(answered, [true, false, false, false]);
    }
}
