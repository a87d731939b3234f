//! Finishing an invocation's tasks before the next invocation.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use greenroom_core::clock::Timestamp;
use greenroom_http::App;
use lambda_runtime::{Error, LambdaInvocation};
use tokio::time::timeout;
use tower::Service;

/// The time that is left before the end of an invocation, so that Lambda does not end the process.
const SPARE: Duration = Duration::from_secs(1);

/// Answers an invocation, and asks for the next one only when the tasks of this one are done. Lambda freezes a process
/// that asks.
#[derive(Clone)]
pub(super) struct Finishing<S> {
    /// The service that answers. It is done when the answer has been taken.
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
                // The tasks go on with the next invocation, if there is one.
                tracing::warn!("what a request brought about is not done yet");
            }
            outcome
        })
    }
}
