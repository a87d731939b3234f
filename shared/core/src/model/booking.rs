//! Bookings: requests to the office for interpreters at an event (`docs/apis/events-api.md`).
//!
//! Their texts are personal data, so no `Debug` prints them.

use serde::{Deserialize, Serialize};

use crate::{clock::Timestamp, id::BookingId};

/// The longest text of a booking, in characters.
pub const TEXT_MAX: usize = 4000;

macro_rules! texts {
    ($(#[$doc:meta])* $name:ident { $($field:ident $key:literal $label:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $name {
            $(#[doc = concat!($label, ".")] #[serde(rename = $key)] pub $field: String,)*
        }

        impl $name {
            /// The names of the fields in JSON, in the order of the struct. All fields are required.
            pub const KEYS: [&str; [$($key),*].len()] = [$($key),*];

            /// Makes one from the texts of its fields, in the order of [`KEYS`](Self::KEYS).
            #[must_use]
            pub fn from_texts(texts: [String; Self::KEYS.len()]) -> Self {
                let [$($field),*] = texts;
                Self { $($field),* }
            }

            /// Each text with its label for people.
            #[must_use]
            pub fn labelled(&self) -> [(&'static str, &str); Self::KEYS.len()] {
                [$(($label, self.$field.as_str())),*]
            }
        }

        $crate::opaque!($name);
    };
}

texts!(
    /// The event that interpreters are wanted for.
    BookedEvent {
        date "date" "Date",
        country "country" "Country",
        length_days "lengthDays" "Length in days",
        length_hours_day "lengthHoursDay" "Hours a day",
        amount_people "amountPeople" "People",
        from_lang "fromLang" "From language",
        to_lang "toLang" "To language",
    }
);

texts!(
    /// The person who books.
    Contact {
        name "name" "Name",
        position "position" "Position",
        company "company" "Company",
        phone "phone" "Phone",
        email "email" "Email",
    }
);

/// A booking. It is stored before its mail is sent, and stays stored if the mail fails.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Booking {
    /// Its id.
    pub id: BookingId,
    /// The event.
    pub event: BookedEvent,
    /// The person who booked.
    pub contact: Contact,
    /// When it was made.
    pub created_at: Timestamp,
    /// When the mail to the office was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
}

impl Booking {
    /// A new booking, not sent yet.
    #[must_use]
    pub fn new(event: BookedEvent, contact: Contact, now: Timestamp) -> Self {
        Self { id: BookingId::random(), event, contact, created_at: now, sent_at: None }
    }
}

crate::opaque!(Booking);

#[cfg(test)]
mod tests {
    use super::*;

    fn booking() -> Booking {
        let event = BookedEvent::from_texts(BookedEvent::KEYS.map(|key| format!("<{key}>")));
        let contact = Contact::from_texts(Contact::KEYS.map(|key| format!("<{key}>")));
        Booking::new(event, contact, Timestamp::from_seconds(1))
    }

    #[test]
    fn every_text_has_the_key_it_was_read_by() {
        let written = serde_json::to_value(booking()).unwrap();
        for (part, keys) in [("event", &BookedEvent::KEYS[..]), ("contact", &Contact::KEYS)] {
            for key in keys {
                assert_eq!(written[part][key], format!("<{key}>"));
            }
        }
        assert_eq!(serde_json::from_value::<Booking>(written).unwrap().event, booking().event);
    }

    #[test]
    fn no_personal_data_shows_itself_in_a_debug_print() {
        let booking = booking();
        let shown = format!("{booking:?} {:?} {:?}", booking.event, booking.contact);
        assert_eq!(shown, "Booking BookedEvent Contact");
    }
}
