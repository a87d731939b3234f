//! `greenroom key list`: ages and last uses of the credentials' values.

use clap::ValueEnum;
use greenroom_core::clock::Timestamp;
use greenroom_http::last_used;
use greenroom_store::{Settings, Store};
use secrecy::ExposeSecret;

use super::{Deployment, KeyPlace};
use crate::cli::{
    CliError,
    credential::{Credential, Values},
    data_dir::OpenDataDir,
    text::{duration, table},
};

/// The credentials of a place, and their uses in its table.
pub(super) struct Known {
    /// The credentials that have a value.
    pub(super) credentials: Vec<(Credential, Values)>,
    /// The Settings item. `None` if no table is known. It is empty if nothing has been asked of the table yet.
    pub(super) settings: Option<Settings>,
    pub(super) has_table: bool,
}

impl Known {
    pub(super) async fn of(deployment: &Deployment) -> Result<Self, CliError> {
        let all = Credential::value_variants().iter();
        let read = |credential: &Credential| {
            let values = deployment.keyring.values(*credential).transpose()?;
            Some(values.map(|values| (*credential, values)))
        };
        let credentials = all.filter_map(read).collect::<Result<_, _>>()?;
        let settings = match &deployment.table {
            Some(table) => deployment.aws.store(table).present_settings().await?,
            None => None,
        };
        Ok(Self { credentials, settings, has_table: deployment.table.is_some() })
    }

    pub(super) async fn at_home(data_dir: &OpenDataDir, store: &Store) -> Result<Self, CliError> {
        let all = Credential::value_variants().iter();
        let read = |credential: &Credential| {
            let values = data_dir.values(*credential).transpose()?;
            Some(values.map(|values| (*credential, values)))
        };
        let credentials = all.filter_map(read).collect::<Result<_, _>>()?;
        Ok(Self { credentials, settings: store.present_settings().await?, has_table: true })
    }

    /// When this value was last used, as far as the table knows.
    pub(super) fn last_use(&self, credential: Credential, secret: &str) -> Option<Timestamp> {
        let known = self.settings.as_ref()?.use_of(credential.setting().name(), secret)?;
        Some(known.last)
    }
}

pub(super) async fn list(place: &KeyPlace, now: Timestamp) -> Result<(), CliError> {
    let known = match place.deployment(Credential::value_variants()).await? {
        Some(deployment) => Known::of(&deployment).await?,
        None => Known::at_home(&place.credentials()?, &place.store.open().await?.store).await?,
    };
    let mut rows = vec![["CREDENTIAL", "VALUE", "KID", "AGE", "LAST USE"].map(str::to_owned).to_vec()];
    for (credential, values) in &known.credentials {
        for (index, live) in values.live().iter().enumerate() {
            let secret = live.secret.expose_secret();
            let first_use =
                known.settings.as_ref().and_then(|settings| settings.use_of(credential.setting().name(), secret));
            let age = match (live.created_at, first_use) {
                (Some(at), _) => duration(now.since(at)),
                (None, Some(known)) => format!("over {}", duration(now.since(known.first))),
                (None, None) => "unknown".to_owned(),
            };
            let last_use = match known.last_use(*credential, secret) {
                Some(at) if now.since(at) < last_used::GRANULARITY => "within the hour".to_owned(),
                Some(at) => format!("{} ago", duration(now.since(at))),
                None if known.has_table => "none known".to_owned(),
                None => "unknown".to_owned(),
            };
            let nth =
                ["first", "second", "third"].get(index).map_or_else(|| (index + 1).to_string(), ToString::to_string);
            let kid = live.kid.clone().unwrap_or_else(|| "-".to_owned());
            rows.push(vec![credential.name().to_owned(), nth, kid, age, last_use]);
        }
    }
    print!("{}", table(&rows));
    Ok(())
}
