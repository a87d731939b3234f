//! `greenroom bookings`: bookings whose mail has not reached the office.

use std::sync::Arc;

use clap::Subcommand;
use greenroom_core::{
    clock::Clock,
    config::{Environment, Setting},
    id::BookingId,
};
use greenroom_media::mail::Mailer;
use greenroom_store::Store;
use greenroom_telemetry::log;

use super::{
    CliError,
    target::{OpenStore, StoreArgs},
    text::one_line,
};

/// The settings that sending mails needs.
const SETTINGS: &[Setting] = &[
    Setting::MailTransport,
    Setting::MailDir,
    Setting::SmtpUrl,
    Setting::MailFrom,
    Setting::BookingMailTo,
    Setting::Log,
];

#[derive(Debug, Subcommand)]
pub(crate) enum BookingsCommand {
    /// List the bookings whose mail has not been sent: id, time and company
    List {
        #[command(flatten)]
        place: StoreArgs,
    },
    /// Send the mails of these bookings, or of all unsent ones; exits with 1 where one could not be sent
    Resend {
        /// Which bookings; all unsent ones where none is named
        #[arg(value_name = "ID")]
        ids: Vec<String>,
        #[command(flatten)]
        place: StoreArgs,
    },
}

impl BookingsCommand {
    pub(crate) async fn run(self) -> Result<(), CliError> {
        match self {
            Self::List { place } => {
                let store = place.open().await?.store;
                for booking in store.unsent_bookings().await? {
                    println!("{}\t{}\t{}", booking.id, booking.created_at, one_line(&booking.contact.company));
                }
                Ok(())
            }
            Self::Resend { ids, place } => resend(ids, &place.open().await?).await,
        }
    }
}

async fn resend(ids: Vec<String>, place: &OpenStore) -> Result<(), CliError> {
    if Environment::of_process().get(Setting::MailTransport.name()).is_none() {
        // A default transport may differ from the server's, and a mail that it sends is marked as sent.
        return Err(CliError::NoMailTransport);
    }
    let config = place.config(SETTINGS)?;
    // If a mail was sent and the mark failed, only the log says so.
    log::init(&config.log);
    let settings = config.mail.as_ref().ok_or(CliError::NoMailSettings)?;
    let mailer = greenroom_mail::mailer(settings)?;
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

/// Sends one booking. Returns the outcome as text.
async fn resend_one(id: &str, store: &Store, mailer: &Arc<dyn Mailer>) -> Result<String, String> {
    let unknown = || "there is no such booking".to_owned();
    let id = BookingId::parse(id).ok_or_else(unknown)?;
    let text = |error: &dyn std::error::Error| error.to_string();
    // The booking is read just before it is sent, because another process may be sending the same list.
    let Some(booking) = store.unsent_booking(&id).await.map_err(|error| text(&error))? else {
        let sent = store.sent_booking(&id).await.map_err(|error| text(&error))?;
        let sent_at = sent.and_then(|booking| booking.sent_at).ok_or_else(unknown)?;
        return Ok(format!("was sent before, at {sent_at}"));
    };
    greenroom_media::mail::send(store, mailer, &booking, &Clock::system()).await.map_err(|error| text(&error))?;
    Ok("sent".to_owned())
}
