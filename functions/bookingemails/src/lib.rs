//! `POST /api/v2/bookingemails`: a booking, kept and then sent by mail (`docs/apis/events-api.md`).

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
    /// What is wanted.
    event: NewBookedEvent,
    /// By whom.
    contact: NewContact,
}

/// The event that interpreters are wanted for.
#[derive(ToSchema)]
#[schema(as = BookedEvent, rename_all = "camelCase")]
#[expect(dead_code, reason = "only the document is made of it")]
struct NewBookedEvent {
    /// When.
    #[schema(example = "2026-12-01")]
    date: String,
    /// Where.
    #[schema(example = "Germany")]
    country: String,
    /// For how many days.
    #[schema(example = "2")]
    length_days: String,
    /// For how many hours a day.
    #[schema(example = "8")]
    length_hours_day: String,
    /// For how many people.
    #[schema(example = "150")]
    amount_people: String,
    /// From which language.
    #[schema(example = "English")]
    from_lang: String,
    /// Into which language.
    #[schema(example = "German")]
    to_lang: String,
}

/// Who wants them.
#[derive(ToSchema)]
#[schema(as = BookingContact)]
#[expect(dead_code, reason = "only the document is made of it")]
struct NewContact {
    /// Their name.
    #[schema(example = "Alice Example")]
    name: String,
    /// What they do there.
    #[schema(example = "Producer")]
    position: String,
    /// Where they work.
    #[schema(example = "Example Ltd.")]
    company: String,
    /// How to call them.
    #[schema(example = "+49 30 1234567")]
    phone: String,
    /// How to write to them.
    #[schema(example = "alice@company.example")]
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
    security(("apiToken" = []), ("deviceToken" = [])),
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
    mail::send(&app.store, app.services.mailer()?, &booking, &app.clock).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn given(form: &mut Form, key: &str) -> String {
    form.required(key, blank_text(TEXT_MAX)).unwrap_or_default()
}
