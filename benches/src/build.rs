//! Building what is measured.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::Result;

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

/// The release binary of a package. Each package is built by itself: built together, every function would get the
/// features that any of them asks for, which is not what is deployed.
pub(crate) fn release(package: &str) -> Result<PathBuf> {
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
