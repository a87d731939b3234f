//! The credentials of a data directory. They are made once and stored in lines that a shell can read.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io,
    path::PathBuf,
};

use greenroom_core::{
    clock::{Clock, Timestamp},
    config::Setting,
    id::{hex, random_bytes, random_hex},
};
use serde_json::{Value, json};

use super::{OpenDataDir, lock_file};
use crate::cli::{
    CliError,
    credential::{Credential, Values, new_entry},
};

/// The file of the credentials. A shell can read its lines, so other programs can be given the same credentials.
const SECRETS: &str = "secrets.env";

/// The credentials that a store cannot be used without. It was written with them, and new ones would not fit.
const PART_OF_THE_STORE: [Setting; 6] = [
    Setting::OpenviduSecret,
    Setting::SigningKeys,
    Setting::OpentokApiKey,
    Setting::OpentokApiSecret,
    Setting::StreamsAccessToken,
    Setting::StreamsWebhookSecret,
];

/// The suffix of the name under which the time of a bare value is stored.
const CREATED_AT: &str = "_CREATED_AT";

/// The credentials of a data directory.
pub(crate) struct Kept {
    pub(crate) values: BTreeMap<String, String>,
    /// The names of those that were just made.
    pub(crate) made: BTreeSet<String>,
}

impl OpenDataDir {
    /// The path of the file of the credentials.
    pub(crate) fn secrets_file(&self) -> PathBuf {
        self.path.join(SECRETS)
    }

    /// The stored credentials, with new ones for those that are missing. A credential that a store has been used with
    /// is not replaced: then it is lost, which is an error. A credential that is `given` in another way is neither made
    /// nor lost.
    pub(crate) fn start_secrets(&self, given: impl Fn(Setting) -> bool) -> Result<Kept, CliError> {
        let _lock = self.lock_secrets()?;
        let mut values = self.secrets()?;
        let mut new = generated_secrets();
        if self.has_store() {
            let lost = self.lost_secrets(given)?;
            if !lost.is_empty() {
                return Err(CliError::Lost {
                    file: self.secrets_file(),
                    lost: lost.join(", "),
                    dir: self.path.clone(),
                });
            }
            // This credential is used from the file only. The others belong to accounts that exist already.
            new.retain(|name, _| name == Setting::LocalDynamodbKey.name());
        }
        let made = fill(&mut values, new);
        if !made.is_empty() {
            self.write_secrets(&values)?;
        }
        Ok(Kept { values, made })
    }

    /// The missing credentials that a store was used with and that are not `given` in another way.
    pub(crate) fn lost_secrets(&self, given: impl Fn(Setting) -> bool) -> Result<Vec<&'static str>, CliError> {
        let kept = self.secrets()?;
        let lost = PART_OF_THE_STORE.iter().filter(|it| !kept.contains_key(it.name()) && !given(**it));
        Ok(lost.map(|setting| setting.name()).collect())
    }

    /// Replaces the credentials by those of another directory.
    pub(crate) fn take_secrets(&self, from: &Self) -> Result<(), CliError> {
        let _lock = self.lock_secrets()?;
        self.write_secrets(&from.secrets()?)
    }

    /// Makes new credentials for the lost ones. Returns their names.
    pub(crate) fn recover_secrets(&self) -> Result<Vec<&'static str>, CliError> {
        let _lock = self.lock_secrets()?;
        let mut values = self.secrets()?;
        let mut new = generated_secrets();
        // The accounts are in the store. Only their owners know the passwords and tokens.
        for account in [Setting::AdminPassword, Setting::ApiToken, Setting::MobileApiToken] {
            new.remove(account.name());
        }
        let made = fill(&mut values, new);
        if !made.is_empty() {
            self.write_secrets(&values)?;
        }
        let names = Setting::ALL.iter().map(|setting| setting.name());
        Ok(names.filter(|name| made.contains(*name)).collect())
    }

    /// The live values of a credential; `None` if it has none.
    pub(crate) fn values(&self, credential: Credential) -> Result<Option<Values>, CliError> {
        values_in(credential, &self.secrets()?)
    }

    /// Replaces a credential's values by what `change` makes of them.
    pub(crate) fn change_values(
        &self,
        credential: Credential,
        change: impl FnOnce(&Values) -> Result<Vec<Value>, CliError>,
    ) -> Result<(), CliError> {
        let _lock = self.lock_secrets()?;
        let mut kept = self.secrets()?;
        let values = values_in(credential, &kept)?.unwrap_or_else(|| Values::none(credential));
        let name = credential.setting().name();
        // A value that a shell reads cannot have a quote in it, and JSON can escape it.
        kept.insert(name.to_owned(), Value::from(change(&values)?).to_string().replace('\'', r"\u0027"));
        kept.remove(&format!("{name}{CREATED_AT}"));
        self.write_secrets(&kept)
    }

    /// All stored names and values.
    pub(crate) fn secrets(&self) -> Result<BTreeMap<String, String>, CliError> {
        let path = self.secrets_file();
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

    /// Keeps other processes from changing the credentials until the returned file is dropped. The database has another
    /// lock, which a server keeps as long as it runs.
    fn lock_secrets(&self) -> Result<File, CliError> {
        let path = self.path.join("secrets.lock");
        let lock = lock_file(&path).and_then(|file| file.lock().map(|()| file));
        lock.map_err(|error| CliError::File(path, error))
    }

    fn write_secrets(&self, secrets: &BTreeMap<String, String>) -> Result<(), CliError> {
        let lines: Vec<_> = secrets.iter().map(|(name, value)| format!("{name}='{value}'\n")).collect();
        let path = self.secrets_file();
        greenroom_files::write(&path, lines.concat().as_bytes()).map_err(|error| CliError::File(path, error))
    }
}

