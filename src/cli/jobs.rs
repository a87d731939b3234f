//! The background jobs of a server. Each runs for as long as the server does.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use tokio::task::JoinSet;

use super::CliError;

/// The running background jobs. None ends by itself. Dropping this ends them.
#[derive(Default)]
pub(super) struct Jobs(JoinSet<&'static str>);

impl Jobs {
    /// Starts a job. `name` is its name for people.
    pub(super) fn start(&mut self, name: &'static str, job: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(async move {
            // A panic has been printed.
            let _ = AssertUnwindSafe(job).catch_unwind().await;
            name
        });
    }

    /// Waits for one of them to end, which is a fault. Returns the error.
    pub(super) async fn ended(&mut self) -> CliError {
        match self.0.join_next().await {
            Some(Ok(name)) => CliError::JobEnded(name),
            // No job is cancelled, and there is always one.
            Some(Err(_)) | None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_job_that_ends_or_panics_is_an_error_with_its_name() {
        let panics = async { panic!("as a job must not") };
        for (name, job) in [("one that returns", async {}.boxed()), ("one that panics", panics.boxed())] {
            let mut jobs = Jobs::default();
            jobs.start("one that goes on", std::future::pending());
            jobs.start(name, job);
            assert!(matches!(jobs.ended().await, CliError::JobEnded(ended) if ended == name));
        }
    }
}
