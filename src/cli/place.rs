//! Where a command finds its table and its settings: in the embedded database, or where the AWS variables say.

use std::path::Path;

use shared::{
    config::{AwsEnvironment, Config, Environment, Setting, Strictness},
    store::{self, Store},
};

use super::{
    CliError,
    data_dir::{OpenDataDir, generated_secrets},
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
    /// The secret of OPENVIDUAPP, where we made it; what the environment says is not shown.
    pub(crate) shown_secret: Option<String>,
    /// Keeps other processes out of the data directory.
    _lock: Option<OpenDataDir>,
}

impl Place {
    /// The place a command works in; `None` for a data directory stands for memory.
    pub(crate) async fn find(data_dir: Option<&Path>) -> Result<Self, CliError> {
        let mut environment = Environment::of_process();
        let aws = AwsEnvironment::read(&environment, "DYNAMODB");
        let elsewhere = data_dir.is_some() && aws.is_set();
        let data_dir = data_dir.map(if elsewhere { OpenDataDir::share } else { OpenDataDir::open }).transpose()?;
        let secrets = data_dir.as_ref().map_or_else(|| Ok(generated_secrets()), OpenDataDir::secrets)?;
        let name = Setting::OpenviduSecret.name();
        let shown_secret = if environment.get(name).is_none() { secrets.get(name).cloned() } else { None };
        environment.fill(secrets);
        environment.fill([(Setting::TableName.name().to_owned(), TABLE.to_owned())]);
        let mail_dir = data_dir.as_ref().map_or_else(std::env::temp_dir, |dir| dir.path().join("mail"));
        environment.fill([(Setting::MailDir.name().to_owned(), mail_dir.display().to_string())]);
        let config = Config::read(&environment, Setting::ALL, Strictness::Local)?;
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
            return Ok(Self { config, store, embedded: None, description, shown_secret, _lock: data_dir });
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
        Ok(Self { config, store, embedded: Some(embedded), description, shown_secret, _lock: data_dir })
    }
}
