//! The store that a command works on, and the line that names it.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use greenroom_aws::region;
use greenroom_core::config::{AwsEnvironment, Config, Environment, Setting, Strictness};
use greenroom_store::Store;

#[cfg(unix)]
use super::socket::Server;
use super::{
    CliError, DataDir,
    aws::Aws,
    data_dir::OpenDataDir,
    stack::{Stack, TABLE_NAME},
};
use crate::{embedded::Embedded, table};

/// The default name of the table.
pub(super) const TABLE: &str = "greenroom";

/// How long another command may have a data directory, and how often that is checked.
const TIMEOUT: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(50);

/// The store of a command: the data directory's, the one that the AWS variables name, or a deployed stack's.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct StoreArgs {
    #[command(flatten)]
    pub(super) data_dir: DataDir,
    /// A deployed stack, instead of the data directory
    #[arg(long, value_name = "NAME", conflicts_with = "data_dir")]
    pub(super) stack: Option<String>,
    /// The region of AWS, instead of the one that the environment names
    #[arg(long)]
    pub(super) region: Option<String>,
}

/// An existing store.
pub(crate) struct OpenStore {
    pub(crate) store: Store,
    /// The environment's settings. The place fills in those that are missing.
    environment: Environment,
    /// The data directory. It is locked if its database is used.
    _data_dir: Option<OpenDataDir>,
}

impl StoreArgs {
    /// Opens the store, and prints which one it is. Never makes one.
    pub(crate) async fn open(&self) -> Result<OpenStore, CliError> {
        let aws = Aws::of_process(self.region.as_deref());
        if let Some(name) = &self.stack {
            let stack = Stack::find(&aws, name).await?;
            let no_table = || CliError::Aws(format!("the stack {name}"), format!("it has no output {TABLE_NAME}"));
            let table = stack.output(TABLE_NAME).ok_or_else(no_table)?;
            say_store(&format!("table {table} of the stack {name}, {}", aws.region()));
            let store = aws.store(table);
            return Ok(OpenStore { store, environment: aws.into_environment(), _data_dir: None });
        }
        let mut environment = aws.into_environment();
        if AwsEnvironment::read(&environment, "DYNAMODB").is_set() {
            return elsewhere(environment, &self.data_dir.path).await;
        }
        let path = &self.data_dir.path;
        let data_dir = match reach(path).await? {
            Reached::Database(data_dir) => data_dir,
            #[cfg(unix)]
            Reached::Server(server) => {
                let data_dir = OpenDataDir::share(path)?;
                fill(&mut environment, Some(&data_dir));
                let database = data_dir.database();
                say_store(&format!("{}, through the server at {}", database.display(), server.url));
                let store = Store::new(server.client(), &table_name(&environment));
                return Ok(OpenStore { store, environment, _data_dir: None });
            }
        };
        if !data_dir.has_store() {
            return Err(CliError::NoStore(path.clone()));
        }
        fill(&mut environment, Some(&data_dir));
        let table = table_name(&environment);
        let embedded = Embedded::open(&data_dir.make_database()?)?;
        table::ensure(&embedded.client(), &table, false)
            .await
            .map_err(|error| CliError::Table(table.clone(), error))?;
        say_store(&data_dir.database().display().to_string());
        let store = Store::new(embedded.direct_client(), &table);
        Ok(OpenStore { store, environment, _data_dir: Some(data_dir) })
    }
}

/// The way to the store of a data directory.
pub(super) enum Reached {
    /// Directly: no other process has it.
    Database(OpenDataDir),
    /// Through the server that has it.
    #[cfg(unix)]
    Server(Server),
}

/// Opens the store of a data directory directly, or through the server that has it. Another command may have it for a
/// moment, and a starting server does not listen yet, so both are tried again for a while.
pub(super) async fn reach(path: &Path) -> Result<Reached, CliError> {
    let begun = Instant::now();
    loop {
        match OpenDataDir::open(path) {
            Ok(data_dir) => return Ok(Reached::Database(data_dir)),
            Err(error) if !matches!(error, CliError::InUse(_)) || begun.elapsed() > TIMEOUT => return Err(error),
            Err(_) => {}
        }
        #[cfg(unix)]
        if let Some(server) = Server::find(path).await {
            return Ok(Reached::Server(server));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

impl OpenStore {
    /// These settings, from the environment of the command.
    pub(crate) fn config(&self, settings: &[Setting]) -> Result<Config, CliError> {
        Ok(Config::read_with_mail(&self.environment, settings, Strictness::Local, greenroom_mail::settings)?)
    }
}

/// The table that the AWS variables name.
async fn elsewhere(mut environment: Environment, path: &Path) -> Result<OpenStore, CliError> {
    let data_dir = OpenDataDir::share(path).ok();
    fill(&mut environment, data_dir.as_ref());
    let (aws, table) = (local_door(&environment, data_dir.as_ref())?, table_name(&environment));
    let client = greenroom_store::client(&aws);
    table::ensure(&client, &table, false).await.map_err(|error| CliError::Table(table.clone(), error))?;
    say_store(&describe(&aws, &table));
    Ok(OpenStore { store: Store::new(client, &table), environment, _data_dir: None })
}

/// The AWS variables. If they name a place on this machine and no key, the key of the data directory's server is added.
pub(super) fn local_door(
    environment: &Environment,
    data_dir: Option<&OpenDataDir>,
) -> Result<AwsEnvironment, CliError> {
    let aws = AwsEnvironment::read(environment, "DYNAMODB");
    let mut environment = environment.clone();
    if aws.is_on_loopback()
        && let Some(data_dir) = data_dir
    {
        let name = Setting::LocalDynamodbKey.name();
        let key = environment.get(name).map(str::to_owned).or(data_dir.secrets()?.remove(name));
        environment.fill(key.map(|key| ("AWS_ACCESS_KEY_ID".to_owned(), key)));
    }
    Ok(AwsEnvironment::read(&environment, "DYNAMODB"))
}

/// Adds defaults for the table's name and for the directory of mails.
pub(super) fn fill(environment: &mut Environment, data_dir: Option<&OpenDataDir>) {
    environment.fill([(Setting::TableName.name().to_owned(), TABLE.to_owned())]);
    let mail_dir = data_dir.map_or_else(std::env::temp_dir, |dir| dir.path().to_owned()).join("mail");
    environment.fill([(Setting::MailDir.name().to_owned(), mail_dir.display().to_string())]);
}

fn table_name(environment: &Environment) -> String {
    environment.get(Setting::TableName.name()).unwrap_or(TABLE).to_owned()
}

/// A description of a table that the AWS variables name, for people.
pub(super) fn describe(aws: &AwsEnvironment, table: &str) -> String {
    let place = aws.endpoint_url.clone().unwrap_or_else(|| format!("AWS, {}", region(aws)));
    format!("table {table} of DynamoDB at {place}")
}

/// Prints which store a command works on, to standard error, apart from its output for programs.
pub(super) fn say_store(store: &str) {
    eprintln!("greenroom: store: {store}");
}

/// Prints a note if the environment names an AWS profile, which is not read.
pub(super) fn say_ignored_profile() {
    let environment = Environment::of_process();
    let named = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"].into_iter().find(|name| environment.get(name).is_some());
    if let Some(name) = named {
        eprintln!(
            "greenroom: {name} is ignored: credentials are read from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and \
             AWS_SESSION_TOKEN, as `aws configure export-credentials --format env` prints them"
        );
    }
}