/// The live values of a credential among the stored ones.
fn values_in(credential: Credential, kept: &BTreeMap<String, String>) -> Result<Option<Values>, CliError> {
    let name = credential.setting().name();
    let Some(text) = kept.get(name) else { return Ok(None) };
    let created_at = kept.get(&format!("{name}{CREATED_AT}")).and_then(|text| Timestamp::parse(text));
    Ok(Some(Values::read(credential, text)?.dated(created_at)))
}

/// Adds the missing values. Returns their names.
fn fill(values: &mut BTreeMap<String, String>, new: BTreeMap<String, String>) -> BTreeSet<String> {
    let mut made = BTreeSet::new();
    for (name, value) in new {
        // When an older value was made is unknown, so it gets no date.
        let dates_another = name.strip_suffix(CREATED_AT).is_some_and(|of| !made.contains(of));
        if !values.contains_key(&name) && !dates_another {
            made.insert(name.clone());
            values.insert(name, value);
        }
    }
    made
}

/// Reads a line that a shell reads too. None of the values has a quote in it.
fn read_assignment(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once('=')?;
    let value = value.strip_prefix('\'')?.strip_suffix('\'')?;
    Some((name.to_owned(), value.to_owned()))
}

/// A key in the form of OpenTok's project keys. No project has it.
pub(crate) fn opentok_key() -> String {
    format!("4{:07}", u32::from_be_bytes(random_bytes()) % 10_000_000)
}

/// A secret in the form of OpenTok's.
pub(crate) fn opentok_secret() -> String {
    hex(&random_bytes::<20>())
}

/// New credentials for a trial on one's own machine.
pub(crate) fn generated_secrets() -> BTreeMap<String, String> {
    let now = Clock::system().now();
    let signing_key = new_entry(Credential::SigningKeys, None, now);
    let made = [
        (Setting::OpenviduSecret, random_hex()),
        (Setting::SigningKeys, json!([signing_key]).to_string()),
        (Setting::OpentokApiKey, opentok_key()),
        (Setting::OpentokApiSecret, opentok_secret()),
        (Setting::StreamsAccessToken, random_hex()),
        (Setting::StreamsWebhookSecret, random_hex()),
        (Setting::LocalDynamodbKey, random_hex()),
        (Setting::AdminPassword, random_hex()),
        (Setting::ApiToken, hex(&random_bytes::<20>())),
        (Setting::MobileApiToken, hex(&random_bytes::<20>())),
    ];
    let mut made: BTreeMap<_, _> = made.map(|(setting, value)| (setting.name().to_owned(), value)).into();
    // A shell takes the bare value, so its date has a line of its own.
    for dated in [Setting::OpenviduSecret, Setting::StreamsAccessToken, Setting::StreamsWebhookSecret] {
        made.insert(format!("{}{CREATED_AT}", dated.name()), now.whole_second().to_string());
    }
    made
}
