//! Builds the programs that are measured.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::Result;

/// Names a directory with binaries that are measured instead of new builds.
const BUILT: &str = "GREENROOM_BENCH_BUILT";

/// The target directory that this benchmark itself was built into.
pub(crate) fn target_directory() -> Result<PathBuf> {
    let executable = std::env::current_exe()?;
    let target = executable.parent().and_then(Path::parent).ok_or("the benchmark lies in no target directory")?;
    Ok(target.to_owned())
}

/// Cargo, without the variables that it set for the benchmark's own package: they would make build scripts run again.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    for (name, _) in std::env::vars_os() {
        if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// The binary of a package in the profile of this benchmark, for measurements in which most of the time is waiting. It
/// has the features of the whole workspace, so that nothing is built twice that tests have already built.
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

/// The release binary of this name. Its package is built by itself, as `sam build` does it: in a common build, every
/// dependency would get the features that any package asks for.
///
/// If [`BUILT`] names a directory with the binary, that one is used, and nothing is built.
pub(crate) fn release(binary: &str) -> Result<PathBuf> {
    if let Some(built) = std::env::var_os(BUILT).map(|directory| Path::new(&directory).join(binary))
        && built.exists()
    {
        println!("taking {} as it is", built.display());
        return Ok(built);
    }
    let target = target_directory()?;
    let built = cargo()
        .args(["build", "--release", "--quiet", "--package", &package_of(binary), "--bin", binary, "--target-dir"])
        .arg(&target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()?;
    if !built.success() {
        return Err(format!("{binary} cannot be built").into());
    }
    Ok(target.join("release").join(binary))
}

/// The package of a binary. Those of the functions have the project's name before it.
fn package_of(binary: &str) -> String {
    let functions = Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions");
    if functions.join(binary).exists() { format!("greenroom-{binary}") } else { binary.to_owned() }
}
