//! `greenroom api-token`: static API tokens.

use clap::Subcommand;
use secrecy::ExposeSecret;
use shared::{clock::Clock, model::api_token};

use super::{CliError, DataDir, place::Place};

#[derive(Debug, Subcommand)]
pub(crate) enum ApiTokenCommand {
    /// Make a token and show it, this once
    Create {
        /// What you call it
        name: String,
        /// It is a mobile client's
        #[arg(long)]
        mobile: bool,
        #[command(flatten)]
        data_dir: DataDir,
    },
    /// List the tokens, without what is secret of them
    List {
        #[command(flatten)]
        data_dir: DataDir,
    },
    /// Delete a token: it is refused from now on
    Delete {
        /// Its number in the list
        id: u64,
        #[command(flatten)]
        data_dir: DataDir,
    },
}

impl ApiTokenCommand {
    pub(crate) async fn run(self) -> Result<(), CliError> {
        match self {
            Self::Create { name, mobile, data_dir } => {
                let place = Place::find(Some(&data_dir.path)).await?;
                let (token, hash) = api_token::generate();
                place.store.insert_api_token(&hash, &name, mobile, Clock::system().now()).await?;
                println!("{}", token.expose_secret());
            }
            Self::List { data_dir } => {
                let place = Place::find(Some(&data_dir.path)).await?;
                for token in place.store.api_tokens().await? {
                    let kind = if token.mobile { "mobile" } else { "" };
                    println!("{}\t{}\t{}\t{kind}", token.id, token.created_at, token.name);
                }
            }
            Self::Delete { id, data_dir } => {
                let place = Place::find(Some(&data_dir.path)).await?;
                if !place.store.delete_api_token(id).await? {
                    return Err(CliError::NoApiToken(id));
                }
            }
        }
        Ok(())
    }
}
