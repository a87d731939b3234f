//! The functions' binaries, built in the same profile as this test.

use std::{
    env::consts::EXE_SUFFIX,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

/// The directory of the binaries. The first test of a process builds the outdated ones.
///
/// Cargo is asked to build this test as well. It then chooses the same features as for the test, so that it compiles no
/// dependency a second time.
static DIRECTORY: LazyLock<PathBuf> = LazyLock::new(|| {
    let directory = directory();
    let profile = match directory.file_name().unwrap().to_str().unwrap() {
        "debug" => "dev",
        profile => profile,
    };
    let mut cargo = Command::new(env!("CARGO"));
    // Cargo sets these variables for this test's package. If they were passed on, build scripts that read them would
    // run again, and everything that depends on them would be compiled again.
    for (name, _) in std::env::vars_os() {
        if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            cargo.env_remove(name);
        }
    }
    let built = cargo
        .args(["build", "--workspace", "--bins", "--test", "lambda", "--profile", profile, "--target-dir"])
        .arg(directory.parent().unwrap())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .unwrap();
    assert!(built.success(), "the functions cannot be built");
    directory
});

/// The path of a function's binary.
pub(crate) fn binary(function: &str) -> PathBuf {
    DIRECTORY.join(format!("{function}{EXE_SUFFIX}"))
}

/// `<target>/<profile>`, from `<target>/<profile>/deps/<this test>`.
fn directory() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).map(Path::to_owned).unwrap()
}
