//! `greenroom key`: the live values of the credentials.

pub(super) mod credential;
pub(super) mod keyring;
mod listing;
mod retiring;
pub(super) mod values;

use std::io;

use clap::Subcommand;
use secrecy::ExposeSecret;
use shared::{
    clock::{Clock, Timestamp},
    config::Environment,
};

pub(super) use self::{credential::Credential, keyring::Keyring, values::Values};
use super::{CliError, DataDir, aws::Aws, data_dir::OpenDataDir, grid::some, stack::Stack};

/// Parameter of a stack that says where its secret is, and its output that says what its table is called.
pub(super) const SECRETS_ARN: &str = "SecretsArn";
pub(super) const TABLE_NAME: &str = "TableName";

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// List the live values of the credentials: their ages and last uses, never what they are
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
    /// Have the second signing key sign, which every instance knows by now
    Promote {
        /// Also where an instance may not know it
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        place: KeyPlace,
    },
    /// Print the newest value of a credential, for a client to be given
    Show {
        /// Which credential
        #[arg(value_enum)]
        credential: Credential,
        #[command(flatten)]
        place: KeyPlace,
    },
    /// Drop the older value of a credential, which is refused from then on
    Retire {
        /// Which credential
        #[arg(value_enum)]
        credential: Credential,
        /// Also where somebody still uses it
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        place: KeyPlace,
    },
}

/// Where credentials are kept.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct KeyPlace {
    #[command(flatten)]
    data_dir: DataDir,
    /// Those of a deployed stack, instead of the data directory's
    #[arg(long, value_name = "NAME", conflicts_with = "data_dir")]
    stack: Option<String>,
    /// Those of a Secrets Manager secret, by its ARN; `TABLE_NAME` names the table that knows of uses
    #[arg(long, value_name = "ARN", conflicts_with_all = ["data_dir", "stack"])]
    secret: Option<String>,
    /// Where it is deployed, instead of where the environment says
    #[arg(long)]
    region: Option<String>,
}

/// A deployment's secret, and the stack and table that belong to it as far as they are known.
pub(super) struct Deployment {
    pub(super) aws: Aws,
    pub(super) stack: Option<Stack>,
    table: Option<String>,
    pub(super) keyring: Keyring,
}

impl KeyPlace {
    /// The deployment it names; `None` where it names the data directory.
    async fn deployment(&self) -> Result<Option<Deployment>, CliError> {
        let aws = Aws::of_process(self.region.as_deref());
        let stack = match &self.stack {
            Some(name) => Some(Stack::find(&aws, name).await?),
            None => None,
        };
        let no_secret = || CliError::Aws("the stack".to_owned(), format!("it has no parameter {SECRETS_ARN}"));
        let secret = match (&stack, &self.secret) {
            (Some(stack), _) => stack.parameter(SECRETS_ARN).ok_or_else(no_secret)?.to_owned(),
            (None, Some(secret)) => secret.clone(),
            (None, None) => return Ok(None),
        };
        let table = stack.as_ref().and_then(|stack| stack.output(TABLE_NAME)).or(aws.get("TABLE_NAME"));
        let table = table.map(str::to_owned);
        let keyring = Keyring::read(&aws, &secret).await?;
        Ok(Some(Deployment { aws, stack, table, keyring }))
    }

