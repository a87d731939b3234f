//! The data directory: the database, the generated credentials, and the locks that keep other processes away.

mod secrets;

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
};

pub(crate) use self::secrets::{Kept, generated_secrets, opentok_key, opentok_secret};
use super::CliError;

/// The file of the embedded database.
const DATABASE: &str = "greenroom.db";

/// The file with the URL of the server that has the directory.
const ADDRESS: &str = "address";

/// A data directory.
#[derive(Debug)]
pub(crate) struct OpenDataDir {
    path: PathBuf,
    /// Keeps other processes out of the database for as long as it lives.
    _lock: Option<File>,
}

impl OpenDataDir {
    /// Makes a data directory that only its owner can open, if there is none. Only the server does: a command that made
    /// one would hide that it was given a wrong path.
    pub(crate) fn make(path: &Path) -> Result<(), CliError> {
        if path.is_dir() {
            return Ok(());
        }
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        let made = builder.recursive(true).create(path);
        // With this file no repository takes the directory in, wherever it lies.
        let made = made.and_then(|()| fs::write(path.join(".gitignore"), "*\n"));
        made.map_err(|error| CliError::File(path.to_owned(), error))
    }

    /// Opens a data directory for its credentials only. Any number of processes may read those.
    pub(crate) fn share(path: &Path) -> Result<Self, CliError> {
        if !path.is_dir() {
            return Err(CliError::NoStore(path.to_owned()));
        }
        ensure_closed(path)?;
        Ok(Self { path: path.to_owned(), _lock: None })
    }

    /// Opens a data directory for its database too. Only one process at a time can.
    pub(crate) fn open(path: &Path) -> Result<Self, CliError> {
        let Self { path, .. } = Self::share(path)?;
        let failed = |error| CliError::File(path.clone(), error);
        let lock = lock_file(&path.join("lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: Some(lock) }),
            Err(TryLockError::WouldBlock) => Err(CliError::InUse(path)),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// The path of the directory.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Stores the URL of this directory's server, for other commands.
    pub(crate) fn set_address(&self, url: &str) -> Result<(), CliError> {
        let path = self.path.join(ADDRESS);
        fs::write(&path, url).map_err(|error| CliError::File(path.clone(), error))
    }

    /// The URL of this directory's server.
    pub(crate) fn address(&self) -> Result<String, CliError> {
        let path = self.path.join(ADDRESS);
        fs::read_to_string(&path).map_err(|error| CliError::File(path.clone(), error))
    }

    /// The path of the database.
    pub(crate) fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// Whether there is a database with content.
    pub(crate) fn has_store(&self) -> bool {
        fs::metadata(self.database()).is_ok_and(|database| database.len() > 0)
    }

    /// The path of the database, which is made if it does not exist. Only its owner can read it; SQLite gives the files
    /// beside it the same mode.
    pub(crate) fn make_database(&self) -> Result<PathBuf, CliError> {
        let path = self.database();
        let made = private(OpenOptions::new().create(true).truncate(false).write(true)).open(&path);
        made.and_then(|_| restrict(&path, 0o600)).map_err(|error| CliError::File(path.clone(), error))?;
        Ok(path)
    }
}

/// Refuses a directory into which others could put a database or credentials of their own.
fn ensure_closed(path: &Path) -> Result<(), CliError> {
    let mode = mode_of(path).map_err(|error| CliError::File(path.to_owned(), error))?;
    if mode & 0o022 == 0 { Ok(()) } else { Err(CliError::Writable(path.to_owned())) }
}

/// The permissions of a file. If the system has none, those of a private file.
pub(crate) fn mode_of(path: &Path) -> io::Result<u32> {
    Ok(mode(&fs::metadata(path)?))
}

#[cfg(unix)]
fn mode(metadata: &fs::Metadata) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777
}

#[cfg(not(unix))]
fn mode(metadata: &fs::Metadata) -> u32 {
    if metadata.is_dir() { 0o700 } else { 0o600 }
}

/// A file for a lock. Only its owner can read it.
fn lock_file(path: &Path) -> io::Result<File> {
    private(OpenOptions::new().create(true).truncate(false).write(true)).open(path)
}

/// Has these options make files that only their owner can read, from the first byte on.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Keeps other users of the machine out of a file or directory.
#[cfg(unix)]
pub(crate) fn restrict(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
pub(crate) fn restrict(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}
