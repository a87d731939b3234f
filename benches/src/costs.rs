//! What requests cost that must not grow with what there is, with little and with much of it.
//!
//! `cargo run -p bench -- costs` builds the program that counts in the release profile, and prints what it prints as a
//! table.

use std::process::Command;

use crate::{Result, build};

/// Counts and prints.
pub(crate) fn run() -> Result<()> {
    let output = Command::new(build::release("costs")?).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    println!("\n{:>8}  {:<40} {:>18} {:>10} {:>10}", "of", "request", "DynamoDB requests", "p50", "p99");
    for line in String::from_utf8(output.stdout)?.lines() {
        let [size, what, requests, p50, p99] = line.split('\t').collect::<Vec<_>>()[..] else {
            return Err("costs printed something else than five columns".into());
        };
        println!("{size:>8}  {what:<40} {requests:>18} {p50:>7} µs {p99:>7} µs");
    }
    Ok(())
}
