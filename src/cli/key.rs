//! `greenroom key`: the live values of the credentials.

pub(super) mod keyring;
mod listing;
mod making;
mod retiring;

use std::io;

use clap::Subcommand;
use greenroom_core::{
    clock::{Clock, Timestamp},
    config::Environment,
};
use secrecy::ExposeSecret;

pub(super) use self::keyring::Keyring;
#[cfg(unix)]
use super::socket::Server;
use super::{
    CliError, DataDir,
    accounts::ADMIN,
    aws::Aws,
    credential::{Credential, Values},
    data_dir::OpenDataDir,
    error::quoted,
    stack::{SECRETS_PREFIX, Stack, TABLE_NAME},
    target::StoreArgs,
    text::some,
};

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make the Secrets Manager secrets that a deployment reads; those that exist stay as they are
    Create {
        /// What the secrets' names begin with, as the stack's `SecretsPrefix` says
        #[arg(long, value_name = "PREFIX", default_value = "greenroom/")]
        secrets: String,
        /// Take the values from this one secret, an ARN or a name, which holds all of them
        #[arg(long, value_name = "SECRET")]
        from: Option<String>,
        /// The region of the secrets, instead of `AWS_REGION`
        #[arg(long)]
        region: Option<String>,
    },
    /// List the live values of the credentials: their ages and last uses, never the values themselves
    List {
        #[command(flatten)]
        place: KeyPlace,
    },
    /// Put a new value beside the present one, which stays good
    Rotate {
        /// Which credential
        #[arg(value_enum, default_value_t = Credential::SigningKeys)]
        credential: Credential,
        #[command(flatten)]
        place: KeyPlace,
    },
    /// Let the second signing key sign, now that every instance knows it
    Promote {
        /// Promote it although an instance may not know it
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        place: KeyPlace,
    },
    /// Print the newest value of a credential, to give it to a client
    Show {
        /// Which credential
        #[arg(value_enum)]
        credential: Credential,
        #[command(flatten)]
        place: KeyPlace,
    },
    /// Drop the older value of a credential, unless somebody still uses it
    Retire {
        /// Which credential
        #[arg(value_enum)]
        credential: Credential,
        /// Drop it although somebody still uses it
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        place: KeyPlace,
    },
    /// Make new values for the credentials that a data directory has lost
    Recover {
        #[command(flatten)]
        data_dir: DataDir,
    },
}

/// Where credentials are kept.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct KeyPlace {
    #[command(flatten)]
    store: StoreArgs,
    /// The Secrets Manager secrets whose names begin so; `TABLE_NAME` names the table that records their uses
    #[arg(long, value_name = "PREFIX", conflicts_with_all = ["data_dir", "stack"])]
    secrets: Option<String>,
}

/// A deployment's secrets, with its stack and table as far as they are known.
pub(super) struct Deployment {
    pub(super) aws: Aws,
    pub(super) stack: Option<Stack>,
    table: Option<String>,
    pub(super) keyring: Keyring,
}

impl KeyPlace {
    /// The deployment that the arguments name, with the secrets of these credentials. `None` if they name the data
    /// directory.
    async fn deployment(&self, credentials: &[Credential]) -> Result<Option<Deployment>, CliError> {
        let aws = Aws::of_process(self.store.region.as_deref());
        let stack = match &self.store.stack {
            Some(name) => Some(Stack::find(&aws, name).await?),
            None => None,
        };
        let no_secrets = || CliError::Aws("the stack".to_owned(), format!("it has no parameter {SECRETS_PREFIX}"));
        let prefix = match (&stack, &self.secrets) {
            (Some(stack), _) => stack.parameter(SECRETS_PREFIX).ok_or_else(no_secrets)?.to_owned(),
            (None, Some(prefix)) => prefix.clone(),
            (None, None) => return Ok(None),
        };
        let table = stack.as_ref().and_then(|stack| stack.output(TABLE_NAME)).or(aws.get("TABLE_NAME"));
        let table = table.map(str::to_owned);
        let families: Vec<_> = credentials.iter().map(|credential| credential.family()).collect();
        let keyring = Keyring::read(&aws, &prefix, &families).await?;
        Ok(Some(Deployment { aws, stack, table, keyring }))
    }

