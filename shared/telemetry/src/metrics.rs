//! Metrics for CloudWatch. A log line is also a document in the Embedded Metric Format, so its content is paid for once
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>).
//!
//! The lines are written by hand. A crate for them brings a writer with a queue and a thread, which is more than is
//! needed.
//!
//! AWS bills each combination of a metric and dimensions. So there are two dimensions, the service and the route, and
//! no id is one. Of a route only values other than zero are sent.

use std::{io::Write, time::Duration};

use greenroom_core::{clock::Timestamp, config::Metrics};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;

use crate::meter::{Span, Usage};

/// The namespace of the metrics in CloudWatch.
pub const NAMESPACE: &str = "Greenroom";
/// The route of requests that no route takes.
pub const FALLBACK: &str = "fallback";
/// The route of work without a request.
pub const HOUSEKEEPING: &str = "housekeeping";

/// A unit that CloudWatch knows.
#[derive(Clone, Copy, Debug, Serialize)]
enum Unit {
    Count,
    Milliseconds,
    Seconds,
}

/// A metric and its value, which a directive leaves out.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metric {
    name: &'static str,
    unit: Unit,
    #[serde(skip)]
    value: f64,
    /// Whether it is also sent for the route, if it is not zero.
    #[serde(skip)]
    by_route: bool,
}

/// A line of the log that is also a document of metrics.
#[derive(Clone, Debug)]
pub struct Line {
    message: &'static str,
    /// `None` if only the whole service has the metrics.
    route: Option<String>,
    properties: Vec<(&'static str, Value)>,
    metrics: Vec<Metric>,
}

impl Line {
    /// The line of a request on this route.
    #[must_use]
    pub fn of_request(route: String, status: u16, latency: Duration, usage: Usage) -> Self {
        let is = |answer: bool| if answer { 1.0 } else { 0.0 };
        // 501 says that the caller asked for something that is not served, so nothing failed.
        let refused = (400..500).contains(&status) && status != 429 || status == 501;
        let line = Self::new("request", route).with("status", status.into());
        line.routed("Requests", Unit::Count, 1.0)
            .routed("Latency", Unit::Milliseconds, millis(latency))
            .routed("ClientErrors", Unit::Count, is(refused))
            .routed("Throttled", Unit::Count, is(status == 429))
            .routed("ServerErrors", Unit::Count, is(status >= 500 && status != 501))
            .using(usage)
    }

    /// The line of a run of the housekeeping.
    #[must_use]
    pub fn of_run(done: bool, duration: Duration, usage: Usage) -> Self {
        let line = Self::new("ran", HOUSEKEEPING.to_owned()).with("done", done.into());
        line.with("duration_ms", millis(duration).into())
            .routed("Runs", Unit::Count, 1.0)
            .routed("Failures", Unit::Count, if done { 0.0 } else { 1.0 })
            .using(usage)
    }

    /// The line of a stream of events that has ended.
    #[must_use]
    pub fn of_stream(route: &str, open: Duration, events: usize, usage: Usage) -> Self {
        let line = Self::new("event stream ended", route.to_owned()).with("events", events.into());
        line.routed("StreamSeconds", Unit::Seconds, open.as_secs_f64().round()).using(usage)
    }

    /// The line of a decision about access, which this metric counts.
    #[must_use]
    pub fn of_decision(event: &'static str, metric: &'static str) -> Self {
        Self::new("access", None).with("event", event.into()).only(metric, Unit::Count, 1.0)
    }

    /// The same line, as the first of a process that took this long to start.
    #[must_use]
    pub fn after_start(self, init: Option<Duration>) -> Self {
        let Some(init) = init else { return self };
        self.only("ColdStart", Unit::Count, 1.0).only("InitDuration", Unit::Milliseconds, millis(init))
    }

    /// The same line with another property.
    #[must_use]
    pub fn with(mut self, property: &'static str, value: Value) -> Self {
        self.properties.push((property, value));
        self
    }

