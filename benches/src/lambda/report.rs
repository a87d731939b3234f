//! The summary: the figures of every subject, and the targets they are held to.

use std::time::Duration;

use crate::{Result, samples::milliseconds};

use crate::lambda::subject::Subject;

/// Megabytes here are those of a data sheet.
const MB: f64 = 1_000_000.0;

const MAX_START_RATIO: f64 = 2.0;
const MAX_PUTS: f64 = 1.5;
const MAX_BINARY_MB: f64 = 7.0;
const MAX_ZIP_MB: f64 = 3.0;
const MAX_RESIDENT_MB: f64 = 25.0;

/// Prints both. The first subject does nothing, the two behind it do one raw write.
pub(crate) fn print(subjects: &[Subject]) -> Result<()> {
    let [hello, put_item, transaction, functions @ ..] = subjects else { return Err("nothing was measured".into()) };
    for subject in subjects {
        figures(subject)?;
    }
    println!("\none raw PutItem, inside its process: {}", milliseconds(put_item.figures.told.median()));
    let transaction = transaction.figures.told.median();
    let puts = ratio(transaction, put_item.figures.told.median());
    println!("one raw transaction of two items, inside its process: {}, {puts:.2} PutItems", milliseconds(transaction));
    println!("\ntargets");
    for function in functions {
        against_targets(function, hello)?;
    }
    let tokens = functions.iter().find(|function| function.name == "POST /api/tokens");
    let beyond_hello = tokens.ok_or("no tokens")?.figures.warm.median().saturating_sub(hello.figures.warm.median());
    let puts = ratio(beyond_hello, put_item.figures.told.median());
    verdict("POST /api/tokens", "raw PutItems beyond hello, warm", puts, MAX_PUTS);
    Ok(())
}

fn figures(subject: &Subject) -> Result<()> {
    let (binary, zip) = subject.sizes()?;
    println!("\n{}", subject.name);
    println!(
        "  start  median {} (p90 {}), of which processor {}; {} starts",
        milliseconds(subject.figures.start.median()),
        milliseconds(subject.figures.start.percentile(90)),
        milliseconds(subject.figures.start_cpu.median()),
        subject.figures.start.len(),
    );
    println!("  first  median {}", milliseconds(subject.figures.first.median()));
    println!(
        "  warm   p50 {}, p99 {}, processor {} an invocation; {} invocations",
        milliseconds(subject.figures.warm.median()),
        milliseconds(subject.figures.warm.percentile(99)),
        milliseconds(subject.cpu_per_invocation()?),
        subject.figures.warm.len(),
    );
    println!(
        "  size   binary {:.2} MB, zip {:.2} MB, resident {:.1} MB",
        megabytes(binary)?,
        megabytes(zip)?,
        megabytes(usize::try_from(subject.figures.resident)?)?
    );
    Ok(())
}

fn against_targets(function: &Subject, hello: &Subject) -> Result<()> {
    let name = function.name;
    let (binary, zip) = function.sizes()?;
    let start = ratio(function.figures.start.median(), hello.figures.start.median());
    verdict(name, "start, in starts of hello", start, MAX_START_RATIO);
    verdict(name, "binary, MB", megabytes(binary)?, MAX_BINARY_MB);
    verdict(name, "zip, MB", megabytes(zip)?, MAX_ZIP_MB);
    verdict(name, "resident, MB", megabytes(usize::try_from(function.figures.resident)?)?, MAX_RESIDENT_MB);
    Ok(())
}

fn verdict(name: &str, measure: &str, value: f64, target: f64) {
    let met = if value <= target { "met" } else { "NOT MET" };
    println!("  {name:<30} {measure:<32} {value:>6.2}  at most {target:>5.2}  {met}");
}

fn ratio(part: Duration, whole: Duration) -> f64 {
    part.as_secs_f64() / whole.as_secs_f64()
}

fn megabytes(bytes: usize) -> Result<f64> {
    Ok(f64::from(u32::try_from(bytes)?) / MB)
}
