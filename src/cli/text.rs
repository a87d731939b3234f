//! Text in columns, and times as people say them.

use std::time::Duration;

const DAY: u64 = 24 * 60 * 60;

/// Rows with aligned columns. The last cell of a row may have any length.
pub(super) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<_> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// A duration in its largest unit.
pub(super) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    let (number, unit) = match seconds {
        0..3600 => (seconds / 60, "minute"),
        3600..DAY => (seconds / 3600, "hour"),
        _ => (seconds / DAY, "day"),
    };
    if number == 1 { format!("1 {unit}") } else { format!("{number} {unit}s") }
}

/// A text on one line of a table. Control characters, which a terminal could obey, become spaces.
pub(super) fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// A size in a fitting unit.
pub(super) fn bytes(size: u64) -> String {
    const UNITS: [&str; 4] = ["KB", "MB", "GB", "TB"];
    let mut size = size / 1024;
    let mut unit = 0;
    while size >= 10_000 && unit + 1 < UNITS.len() {
        size /= 1024;
        unit += 1;
    }
    format!("{size} {}", UNITS[unit])
}

/// The first of many names, which are enough to find the cause.
pub(super) fn some<S: AsRef<str>>(names: &[S]) -> String {
    const SHOWN: usize = 5;
    let shown = names.iter().take(SHOWN).map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_stand_below_each_other() {
        let rows = [["a", "b", "c"], ["long", "", "as long as it likes"]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&rows), "a     b  c\nlong     as long as it likes\n");
    }

    #[test]
    fn of_many_names_some_are_shown() {
        assert_eq!(some(&["a", "b", "c", "d", "e"]), "a, b, c, d, e");
        assert_eq!(some(&["a", "b", "c", "d", "e", "f"]), "a, b, c, d, e and 1 more");
    }

    #[test]
    fn a_size_has_a_unit() {
        assert_eq!([1023, 5 << 20, 50 << 20, 50 << 30].map(bytes), ["0 KB", "5120 KB", "50 MB", "50 GB"]);
    }

    #[test]
    fn a_stretch_has_one_unit() {
        let spelt = [59, 60, 3600, 2 * DAY - 1, 400 * DAY].map(|seconds| duration(Duration::from_secs(seconds)));
        assert_eq!(spelt, ["0 minutes", "1 minute", "1 hour", "1 day", "400 days"]);
    }
}
