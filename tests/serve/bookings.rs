use std::{fs, path::Path, process::Output};

use greenroom::embedded::Embedded;
use greenroom_core::{
    clock::Timestamp,
    config::Environment,
    model::{
        Booking,
        booking::{BookedEvent, Contact},
    },
};
use greenroom_store::Store;
use tempfile::{TempDir, tempdir};
use testbed::nobody;

use crate::process::{complaint, greenroom, text};

/// A data directory with unsent bookings of these companies, created a second apart, and the bookings' ids.
async fn kept(companies: &[&str]) -> (TempDir, Vec<String>) {
    let dir = tempdir().unwrap();
    let embedded = Embedded::open(&dir.path().join("greenroom.db")).unwrap();
    embedded.create_table("greenroom").await.unwrap();
    let store = Store::new(embedded.client(), "greenroom");
    let mut ids = Vec::new();
    for (second, company) in (1_700_000_000..).zip(companies) {
        let event = BookedEvent::from_texts(BookedEvent::KEYS.map(|key| format!("the {key}, “été”")));
        let contact = Contact::from_texts(Contact::KEYS.map(|key| format!("the {key}")));
        let contact = Contact { company: (*company).to_owned(), ..contact };
        let booking = Booking::new(event, contact, Timestamp::from_seconds(second));
        store.insert_booking(&booking).await.unwrap();
        ids.push(booking.id.to_string());
    }
    (dir, ids)
}

/// The mail transport of these tests.
const FILE: [(&str, &str); 1] = [("MAIL_TRANSPORT", "file")];

fn bookings(dir: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = greenroom(&[&["bookings"], arguments, &["--data-dir", dir.to_str().unwrap()]].concat());
    command.envs(environment.iter().copied()).output().unwrap()
}

#[tokio::test]
async fn without_a_mail_transport_nothing_is_sent() {
    let (dir, ids) = kept(&["First"]).await;
    let refused = bookings(dir.path(), &["resend"], &[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(complaint(&refused).starts_with("greenroom: set MAIL_TRANSPORT"));
    assert!(text(&bookings(dir.path(), &["list"], &[]).stdout).starts_with(&ids[0]));
}

#[tokio::test]
async fn unsent_bookings_are_listed_without_personal_data() {
    let (dir, ids) = kept(&["First & Sons", "second\tline\n\u{1b}[2J"]).await;
    let list = bookings(dir.path(), &["list"], &[]);
    assert!(list.status.success(), "{}", text(&list.stderr));
    let expected =
        format!("{}\t2023-11-14T22:13:20Z\tFirst & Sons\n{}\t2023-11-14T22:13:21Z\tsecond line  [2J\n", ids[0], ids[1]);
    assert_eq!(text(&list.stdout), expected);
}

#[tokio::test]
async fn a_resent_booking_is_no_longer_listed_as_unsent() {
    let (dir, ids) = kept(&["first", "second", "third"]).await;
    let one = bookings(dir.path(), &["resend", &ids[1]], &FILE);
    assert!(one.status.success(), "{}", text(&one.stderr));
    assert_eq!(text(&one.stdout), format!("{}\tsent\n", ids[1]));
    let all = bookings(dir.path(), &["resend"], &FILE);
    assert!(all.status.success(), "{}", text(&all.stderr));
    assert_eq!(text(&all.stdout), format!("{}\tsent\n{}\tsent\n", ids[0], ids[2]));
    for id in &ids {
        let mail = fs::read_to_string(dir.path().join(format!("mail/{id}.eml"))).unwrap();
        assert!(mail.contains(&format!("Message-ID: <{id}@localhost>\r\n")), "{mail}");
    }
    assert_eq!(text(&bookings(dir.path(), &["list"], &[]).stdout), "");
    assert_eq!(text(&bookings(dir.path(), &["resend"], &FILE).stdout), "");
}

#[tokio::test]
async fn a_booking_that_is_not_unsent_is_not_sent_again() {
    let (dir, ids) = kept(&["first"]).await;
    assert!(bookings(dir.path(), &["resend"], &FILE).status.success());
    let unknown = format!("book_{}", "0".repeat(32));
    let again = bookings(dir.path(), &["resend", &ids[0], &unknown, "x"], &FILE);
    assert_eq!(again.status.code(), Some(1));
    let lines: Vec<_> = text(&again.stdout).lines().collect();
    assert!(lines[0].starts_with(&format!("{}\twas sent before, at 20", ids[0])), "{lines:?}");
    assert_eq!(lines[1..], [format!("{unknown}\tthere is no such booking"), "x\tthere is no such booking".to_owned()]);
    assert_eq!(complaint(&again), "greenroom: 2 of 3 bookings could not be sent\n");
}

#[tokio::test]
async fn a_booking_that_cannot_be_sent_stays_unsent() {
    let (dir, ids) = kept(&["first", "second"]).await;
    let url = format!("smtp://{}", nobody().unwrap());
    let away = [("MAIL_TRANSPORT", "smtp"), ("SMTP_URL", &*url)];
    let refused = bookings(dir.path(), &["resend"], &away);
    assert_eq!(refused.status.code(), Some(1));
    let lines = ids.iter().map(|id| format!("{id}\tthe mail cannot be sent for now: the connection failed\n"));
    assert_eq!(text(&refused.stdout), lines.collect::<String>());
    assert_eq!(complaint(&refused), "greenroom: 2 of 2 bookings could not be sent\n");
    assert_eq!(text(&bookings(dir.path(), &["list"], &[]).stdout).lines().count(), 2);
}

#[tokio::test]
async fn unusable_mail_settings_are_reported_in_one_line() {
    let (dir, _) = kept(&[]).await;
    let refused = bookings(dir.path(), &["resend"], &[FILE[0], ("MAIL_FROM", "a..b@example.com")]);
    assert_eq!(
        complaint(&refused),
        "greenroom: the configuration is not complete:\n  MAIL_FROM: must be a mail address like bookings@example.com\n"
    );
    let url = [("MAIL_TRANSPORT", "smtp"), ("SMTP_URL", "smtp://user:secret@mail.example?tls=none")];
    let refused = bookings(dir.path(), &["resend"], &url);
    let error = &complaint(&refused);
    let said =
        "  MAIL_TRANSPORT: SMTP_URL cannot be used: it must be smtps://, or smtp:// with tls=required, opportunistic\n";
    assert!(error.ends_with(said) && !error.contains("secret"), "{error}");
}

/// `tests/mail/check.py` runs this test. It starts a mail server before and checks the received mails afterwards.
#[tokio::test]
async fn a_mail_server_takes_the_mails() {
    let environment = Environment::of_process();
    let Some(urls) = environment.get("GREENROOM_TEST_SMTP") else { return };
    let roots = environment.get("GREENROOM_TEST_SMTP_ROOTS").unwrap();
    for url in urls.split(' ') {
        let (dir, ids) = kept(&["a\r\nBcc: <mallory@example.com>\r\n\r\n.\r\nMAIL FROM:<>"]).await;
        let server = [("MAIL_TRANSPORT", "smtp"), ("SMTP_URL", url), ("SSL_CERT_FILE", roots)];
        if url.contains("tls") || url.starts_with("smtps") {
            // The machine does not trust the server's certificate.
            assert_eq!(bookings(dir.path(), &["resend"], &server[..2]).status.code(), Some(1));
        }
        let sent = bookings(dir.path(), &["resend"], &server);
        assert_eq!(text(&sent.stdout), format!("{}\tsent\n", ids[0]), "{}", text(&sent.stderr));
        assert_eq!(text(&bookings(dir.path(), &["list"], &[]).stdout), "");
    }
}
