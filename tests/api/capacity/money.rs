//! What the units cost in money, and when a partition is full.

use std::fmt::Write;

use super::{Row, document::Inputs, routes};

/// How a request runs: whether it comes through API Gateway, how long it takes, and with how much memory.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Plain,
    Password,
    /// The beginning of a stream, which comes through a function URL.
    Stream,
}

/// The price of something that is done this often, in USD.
#[derive(Clone, Copy, Default)]
pub(super) struct Bill {
    pub(super) table: f64,
    pub(super) gateway: f64,
    pub(super) lambda: f64,
    pub(super) logs: f64,
}

impl Bill {
    pub(super) fn of(row: (f64, f64), kind: Kind, times: f64, inputs: &Inputs) -> Self {
        let millions = times / 1e6;
        let (ms, memory) = match kind {
            Kind::Plain | Kind::Stream => ("milliseconds of a request", "MB of a function"),
            Kind::Password => ("milliseconds with a password", "MB of a function that hashes passwords"),
        };
        let gb_seconds = times * inputs.of(ms) / 1000.0 * inputs.of(memory) / 1024.0;
        let gateway =
            if matches!(kind, Kind::Stream) { 0.0 } else { millions * inputs.of("a million HTTP API requests") };
        Self {
            table: table_usd(row.0, row.1, inputs) * millions,
            gateway,
            lambda: millions * inputs.of("a million Lambda requests") + gb_seconds * inputs.of("a GB-second of Lambda"),
            logs: times * inputs.of("bytes of logs of a request") / 1e9 * inputs.of("a GB of logs"),
        }
    }

    pub(super) fn all(self) -> f64 {
        self.table + self.gateway + self.lambda + self.logs
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            table: self.table + other.table,
            gateway: self.gateway + other.gateway,
            lambda: self.lambda + other.lambda,
            logs: self.logs + other.logs,
        }
    }

    pub(super) fn cells(self) -> String {
        let [table, gateway, lambda, logs] = [self.table, self.gateway, self.lambda, self.logs].map(usd);
        format!("{table} | {gateway} | {lambda} | {logs} | {}", usd(self.all()))
    }
}

fn usd(amount: f64) -> String {
    format!("{amount:.2}")
}

/// A number with commas.
pub(super) fn number(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The read units and write units that a row of the budget consumes.
pub(super) fn units(rows: &[Row], route: &str, case: &str) -> (f64, f64) {
    let row = rows.iter().find(|row| row.route == route && row.case == case);
    row.map_or_else(|| panic!("{route} ({case}) is not in the budget"), |row| (row.reads, row.writes))
}

/// The price of a million of these on the table, in USD.
pub(super) fn table_usd(reads: f64, writes: f64, inputs: &Inputs) -> f64 {
    reads * inputs.of("a million read units") + writes * inputs.of("a million write units")
}

pub(super) fn metrics(inputs: &Inputs) -> String {
    let (whole, each) = (inputs.of("metrics of the whole"), inputs.of("metrics of a route"));
    // Every route of the API, housekeeping, and the row for requests that no route matches.
    let all = f64::from(u32::try_from(routes().len() + 1).unwrap());
    let mut text = "| `METRICS` | metrics | USD a month |\n|---|---:|---:|\n".to_owned();
    for (setting, count) in [
        ("`off`".to_owned(), 0.0),
        ("`service`".to_owned(), whole),
        ("`route`, ten routes in use".to_owned(), whole + each * 10.0),
        (format!("`route`, all {all} in use in every hour"), whole + each * all),
    ] {
        let price = usd(count * inputs.of("a metric a month"));
        let _ = writeln!(text, "| {setting} | {count} | {price} |");
    }
    text
}

const REGISTERS: &str = "a device registers";
pub(super) const JOINS: &str = "two sessions, on an instance that read it within 5 seconds";
pub(super) const JOINS_ANEW: &str = "two sessions, on an instance that has read nothing of it";
pub(super) const IN_ROOM: &str = "to 300";

pub(super) fn million(rows: &[Row], inputs: &Inputs) -> String {
    let classes = [
        ("POST /api/sessions", REGISTERS, Kind::Plain),
        ("GET /api/session", "of a device with one", Kind::Plain),
        ("POST /api/tokens", "the first of its session", Kind::Plain),
        ("POST /api/v2/token-auth/obtain", "with the right password", Kind::Password),
        ("GET /api/v2/events", "two, by a partner", Kind::Plain),
        ("POST /api/v2/events", "any", Kind::Plain),
        ("POST /api/v2/rtcsessions", JOINS, Kind::Plain),
        ("POST /webhooks/opentok", "a client comes", Kind::Plain),
        ("POST /v1/admission", "an opening", Kind::Plain),
        ("POST /api/messages", "any", Kind::Plain),
        ("POST /api/rooms/{id}/messages", IN_ROOM, Kind::Plain),
        ("GET /api/rooms/{id}/messages", "50", Kind::Plain),
    ];
    let head = "| a million of | table | HTTP API | Lambda | logs | USD |\n|---|---:|---:|---:|---:|---:|\n";
    classes.into_iter().fold(head.to_owned(), |mut text, (route, case, kind)| {
        let bill = Bill::of(units(rows, route, case), kind, 1e6, inputs);
        let _ = writeln!(text, "| `{route}`, {case} | {} |", bill.cells());
        text
    })
}