    /// The data directory whose credentials are meant. Prints which one it is.
    fn credentials(&self) -> Result<OpenDataDir, CliError> {
        let data_dir = OpenDataDir::share(&self.store.data_dir.path)?;
        if data_dir.secrets()?.is_empty() && !data_dir.has_store() {
            return Err(CliError::NoStore(data_dir.path().to_owned()));
        }
        eprintln!("greenroom: credentials: {}", data_dir.secrets_file().display());
        Ok(data_dir)
    }

    /// Prints a note if a server still runs with the former values.
    pub(super) async fn say_restart(&self) {
        #[cfg(unix)]
        if let Some(server) = Server::find(&self.store.data_dir.path).await {
            println!("The server at {} takes it once it is started again.", server.url);
        }
    }

    /// The arguments that name the same place, for a suggested command.
    fn arguments(&self) -> String {
        let mut text = match (&self.store.stack, &self.secrets) {
            (Some(stack), _) => format!(" --stack {stack}"),
            (None, Some(prefix)) => format!(" --secrets {prefix}"),
            (None, None) if self.store.data_dir.path == std::path::Path::new(".greenroom") => String::new(),
            (None, None) => format!(" --data-dir {}", quoted(&self.store.data_dir.path)),
        };
        if let Some(region) = &self.store.region {
            text = format!("{text} --region {region}");
        }
        text
    }
}

impl KeyCommand {
    pub(crate) async fn run(self) -> Result<(), CliError> {
        let now = Clock::system().now();
        match self {
            Self::List { place } => listing::list(&place, now).await,
            Self::Rotate { credential, place } => rotate(credential, &place, now).await,
            Self::Promote { force, place } => promote(&place, force).await,
            Self::Show { credential, place } => show(credential, &place).await,
            Self::Create { secrets, from, region } => {
                making::create(&Aws::of_process(region.as_deref()), &secrets, from.as_deref(), now).await
            }
            Self::Recover { data_dir } => recover(&data_dir),
            Self::Retire { credential, force, place } => retiring::retire(credential, &place, force, now).await,
        }
    }
}

async fn rotate(credential: Credential, place: &KeyPlace, now: Timestamp) -> Result<(), CliError> {
    let given = match credential {
        Credential::OpentokWebhook => Some(read_line()?),
        _ => None,
    };
    let name = credential.name();
    let Some(deployment) = place.deployment(&[credential]).await? else {
        let data_dir = place.credentials()?;
        let mut is_first = false;
        data_dir.change_values(credential, |values| {
            is_first = values.live().is_empty();
            Ok(values.rotate(given.as_deref(), now, true)?)
        })?;
        say_if_hidden(credential);
        place.say_restart().await;
        if credential == Credential::SigningKeys {
            println!("A new key signs from the next start on; tokens of the one before it stay good.");
        } else if is_first {
            println!("The first value of {name} is good from the next start on.");
        } else {
            println!("A new value of {name} is good from the next start on, and the one before it still is.");
        }
        say_next(credential, place, is_first);
        return Ok(());
    };
    let values = deployment.keyring.values(credential)?.unwrap_or_else(|| Values::none(credential));
    let signs = credential == Credential::SigningKeys && !values.live().is_empty();
    deployment.keyring.write(credential, values.rotate(given.as_deref(), now, !signs)?).await?;
    let is_first = values.live().is_empty();
    if is_first {
        println!("{name} has its first value.");
    } else {
        println!("A new value of {name} stands beside the present one.");
    }
    println!("Next: roll it out, so that every instance takes it (docs/deploy.md, Replace a secret).");
    if signs {
        println!("Then have it sign: greenroom key promote{}", place.arguments());
    } else {
        say_next(credential, place, is_first);
    }
    Ok(())
}

