//! The `greenroom` command line.

mod accounts;
mod api_token;
mod aws;
mod bookings;
mod connection;
mod data_dir;
mod demo;
mod doctor;
mod error;
mod grid;
mod introduction;
mod key;
mod place;
mod serve;
mod stack;
mod user;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub use self::error::CliError;
use self::{
    api_token::ApiTokenCommand, bookings::BookingsCommand, demo::Demo, doctor::Doctor, key::KeyCommand, serve::Serve,
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
    /// Make, list and delete static API tokens
    #[command(subcommand)]
    ApiToken(ApiTokenCommand),
    /// List and send the bookings whose mail has not been sent
    #[command(subcommand)]
    Bookings(BookingsCommand),
    Doctor(Doctor),
    /// List, rotate and retire the credentials
    #[command(subcommand)]
    Key(KeyCommand),
    /// Make users, block them and give them passwords
    #[command(subcommand)]
    User(UserCommand),
}

/// Where the local command keeps its data.
#[derive(Clone, Debug, clap::Args)]
struct DataDir {
    /// Where the database and the generated credentials are kept
    #[arg(id = "data_dir", long = "data-dir", default_value = ".greenroom", value_name = "DIR")]
    path: PathBuf,
}

impl Cli {
    /// Does what the command line asks for.
    ///
    /// # Errors
    /// What went wrong, in one line for the person at the terminal.
    pub async fn run(self) -> Result<(), CliError> {
        match self.command {
            None => self.serve.run().await,
            Some(Command::Serve(serve)) => serve.run().await,
            Some(Command::Demo(demo)) => demo.run().await,
            Some(Command::User(command)) => command.run().await,
            Some(Command::ApiToken(command)) => command.run().await,
            Some(Command::Bookings(command)) => command.run().await,
            Some(Command::Key(command)) => command.run().await,
            Some(Command::Doctor(doctor)) => doctor.run().await,
        }
    }
}
