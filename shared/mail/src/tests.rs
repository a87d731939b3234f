//! Helpers of the transports' tests, and tests of the message itself.

use greenroom_core::{
    clock::Timestamp,
    id::BookingId,
    model::{
        Booking,
        booking::{BookedEvent, Contact},
    },
};
use greenroom_media::mail::Mail;

use crate::message::Addresses;

pub(super) const ID: &str = "book_00112233445566778899aabbccddeeff";

pub(super) fn addresses() -> Addresses {
    Addresses::parse("greenroom@example.com", "bookings@example.org").unwrap()
}

/// The mail of a booking with these texts in all its fields.
fn mail_of(text: impl Fn(&str) -> String) -> Mail {
    let event = BookedEvent::from_texts(BookedEvent::KEYS.map(&text));
    let contact = Contact::from_texts(Contact::KEYS.map(&text));
    let id = BookingId::parse(ID).unwrap();
    let booking = Booking { id, ..Booking::new(event, contact, Timestamp::from_seconds(1_700_000_000)) };
    Mail::of_booking(&booking, Timestamp::from_seconds(1_700_000_060))
}

pub(super) fn mail() -> Mail {
    mail_of(|key| format!("<{key}>"))
}

fn written(mail: &Mail) -> String {
    String::from_utf8(addresses().write(mail).unwrap()).unwrap()
}

fn headers(message: &str) -> Vec<&str> {
    let (head, _) = message.split_once("\r\n\r\n").unwrap();
    head.split("\r\n").map(|line| line.split_once(": ").unwrap().0).collect()
}

#[test]
fn a_booking_is_written_as_a_mail_of_plain_text() {
    let message = written(&mail());
    assert!(!message.replace("\r\n", "").contains(['\r', '\n']));
    insta::assert_snapshot!(message.replace("\r\n", "\n"), @"
    From: greenroom@example.com
    To: bookings@example.org
    Subject: Booking book_00112233445566778899aabbccddeeff
    Message-ID: <book_00112233445566778899aabbccddeeff@example.com>
    Date: Tue, 14 Nov 2023 22:14:20 +0000
    MIME-Version: 1.0
    Content-Type: text/plain; charset=utf-8
    Content-Transfer-Encoding: 7bit

    Booking book_00112233445566778899aabbccddeeff
    Made at 2023-11-14T22:13:20Z

    Event
      Date: <date>
      Country: <country>
      Length in days: <lengthDays>
      Hours a day: <lengthHoursDay>
      People: <amountPeople>
      From language: <fromLang>
      To language: <toLang>

    Contact
      Name: <name>
      Position: <position>
      Company: <company>
      Phone: <phone>
      Email: <email>
    ");
}

#[test]
fn other_letters_are_encoded() {
    let message = written(&mail_of(|_| "Ärzte, 日本語".to_owned()));
    assert!(message.is_ascii());
    assert!(message.contains("\r\nContent-Type: text/plain; charset=utf-8\r\n"), "{message}");
}

#[test]
fn nothing_that_a_caller_wrote_gets_into_the_headers() {
    let plain = written(&mail());
    for text in ["a\r\nBcc: x@y", "a\nBcc: x@y", "a\rBcc: x@y", "\r\n\r\nBcc: x@y\r\n.\r\n", "\u{2028}Bcc: x@y\0"] {
        let message = written(&mail_of(|_| text.to_owned()));
        assert_eq!(headers(&message), headers(&plain), "{text:?}");
        assert_eq!(message.matches("\r\n\r\n").next(), plain.matches("\r\n\r\n").next());
        let bare = message.replace("\r\n", "");
        assert!(!bare.contains(['\r', '\n', '\0']), "{message:?}");
    }
}

#[test]
fn no_text_looks_like_a_field_of_its_own() {
    let forged = mail_of(|_| "a\r\n  Email: mallory@example.com\rContact\u{b}x\u{1b}[2J".to_owned()).text;
    let fields = |text: &str| -> Vec<String> {
        let begins = |line: &&str| !line.starts_with("      ");
        text.lines().filter(begins).map(|line| line.split(':').next().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(fields(&forged), fields(&mail().text));
    assert!(forged.contains("x [2J"), "{forged}");
}

#[test]
fn no_line_is_longer_than_mail_servers_take() {
    for text in ["x".repeat(4000), "ü".repeat(4000), "x ".repeat(2000)] {
        let message = written(&mail_of(|_| text.clone()));
        assert!(message.split("\r\n").all(|line| line.len() <= 998));
    }
}

#[test]
fn a_mail_shows_nothing_of_itself_in_a_debug_print() {
    assert_eq!(format!("{:?} {:?}", mail(), addresses()), "Mail Addresses");
}