    fn new(message: &'static str, route: impl Into<Option<String>>) -> Self {
        Self { message, route: route.into(), properties: Vec::with_capacity(6), metrics: Vec::with_capacity(12) }
    }

    fn using(self, usage: Usage) -> Self {
        let Usage { read_units, write_units, requests, retries, .. } = usage;
        self.routed("ReadUnits", Unit::Count, read_units)
            .routed("WriteUnits", Unit::Count, write_units)
            .only("TableRequests", Unit::Count, count(requests))
            .only("TableRetries", Unit::Count, count(retries))
            .rarely_only("OutboxMessagesGivenUp", usage.outbox_messages_given_up)
            .rarely_only("DifferencesMended", usage.differences_mended)
            .rarely_only("ForeignReports", usage.foreign_reports)
    }

    /// A count that is nearly always zero, and is not sent then. A metric that is not sent is not billed.
    fn rarely_only(self, name: &'static str, number: u64) -> Self {
        if number == 0 { self } else { self.only(name, Unit::Count, count(number)) }
    }

    fn routed(self, name: &'static str, unit: Unit, value: f64) -> Self {
        self.and(Metric { name, unit, value, by_route: true })
    }

    fn only(self, name: &'static str, unit: Unit, value: f64) -> Self {
        self.and(Metric { name, unit, value, by_route: false })
    }

    fn and(mut self, metric: Metric) -> Self {
        self.metrics.push(metric);
        self
    }

    /// Prints the line to standard output. If it is printed during a request, it has the request's id.
    pub fn print(self, settings: &Metrics, at: Timestamp) {
        // If the log cannot be written, the failure cannot be logged either.
        let Ok(mut line) = serde_json::to_vec(&Document { line: &self, settings, at }) else { return };
        line.push(b'\n');
        let _ = std::io::stdout().lock().write_all(&line);
    }
}

/// A line as it is printed. It is written member by member, because every request prints one, and a tree of values would
/// be made only to be written.
struct Document<'a> {
    line: &'a Line,
    settings: &'a Metrics,
    at: Timestamp,
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { line, settings, at } = self;
        let mut members = serializer.serialize_map(None)?;
        members.serialize_entry("timestamp", &at.to_string())?;
        members.serialize_entry("level", "INFO")?;
        members.serialize_entry("message", line.message)?;
        members.serialize_entry("Service", &settings.service)?;
        if let Some(route) = &line.route {
            members.serialize_entry("Route", route)?;
        }
        for (name, value) in &line.properties {
            members.serialize_entry(name, value)?;
        }
        for metric in &line.metrics {
            members.serialize_entry(metric.name, &metric.value)?;
        }
        let service = Directive::new(&["Service"], line.metrics.iter().collect());
        let routed = || line.metrics.iter().filter(|metric| metric.by_route && metric.value != 0.0).collect();
        let by_route = settings.by_route && line.route.is_some();
        let directives =
            std::iter::once(service).chain(by_route.then(|| Directive::new(&["Service", "Route"], routed())));
        let directives = Directives { timestamp: at.millis(), cloud_watch_metrics: directives.collect() };
        members.serialize_entry("_aws", &directives)?;
        if let Some(span) = Span::current() {
            members.serialize_entry("span", &span)?;
        }
        members.end()
    }
}

/// The part of a document that says which of its members are metrics.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directives<'a> {
    timestamp: i64,
    cloud_watch_metrics: Vec<Directive<'a>>,
}

/// The metrics with the same dimensions.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive<'a> {
    namespace: &'static str,
    dimensions: [&'static [&'static str]; 1],
    metrics: Vec<&'a Metric>,
}

impl<'a> Directive<'a> {
    fn new(dimensions: &'static [&'static str], metrics: Vec<&'a Metric>) -> Self {
        Self { namespace: NAMESPACE, dimensions: [dimensions], metrics }
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

#[expect(clippy::cast_precision_loss, reason = "no request makes 2^52 others")]
fn count(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests;