    /// The arguments that name the same place, for a command to be suggested.
    fn arguments(&self) -> String {
        let mut text = match (&self.stack, &self.secret) {
            (Some(stack), _) => format!(" --stack {stack}"),
            (None, Some(secret)) => format!(" --secret {secret}"),
            (None, None) if self.data_dir.path == std::path::Path::new(".greenroom") => String::new(),
            (None, None) => format!(" --data-dir {}", self.data_dir.path.display()),
        };
        if let Some(region) = &self.region {
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
    let Some(deployment) = place.deployment().await? else {
        let data_dir = OpenDataDir::open(&place.data_dir.path)?;
        let values = data_dir.values(credential)?.unwrap_or_else(|| Values::none(credential));
        data_dir.set_values(credential, values.rotate(given.as_deref(), now, true)?)?;
        say_if_hidden(credential);
        if credential == Credential::SigningKeys {
            println!("A new key signs from the next start on; tokens of the one before it stay good.");
        } else {
            println!("A new value of {name} is good from the next start on, and the one before it still is.");
        }
        say_next(credential, place);
        return Ok(());
    };
    let values = deployment.keyring.values(credential)?.unwrap_or_else(|| Values::none(credential));
    let signs = credential == Credential::SigningKeys && !values.live().is_empty();
    deployment.keyring.write(credential, values.rotate(given.as_deref(), now, !signs)?).await?;
    println!("A new value of {name} stands beside the present one.");
    println!("Next: roll it out, so that every instance takes it (docs/deploy.md, Replace a secret).");
    if signs {
        println!("Then have it sign: greenroom key promote{}", place.arguments());
    } else {
        say_next(credential, place);
    }
    Ok(())
}

/// What is to be done when a new value is known everywhere.
fn say_next(credential: Credential, place: &KeyPlace) {
    let (name, arguments) = (credential.name(), place.arguments());
    match credential.clients() {
        Some("OpenTok") | None => {}
        Some(clients) => println!("Then give it to {clients}: greenroom key show {name}{arguments}"),
    }
    println!("Once the older one is no longer used: greenroom key retire {name}{arguments}");
}

/// Says so where a value of the data directory's means nothing.
fn say_if_hidden(credential: Credential) {
    let setting = credential.setting().name();
    if Environment::of_process().get(setting).is_some() {
        eprintln!("greenroom: {setting} is set in the environment, and wins over the data directory");
    }
}

/// Refuses to have the older key sign again because somebody promoted twice.
fn ensure_not_promoted(values: &Values, force: bool) -> Result<(), CliError> {
    if values.first_is_newer() && !force { Err(CliError::Promoted) } else { Ok(()) }
}

async fn promote(place: &KeyPlace, force: bool) -> Result<(), CliError> {
    let credential = Credential::SigningKeys;
    match place.deployment().await? {
        None => {
            let data_dir = OpenDataDir::open(&place.data_dir.path)?;
            let values = data_dir.values(credential)?.unwrap_or_else(|| Values::none(credential));
            let promoted = values.promote()?;
            ensure_not_promoted(&values, force)?;
            data_dir.set_values(credential, promoted)?;
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

async fn show(credential: Credential, place: &KeyPlace) -> Result<(), CliError> {
    if credential.clients().is_none() {
        return Err(CliError::NotShown);
    }
    let values = match place.deployment().await? {
        None => OpenDataDir::share(&place.data_dir.path)?.values(credential)?,
        Some(deployment) => deployment.keyring.values(credential)?,
    };
    let newest = values.as_ref().and_then(Values::newest).ok_or(CliError::NoValue(credential.name()))?;
    println!("{}", newest.secret.expose_secret());
    Ok(())
}

impl Deployment {
    /// Whether every function was deployed after the secret was changed last.
    async fn ensure_rolled_out(&self) -> Result<(), CliError> {
        let (Some(stack), Some(changed_at)) = (&self.stack, self.keyring.changed_at) else {
            return Err(CliError::RollOutUnknown);
        };
        let older = stack.functions_older_than(&self.aws, changed_at).await?;
        if older.is_empty() { Ok(()) } else { Err(CliError::NotRolledOut(some(&older))) }
    }
}

/// A value that must not be an argument, which other users of the machine could read.
fn read_line() -> Result<String, CliError> {
    let mut line = String::new();
    io::stdin().read_line(&mut line).map_err(CliError::Stdin)?;
    let value = line.trim();
    if value.is_empty() { Err(CliError::NothingGiven) } else { Ok(value.to_owned()) }
}
