//! The form of a line for people: the time, the level, the message and its fields.

use std::fmt::{self, Write};

use greenroom_core::clock::Clock;
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{
        FmtContext,
        format::{FormatEvent, FormatFields, Writer},
    },
    registry::LookupSpan,
};

use crate::metrics::FALLBACK;

/// The message of a request's line. That line has a form of its own.
const REQUEST: &str = "request";

/// Formats an event for a terminal.
pub(super) struct Readable;

impl<S, N> FormatEvent<S, N> for Readable
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let time = Clock::system().now().to_string();
        // The date is left out, because it does not change while somebody watches.
        let time = time.get(11..19).unwrap_or_default();
        let level = *event.metadata().level();
        if fields.message == REQUEST && level == Level::INFO {
            writeln!(writer, "{time} {}", fields.as_request())
        } else {
            writeln!(writer, "{time} {level:<5} {}", fields.as_text())
        }
    }
}

/// The fields of an event.
#[derive(Default)]
struct Fields {
    message: String,
    others: Vec<(&'static str, String)>,
}

impl Fields {
    fn get(&self, name: &str) -> &str {
        self.others.iter().find(|(other, _)| *other == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// `200 GET /api/session  1.9 ms  2 requests to the table`. A request that no route took has only its method.
    fn as_request(&self) -> String {
        let micros: f64 = self.get("micros").parse().unwrap_or_default();
        let requests = match self.get("table_requests") {
            "0" => String::new(),
            "1" => "  1 request to the table".to_owned(),
            many => format!("  {many} requests to the table"),
        };
        let (status, route) = (self.get("status"), self.get("route"));
        let route = if route == FALLBACK { self.get("method") } else { route };
        format!("{status:<5} {route}  {:.1} ms{requests}", micros / 1000.0)
    }

    fn as_text(&self) -> String {
        self.others.iter().fold(self.message.clone(), |mut text, (name, value)| {
            // Writing to a `String` does not fail.
            let _ = write!(text, "  {name}={value}");
            text
        })
    }
}

impl Fields {
    fn note(&mut self, field: &Field, value: &str) {
        let value = value.replace(char::is_control, " ");
        match field.name() {
            "message" => self.message = value,
            name => self.others.push((name, value)),
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.note(field, &format!("{value:?}"));
    }

    /// A text without quotes.
    fn record_str(&mut self, field: &Field, value: &str) {
        self.note(field, value);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use insta::assert_snapshot;
    use tracing_subscriber::fmt;

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_event_is_one_line_whatever_is_in_it() {
        let written = Written::default();
        let writer = written.clone();
        let subscriber = fmt().event_format(Readable).with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(subscriber, || {
            let route = "GET /api/session";
            tracing::info!(method = %"GET", route, status = 200, micros = 1940, table_requests = 2, "request");
            tracing::info!(method = %"POST", route = FALLBACK, status = 404, micros = 80, table_requests = 0, "request");
            tracing::warn!(error = %"two\nlines", attempts = 3, "an outbox message is put off");
        });
        let written = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let lines = written.lines().map(|line| &line[9..]);
        assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r"
        200   GET /api/session  1.9 ms  2 requests to the table
        404   POST  0.1 ms
        WARN  an outbox message is put off  error=two lines  attempts=3
        ");
    }
}