/// Prints what to do once a new value is known everywhere.
fn say_next(credential: Credential, place: &KeyPlace, is_first: bool) {
    let (name, arguments) = (credential.name(), place.arguments());
    match credential.clients() {
        Some("OpenTok") | None => {}
        Some(clients) => println!("Then give it to {clients}: greenroom key show {name}{arguments}"),
    }
    if !is_first {
        println!("Once the older one is no longer used: greenroom key retire {name}{arguments}");
    }
}

/// Prints a note if a value of the data directory has no effect.
fn say_if_hidden(credential: Credential) {
    let setting = credential.setting().name();
    if Environment::of_process().get(setting).is_some() {
        eprintln!("greenroom: {setting} is set in the environment, and wins over the data directory");
    }
}

/// Refuses to make the older key sign again because `promote` was run twice.
fn ensure_not_promoted(values: &Values, force: bool) -> Result<(), CliError> {
    if values.first_is_newer() && !force { Err(CliError::Promoted) } else { Ok(()) }
}

async fn promote(place: &KeyPlace, force: bool) -> Result<(), CliError> {
    let credential = Credential::SigningKeys;
    match place.deployment(&[credential]).await? {
        None => {
            place.credentials()?.change_values(credential, |values| {
                let promoted = values.promote()?;
                ensure_not_promoted(values, force).map(|()| promoted)
            })?;
            place.say_restart().await;
            println!("The second key signs from the next start on.");
        }
        Some(deployment) => {
            let values = deployment.keyring.values(credential)?.unwrap_or_else(|| Values::none(credential));
            let promoted = values.promote()?;
            ensure_not_promoted(&values, force)?;
            if !force {
                deployment.ensure_rolled_out().await?;
            }
            deployment.keyring.write(credential, promoted).await?;
            println!("The second key stands first. Next: roll it out; it signs then.");
        }
    }
    println!("Once the tokens of the other have ended: greenroom key retire signing-keys{}", place.arguments());
    Ok(())
}

fn recover(place: &DataDir) -> Result<(), CliError> {
    // A running server has the lost values.
    let data_dir = OpenDataDir::open(&place.path)?;
    if !data_dir.has_store() {
        return Err(CliError::NoStore(place.path.clone()));
    }
    eprintln!("greenroom: credentials: {}", data_dir.secrets_file().display());
    let made = data_dir.recover_secrets()?;
    if made.is_empty() {
        println!("Nothing is lost.");
        return Ok(());
    }
    println!("Made anew: {}.", made.join(", "));
    println!("What the lost ones were good for is refused: tokens of devices, users' logins, back-ends, operators.");
    println!("Passwords and API tokens are as they were; `greenroom user set-password {ADMIN}` gives {ADMIN} another.");
    Ok(())
}

async fn show(credential: Credential, place: &KeyPlace) -> Result<(), CliError> {
    if credential.clients().is_none() {
        return Err(CliError::NotShown);
    }
    let values = match place.deployment(&[credential]).await? {
        None => place.credentials()?.values(credential)?,
        Some(deployment) => deployment.keyring.values(credential)?,
    };
    let newest = values.as_ref().and_then(Values::newest).ok_or(CliError::NoValue(credential.name()))?;
    println!("{}", newest.secret.expose_secret());
    Ok(())
}

impl Deployment {
    /// Checks that every function was deployed after the last change of the secrets that were read.
    async fn ensure_rolled_out(&self) -> Result<(), CliError> {
        let (Some(stack), Some(changed_at)) = (&self.stack, self.keyring.changed_at()) else {
            return Err(CliError::RollOutUnknown);
        };
        let older = stack.functions_older_than(&self.aws, changed_at).await?;
        if older.is_empty() { Ok(()) } else { Err(CliError::NotRolledOut(some(&older))) }
    }
}

/// Reads a value from standard input. As an argument, other users of the machine could read it.
fn read_line() -> Result<String, CliError> {
    let mut line = String::new();
    io::stdin().read_line(&mut line).map_err(CliError::Stdin)?;
    let value = line.trim();
    if value.is_empty() { Err(CliError::NothingGiven) } else { Ok(value.to_owned()) }
}
