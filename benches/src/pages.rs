//! What a page of an event's login tokens costs, in an event with 10 of them and in one with 100,000.
//!
//! `cargo run -p bench -- pages` builds the program that counts in the release profile, and prints what it prints as a
//! table.

use std::process::Command;

use crate::{Result, build};

/// Counts and prints.
pub(crate) fn run() -> Result<()> {
    let output = Command::new(build::release("pages")?).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    println!("\n{:>12}  {:<34} {:>18} {:>10}", "login tokens", "page", "DynamoDB requests", "p50");
    for line in String::from_utf8(output.stdout)?.lines() {
        let [size, page, requests, micros] = line.split('\t').collect::<Vec<_>>()[..] else {
            return Err("pages printed something else than four columns".into());
        };
        println!("{size:>12}  {page:<34} {requests:>18} {micros:>7} µs");
    }
    Ok(())
}
