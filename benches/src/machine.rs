//! The machine: whether it is quiet, and its description beside the figures.

use std::{fs, process::Command, thread};

use crate::Result;

/// The one-minute load per core above which the figures depend on other work on the machine.
const QUIET: f64 = 0.5;
/// If this variable is set to any value, the benchmark runs on a busy machine too.
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

/// Prints the conditions of the measurement.
pub(crate) fn describe() -> Result<()> {
    for line in description()? {
        println!("{line}");
    }
    Ok(())
}

/// The conditions of the measurement, line by line.
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
