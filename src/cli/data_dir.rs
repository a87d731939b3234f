//! The data directory: the database, the generated credentials, and the lock that keeps a second process away.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use shared::{
    clock::Clock,
    config::Setting,
    id::{hex, random_bytes, random_hex},
};

use super::{
    CliError,
    key::{Credential, Values, values::new_entry},
};

/// Lines that a shell can read, so that other programs can be given the same credentials.
const SECRETS: &str = "secrets.env";

/// Where the server listens that has the directory.
const ADDRESS: &str = "address";

/// A data directory.
#[derive(Debug)]
pub(crate) struct OpenDataDir {
    path: PathBuf,
    /// Keeps other processes out as long as this lives.
    _lock: Option<File>,
}

impl OpenDataDir {
    /// Opens a data directory for its credentials only, which any number of processes may read.
    pub(crate) fn share(path: &Path) -> Result<Self, CliError> {
        Self::make(path)?;
        Ok(Self { path: path.to_owned(), _lock: None })
    }

    /// Opens a data directory for its database too, which is one process's at a time.
    pub(crate) fn open(path: &Path) -> Result<Self, CliError> {
        Self::make(path)?;
        let failed = |error| CliError::File(path.to_owned(), error);
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(path.join("lock"));
        let lock = lock.map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: Some(lock) }),
            Err(TryLockError::WouldBlock) => Err(CliError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// Makes a data directory where there is none, and closes that to others.
    fn make(path: &Path) -> Result<(), CliError> {
        if path.is_dir() {
            return Ok(());
        }
        let made = fs::create_dir_all(path).and_then(|()| restrict(path, 0o700));
        made.map_err(|error| CliError::File(path.to_owned(), error))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps where this directory's server listens, for other commands to ask it.
    pub(crate) fn set_address(&self, url: &str) -> Result<(), CliError> {
        let path = self.path.join(ADDRESS);
        fs::write(&path, url).map_err(|error| CliError::File(path.clone(), error))
    }

    /// Where this directory's server listens.
    pub(crate) fn address(&self) -> Result<String, CliError> {
        let path = self.path.join(ADDRESS);
        fs::read_to_string(&path).map_err(|error| CliError::File(path.clone(), error))
    }

    /// The database's file, closed to others; SQLite gives the files beside it the same mode.
    pub(crate) fn database(&self) -> Result<PathBuf, CliError> {
        let path = self.path.join("greenroom.db");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        file.and_then(|_| restrict(&path, 0o600)).map_err(|error| CliError::File(path.clone(), error))?;
        Ok(path)
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

    /// The live values of a credential; `None` where it has none.
    pub(crate) fn values(&self, credential: Credential) -> Result<Option<Values>, CliError> {
        let secrets = self.secrets()?;
        let text = secrets.get(credential.setting().name());
        Ok(text.map(|text| Values::read(credential, text)).transpose()?)
    }

    /// Gives a credential these values.
    pub(crate) fn set_values(&self, credential: Credential, values: Vec<Value>) -> Result<(), CliError> {
        let mut secrets = self.secrets()?;
        // What a shell reads cannot have a quote in it, and JSON can do without.
        let text = Value::from(values).to_string().replace('\'', r"\u0027");
        secrets.insert(credential.setting().name().to_owned(), text);
        self.write_secrets(&secrets)
    }

    fn read_secrets(&self) -> Result<BTreeMap<String, String>, CliError> {
        let path = self.path.join(SECRETS);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(error) => return Err(CliError::File(path, error)),
        };
        let secrets: Option<_> = text.lines().map(read_assignment).collect();
        secrets.ok_or_else(|| {
            let malformed = "every line must be NAME='value'";
            CliError::File(path, io::Error::new(io::ErrorKind::InvalidData, malformed))
        })
    }

    /// Writes a new file and renames it, so that a crash leaves the one or the other.
    fn write_secrets(&self, secrets: &BTreeMap<String, String>) -> Result<(), CliError> {
        let (path, new) = (self.path.join(SECRETS), self.path.join("secrets.env.new"));
        let text: Vec<_> = secrets.iter().map(|(name, value)| format!("{name}='{value}'\n")).collect();
        let write = || {
            let mut file = File::create(&new)?;
            restrict(&new, 0o600)?;
            file.write_all(text.concat().as_bytes())?;
            file.sync_all()?;
            fs::rename(&new, &path)
        };
        write().map_err(|error| CliError::File(path.clone(), error))
    }
}

/// Reads a line that a shell reads too. No value of ours has a quote in it.
fn read_assignment(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once('=')?;
    let value = value.strip_prefix('\'')?.strip_suffix('\'')?;
    Some((name.to_owned(), value.to_owned()))
}

/// New credentials for a trial on one's own machine.
pub(crate) fn generated_secrets() -> BTreeMap<String, String> {
    let signing_key = new_entry(Credential::SigningKeys, None, Clock::system().now());
    [
        (Setting::OpenviduSecret.name().to_owned(), random_hex()),
        (Setting::SigningKeys.name().to_owned(), json!([signing_key]).to_string()),
        (Setting::OpentokApiKey.name().to_owned(), format!("4{:07}", u32::from_be_bytes(random_bytes()) % 10_000_000)),
        (Setting::OpentokApiSecret.name().to_owned(), hex(&random_bytes::<20>())),
        (Setting::StreamsAccessToken.name().to_owned(), random_hex()),
        (Setting::StreamsWebhookSecret.name().to_owned(), random_hex()),
        (Setting::AdminPassword.name().to_owned(), random_hex()),
        (Setting::ApiToken.name().to_owned(), hex(&random_bytes::<20>())),
        (Setting::MobileApiToken.name().to_owned(), hex(&random_bytes::<20>())),
    ]
    .into()
}

/// Keeps other users of the machine out.
#[cfg(unix)]
fn restrict(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn restrict(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}
