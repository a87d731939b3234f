//! The summary: the figures of every subject, and their targets.

use crate::{
    Result,
    lambda::subject::{BEFORE, Subject},
    samples::milliseconds,
};

/// Megabytes as in a data sheet.
const MB: f64 = 1_000_000.0;

/// The limit for the processor time of a warm invocation, as a ratio to the bare function that makes the same call.
const MAX_CPU: f64 = 1.3;
/// The same limit, as a ratio to the earlier build.
const MAX_CPU_OF_BEFORE: f64 = 1.05;
const MAX_START: f64 = 1.3;
const MAX_BINARY_MB: f64 = 7.0;
const MAX_ZIP_MB: f64 = 3.0;
const MAX_RESIDENT_MB: f64 = 25.0;

/// Prints the figures and the targets.
pub(crate) fn print(subjects: &[Subject]) -> Result<()> {
    for subject in subjects {
        figures(subject)?;
    }
    println!();
    for subject in subjects.iter().filter(|subject| subject.figures.told.len() > 0) {
        println!("{:<30} inside its process: {}", subject.name, milliseconds(subject.figures.told.median()));
    }
    println!("\ntargets");
    let named = |name: &str| subjects.iter().find(|subject| subject.name == name);
    for function in subjects.iter().filter(|subject| !subject.name.ends_with(BEFORE)) {
        if let Some(peer) = function.peer.and_then(named) {
            against_targets(function, peer)?;
        }
        if let Some(before) = named(&format!("{}{BEFORE}", function.name)) {
            let cpu = function.figures.cpu.ratio_to(&before.figures.cpu);
            verdict(&function.name, "processor, warm, of before", cpu, MAX_CPU_OF_BEFORE);
        }
    }
    Ok(())
}

fn figures(subject: &Subject) -> Result<()> {
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
        "  warm   p50 {}, p99 {}, processor {} an invocation in the median turn; {} invocations",
        milliseconds(subject.figures.warm.median()),
        milliseconds(subject.figures.warm.percentile(99)),
        milliseconds(subject.figures.cpu.median()),
        subject.figures.warm.len(),
    );
    println!("  size   resident {:.1} MB", megabytes(usize::try_from(subject.figures.resident)?)?);
    Ok(())
}

/// Compares a function with the bare one that calls the table as it does.
fn against_targets(function: &Subject, bare: &Subject) -> Result<()> {
    let name = &function.name;
    let (binary, zip) = function.sizes()?;
    let cpu = function.figures.cpu.ratio_to(&bare.figures.cpu);
    verdict(name, &format!("processor, warm, of {}", bare.name), cpu, MAX_CPU);
    let start = function.figures.start.ratio_to(&bare.figures.start);
    verdict(name, &format!("start, of {}", bare.name), start, MAX_START);
    verdict(name, "binary, MB", megabytes(binary)?, MAX_BINARY_MB);
    verdict(name, "zip, MB", megabytes(zip)?, MAX_ZIP_MB);
    verdict(name, "resident, MB", megabytes(usize::try_from(function.figures.resident)?)?, MAX_RESIDENT_MB);
    Ok(())
}

fn verdict(name: &str, measure: &str, value: f64, target: f64) {
    let met = if value <= target { "met" } else { "NOT MET" };
    println!("  {name:<30} {measure:<38} {value:>6.2}  at most {target:>5.2}  {met}");
}

fn megabytes(bytes: usize) -> Result<f64> {
    Ok(f64::from(u32::try_from(bytes)?) / MB)
}
