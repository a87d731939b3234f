//! `greenroom user`: the people who manage events.

use std::io;

use clap::{Subcommand, ValueEnum};
use secrecy::{ExposeSecret, SecretString};
use shared::{
    config::{PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN},
    id::random_hex,
    model::{User, user::Role},
    password,
    store::{Store, Stored, Unique},
};

use super::{CliError, DataDir, accounts::create_user, place::Place};

/// Longest name, in characters (`events-api.md`).
const USERNAME_MAX: usize = 150;

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Make a user, with a password that is shown this once
    Create {
        /// The name they log in with
        username: String,
        /// What they may do
        #[arg(long, value_enum)]
        role: RoleName,
        #[command(flatten)]
        password: Password,
        #[command(flatten)]
        data_dir: DataDir,
    },
    /// Give a user another password
    SetPassword {
        /// The name they log in with
        username: String,
        #[command(flatten)]
        password: Password,
        #[command(flatten)]
        data_dir: DataDir,
    },
    /// Keep a user from logging in; their tokens are refused at once
    Block {
        /// The name they log in with
        username: String,
        #[command(flatten)]
        data_dir: DataDir,
    },
    /// Let a blocked user log in again
    Unblock {
        /// The name they log in with
        username: String,
        #[command(flatten)]
        data_dir: DataDir,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum RoleName {
    Admin,
    Partner,
    Manager,
}

impl From<RoleName> for Role {
    fn from(role: RoleName) -> Self {
        match role {
            RoleName::Admin => Self::Admin,
            RoleName::Partner => Self::Partner,
            RoleName::Manager => Self::Manager,
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Password {
    /// Read the password from standard input instead of making one up
    #[arg(long)]
    password_stdin: bool,
}

impl Password {
    /// The password that was given, or a new one.
    fn get(&self) -> Result<SecretString, CliError> {
        if !self.password_stdin {
            return Ok(random_hex().into());
        }
        let mut line = String::new();
        io::stdin().read_line(&mut line).map_err(CliError::Stdin)?;
        let password = SecretString::from(line.trim_end_matches(['\r', '\n']).to_owned());
        let text = password.expose_secret();
        let fits = text.chars().count() >= PASSWORD_CHARS_MIN && text.len() <= PASSWORD_BYTES_MAX;
        if fits { Ok(password) } else { Err(CliError::Password) }
    }
}

impl Password {
    /// Shows a password that was made up, once it is good.
    fn show(&self, chosen: &SecretString) {
        if !self.password_stdin {
            println!("{}", chosen.expose_secret());
        }
    }
}

impl UserCommand {
    pub(crate) async fn run(self) -> Result<(), CliError> {
        match self {
            Self::Create { username, role, password, data_dir } => {
                let place = Place::find(Some(&data_dir.path)).await?;
                let username = username.trim();
                if username.is_empty() || username.chars().count() > USERNAME_MAX {
                    return Err(CliError::Username);
                }
                if place.store.user_named(username).await?.is_some() {
                    return Err(CliError::UserExists);
                }
                let chosen = password.get()?;
                create_user(&place.store, username, role.into(), chosen.clone()).await?;
                password.show(&chosen);
                Ok(())
            }
            Self::SetPassword { username, password, data_dir } => {
                let place = Place::find(Some(&data_dir.path)).await?;
                let user = find(&place.store, &username).await?.record;
                let chosen = password.get()?;
                let hash = password::hash(chosen.clone()).await?;
                place.store.set_password(user.id, &hash, None).await?.map_err(|_| CliError::NoUser)?;
                password.show(&chosen);
                Ok(())
            }
            Self::Block { username, data_dir } => set_blocked(&username, true, &data_dir).await,
            Self::Unblock { username, data_dir } => set_blocked(&username, false, &data_dir).await,
        }
    }
}

async fn set_blocked(username: &str, blocked: bool, data_dir: &DataDir) -> Result<(), CliError> {
    let place = Place::find(Some(&data_dir.path)).await?;
    let user = find(&place.store, username).await?;
    let change = |user: &User| Ok::<_, CliError>(User { blocked, ..user.clone() });
    place.store.change_record(user, change).await.map(drop)
}

async fn find(store: &Store, username: &str) -> Result<Stored<User>, CliError> {
    let found = store.record_with(Unique::Username, &User::folded(username)).await?;
    found.ok_or(CliError::NoUser)
}
