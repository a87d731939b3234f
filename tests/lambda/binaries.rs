//! The functions' binaries, built as this test was.

use std::{
    env::consts::EXE_SUFFIX,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

/// Where the binaries lie. Built once in a process, with whatever is stale, by whichever test is first.
///
/// Building this test beside them has cargo choose the same features as for the test, so that nothing which the test
/// already depends on is compiled a second time.
static DIRECTORY: LazyLock<PathBuf> = LazyLock::new(|| {
    let directory = directory();
    let profile = match directory.file_name().unwrap().to_str().unwrap() {
        "debug" => "dev",
        profile => profile,
    };
    let mut cargo = Command::new(env!("CARGO"));
    // What cargo told this test about its package is no news of the environment: build scripts that look at it would
    // run again, and all that depends on them would be compiled anew.
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

/// The binary of a function.
pub(crate) fn binary(function: &str) -> PathBuf {
    DIRECTORY.join(format!("{function}{EXE_SUFFIX}"))
}

/// `<target>/<profile>`, from `<target>/<profile>/deps/<this test>`.
fn directory() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).map(Path::to_owned).unwrap()
}
