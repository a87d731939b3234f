//! What goes on behind an answer.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use lambda_runtime::{Error, LambdaInvocation};
use tokio::time::timeout;
use tower::Service;

use crate::{App, clock::Timestamp};

/// How much of an invocation's time is left alone, so that Lambda does not end the process.
const SPARE: Duration = Duration::from_secs(1);

/// Answers an invocation, and asks for the next only when all that was begun for this one is done: once it asks, the
/// process stands still.
#[derive(Clone)]
pub(super) struct Finishing<S> {
    /// Answers; it is done when the answer has been taken.
    pub(super) answering: S,
    pub(super) app: App,
}

impl<S> Service<LambdaInvocation> for Finishing<S>
where
    S: Service<LambdaInvocation, Response = (), Error = Error>,
    S::Future: 'static,
{
    type Response = ();
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<(), Error>>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.answering.poll_ready(context)
    }

    fn call(&mut self, invocation: LambdaInvocation) -> Self::Future {
        let end = Timestamp::from_millis(i64::try_from(invocation.context.deadline).unwrap_or(i64::MAX));
        let (answered, app) = (self.answering.call(invocation), self.app.clone());
        Box::pin(async move {
            let outcome = answered.await;
            let left = (end.millis() - app.clock.now().millis()).max(0).unsigned_abs();
            let left = Duration::from_millis(left).saturating_sub(SPARE);
            if timeout(left, app.tasks.done()).await.is_err() {
                // It goes on with the next invocation, where there is one.
                tracing::warn!("what a request brought about is not done yet");
            }
            outcome
        })
    }
}
