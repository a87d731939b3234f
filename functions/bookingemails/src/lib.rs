//! `POST /api/v2/bookingemails`: stores a booking, and then sends it by mail (`docs/apis/events-api.md`).

use axum::{extract::State, http::StatusCode};
use greenroom_core::{
    config::Setting,
    model::{
        Booking,
        booking::{BookedEvent, Contact, TEXT_MAX},
    },
};
use greenroom_http::{
    auth::ApiClient,
    dialect::events::{BodyRefusals, Detail, Error, Refusals},
    error,
    form::{Form, Need, Payload, blank_text},
};
use greenroom_media::{Services, mail};
use utoipa::ToSchema;

/// The settings of this function.
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

greenroom_http::routes!(send_booking);

/// A booking.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only the document is made of it")]
struct NewBooking {
    /// The event.
    event: NewBookedEvent,
    /// The person who books.
    contact: NewContact,
}

/// The event that interpreters are wanted for.
#[derive(ToSchema)]
#[schema(as = BookedEvent, rename_all = "camelCase")]
#[expect(dead_code, reason = "only the document is made of it")]
struct NewBookedEvent {
    /// The date.
    #[schema(example = "2026-12-01")]
    date: String,
    /// The country.
    #[schema(example = "Germany")]
    country: String,
    /// The number of days.
    #[schema(example = "2")]
    length_days: String,
    /// The number of hours a day.
    #[schema(example = "8")]
    length_hours_day: String,
    /// The number of people.
    #[schema(example = "150")]
    amount_people: String,
    /// The language to interpret from.
    #[schema(example = "English")]
    from_lang: String,
    /// The language to interpret into.
    #[schema(example = "German")]
    to_lang: String,
}

/// The person who books.
#[derive(ToSchema)]
#[schema(as = BookingContact)]
#[expect(dead_code, reason = "only the document is made of it")]
struct NewContact {
    /// Their name.
    #[schema(example = "Alice Example")]
    name: String,
    /// Their position.
    #[schema(example = "Producer")]
    position: String,
    /// Their company.
    #[schema(example = "Example Ltd.")]
    company: String,
    /// Their phone number.
    #[schema(example = "+49 30 1234567")]
    phone: String,
    /// Their mail address.
    #[schema(example = "alice@company.example")]
    email: String,
}

/// Store a booking and send it by mail.
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
        (status = 500, description = "The booking is stored, but the mail server refused its mail; or another internal error", body = Detail, example = json!({
            "detail": "The booking is kept, but its e-mail could not be sent.",
        })),
    ),
)]
async fn send_booking(State(services): State<Services>, _: ApiClient, payload: Payload) -> Result<StatusCode, Error> {
    let mut form = payload.form(Need::All)?;
    let event = form.nested("event", |form| BookedEvent::from_texts(BookedEvent::KEYS.map(|key| given(form, key))));
    let contact = form.nested("contact", |form| Contact::from_texts(Contact::KEYS.map(|key| given(form, key))));
    form.finish()?;
    // Both are there, because the form had no errors.
    let (event, contact) = event.zip(contact).ok_or(error::Error::Fault)?;
    let booking = Booking::new(event, contact, services.clock.now());
    services.store.insert_booking(&booking).await?;
    mail::send(&services.store, services.mailer(greenroom_mail::mailer)?, &booking, &services.clock).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn given(form: &mut Form, key: &str) -> String {
    form.required(key, blank_text(TEXT_MAX)).unwrap_or_default()
}
