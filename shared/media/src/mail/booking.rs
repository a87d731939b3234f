//! The mail of a booking.

use std::sync::Arc;

use greenroom_core::{
    clock::{Clock, Timestamp},
    model::Booking,
};
use greenroom_store::Store;
use greenroom_telemetry::meter::carried;

use super::{Mail, MailError, Mailer};

impl Mail {
    /// The mail of a booking. Its id is the booking's, however often it is sent.
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

/// Indents the lines of a text after the first, so that none of them looks like a field of its own. Other control
/// characters become spaces: they could change how a program shows the mail.
fn indented(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace(['\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'], "\n");
    let text = text.replace(|c: char| c.is_control() && c != '\n', " ");
    text.replace('\n', "\n      ")
}

/// Sends the mail of an unsent booking, and marks the booking as sent. If the mark fails, the mail has been sent all
/// the same: the failure is logged, and the booking stays unsent.
///
/// The task goes on if the caller stops waiting, so that no mail is sent without its mark because a caller hung up.
pub async fn send(store: &Store, mailer: &Arc<dyn Mailer>, booking: &Booking, clock: &Clock) -> Result<(), MailError> {
    let (store, mailer, booking, clock) = (store.clone(), mailer.clone(), booking.clone(), clock.clone());
    let sending = async move {
        mailer.send(&Mail::of_booking(&booking, clock.now())).await?;
        if let Err(error) = store.booking_sent(&booking, clock.now()).await {
            tracing::warn!(%error, "a booking's mail was sent and could not be marked as sent");
        }
        Ok(())
    };
    let sent = tokio::spawn(carried(sending)).await;
    sent.unwrap_or_else(|_| Err(MailError::Unavailable("it was given up".to_owned())))
}
