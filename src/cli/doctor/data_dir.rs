//! Checks of a data directory. A server may be using it.

use std::path::Path;

use super::report::Check;
use crate::{
    cli::{
        CliError,
        data_dir::{OpenDataDir, mode_of},
        target::{Reached, reach},
        text::bytes,
    },
    embedded::examine,
};

/// Free disk space in bytes: below the first an operator should look, and below the second a write may fail.
const LITTLE: u64 = 256 * 1024 * 1024;
const FULL: u64 = 4 * 1024 * 1024;

pub(super) async fn check(path: &Path) -> Result<Vec<Check>, CliError> {
    let data_dir = match OpenDataDir::share(path) {
        Ok(data_dir) => data_dir,
        Err(error) => return Ok(vec![Check::fail("directory", error.to_string())]),
    };
    let mut checks = vec![Check::ok("directory", path.display().to_string())];
    checks.push(credentials(&data_dir));
    let database = database(&data_dir);
    checks.push(disk(path));
    let is_whole = database.is_ok();
    checks.push(database.unwrap_or_else(|problem| Check::fail("database", problem)));
    if is_whole {
        checks.push(server(path).await);
    }
    Ok(checks)
}

fn credentials(data_dir: &OpenDataDir) -> Check {
    let name = "credentials";
    let file = data_dir.secrets_file();
    match data_dir.lost_secrets(|_| false) {
        Err(error) => Check::fail(name, error.to_string()),
        Ok(lost) if data_dir.has_store() && !lost.is_empty() => Check::fail(
            name,
            format!("{} has lost {}: `greenroom key recover` makes new ones", file.display(), lost.join(", ")),
        ),
        Ok(_) if mode_of(&file).is_ok_and(|mode| mode & 0o077 != 0) => {
            Check::fail(name, format!("{} can be read by other users: chmod 600", file.display()))
        }
        Ok(_) => Check::ok(name, file.display().to_string()),
    }
}

fn database(data_dir: &OpenDataDir) -> Result<Check, String> {
    let file = data_dir.database();
    if !data_dir.has_store() {
        return Err(format!("{} is not there: `greenroom serve` makes it", file.display()));
    }
    examine(&file).map_err(|error| error.to_string())?;
    let size = std::fs::metadata(&file).map_or(0, |metadata| metadata.len());
    Ok(Check::ok("database", format!("{}, {}", file.display(), bytes(size))))
}

fn disk(path: &Path) -> Check {
    match room(path) {
        Ok(free) => judge(free),
        Err(error) => Check::warn("disk", format!("how much room there is cannot be told: {error}")),
    }
}

fn judge(free: u64) -> Check {
    let detail = format!("{} free", bytes(free));
    match free {
        0..FULL => Check::fail("disk", format!("{detail}: it is full, and what is written is refused")),
        FULL..LITTLE => Check::warn("disk", format!("{detail}: it is nearly full")),
        _ => Check::ok("disk", detail),
    }
}

#[cfg(unix)]
fn room(path: &Path) -> std::io::Result<u64> {
    let found = rustix::fs::statvfs(path)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(not(unix))]
fn room(_: &Path) -> std::io::Result<u64> {
    Err(std::io::ErrorKind::Unsupported.into())
}

async fn server(path: &Path) -> Check {
    match reach(path).await {
        Ok(Reached::Database(_)) => Check::ok("server", "none runs"),
        #[cfg(unix)]
        Ok(Reached::Server(server)) => Check::ok("server", format!("runs at {}", server.url)),
        Err(error) => Check::fail("server", error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_called_full() {
        let said = |free| format!("{:?}", judge(free));
        assert!(said(0).contains("Fail") && said(0).contains("0 KB free: it is full"));
        assert!(said(LITTLE - 1).contains("Warn"));
        assert!(said(LITTLE).contains("Ok"));
    }
}
