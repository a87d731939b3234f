//! Files that are written whole: a reader sees the old file or the new one, also after a crash.

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
};

use tempfile::NamedTempFile;

/// Writes a file, or replaces it. Only its owner can read it.
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut new = beside(path)?;
    new.write_all(content)?;
    persist(new, path)
}

/// A new file that can take the place of this one, which need not exist. Only its owner can read it. Dropping it deletes
/// it.
pub fn beside(path: &Path) -> io::Result<NamedTempFile> {
    NamedTempFile::new_in(directory(path))
}

/// Puts a new file into the place of this one. When it returns, the new file is there for good.
pub fn persist(new: NamedTempFile, path: &Path) -> io::Result<()> {
    new.as_file().sync_all()?;
    new.persist(path)?;
    if cfg!(unix) { File::open(directory(path))?.sync_all() } else { Ok(()) }
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
