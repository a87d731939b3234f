//! The cost of requests that must not grow with the amount of data, for little and for much data.
//!
//! `cargo run -p bench -- costs` builds the counting program in the release profile, and prints its output as a table.

use std::process::Command;

use crate::{Result, build};

/// Runs the program and prints the table.
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
