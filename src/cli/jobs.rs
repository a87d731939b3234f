//! What the server does beside answering requests: each of it goes on for as long as the server runs.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use tokio::task::JoinSet;

use super::CliError;

/// Running jobs, none of which ends by itself. Dropped, they all end.
#[derive(Default)]
pub(super) struct Jobs(JoinSet<&'static str>);

impl Jobs {
    /// Starts a job, behind what people call it.
    pub(super) fn start(&mut self, name: &'static str, job: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(async move {
            // What it panicked with has been printed.
            let _ = AssertUnwindSafe(job).catch_unwind().await;
            name
        });
    }

    /// Waits for one of them to end, after which the server does less than it should.
    pub(super) async fn ended(&mut self) -> CliError {
        match self.0.join_next().await {
            Some(Ok(name)) => CliError::JobEnded(name),
            // Nobody cancels one, and there always is one.
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
