//! The mail of a booking, and how it is sent.

use std::sync::Arc;

use tracing::Instrument;

use super::{Mail, MailError, Mailer};
use crate::{
    clock::{Clock, Timestamp},
    meter::carried,
    model::Booking,
    store::Store,
};

impl Mail {
    /// The mail of a booking. However often it is sent, its id is the booking's.
    #[must_use]
    pub fn of_booking(booking: &Booking, date: Timestamp) -> Self {
        let lines = |texts: &[(&str, &str)]| {
            texts.iter().map(|(label, text)| format!("  {label}: {}\n", indented(text))).collect::<Vec<_>>().concat()
        };
        let (event, contact) = (lines(&booking.event.labelled()), lines(&booking.contact.labelled()));
        let (id, at) = (&booking.id, booking.created_at);
        Self {
            id: id.to_string(),
            subject: format!("Booking {id}"),
            text: format!("Booking {id}\nMade at {at}\n\nEvent\n{event}\nContact\n{contact}"),
            date,
        }
    }
}

/// A text whose further lines stand behind its first, so that none of them looks like a field of its own. Other control
/// characters become spaces: they mean something to whoever shows the mail, not to whoever reads it.
fn indented(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace(['\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'], "\n");
    let text = text.replace(|c: char| c.is_control() && c != '\n', " ");
    text.replace('\n', "\n      ")
}

/// Sends the mail of a booking that is kept unsent, and marks it as sent. Where the mark fails, the mail has left all the
/// same: that is logged, and the booking stays among the unsent.
///
/// Goes on where the caller stops waiting, so that no mail leaves without its mark because somebody hung up.
pub async fn send(store: &Store, mailer: &Arc<dyn Mailer>, booking: &Booking, clock: &Clock) -> Result<(), MailError> {
    let (store, mailer, booking, clock) = (store.clone(), mailer.clone(), booking.clone(), clock.clone());
    let sending = async move {
        mailer.send(&Mail::of_booking(&booking, clock.now())).await?;
        if let Err(error) = store.booking_sent(&booking, clock.now()).await {
            tracing::warn!(%error, "a booking's mail was sent and could not be marked as sent");
        }
        Ok(())
    };
    let sent = tokio::spawn(carried(sending).in_current_span()).await;
    sent.unwrap_or_else(|_| Err(MailError::Unavailable("it was given up".to_owned())))
}
