//! The data directory: the database, the generated credentials, and the lock that keeps a second process away.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions, TryLockError},
    io::Write,
    path::{Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use shared::{
    config::Setting,
    id::{random_bytes, random_hex},
};

use super::CliError;

const SECRETS: &str = "secrets.json";

/// A data directory that is ours as long as this lives.
#[derive(Debug)]
pub(crate) struct OpenDataDir {
    path: PathBuf,
    _lock: File,
}

impl OpenDataDir {
    /// Opens a data directory, and makes it where there is none.
    pub(crate) fn open(path: &Path) -> Result<Self, CliError> {
        let failed = |error| CliError::File(path.to_owned(), error);
        fs::create_dir_all(path).map_err(failed)?;
        restrict(path, 0o700).map_err(failed)?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(path.join("lock"));
        let lock = lock.map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(CliError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// The database's file.
    pub(crate) fn database(&self) -> PathBuf {
        self.path.join("greenroom.db")
    }

    /// The credentials kept here, with new ones for those that are not.
    pub(crate) fn secrets(&self) -> Result<BTreeMap<String, String>, CliError> {
        let mut secrets = self.read_secrets()?;
        let known = secrets.len();
        for (name, value) in generated_secrets() {
            secrets.entry(name).or_insert(value);
        }
        if secrets.len() > known {
            self.write_secrets(&secrets)?;
        }
        Ok(secrets)
    }

    /// Puts a new signing key before the present one, which stays good, and drops those before it.
    pub(crate) fn rotate_signing_key(&self) -> Result<(), CliError> {
        let mut secrets = self.secrets()?;
        let name = Setting::SigningKeys.name();
        let present: Vec<Value> =
            secrets.get(name).and_then(|keys| serde_json::from_str(keys).ok()).unwrap_or_default();
        let keys: Vec<_> = [signing_key()].into_iter().chain(present.into_iter().take(1)).collect();
        secrets.insert(name.to_owned(), json!(keys).to_string());
        self.write_secrets(&secrets)
    }

    fn read_secrets(&self) -> Result<BTreeMap<String, String>, CliError> {
        let path = self.path.join(SECRETS);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(error) => return Err(CliError::File(path, error)),
        };
        serde_json::from_str(&text).map_err(|error| CliError::File(path, error.into()))
    }

    /// Writes a new file and renames it, so that a crash leaves the one or the other.
    fn write_secrets(&self, secrets: &BTreeMap<String, String>) -> Result<(), CliError> {
        let (path, new) = (self.path.join(SECRETS), self.path.join("secrets.json.new"));
        let write = || {
            let mut file = File::create(&new)?;
            restrict(&new, 0o600)?;
            file.write_all(&serde_json::to_vec_pretty(secrets)?)?;
            file.sync_all()?;
            fs::rename(&new, &path)
        };
        write().map_err(|error| CliError::File(path.clone(), error))
    }
}

/// New credentials for a trial on one's own machine.
pub(crate) fn generated_secrets() -> BTreeMap<String, String> {
    [
        (Setting::OpenviduSecret.name().to_owned(), random_hex()),
        (Setting::SigningKeys.name().to_owned(), json!([signing_key()]).to_string()),
    ]
    .into()
}

fn signing_key() -> Value {
    let kid = random_hex().split_off(24);
    json!({ "kid": kid, "secret": BASE64_STANDARD.encode(random_bytes::<32>()) })
}

/// Keeps other users of the machine out.
#[cfg(unix)]
fn restrict(path: &Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn restrict(_: &Path, _: u32) -> std::io::Result<()> {
    Ok(())
}
