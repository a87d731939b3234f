//! `greenroom backup` and `greenroom restore`: copies of a data directory, which are data directories themselves.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{CliError, DataDir, data_dir::OpenDataDir, target::say_store};
use crate::embedded::{copy, examine};

/// Copy the store and its credentials into a new directory, also while a server runs
#[derive(Debug, clap::Args)]
pub(crate) struct Backup {
    /// The directory to be made; it can be served and restored from
    #[arg(value_name = "DIRECTORY")]
    to: PathBuf,
    #[command(flatten)]
    data_dir: DataDir,
}

/// Put a backup in the place of the store, while no server runs
#[derive(Debug, clap::Args)]
pub(crate) struct Restore {
    /// What `greenroom backup` has made
    #[arg(value_name = "DIRECTORY")]
    from: PathBuf,
    /// Replace a store that is not empty; what is in it is lost
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    data_dir: DataDir,
}

impl Backup {
    pub(crate) fn run(self) -> Result<(), CliError> {
        let data_dir = store_in(&self.data_dir.path)?;
        say_store(&data_dir.database().display().to_string());
        if self.to.exists() {
            return Err(CliError::BackupExists(self.to));
        }
        OpenDataDir::make(&self.to)?;
        let copied = copy_into(&data_dir, &self.to);
        if copied.is_err() {
            // A backup that is not whole is none. The first error is the one that is reported.
            let _ = fs::remove_dir_all(&self.to);
        }
        copied?;
        println!("The store and its credentials are in {}; mails that were left in files are not.", self.to.display());
        Ok(())
    }
}

fn copy_into(data_dir: &OpenDataDir, to: &Path) -> Result<(), CliError> {
    let backup = OpenDataDir::share(to)?;
    let file = backup.make_database()?;
    copy(&data_dir.database(), &file)?;
    examine(&file)?;
    backup.take_secrets(data_dir)
}

impl Restore {
    pub(crate) fn run(self) -> Result<(), CliError> {
        let backup = store_in(&self.from)?;
        examine(&backup.database())?;
        OpenDataDir::make(&self.data_dir.path)?;
        let data_dir = OpenDataDir::open(&self.data_dir.path)?;
        if data_dir.has_store() && !self.force {
            return Err(CliError::NotEmpty(data_dir.database()));
        }
        let failed = |error| CliError::File(data_dir.database(), error);
        let new = greenroom_files::beside(&data_dir.database()).map_err(failed)?;
        copy(&backup.database(), new.path())?;
        // Beside another database, SQLite would write these files' content into it.
        for beside in ["greenroom.db-wal", "greenroom.db-shm"] {
            remove(&data_dir.path().join(beside)).map_err(failed)?;
        }
        greenroom_files::persist(new, &data_dir.database()).map_err(failed)?;
        data_dir.take_secrets(&backup)?;
        say_store(&data_dir.database().display().to_string());
        println!("The store is as it was in {}. What was revoked since then is not any more.", self.from.display());
        Ok(())
    }
}

/// The data directory at this path, which has to have a store.
fn store_in(path: &Path) -> Result<OpenDataDir, CliError> {
    let data_dir = OpenDataDir::share(path)?;
    if data_dir.has_store() { Ok(data_dir) } else { Err(CliError::NoStore(path.to_owned())) }
}

fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
