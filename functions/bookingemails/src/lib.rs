//! `POST /api/v2/bookingemails`: a booking, kept and then sent by mail (`events-api.md`).
//!
//! Requests to the table on a warm instance: 3, for the client, to keep the booking, and to mark it as sent.

use axum::{extract::State, http::StatusCode};
use shared::{
    App,
    auth::Client,
    config::Setting,
    dialect::events::{BodyRefusals, Detail, Error, Refusals},
    http::form::{Form, Need, Payload, blank_text},
    mail,
    model::{
        Booking,
        booking::{BookedEvent, Contact, TEXT_MAX},
    },
};
use utoipa::ToSchema;

/// What this function reads from its environment.
pub const SETTINGS: &[Setting] = &[
    Setting::TableName,
    Setting::SigningKeys,
    Setting::MailTransport,
    Setting::MailDir,
    Setting::SmtpUrl,
    Setting::MailFrom,
    Setting::BookingMailTo,
    Setting::CorsOrigins,
    Setting::Log,
];

shared::routes!(send_booking);

/// A booking.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only the document is made of it")]
struct NewBooking {
    event: NewBookedEvent,
    contact: NewContact,
}

/// The event that interpreters are wanted for.
#[derive(ToSchema)]
#[schema(as = BookedEvent, rename_all = "camelCase")]
#[expect(dead_code, reason = "only the document is made of it")]
struct NewBookedEvent {
    date: String,
    country: String,
    length_days: String,
    length_hours_day: String,
    amount_people: String,
    from_lang: String,
    to_lang: String,
}

/// Who wants them.
#[derive(ToSchema)]
#[schema(as = BookingContact)]
#[expect(dead_code, reason = "only the document is made of it")]
struct NewContact {
    name: String,
    position: String,
    company: String,
    phone: String,
    email: String,
}

/// Keep a booking, and send it by mail.
#[utoipa::path(
    post,
    path = "/api/v2/bookingemails",
    operation_id = "sendBooking",
    tag = "Session management",
    request_body = NewBooking,
    responses(
        (status = 204, description = "The mail was sent"),
        Refusals,
        BodyRefusals,
        (status = 500, description = "The booking is kept, and its mail was refused; or another fault of ours", body = Detail, example = json!({
            "detail": "The booking is kept, but its e-mail could not be sent.",
        })),
    ),
    security(("apiToken" = [])),
)]
async fn send_booking(State(app): State<App>, _: Client, payload: Payload) -> Result<StatusCode, Error> {
    let mut form = payload.form(Need::All)?;
    let event = form.nested("event", |form| BookedEvent::from_texts(BookedEvent::KEYS.map(|key| given(form, key))));
    let contact = form.nested("contact", |form| Contact::from_texts(Contact::KEYS.map(|key| given(form, key))));
    form.finish()?;
    // Both are there where nothing is wrong with the form.
    let (event, contact) = event.zip(contact).ok_or(Error::Fault)?;
    let booking = Booking::new(event, contact, app.clock.now());
    app.store.insert_booking(&booking).await?;
    mail::send(&app.store, app.mailer()?, &booking, &app.clock).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn given(form: &mut Form, key: &str) -> String {
    form.required(key, blank_text(TEXT_MAX)).unwrap_or_default()
}
