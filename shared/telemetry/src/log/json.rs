//! The form of a line for machines: a JSON object with the time, the level, the message and its fields.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeMap};
use tracing::{Event, Subscriber};
use tracing_serde::{AsSerde, SerdeMapVisitor};
use tracing_subscriber::{
    fmt::{
        FmtContext,
        format::{FormatEvent, FormatFields, Writer},
        time::{FormatTime, SystemTime},
    },
    registry::LookupSpan,
};

use super::DECISIONS;
use crate::meter::Span;

/// Formats an event as a line of JSON. If it happens during a request, the line has the request's id.
///
/// The format of `tracing-subscriber` would take the id from a span. Each request would have to open one, which costs
/// as much as writing the line does.
pub(super) struct Json;

impl<S, N> FormatEvent<S, N> for Json
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut timestamp = String::new();
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        let line = serde_json::to_string(&Line { timestamp, event }).map_err(|_| fmt::Error)?;
        writeln!(writer, "{line}")
    }
}

struct Line<'a> {
    timestamp: String,
    event: &'a Event<'a>,
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let metadata = self.event.metadata();
        let mut members = serializer.serialize_map(None)?;
        members.serialize_entry("timestamp", &self.timestamp)?;
        members.serialize_entry("level", &metadata.level().as_serde())?;
        let mut fields = SerdeMapVisitor::new(members);
        self.event.record(&mut fields);
        let mut members = fields.take_serializer()?;
        // The line of a decision about access has the decision's own target.
        if metadata.target() != DECISIONS {
            members.serialize_entry("target", metadata.target())?;
        }
        if let Some(span) = Span::current() {
            members.serialize_entry("span", &span)?;
        }
        members.end()
    }
}
