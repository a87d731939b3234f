//! The table of operations and sizes.

use std::{collections::BTreeMap, fmt::Write, time::Duration};

use crate::{
    Result,
    cold::subject::Measure,
    machine,
    memory::choice::{Kind, SIZES, choose, gigabyte_seconds},
    samples::Samples,
};

/// A GB-second of Lambda on arm64 in USD, as in `docs/cost.md`.
const GIGABYTE_SECOND: f64 = 0.000_013_333_4;

/// One operation, with its times at each size.
pub(crate) struct Row {
    function: String,
    what: String,
    kind: Kind,
    times: BTreeMap<u64, Samples>,
    cpu: Samples,
}

impl Row {
    pub(crate) fn new(function: &str, what: &str, kind: Kind) -> Self {
        let (function, what) = (function.to_owned(), what.to_owned());
        Self { function, what, kind, times: BTreeMap::new(), cpu: Samples::default() }
    }

    /// Adds the samples of a turn at a size.
    pub(crate) fn add(&mut self, size: u64, turn: &Measure) {
        self.times.entry(size).or_default().extend(&turn.wall);
        self.cpu.extend(&turn.cpu);
    }

    fn medians(&self) -> Vec<(u64, Duration)> {
        self.times.iter().map(|(size, samples)| (*size, samples.median())).collect()
    }
}

/// Prints the table.
pub(crate) fn print(rows: &[Row]) -> Result<()> {
    println!("\n{}", markdown(rows)?);
    Ok(())
}

fn markdown(rows: &[Row]) -> Result<String> {
    let sizes: Vec<_> = SIZES.iter().map(|size| format!("{size} MB")).collect();
    let mut text = format!(
        "| function | request | CPU | {} | memory, MB |\n|---|---|---:|{}---:|\n",
        sizes.join(" | "),
        "---:|".repeat(SIZES.len())
    );
    for (index, row) in rows.iter().enumerate() {
        let is_first = index == 0 || rows[index - 1].function != row.function;
        // The largest of the sizes that its requests choose.
        let choice = rows.iter().filter(|other| other.function == row.function && is_first);
        let choice = choice.filter_map(|row| choose(&row.medians(), row.kind)).max();
        let choice = choice.map(|size| size.to_string()).unwrap_or_default();
        let cells: Vec<_> = row.medians().into_iter().map(|(size, time)| cell(size, time)).collect();
        let (function, what, cpu) = (&row.function, &row.what, ms(row.cpu.median()));
        writeln!(text, "| {function} | {what} | {cpu} | {} | {choice} |", cells.join(" | "))?;
    }
    text.push_str("\n### Measured with\n\n");
    for line in machine::description()? {
        writeln!(text, "- {line}")?;
    }
    Ok(text)
}

/// Milliseconds, and USD for a million requests.
fn cell(size: u64, time: Duration) -> String {
    format!("{} ({:.2})", ms(time), gigabyte_seconds(size, time) * GIGABYTE_SECOND * 1e6)
}

fn ms(duration: Duration) -> String {
    let milliseconds = duration.as_secs_f64() * 1000.0;
    if milliseconds < 10.0 { format!("{milliseconds:.1}") } else { format!("{milliseconds:.0}") }
}
