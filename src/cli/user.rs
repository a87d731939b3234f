//! `greenroom user`: the people who manage events.

use std::io;

use clap::{Subcommand, ValueEnum};
use greenroom_core::{
    clock::Clock,
    config::{PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN},
    id::random_hex,
    model::{User, user::Role},
    password,
};
use greenroom_media::audit::{Decision, Event, Party};
use greenroom_store::{Replacing, Selection, Store, Stored, Unique, Window};
use secrecy::{ExposeSecret, SecretString};

use super::{CliError, accounts::create_user, target::StoreArgs, text::one_line};

/// The longest name, in characters (`docs/apis/events-api.md`).
const USERNAME_MAX: usize = 150;

/// The number of users that are read at once.
const PAGE: usize = 500;

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Make a user; a password that is made up for them is shown this once
    Create {
        /// The name they log in with
        username: String,
        /// What they may do
        #[arg(long, value_enum)]
        role: RoleName,
        #[command(flatten)]
        password: Password,
        #[command(flatten)]
        place: StoreArgs,
    },
    /// Give a user another password; one that is made up is shown this once
    SetPassword {
        /// The name they log in with
        username: String,
        #[command(flatten)]
        password: Password,
        #[command(flatten)]
        place: StoreArgs,
    },
    /// List the users: number, name, role, and whether they are blocked
    List {
        #[command(flatten)]
        place: StoreArgs,
    },
    /// Delete a user who owns no event, with everything that is theirs alone
    Delete {
        /// The name they log in with
        username: String,
        #[command(flatten)]
        place: StoreArgs,
    },
    /// Keep a user from logging in; their tokens are refused at once
    Block {
        /// The name they log in with
        username: String,
        #[command(flatten)]
        place: StoreArgs,
    },
    /// Let a blocked user log in again
    Unblock {
        /// The name they log in with
        username: String,
        #[command(flatten)]
        place: StoreArgs,
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

impl From<Role> for RoleName {
    fn from(role: Role) -> Self {
        match role {
            Role::Admin => Self::Admin,
            Role::Partner => Self::Partner,
            Role::Manager => Self::Manager,
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
    /// The password that was given, or a new one for this user.
    fn get(&self, username: &str, email: &str) -> Result<SecretString, CliError> {
        if !self.password_stdin {
            return Ok(random_hex().into());
        }
        let mut line = String::new();
        io::stdin().read_line(&mut line).map_err(CliError::Stdin)?;
        let password = SecretString::from(line.trim_end_matches(['\r', '\n']).to_owned());
        let text = password.expose_secret();
        let fits = text.chars().count() >= PASSWORD_CHARS_MIN && text.len() <= PASSWORD_BYTES_MAX;
        if !fits {
            return Err(CliError::Password);
        }
        if password::is_too_common(text, username, email) { Err(CliError::CommonPassword) } else { Ok(password) }
    }
}

impl Password {
    /// Prints a generated password, once it is set.
    fn show(&self, chosen: &SecretString) {
        if !self.password_stdin {
            println!("{}", chosen.expose_secret());
        }
    }
}

impl UserCommand {
    pub(crate) async fn run(self) -> Result<(), CliError> {
        match self {
            Self::Create { username, role, password, place } => {
                let store = place.open().await?.store;
                let username = username.trim();
                if username.is_empty() || username.chars().count() > USERNAME_MAX {
                    return Err(CliError::Username);
                }
                if store.user_named(username).await?.is_some() {
                    return Err(CliError::UserExists);
                }
                let chosen = password.get(username, "")?;
                create_user(&store, username, role.into(), chosen.clone()).await?;
                password.show(&chosen);
                Ok(())
            }
            Self::SetPassword { username, password, place } => {
                let store = place.open().await?.store;
                let user = find(&store, &username).await?;
                let chosen = password.get(&user.record.username, &user.record.email)?;
                let hash = password::hash(chosen.clone()).await?;
                let id = user.record.id;
                let set = store.set_password(user, &hash, Replacing::Any, |_| true).await?;
                set.map_err(|_| CliError::NoUser)?;
                let decision = Decision::new(Event::PasswordChanged).of(Party::User(id));
                decision.record_of_command(&store).await;
                password.show(&chosen);
                Ok(())
            }
            Self::List { place } => list(&place.open().await?.store).await,
            Self::Delete { username, place } => {
                let store = place.open().await?.store;
                let user = find(&store, &username).await?;
                // A server or housekeeping does the job that deletes what is left of the user.
                store.remove_user(user, Clock::system().now()).await??;
                Ok(())
            }
            Self::Block { username, place } => set_blocked(&username, true, &place).await,
            Self::Unblock { username, place } => set_blocked(&username, false, &place).await,
        }
    }
}

/// Lists users, page by page.
async fn list(store: &Store) -> Result<(), CliError> {
    let mut after = Some(0);
    while after.is_some() {
        let page = store.page::<User>(Selection::all(), Window { skip: 0, limit: PAGE, after }, None).await?;
        for user in &page.records {
            let blocked = if user.blocked { "blocked" } else { "" };
            let role = RoleName::from(user.role).to_possible_value();
            let role = role.as_ref().map_or("", |role| role.get_name());
            println!("{}\t{}\t{role}\t{blocked}", user.id, one_line(&user.username));
        }
        after = page.next.map(|next| next.after);
    }
    Ok(())
}

async fn set_blocked(username: &str, blocked: bool, place: &StoreArgs) -> Result<(), CliError> {
    let store = place.open().await?.store;
    let user = find(&store, username).await?;
    let change = |user: &User| Ok::<_, CliError>(if blocked { user.block() } else { user.unblock() });
    let was_blocked = user.record.blocked;
    let user = store.change_record(user, change).await?;
    if was_blocked != blocked {
        let event = if blocked { Event::UserBlocked } else { Event::UserUnblocked };
        Decision::new(event).of(Party::User(user.id)).record_of_command(&store).await;
    }
    Ok(())
}

async fn find(store: &Store, username: &str) -> Result<Stored<User>, CliError> {
    let found = store.record_with(Unique::Username, &User::folded(username)).await?;
    found.ok_or(CliError::NoUser)
}
