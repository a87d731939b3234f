//! `docs/cost.md`: the test writes the parts between the marks and reads the other tables.

use std::{collections::BTreeMap, fmt::Write, fs};

use super::{Row, event, limits, money};
use crate::support::on_dynamodb_local;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/cost.md");

/// Fails unless the document shows the measured values and the numbers derived from them.
pub(super) fn check(measured: &[Row]) {
    let text = fs::read_to_string(PATH).unwrap();
    if std::env::var_os("UPDATE_COST").is_some() {
        let inputs = Inputs::read(&text);
        fs::write(PATH, with_sections(&text, measured, &inputs)).unwrap();
        return;
    }
    let budget = budget_of(&text);
    let faults = compare(measured, &budget);
    assert!(faults.is_empty(), "the budget in docs/cost.md is not kept (UPDATE_COST=1 writes it anew):\n{faults}");
    let inputs = Inputs::read(&text);
    let due = with_sections(&text, &budget, &inputs);
    assert!(text == due, "docs/cost.md says what does not follow from its tables: run this test with UPDATE_COST=1");
}

/// The differences, line by line.
fn compare(measured: &[Row], budget: &[Row]) -> String {
    let key = |row: &Row| (row.route.clone(), row.case.clone());
    let of = |rows: &[Row]| -> BTreeMap<_, _> { rows.iter().map(|row| (key(row), row.clone())).collect() };
    let (found, allowed) = (of(measured), of(budget));
    assert_eq!(found.len(), measured.len(), "two cases have the same name");
    let mut faults = String::new();
    for (key, row) in &found {
        let say = |what: &str| format!("{} ({}): {what}\n", key.0, key.1);
        let figures = |row: &Row| format!("{} requests, {} reads, {} writes", row.requests, row.reads, row.writes);
        faults += &match allowed.get(key) {
            None => say("is not in the budget"),
            Some(budget) if row == budget => continue,
            Some(budget) => {
                if on_dynamodb_local() && is_kept_there(row, budget) {
                    continue;
                }
                let exceeds = row.requests > budget.requests || row.reads > budget.reads || row.writes > budget.writes;
                let what = if exceeds { "exceeds its budget of" } else { "needs less than its budget of" };
                say(&format!("{} {what} {}", figures(row), figures(budget)))
            }
        };
    }
    for key in allowed.keys().filter(|key| !found.contains_key(*key)) {
        let _ = writeln!(faults, "{} ({}): is not measured any more", key.0, key.1);
    }
    faults
}

/// Whether a value measured on DynamoDB Local fits the budget. DynamoDB Local charges nothing for absent items and
/// rounds a transaction as a whole instead of item by item. It also counts items a few percent larger, which shows in
/// long lists. On a busy machine a request may be repeated, which costs again.
fn is_kept_there(row: &Row, budget: &Row) -> bool {
    let fits = row.reads <= budget.reads * 1.1 && row.writes <= budget.writes;
    row.requests == budget.requests && (fits || row.retries > 0)
}

/// The cells of the rows of the table whose header begins with this cell.
fn table(text: &str, head: &str) -> Vec<Vec<String>> {
    let cells =
        |line: &str| -> Vec<String> { line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect() };
    let from_head = text.lines().skip_while(|line| !line.starts_with('|') || cells(line)[0] != head);
    from_head.skip(2).take_while(|line| line.starts_with('|')).map(cells).collect()
}

fn budget_of(text: &str) -> Vec<Row> {
    let mut route = String::new();
    let rows = table(text, "route").into_iter().map(|cells| {
        if !cells[0].is_empty() {
            cells[0].trim_matches('`').clone_into(&mut route);
        }
        let number = |index: usize| cells[index].replace(',', "").parse::<f64>().unwrap();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number")]
        let requests = number(2) as u64;
        Row { route: route.clone(), case: cells[1].clone(), requests, retries: 0, reads: number(3), writes: number(4) }
    });
    rows.collect()
}

/// The assumptions that the document states.
pub(super) struct Inputs(BTreeMap<String, f64>);

impl Inputs {
    fn read(text: &str) -> Self {
        let rows = ["price", "assumption"].into_iter().flat_map(|head| table(text, head));
        Self(rows.map(|cells| (cells[0].clone(), cells[1].replace(',', "").parse().unwrap())).collect())
    }

    pub(super) fn of(&self, name: &str) -> f64 {
        *self.0.get(name).unwrap_or_else(|| panic!("docs/cost.md has no input called {name}"))
    }
}

/// The document with its sections written again.
fn with_sections(text: &str, rows: &[Row], inputs: &Inputs) -> String {
    let sections = [
        ("budget", budget(rows, inputs)),
        ("metrics", money::metrics(inputs)),
        ("million", money::million(rows, inputs)),
        ("event", event::event(rows, inputs)),
        ("partitions", limits::partitions(rows, inputs)),
    ];
    sections.into_iter().fold(text.to_owned(), |text, (name, section)| {
        let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
        let (before, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("there is no {begin}"));
        let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("there is no {end}"));
        format!("{before}{begin}{section}{end}{after}")
    })
}

fn budget(rows: &[Row], inputs: &Inputs) -> String {
    let head = "| route | request | requests to the table | read units | write units | USD a million |\n\
                |---|---|---:|---:|---:|---:|\n";
    let mut sorted: Vec<_> = rows.iter().collect();
    // A route's cases stay in the order in which they were measured.
    sorted.sort_by_key(|row| {
        let (method, path) = row.route.split_once(' ').unwrap_or(("~", "~"));
        (path.to_owned(), method.to_owned())
    });
    let mut route = "";
    sorted.into_iter().fold(head.to_owned(), |mut text, row| {
        let shown = if row.route == route { String::new() } else { format!("`{}`", row.route) };
        route = &row.route;
        let (case, requests) = (&row.case, row.requests);
        let [reads, writes] = [row.reads, row.writes].map(|units| format!("{units}"));
        let usd = money::table_usd(row.reads, row.writes, inputs);
        let _ = writeln!(text, "| {shown} | {case} | {requests} | {reads} | {writes} | {usd:.2} |");
        text
    })
}
