//! Traces for AWS X-Ray: the calls of a request to other services, as subsegments of the segment that Lambda makes of
//! the function.
//!
//! A subsegment is a datagram to the X-Ray daemon, which Lambda runs beside a function with active tracing
//! (<https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html>). It names operations, the table,
//! hosts, routes and statuses; no keys, ids or paths.

use std::{
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    sync::Arc,
};

use greenroom_core::{
    clock::{Clock, Timestamp},
    id::{hex, random_bytes},
};
use serde::Serialize;
use tokio::time::Instant;

/// The header of each document.
const HEADER: &str = "{\"format\":\"json\",\"version\":1}\n";

/// The sender of traces to the X-Ray daemon.
#[derive(Debug)]
pub struct Tracer {
    socket: UdpSocket,
    table: String,
}

impl Tracer {
    /// A sender to the daemon at this address, for operations on this table. `None` if no socket can be opened.
    #[must_use]
    pub fn new(daemon: SocketAddr, table: &str) -> Option<Arc<Self>> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
        socket.connect(daemon).ok()?;
        // Sending a trace must not wait.
        socket.set_nonblocking(true).ok()?;
        Some(Arc::new(Self { socket, table: table.to_owned() }))
    }

    /// The trace in Lambda's header, like `Root=1-…;Parent=…;Sampled=1`. `None` if it is not sampled.
    #[must_use]
    pub fn trace(self: &Arc<Self>, header: &str) -> Option<Trace> {
        let field = |name: &str| header.split(';').find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='));
        let (root, parent) = (field("Root")?, field("Parent")?);
        let sampled = field("Sampled") == Some("1");
        sampled.then(|| Trace {
            tracer: self.clone(),
            root: root.to_owned(),
            function: parent.to_owned(),
            own: new_id(),
            begun: Begun::now(),
        })
    }
}

/// The trace of a request or of a run of a job.
#[derive(Debug)]
pub struct Trace {
    tracer: Arc<Tracer>,
    root: String,
    /// The segment that Lambda makes of the function.
    function: String,
    own: String,
    begun: Begun,
}

/// The beginning of a call.
#[derive(Clone, Copy, Debug)]
pub struct Begun {
    at: Timestamp,
    since: Instant,
}

impl Begun {
    /// A call that begins now.
    #[must_use]
    pub fn now() -> Self {
        Self { at: Clock::system().now(), since: Instant::now() }
    }

    /// The beginning and the end, which is now, in seconds since the Unix epoch.
    fn until_now(self) -> [f64; 2] {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 have fewer digits than a double")]
        let begun = self.at.millis() as f64 / 1000.0;
        [begun, begun + self.since.elapsed().as_secs_f64()]
    }
}

/// An operation of an AWS service.
#[derive(Clone, Copy, Debug)]
pub struct Operation<'a> {
    /// The service.
    pub service: &'a str,
    /// The operation.
    pub name: &'a str,
    /// Whether the service is the one that has the table.
    pub is_on_table: bool,
    /// How often it was repeated.
    pub retries: u32,
    /// The status of the last answer; `None` if there was none.
    pub status: Option<u16>,
    /// Whether the service refused it as one of too many.
    pub throttled: bool,
}

/// A call, in X-Ray's form.
#[derive(Debug, Default, Serialize)]
struct Subsegment<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aws: Option<AwsCall<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http: Option<Http>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<Annotations<'a>>,
    #[serde(skip_serializing_if = "is_false")]
    error: bool,
    #[serde(skip_serializing_if = "is_false")]
    throttle: bool,
    #[serde(skip_serializing_if = "is_false")]
    fault: bool,
}

/// A call of an AWS service.
#[derive(Debug, Serialize)]
struct AwsCall<'a> {
    operation: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    table_name: Option<&'a str>,
    retries: u32,
}

/// The part of a subsegment about HTTP.
#[derive(Debug, Serialize)]
struct Http {
    response: HttpResponse,
}

/// The status in it.
#[derive(Debug, Serialize)]
struct HttpResponse {
    status: u16,
}

/// The values by which traces can be searched.
#[derive(Debug, Serialize)]
struct Annotations<'a> {
    route: &'a str,
}

/// A subsegment with its place in the trace.
#[derive(Serialize)]
struct Document<'a> {
    id: &'a str,
    trace_id: &'a str,
    parent_id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    start_time: f64,
    end_time: f64,
    #[serde(flatten)]
    subsegment: &'a Subsegment<'a>,
}

impl Trace {
    /// Sends the subsegment of an operation that was called for the request.
    pub fn operation(&self, begun: Begun, operation: &Operation<'_>) {
        let call = AwsCall {
            operation: operation.name,
            table_name: operation.is_on_table.then_some(&*self.tracer.table),
            retries: operation.retries,
        };
        let outcome = outcome_of(operation.status);
        let throttle = outcome.throttle || operation.throttled;
        self.tell(
            begun,
            &Subsegment { name: operation.service, namespace: Some("aws"), aws: Some(call), throttle, ..outcome },
        );
    }

    /// Sends the subsegment of a request to another HTTP server. `status` is that of its answer, if there was one.
    pub fn exchange(&self, begun: Begun, host: &str, status: Option<u16>) {
        self.tell(begun, &Subsegment { name: host, namespace: Some("remote"), ..outcome_of(status) });
    }

    fn tell(&self, begun: Begun, subsegment: &Subsegment<'_>) {
        self.send(&new_id(), &self.own, begun, subsegment);
    }

    /// Sends the subsegment of the request itself: its route and its outcome.
    pub fn finish(&self, route: &str, status: Option<u16>, fault: bool) {
        let subsegment = Subsegment {
            name: "greenroom",
            http: status.map(http),
            annotations: Some(Annotations { route }),
            error: status.is_some_and(|status| (400..500).contains(&status)),
            throttle: status == Some(429),
            fault,
            ..Subsegment::default()
        };
        self.send(&self.own, &self.function, self.begun, &subsegment);
    }

    fn send(&self, id: &str, parent_id: &str, begun: Begun, subsegment: &Subsegment<'_>) {
        let [start_time, end_time] = begun.until_now();
        let (trace_id, kind) = (&*self.root, "subsegment");
        let document = Document { id, trace_id, parent_id, kind, start_time, end_time, subsegment };
        if let Ok(json) = serde_json::to_string(&document) {
            // A lost trace does not hold up the request.
            let _ = self.tracer.socket.send(format!("{HEADER}{json}").as_bytes());
        }
    }
}

/// The outcome of a call, by the status of its answer, if there was one.
fn outcome_of<'a>(status: Option<u16>) -> Subsegment<'a> {
    Subsegment {
        http: status.map(http),
        error: status.is_some_and(|status| (400..500).contains(&status)),
        throttle: status == Some(429),
        fault: status.is_none_or(|status| status >= 500),
        ..Subsegment::default()
    }
}

fn http(status: u16) -> Http {
    Http { response: HttpResponse { status } }
}

fn new_id() -> String {
    hex(&random_bytes::<8>())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests;
