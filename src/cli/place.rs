//! Where a command finds its table and its settings: in the embedded database, or where the AWS variables say.

use std::{collections::BTreeMap, path::Path};

use clap::ValueEnum;
use secrecy::ExposeSecret;
use shared::{
    config::{AwsEnvironment, Config, Environment, Setting, Strictness},
    store::{self, Store},
};

use super::{
    CliError, accounts,
    data_dir::{OpenDataDir, generated_secrets},
    key::{Credential, Values},
};
use crate::{embedded::Embedded, table};

/// Name of the table where the environment does not say.
const TABLE: &str = "greenroom";

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
    /// The secrets that we made; what the environment says is not shown.
    pub(crate) shown: Shown,
    /// The data directory, closed to other processes where its database is used; `None`: memory.
    pub(crate) data_dir: Option<OpenDataDir>,
}

/// Secrets to be shown, by the names of their settings.
pub(crate) struct Shown(BTreeMap<String, String>);

impl Shown {
    /// The secret of this setting, where we made it.
    pub(crate) fn get(&self, setting: Setting) -> Option<&str> {
        self.0.get(setting.name()).map(String::as_str)
    }
}

impl Place {
    /// The place a command works in; `None` for a data directory stands for memory.
    pub(crate) async fn find(data_dir: Option<&Path>) -> Result<Self, CliError> {
        let environment = Environment::of_process();
        let aws = AwsEnvironment::read(&environment, "DYNAMODB");
        let elsewhere = data_dir.is_some() && aws.is_set();
        let data_dir = data_dir.map(if elsewhere { OpenDataDir::share } else { OpenDataDir::open }).transpose()?;
        let (config, shown) = settings(environment, data_dir.as_ref())?;
        let name = config.table_name.clone();
        let unusable = |error| CliError::Table(name.clone(), error);
        if elsewhere {
            // On AWS, making the table is the deployment's part.
            let client = store::client(&aws);
            let made_here = aws.endpoint_url.is_some();
            table::ensure(&client, &config.table_name, made_here).await.map_err(unusable)?;
            let store = Store::new(client, &config.table_name);
            let place = aws.endpoint_url.clone().unwrap_or_else(|| format!("AWS, {}", aws.region()));
            let description = format!("table {} of DynamoDB at {place}", config.table_name);
            return Ok(Self { config, store, embedded: None, description, new: false, shown, data_dir });
        }
        let (embedded, description) = match &data_dir {
            Some(dir) => {
                let file = dir.database()?;
                (Embedded::open(&file)?, file.display().to_string())
            }
            None => (Embedded::memory()?, "memory, gone when the server stops".to_owned()),
        };
        embedded.create_table(&config.table_name).await.map_err(unusable)?;
        let store = Store::new(embedded.client(), &config.table_name);
        let new = accounts::make_first(&store, &config).await?;
        Ok(Self { config, store, embedded: Some(embedded), description, new, shown, data_dir })
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
    settings(Environment::of_process(), Some(data_dir)).map(|(config, _)| config)
}

/// What the environment says, and for what it does not what is kept in the data directory.
fn settings(mut environment: Environment, data_dir: Option<&OpenDataDir>) -> Result<(Config, Shown), CliError> {
    let mut secrets = data_dir.map_or_else(|| Ok(generated_secrets()), OpenDataDir::secrets)?;
    if environment.get(Setting::VideoProvider.name()).is_some_and(|provider| provider != "offline") {
        // A real provider knows none of what was made up here.
        secrets.retain(|name, _| {
            ![Setting::OpentokApiKey, Setting::OpentokApiSecret].iter().any(|made| made.name() == name)
        });
    }
    let made = secrets.iter().filter(|(name, _)| environment.get(name).is_none());
    let shown = Shown(made.map(|(name, value)| (name.clone(), newest(name, value))).collect());
    environment.fill(secrets);
    environment.fill([(Setting::TableName.name().to_owned(), TABLE.to_owned())]);
    let mail_dir = data_dir.map_or_else(std::env::temp_dir, |dir| dir.path().to_owned()).join("mail");
    environment.fill([(Setting::MailDir.name().to_owned(), mail_dir.display().to_string())]);
    Ok((Config::read(&environment, Setting::ALL, Strictness::Local)?, shown))
}
