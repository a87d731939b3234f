use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::future::{BoxFuture, join_all};
use greenroom_core::{
    clock::Timestamp,
    model::{
        Booking,
        booking::{BookedEvent, Contact, TEXT_MAX},
    },
};
use greenroom_media::mail::{self, Mail, MailError, Mailer};
use greenroom_store::Store;

use crate::support::{NOW, TestApp};

fn booking(seconds: i64, text: &str) -> Booking {
    let event = BookedEvent::from_texts(BookedEvent::KEYS.map(|_| text.to_owned()));
    let contact = Contact::from_texts(Contact::KEYS.map(|_| text.to_owned()));
    Booking::new(event, contact, Timestamp::from_seconds(seconds))
}

fn ids(bookings: &[Booking]) -> Vec<&str> {
    bookings.iter().map(|booking| booking.id.as_str()).collect()
}

/// A mailer that keeps each mail, or refuses it.
#[derive(Debug, Default)]
struct Recorder {
    sent: Mutex<Vec<Mail>>,
    refusal: Option<MailError>,
}

impl Mailer for Recorder {
    fn send<'a>(&'a self, mail: &'a Mail) -> BoxFuture<'a, Result<(), MailError>> {
        self.sent.lock().unwrap().push(mail.clone());
        Box::pin(async { self.refusal.clone().map_or(Ok(()), Err) })
    }
}

#[tokio::test]
async fn unsent_bookings_are_listed_in_the_order_they_were_made() {
    let app = TestApp::new().await;
    let bookings: Vec<_> = (0..40).map(|second| booking(second, "x")).collect();
    for booking in bookings.iter().rev() {
        app.store.insert_booking(booking).await.unwrap();
    }
    assert_eq!(ids(&app.store.unsent_bookings().await.unwrap()), ids(&bookings));
}

#[tokio::test]
async fn a_sent_booking_is_kept_and_no_longer_listed() {
    let app = TestApp::new().await;
    let (sent, unsent) = (booking(1, "sent"), booking(2, "unsent"));
    for booking in [&sent, &unsent] {
        app.store.insert_booking(booking).await.unwrap();
    }
    let now = app.clock.now();
    assert!(app.store.booking_sent(&sent, now).await.unwrap());
    assert_eq!(app.store.unsent_bookings().await.unwrap(), std::slice::from_ref(&unsent));
    assert_eq!(app.store.unsent_booking(&unsent.id).await.unwrap(), Some(unsent.clone()));
    assert_eq!(app.store.unsent_booking(&sent.id).await.unwrap(), None);
    assert_eq!(app.store.sent_booking(&unsent.id).await.unwrap(), None);
    let kept = app.store.sent_booking(&sent.id).await.unwrap().unwrap();
    assert_eq!(kept, Booking { sent_at: Some(now), ..sent });
}

#[tokio::test]
async fn the_first_of_concurrent_sent_marks_is_kept() {
    let app = TestApp::new().await;
    let booking = booking(1, "x");
    app.store.insert_booking(&booking).await.unwrap();
    let marks = (1..=8).map(|second| {
        let (store, booking) = (app.store.clone(), booking.clone());
        tokio::spawn(async move {
            let now = Timestamp::from_seconds(second);
            store.booking_sent(&booking, now).await.unwrap().then_some(now)
        })
    });
    let first: Vec<_> = join_all(marks).await.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(first.len(), 1);
    assert_eq!(app.store.sent_booking(&booking.id).await.unwrap().unwrap().sent_at, Some(first[0]));
    assert!(app.store.unsent_bookings().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_longest_texts_fit() {
    let app = TestApp::new().await;
    let booking = booking(1, &"\u{1f3a7}".repeat(TEXT_MAX));
    app.store.insert_booking(&booking).await.unwrap();
    assert_eq!(app.store.unsent_bookings().await.unwrap(), std::slice::from_ref(&booking));
    assert!(app.store.booking_sent(&booking, app.clock.now()).await.unwrap());
    assert_eq!(app.store.sent_booking(&booking.id).await.unwrap().unwrap().contact, booking.contact);
}

#[tokio::test]
async fn a_booking_whose_mail_is_sent_is_marked_as_sent() {
    let app = TestApp::new().await;
    let (recorder, booking) = (Arc::new(Recorder::default()), booking(1, "x"));
    let mailer: Arc<dyn Mailer> = recorder.clone();
    app.store.insert_booking(&booking).await.unwrap();
    mail::send(&app.store, &mailer, &booking, &app.clock).await.unwrap();
    let now = Timestamp::from_millis(NOW);
    assert_eq!(*recorder.sent.lock().unwrap(), [Mail::of_booking(&booking, now)]);
    assert_eq!(app.store.sent_booking(&booking.id).await.unwrap().unwrap().sent_at, Some(now));
}

#[tokio::test]
async fn a_booking_whose_mail_is_not_sent_stays_unsent() {
    let app = TestApp::new().await;
    let booking = booking(1, "x");
    app.store.insert_booking(&booking).await.unwrap();
    for refusal in [MailError::Refused("SMTP 550".into()), MailError::Unavailable("timed out".into())] {
        let mailer: Arc<dyn Mailer> = Arc::new(Recorder { refusal: Some(refusal.clone()), ..Recorder::default() });
        assert_eq!(mail::send(&app.store, &mailer, &booking, &app.clock).await, Err(refusal));
    }
    assert_eq!(app.store.unsent_bookings().await.unwrap(), [booking]);
}

#[tokio::test]
async fn a_sent_mail_counts_as_sent_even_if_the_booking_cannot_be_marked() {
    let app = TestApp::new().await;
    let mailer: Arc<dyn Mailer> = Arc::new(Recorder::default());
    let nowhere = Store::new(app.client.clone(), "no-such-table");
    assert_eq!(mail::send(&nowhere, &mailer, &booking(1, "x"), &app.clock).await, Ok(()));
}

#[tokio::test]
async fn a_booking_is_marked_as_sent_even_after_its_caller_disconnected() {
    let app = TestApp::new().await;
    let (entered, leave) = (Arc::new(tokio::sync::Notify::new()), Arc::new(tokio::sync::Notify::new()));
    let mailer: Arc<dyn Mailer> = Arc::new(Slow { entered: entered.clone(), leave: leave.clone() });
    let booking = booking(1, "x");
    app.store.insert_booking(&booking).await.unwrap();
    let caller = tokio::spawn({
        let (app, booking) = (app.clone(), booking.clone());
        async move { mail::send(&app.store, &mailer, &booking, &app.clock).await }
    });
    entered.notified().await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    leave.notify_one();
    let marked = async {
        while app.store.sent_booking(&booking.id).await.unwrap().is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), marked).await.unwrap();
}

/// A mailer that reports when it is asked to send, and sends when the test allows it.
#[derive(Debug)]
struct Slow {
    entered: Arc<tokio::sync::Notify>,
    leave: Arc<tokio::sync::Notify>,
}

impl Mailer for Slow {
    fn send<'a>(&'a self, _: &'a Mail) -> BoxFuture<'a, Result<(), MailError>> {
        self.entered.notify_one();
        Box::pin(async {
            self.leave.notified().await;
            Ok(())
        })
    }
}
