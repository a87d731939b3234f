//! Building what is measured.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::Result;

/// Names a directory with binaries that are measured as they are.
const BUILT: &str = "GREENROOM_BENCH_BUILT";

/// The target directory this benchmark itself was built into.
pub(crate) fn target_directory() -> Result<PathBuf> {
    let executable = std::env::current_exe()?;
    let target = executable.parent().and_then(Path::parent).ok_or("the benchmark lies in no target directory")?;
    Ok(target.to_owned())
}

/// Cargo, without what it told the benchmark about its own package: that would have build scripts run again.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    for (name, _) in std::env::vars_os() {
        if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// The binary of a package in the profile that this benchmark itself was built in, where it is waiting that takes time.
/// With the whole workspace's features, so that what tests have built need not be built again.
pub(crate) fn alike(package: &str) -> Result<PathBuf> {
    if !cfg!(debug_assertions) {
        return release(package);
    }
    let built = cargo()
        .args(["build", "--quiet", "--workspace", "--bin", package])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()?;
    if !built.success() {
        return Err(format!("{package} cannot be built").into());
    }
    Ok(target_directory()?.join("debug").join(package))
}

/// The release binary of a package. Each package is built by itself: built together, every function would get the
/// features that any of them asks for, which is not what is deployed.
///
/// Where [`BUILT`] names a directory with the binary, it is that one, and nothing is built.
pub(crate) fn release(package: &str) -> Result<PathBuf> {
    if let Some(built) = std::env::var_os(BUILT).map(|directory| Path::new(&directory).join(package))
        && built.exists()
    {
        println!("taking {} as it is", built.display());
        return Ok(built);
    }
    let target = target_directory()?;
    let built = cargo()
        .args(["build", "--release", "--quiet", "--package", package, "--bin", package, "--target-dir"])
        .arg(&target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()?;
    if !built.success() {
        return Err(format!("{package} cannot be built").into());
    }
    Ok(target.join("release").join(package))
}
