//! The database's file: checking that it is ours and whole, copying it, and error messages about it.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use dynoxide::DynoxideError;
use rusqlite::{Connection, ErrorCode, OpenFlags};

/// The first bytes of every SQLite database.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// A query for a table that every database of ours has.
const OURS: &str = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = '_tables'";

/// Why a database's file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It is another program's file.
    #[error("{} is a foreign file: it is no database of greenroom's", .0.display())]
    Foreign(PathBuf),
    /// Parts of it differ from what was written.
    #[error("{} is damaged ({}): put a backup in its place with `greenroom restore`", .0.display(), .1)]
    Damaged(PathBuf, String),
    /// The disk is full.
    #[error("the disk that {} is on is full", .0.display())]
    Full(PathBuf),
    /// It cannot be read or written.
    #[error("{} cannot be used: {}", .0.display(), .1)]
    Unusable(PathBuf, String),
}

impl FileError {
    /// The error for a failure of the database.
    pub(super) fn of(file: &Path, error: &DynoxideError) -> Self {
        match error {
            DynoxideError::SqliteError(error) => Self::of_sqlite(file, error),
            error => Self::Unusable(file.to_owned(), error.to_string()),
        }
    }

    fn of_sqlite(file: &Path, error: &rusqlite::Error) -> Self {
        let file = file.to_owned();
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::Foreign(file),
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged(file, error.to_string()),
            Some(ErrorCode::DiskFull) => Self::Full(file),
            _ => Self::Unusable(file, error.to_string()),
        }
    }

    fn of_io(file: &Path, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full(file.to_owned()),
            _ => Self::Unusable(file.to_owned(), error.to_string()),
        }
    }
}

/// Refuses another program's file before anything is written to it. An empty file is accepted.
pub(super) fn ensure_ours(file: &Path) -> Result<(), FileError> {
    let mut head = Vec::new();
    let read = File::open(file).and_then(|opened| opened.take(MAGIC.len() as u64).read_to_end(&mut head));
    read.map_err(|error| FileError::of_io(file, &error))?;
    if head.is_empty() {
        return Ok(());
    }
    if head != MAGIC {
        return Err(FileError::Foreign(file.to_owned()));
    }
    let connection = read_only(file)?;
    let tables = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, u64>(0));
    let count = |sql| tables(sql).map_err(|error| FileError::of_sqlite(file, &error));
    // A start that broke off at once leaves a database without tables.
    let is_ours = count(OURS)? > 0 || count("SELECT count(*) FROM sqlite_master")? == 0;
    if is_ours { Ok(()) } else { Err(FileError::Foreign(file.to_owned())) }
}

/// Checks a database of ours, page by page. It may be in use.
///
/// # Errors
/// [`FileError`].
pub fn examine(file: &Path) -> Result<(), FileError> {
    ensure_ours(file)?;
    let failed = |error| FileError::of_sqlite(file, &error);
    let found: String = read_only(file)?.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(failed)?;
    if found == "ok" { Ok(()) } else { Err(FileError::Damaged(file.to_owned(), found.replace('\n', " "))) }
}

/// Copies a database, as it is at one instant, into an empty file. It may be in use, and its user does not wait.
///
/// # Errors
/// [`FileError`].
pub fn copy(file: &Path, to: &Path) -> Result<(), FileError> {
    ensure_ours(file)?;
    let target = to.to_str().ok_or_else(|| FileError::Unusable(to.to_owned(), "its name is not UTF-8".to_owned()))?;
    let copied = read_only(file)?.execute("VACUUM INTO ?1", [target]);
    copied.map_err(|error| match FileError::of_sqlite(file, &error) {
        FileError::Full(_) => FileError::Full(to.to_owned()),
        other => other,
    })?;
    let synced = File::open(to).and_then(|copy| copy.sync_all());
    synced.map_err(|error| FileError::of_io(to, &error))
}

fn read_only(file: &Path) -> Result<Connection, FileError> {
    let opened = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY);
    opened.map_err(|error| FileError::of_sqlite(file, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_said_in_these_words() {
        let failure = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL);
        let error = DynoxideError::SqliteError(rusqlite::Error::SqliteFailure(failure, None));
        let said = FileError::of(Path::new("data/greenroom.db"), &error).to_string();
        assert_eq!(said, "the disk that data/greenroom.db is on is full");
    }
}
