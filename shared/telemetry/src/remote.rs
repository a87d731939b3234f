//! Subsegments of requests to other HTTP servers.

use crate::{meter, trace::Begun};

/// Sends the subsegment of a request to another HTTP server, to the trace of the running request.
pub async fn outgoing<B, E>(
    host: &str,
    exchange: impl Future<Output = Result<http::Response<B>, E>>,
) -> Result<http::Response<B>, E> {
    let Some(meter) = meter::current() else { return exchange.await };
    let Some(trace) = meter.trace() else { return exchange.await };
    let begun = Begun::now();
    let outcome = exchange.await;
    let status = outcome.as_ref().ok().map(|response| response.status().as_u16());
    trace.exchange(begun, host, status);
    outcome
}
