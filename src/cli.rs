//! The `greenroom` command line.

mod accounts;
mod api_token;
mod aws;
mod backup;
mod bookings;
mod connection;
mod credential;
mod data_dir;
mod demo;
mod doctor;
mod error;
mod introduction;
mod jobs;
mod key;
mod live;
mod media;
mod place;
mod reach;
mod serve;
mod sessions;
mod signals;
#[cfg(unix)]
mod socket;
mod stack;
mod target;
mod text;
mod user;

use std::path::PathBuf;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use greenroom_telemetry::log;

pub use self::error::CliError;
use self::{
    api_token::ApiTokenCommand,
    backup::{Backup, Restore},
    bookings::BookingsCommand,
    demo::Demo,
    doctor::Doctor,
    key::KeyCommand,
    live::LiveCommand,
    serve::Serve,
    sessions::SessionsCommand,
    user::UserCommand,
};

/// Session APIs for real-time media.
#[derive(Debug, Parser)]
#[command(name = "greenroom", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve all APIs on this machine (the default command)
    Serve(Serve),
    Demo(Demo),
    /// Make, list, block and delete users, and give them passwords
    #[command(subcommand)]
    User(UserCommand),
    /// Make, list and delete static API tokens
    #[command(subcommand)]
    ApiToken(ApiTokenCommand),
    /// List and end live connections
    #[command(subcommand)]
    Live(LiveCommand),
    /// Move event sessions to another media provider
    #[command(subcommand)]
    Sessions(SessionsCommand),
    /// List and send the bookings whose mail has not been sent
    #[command(subcommand)]
    Bookings(BookingsCommand),
    /// Make, list, rotate and retire the credentials
    #[command(subcommand)]
    Key(KeyCommand),
    Backup(Backup),
    Restore(Restore),
    Doctor(Doctor),
    /// Print a shell's completions of these commands
    Completions {
        /// Which shell
        shell: Shell,
    },
}

/// Where the local command keeps its data.
#[derive(Clone, Debug, clap::Args)]
struct DataDir {
    /// Where the database and the generated credentials are kept
    #[arg(id = "data_dir", long = "data-dir", default_value = ".greenroom", value_name = "DIR")]
    path: PathBuf,
}

impl Cli {
    /// Runs the command.
    ///
    /// # Errors
    /// The reason of a failure, in one line for the person at the terminal.
    pub async fn run(self) -> Result<(), CliError> {
        target::say_ignored_profile();
        match self.command {
            None => self.serve.run().await,
            Some(Command::Serve(serve)) => serve.run().await,
            Some(Command::Demo(demo)) => demo.run().await,
            Some(Command::User(command)) => {
                log::init_command();
                // Boxed, because the future is large.
                Box::pin(command.run()).await
            }
            Some(Command::ApiToken(command)) => {
                log::init_command();
                command.run().await
            }
            Some(Command::Bookings(command)) => command.run().await,
            Some(Command::Key(command)) => command.run().await,
            Some(Command::Live(command)) => {
                log::init_command();
                command.run().await
            }
            Some(Command::Sessions(command)) => {
                log::init_command();
                // Boxed, because the future is large.
                Box::pin(command.run()).await
            }
            Some(Command::Backup(backup)) => backup.run(),
            Some(Command::Restore(restore)) => restore.run(),
            Some(Command::Doctor(doctor)) => doctor.run().await,
            Some(Command::Completions { shell }) => {
                clap_complete::generate(shell, &mut Self::command(), "greenroom", &mut std::io::stdout());
                Ok(())
            }
        }
    }
}
