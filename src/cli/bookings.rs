//! `greenroom bookings`: what was booked and has not reached the office.

use std::sync::Arc;

use clap::Subcommand;
use shared::{
    clock::Clock,
    config::{Environment, Setting},
    id::BookingId,
    log,
    mail::{self, Mailer},
    store::Store,
};

use super::{CliError, DataDir, place::Place};

#[derive(Debug, Subcommand)]
pub(crate) enum BookingsCommand {
    /// List the bookings whose mail has not been sent: id, time and company
    List {
        #[command(flatten)]
        data_dir: DataDir,
    },
    /// Send the mails of unsent bookings
    Resend {
        /// Which of them; all where none is named
        #[arg(value_name = "ID")]
        ids: Vec<String>,
        #[command(flatten)]
        data_dir: DataDir,
    },
}

impl BookingsCommand {
    pub(crate) async fn run(self) -> Result<(), CliError> {
        match self {
            Self::List { data_dir } => {
                let place = Place::find(Some(&data_dir.path)).await?;
                for booking in place.store.unsent_bookings().await? {
                    println!("{}\t{}\t{}", booking.id, booking.created_at, one_line(&booking.contact.company));
                }
                Ok(())
            }
            Self::Resend { ids, data_dir } => resend(ids, &Place::find(Some(&data_dir.path)).await?).await,
        }
    }
}

async fn resend(ids: Vec<String>, place: &Place) -> Result<(), CliError> {
    // A mail that went out unmarked is said in the log only.
    log::init(&place.config.log);
    if Environment::of_process().get(Setting::MailTransport.name()).is_none() {
        // Taken for granted here, it may be another than the server's, and what leaves by it is marked as sent.
        return Err(CliError::NoMailTransport);
    }
    let settings = place.config.mail.as_ref().ok_or(CliError::NoMailSettings)?;
    let mailer = mail::mailer(settings)?;
    let ids = if ids.is_empty() {
        place.store.unsent_bookings().await?.into_iter().map(|booking| booking.id.to_string()).collect()
    } else {
        ids
    };
    let mut failed = 0;
    for id in &ids {
        let (Ok(outcome) | Err(outcome)) = resend_one(id, &place.store, &mailer).await.inspect_err(|_| failed += 1);
        println!("{id}\t{outcome}");
    }
    if failed == 0 { Ok(()) } else { Err(CliError::Unsent(failed, ids.len())) }
}

/// Sends one booking; says what became of it.
async fn resend_one(id: &str, store: &Store, mailer: &Arc<dyn Mailer>) -> Result<String, String> {
    let unknown = || "there is no such booking".to_owned();
    let id = BookingId::parse(id).ok_or_else(unknown)?;
    let text = |error: &dyn std::error::Error| error.to_string();
    // Read just before it is sent: another may be sending the same list.
    let Some(booking) = store.unsent_booking(&id).await.map_err(|error| text(&error))? else {
        let sent = store.sent_booking(&id).await.map_err(|error| text(&error))?;
        let sent_at = sent.and_then(|booking| booking.sent_at).ok_or_else(unknown)?;
        return Ok(format!("was sent before, at {sent_at}"));
    };
    mail::send(store, mailer, &booking, &Clock::system()).await.map_err(|error| text(&error))?;
    Ok("sent".to_owned())
}

/// A text in one line of a table. Control characters, which a terminal may obey, become spaces.
fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}
