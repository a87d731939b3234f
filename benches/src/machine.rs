//! The machine: whether it is quiet, and what to say about it beside the figures.

use std::{fs, process::Command, thread};

use crate::Result;

/// The one-minute load per core above which figures say more about the neighbours.
const QUIET: f64 = 0.5;
/// Set to any value, it measures all the same.
const OVERRIDE: &str = "GREENROOM_BENCH_LOADED";

/// Ends the benchmark on a machine that is busy with something else.
pub(crate) fn require_quiet() -> Result<()> {
    let loadavg = fs::read_to_string("/proc/loadavg")?;
    let load: f64 = loadavg.split(' ').next().unwrap_or_default().parse()?;
    let cores = u32::try_from(thread::available_parallelism()?.get())?;
    let per_core = load / f64::from(cores);
    println!("load before the start: {load:.2} on {cores} cores");
    if per_core <= QUIET || std::env::var_os(OVERRIDE).is_some() {
        return Ok(());
    }
    Err(format!("the machine is loaded: {per_core:.2} per core, at most {QUIET} wanted; {OVERRIDE}=1 measures anyway")
        .into())
}

/// Prints what the figures were taken with.
pub(crate) fn describe() -> Result<()> {
    for line in description()? {
        println!("{line}");
    }
    Ok(())
}

/// What the figures were taken with, line by line.
pub(crate) fn description() -> Result<Vec<String>> {
    let rustc = Command::new("rustc").arg("--version").output()?;
    let cpuinfo = fs::read_to_string("/proc/cpuinfo")?;
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = thread::available_parallelism()?;
    Ok(vec![
        format!("compiler: {}", String::from_utf8_lossy(&rustc.stdout).trim()),
        format!("processor: {}, {cores} cores", model.map_or("unknown", |(_, name)| name)),
        format!("kernel: {}", fs::read_to_string("/proc/sys/kernel/osrelease")?.trim()),
        format!("greenroom: {}", env!("CARGO_PKG_VERSION")),
    ])
}
