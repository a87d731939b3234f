//! Where the server finds its table and its settings: in the embedded database, or where the AWS variables say.

use std::{collections::BTreeMap, path::Path};

use clap::ValueEnum;
use secrecy::ExposeSecret;
use shared::{
    config::{AwsEnvironment, Config, Environment, Setting, Strictness},
    store::{self, Store},
};

use super::{
    CliError, accounts,
    data_dir::{Kept, OpenDataDir, generated_secrets},
    key::{Credential, Values},
    target::{describe, fill, local_door},
};
use crate::{embedded::Embedded, table};

/// A table and the settings to use it with.
pub(crate) struct Place {
    pub(crate) config: Config,
    pub(crate) store: Store,
    /// The embedded database, where that is what holds the table.
    pub(crate) embedded: Option<Embedded>,
    /// For people: what holds the table.
    pub(crate) description: String,
    /// Whether the first accounts were just made.
    pub(crate) new: bool,
    /// What the credentials are, as far as people are told.
    pub(crate) secrets: Secrets,
    /// The data directory, closed to other processes where its database is used; `None`: memory.
    pub(crate) data_dir: Option<OpenDataDir>,
}

/// Where a credential is, for people.
#[derive(Debug)]
pub(crate) enum Known {
    /// It was made just now, and is shown this once.
    Made(String),
    /// It is kept in the data directory, as a bare value or as one of several.
    Kept { bare: bool },
    /// The environment says it, or nobody does.
    Given,
}

/// Credentials by the names of their settings.
pub(crate) struct Secrets(BTreeMap<String, Known>);

impl Secrets {
    /// Where the credential of this setting is.
    pub(crate) fn get(&self, setting: Setting) -> &Known {
        self.0.get(setting.name()).unwrap_or(&Known::Given)
    }
}

impl Place {
    /// The place that the server works in, made where there is none; `None` for a data directory stands for memory.
    pub(crate) async fn make(data_dir: Option<&Path>) -> Result<Self, CliError> {
        if let Some(path) = data_dir {
            OpenDataDir::make(path)?;
        }
        Self::find(data_dir, true).await
    }

    /// A place that the server has worked in.
    pub(crate) async fn of_server(data_dir: &Path) -> Result<Self, CliError> {
        Self::find(Some(data_dir), false).await
    }

    async fn find(data_dir: Option<&Path>, make: bool) -> Result<Self, CliError> {
        let environment = Environment::of_process();
        let elsewhere = data_dir.is_some() && AwsEnvironment::read(&environment, "DYNAMODB").is_set();
        let data_dir = data_dir.map(if elsewhere { OpenDataDir::share } else { OpenDataDir::open }).transpose()?;
        if let Some(data_dir) = data_dir.as_ref().filter(|dir| !make && !elsewhere && !dir.has_store()) {
            return Err(CliError::NoStore(data_dir.path().to_owned()));
        }
        let (environment, config, secrets) = settings(environment, data_dir.as_ref())?;
        let name = config.table_name.clone();
        let unusable = |error| CliError::Table(name.clone(), error);
        if elsewhere {
            // On AWS, making the table is the deployment's part.
            let aws = local_door(&environment, data_dir.as_ref())?;
            let client = store::client(&aws);
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

/// The value of a setting that clients are given.
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

/// What the environment says, and for what it does not what is kept in the data directory.
fn settings(
    mut environment: Environment,
    data_dir: Option<&OpenDataDir>,
) -> Result<(Environment, Config, Secrets), CliError> {
    // A real provider knows none of what was made up here.
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
    let config = Config::read(&environment, Setting::ALL, Strictness::Local)?;
    Ok((environment, config, secrets))
}
