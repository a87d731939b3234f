//! The share of a processor that Lambda gives a function for its memory, enforced by the kernel.

use std::{fs, path::PathBuf};

use crate::Result;

/// With this many megabytes a function has one whole processor (AWS's guide, "Configure Lambda function memory").
const WHOLE_PROCESSOR_MB: u64 = 1769;
/// The period of the quota, in microseconds: Lambda renews it 50 times a second.
const PERIOD_US: u64 = 20_000;

/// The directory of the controller, for each version of control groups.
const V1: &str = "/sys/fs/cgroup/cpu";
const V2: &str = "/sys/fs/cgroup";

/// A control group with the quota that belongs to an amount of memory. It is removed when this is dropped.
pub(crate) struct Quota(PathBuf);

impl Quota {
    /// A group without any process yet.
    pub(crate) fn of_memory(megabytes: u64) -> Result<Self> {
        let quota = PERIOD_US * megabytes / WHOLE_PROCESSOR_MB;
        let name = format!("greenroom-bench-{}-{megabytes}", std::process::id());
        let made = if PathBuf::from(V1).join("cgroup.procs").exists() { v1(&name, quota) } else { v2(&name, quota) };
        Ok(made.map(Self).map_err(|error| format!("no control group can be made, which is root's to do: {error}"))?)
    }

    /// Moves the process with all its threads into the group. All processes in the group share the quota.
    pub(crate) fn hold(&self, process_id: u32) -> Result<()> {
        Ok(fs::write(self.0.join("cgroup.procs"), process_id.to_string())?)
    }
}

fn v1(name: &str, quota: u64) -> std::io::Result<PathBuf> {
    let group = PathBuf::from(V1).join(name);
    fs::create_dir_all(&group)?;
    fs::write(group.join("cpu.cfs_period_us"), PERIOD_US.to_string())?;
    fs::write(group.join("cpu.cfs_quota_us"), quota.to_string())?;
    Ok(group)
}

fn v2(name: &str, quota: u64) -> std::io::Result<PathBuf> {
    let group = PathBuf::from(V2).join(name);
    fs::write(PathBuf::from(V2).join("cgroup.subtree_control"), "+cpu")?;
    fs::create_dir_all(&group)?;
    fs::write(group.join("cpu.max"), format!("{quota} {PERIOD_US}"))?;
    Ok(group)
}

impl Drop for Quota {
    fn drop(&mut self) {
        // A group that still has a process cannot be removed. Its name tells where it comes from.
        let _ = fs::remove_dir(&self.0);
    }
}
