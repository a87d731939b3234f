//! `greenroom api-token`: static API tokens.

use clap::Subcommand;
use greenroom_core::{clock::Clock, model::api_token};
use greenroom_media::audit::{Decision, Event, Party};
use greenroom_store::{NameTaken, Store};
use secrecy::ExposeSecret;

use super::{CliError, target::StoreArgs, text::one_line};

#[derive(Debug, Subcommand)]
pub(crate) enum ApiTokenCommand {
    /// Make a static API token and show it, this once
    Create {
        /// A name of your choice
        name: String,
        /// For a mobile client
        #[arg(long)]
        mobile: bool,
        #[command(flatten)]
        place: StoreArgs,
    },
    /// List the static API tokens without their values
    List {
        #[command(flatten)]
        place: StoreArgs,
    },
    /// Delete a static API token: it is refused from now on
    Delete {
        /// Its number in the list
        id: u64,
        #[command(flatten)]
        place: StoreArgs,
    },
}

impl ApiTokenCommand {
    pub(crate) async fn run(self) -> Result<(), CliError> {
        match self {
            Self::Create { name, mobile, place } => {
                let store = place.open().await?.store;
                let (token, hash) = api_token::generate();
                let made = store.insert_api_token(&hash, &name, mobile, Clock::system().now()).await?;
                let kept = made.map_err(|NameTaken| CliError::ApiTokenName)?;
                noted(&store, Event::ApiTokenCreated, kept.id).await;
                println!("{}", token.expose_secret());
            }
            Self::List { place } => {
                let store = place.open().await?.store;
                for token in store.api_tokens().await? {
                    let kind = if token.mobile { "mobile" } else { "" };
                    println!("{}\t{}\t{}\t{kind}", token.id, token.created_at, one_line(&token.name));
                }
            }
            Self::Delete { id, place } => {
                let store = place.open().await?.store;
                if !store.delete_api_token(id).await? {
                    return Err(CliError::NoApiToken(id));
                }
                noted(&store, Event::ApiTokenDeleted, id).await;
            }
        }
        Ok(())
    }
}

async fn noted(store: &Store, event: Event, token: u64) {
    Decision::new(event).of(Party::ApiToken(token)).record_of_command(store).await;
}
