//! Tasks of their own for work that has to be done whether or not a caller waits for it
//! (`docs/apis/ovenmediaengine.md`).
//!
//! A gateway drops a handler whose caller hangs up, and Lambda freezes a process that has answered and asks for more. A
//! media server hangs up a few milliseconds after it has sent a webhook, and does not send it again.

use std::{panic::resume_unwind, sync::Arc};

use tokio::{sync::watch, task::JoinHandle};

use crate::meter::carried;

/// The running tasks of a process. It counts them.
#[derive(Clone)]
pub struct Tasks(Arc<watch::Sender<usize>>);

/// One running task, until it is dropped.
struct Running(Arc<watch::Sender<usize>>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.send_modify(|running| *running = running.saturating_sub(1));
    }
}

impl Default for Tasks {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }
}

greenroom_core::opaque!(Tasks);

impl Tasks {
    /// Runs work in a task that goes on if the caller is dropped. Returns the work's result. The work counts for the
    /// request that it is done for.
    pub async fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        match self.begin(work).await {
            Ok(outcome) => outcome,
            Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
            // The process ends, and no caller is left.
            Err(_) => std::future::pending().await,
        }
    }

    /// Runs work that no caller waits for.
    pub fn leave(&self, work: impl Future<Output = ()> + Send + 'static) {
        drop(self.begin(work));
    }

    fn begin<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        self.0.send_modify(|running| *running += 1);
        let running = Running(self.0.clone());
        let work = async move {
            let _running = running;
            work.await
        };
        tokio::spawn(carried(work))
    }

    /// Waits until no task is left.
    pub async fn done(&self) {
        // This fails only if the sender is gone, and `self` holds it.
        let _ = self.0.subscribe().wait_for(|running| *running == 0).await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::{sync::oneshot, time::timeout};

    use super::*;

    #[tokio::test]
    async fn work_goes_on_when_nobody_waits_for_it_any_more() {
        let tasks = Tasks::default();
        let (go, told) = oneshot::channel::<()>();
        let (report, done) = oneshot::channel();
        let work = async move {
            told.await.unwrap();
            report.send("done").unwrap();
        };
        assert!(timeout(Duration::ZERO, tasks.run(work)).await.is_err());
        assert!(timeout(Duration::ZERO, tasks.done()).await.is_err());
        go.send(()).unwrap();
        tasks.done().await;
        assert_eq!(done.await, Ok("done"));
        assert_eq!(tasks.run(async { 7 }).await, 7);
    }
}
