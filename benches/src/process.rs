//! The kernel's counters of a process.

use std::{collections::HashMap, fs, time::Duration};

use crate::Result;

/// The processor time of a process: that of all its threads that still run.
pub(crate) fn cpu(process_id: u32) -> Result<Duration> {
    let mut nanoseconds = 0;
    for task in fs::read_dir(format!("/proc/{process_id}/task"))? {
        // The counters of a thread are gone once it has ended.
        let Ok(schedstat) = fs::read_to_string(task?.path().join("schedstat")) else { continue };
        nanoseconds += schedstat.split(' ').next().unwrap_or_default().parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// The processor time of a process and all of its descendants, including those that have ended.
pub(crate) fn cpu_of_all(process_id: u32) -> Result<Duration> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    let mut ticks = HashMap::new();
    for entry in fs::read_dir("/proc")? {
        let Some(id) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // The parent's counters include a process that has ended.
        let Ok(stat) = fs::read_to_string(format!("/proc/{id}/stat")) else { continue };
        let (parent, used) = parent_and_ticks(&stat).ok_or("/proc/*/stat has another form")?;
        children.entry(parent).or_default().push(id);
        ticks.insert(id, used);
    }
    let (mut sum, mut left) = (0, vec![process_id]);
    while let Some(id) = left.pop() {
        sum += ticks.get(&id).copied().unwrap_or_default();
        left.extend(children.remove(&id).unwrap_or_default());
    }
    // The kernel shows these counters in hundredths of a second, whatever its own resolution is.
    Ok(Duration::from_millis(sum * 10))
}

/// The parent, and `utime + stime + cutime + cstime`: the fields 4 and 14 to 17. The name, field 2, may contain spaces.
fn parent_and_ticks(stat: &str) -> Option<(u32, u64)> {
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = fields.get(11..15)?.iter().map(|field| field.parse::<u64>()).sum::<std::result::Result<_, _>>();
    Some((fields.get(1)?.parse().ok()?, ticks.ok()?))
}

/// The bytes of a process that are in memory now.
pub(crate) fn resident(process_id: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process_id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()).ok_or("no VmRSS")?;
    Ok(kilobytes.parse::<u64>()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_name_with_spaces_and_parentheses_shifts_no_field() {
        let stat = "7 (a (b) c) S 3 7 7 0 -1 0 1 2 3 4 100 20 3 1 20 0 1";
        assert_eq!(parent_and_ticks(stat), Some((3, 124)));
    }
}
