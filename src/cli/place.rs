//! The table and the settings of a server: the embedded database with a data directory, or a table that the AWS
//! variables name.

use std::{collections::BTreeMap, path::Path};

use clap::ValueEnum;
use greenroom_core::config::{AwsEnvironment, Config, Environment, Setting, Strictness};
use greenroom_store::Store;
use secrecy::ExposeSecret;

use super::{
    CliError, accounts,
    credential::{Credential, Values},
    data_dir::{Kept, OpenDataDir, generated_secrets},
    target::{describe, fill, local_door},
};
use crate::{embedded::Embedded, table};

/// A table and its settings.
pub(crate) struct Place {
    pub(crate) config: Config,
    pub(crate) store: Store,
    /// The embedded database, if it holds the table.
    pub(crate) embedded: Option<Embedded>,
    /// A description of the table for people.
    pub(crate) description: String,
    /// Whether the first accounts were just made.
    pub(crate) new: bool,
    /// The credentials, as far as they are shown to people.
    pub(crate) secrets: Secrets,
    /// The data directory. It is locked if its database is used. `None`: memory.
    pub(crate) data_dir: Option<OpenDataDir>,
}

/// The origin of a credential, for people.
#[derive(Debug)]
pub(crate) enum Known {
    /// It was just made, and is shown only this once.
    Made(String),
    /// It is stored in the data directory, as a bare value or as one of several.
    Kept { bare: bool },
    /// The environment has it, or there is none.
    Given,
}

/// Credentials by the names of their settings.
pub(crate) struct Secrets(BTreeMap<String, Known>);

impl Secrets {
    /// The origin of this setting's credential.
    pub(crate) fn get(&self, setting: Setting) -> &Known {
        self.0.get(setting.name()).unwrap_or(&Known::Given)
    }
}

impl Place {
    /// Makes the place that a server works in. Without a data directory it is in memory.
    pub(crate) async fn make(data_dir: Option<&Path>) -> Result<Self, CliError> {
        if let Some(path) = data_dir {
            OpenDataDir::make(path)?;
        }
        Self::find(Environment::of_process(), data_dir, true).await
    }

    /// Opens the place of a server that has run before, with these settings.
    pub(crate) async fn of_server(environment: Environment, data_dir: &Path) -> Result<Self, CliError> {
        Self::find(environment, Some(data_dir), false).await
    }

    async fn find(environment: Environment, data_dir: Option<&Path>, make: bool) -> Result<Self, CliError> {
        let elsewhere = data_dir.is_some() && AwsEnvironment::read(&environment, "DYNAMODB").is_set();
        let data_dir = data_dir.map(if elsewhere { OpenDataDir::share } else { OpenDataDir::open }).transpose()?;
        if let Some(data_dir) = data_dir.as_ref().filter(|dir| !make && !elsewhere && !dir.has_store()) {
            return Err(CliError::NoStore(data_dir.path().to_owned()));
        }
        let (environment, config, secrets) = settings(environment, data_dir.as_ref())?;
        let name = config.table_name.clone();
        let unusable = |error| CliError::Table(name.clone(), error);
        if elsewhere {
            // On AWS, the deployment makes the table.
            let aws = local_door(&environment, data_dir.as_ref())?;
            let client = greenroom_store::client(&aws);
            table::ensure(&client, &name, make && aws.endpoint_url.is_some()).await.map_err(unusable)?;
            let (store, description) = (Store::new(client, &name), describe(&aws, &name));
            return Ok(Self { config, store, embedded: None, description, new: false, secrets, data_dir });
        }
        let (embedded, description) = match &data_dir {
            Some(dir) => {
                let file = dir.make_database()?;
                (Embedded::open(&file)?, file.display().to_string())
            }
            None => (Embedded::memory()?, "memory, gone when the server stops".to_owned()),
        };
        embedded.create_table(&name).await.map_err(unusable)?;
        let store = Store::new(embedded.direct_client(), &name);
        let new = accounts::make_first(&store, &config).await?;
        Ok(Self { config, store, embedded: Some(embedded), description, new, secrets, data_dir })
    }
}

/// The value of a setting for clients.
fn newest(name: &str, text: &str) -> String {
    let credential = Credential::value_variants().iter().find(|credential| credential.setting().name() == name);
    let values = credential.and_then(|credential| Values::read(*credential, text).ok());
    let newest = values.as_ref().and_then(Values::newest).map(|live| live.secret.expose_secret().to_owned());
    newest.unwrap_or_else(|| text.to_owned())
}

/// The settings of a data directory's server.
pub(crate) fn local_config(data_dir: &OpenDataDir) -> Result<Config, CliError> {
    settings(Environment::of_process(), Some(data_dir)).map(|(_, config, _)| config)
}

/// The environment's settings. The data directory fills in those that are missing.
fn settings(
    mut environment: Environment,
    data_dir: Option<&OpenDataDir>,
) -> Result<(Environment, Config, Secrets), CliError> {
    // A real provider does not know credentials that were made here.
    let is_real = environment.get(Setting::VideoProvider.name()).is_some_and(|provider| provider != "offline");
    let providers = |name: &str| [Setting::OpentokApiKey, Setting::OpentokApiSecret].iter().any(|it| it.name() == name);
    let given = |setting: Setting| environment.get(setting.name()).is_some() || is_real && providers(setting.name());
    let mut kept = if let Some(data_dir) = data_dir {
        data_dir.start_secrets(given)?
    } else {
        let values = generated_secrets();
        Kept { made: values.keys().cloned().collect(), values }
    };
    kept.values.retain(|name, _| !is_real || !providers(name));
    let ours = kept.values.iter().filter(|(name, _)| environment.get(name).is_none());
    let known = ours.map(|(name, value)| {
        let newest = newest(name, value);
        let bare = newest == *value;
        (name.clone(), if kept.made.contains(name) { Known::Made(newest) } else { Known::Kept { bare } })
    });
    let secrets = Secrets(known.collect());
    environment.fill(kept.values);
    fill(&mut environment, data_dir);
    let config = Config::read_with_mail(&environment, Setting::ALL, Strictness::Local, greenroom_mail::settings)?;
    Ok((environment, config, secrets))
}
