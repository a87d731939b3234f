use rstest::rstest;
use testbed::{mail_server, nobody};

use super::{
    super::tests::{ID, addresses, mail},
    *,
};

/// Long enough for the answers of a server on this machine.
const LIMIT: Duration = Duration::from_secs(8);
/// For servers that do not answer at all.
const SHORT: Duration = Duration::from_millis(200);

/// The replies of a mail server that takes a mail: its greeting, then those to EHLO, MAIL, RCPT, DATA and the mail.
const TAKEN: [&str; 6] = ["220 here", "250 here", "250 ok", "250 ok", "354 go on", "250 taken"];

fn mailer(url: &str, limit: Duration) -> SmtpMailer {
    SmtpMailer::new(&url.to_owned().into(), addresses(), limit).unwrap()
}

async fn outcome(replies: &[&str], limit: Duration) -> Result<(), MailError> {
    let (address, _heard) = mail_server(replies).await.unwrap();
    let mailer = mailer(&format!("smtp://{address}"), limit);
    timeout(2 * LIMIT, mailer.send(&mail())).await.unwrap()
}

fn unavailable(reason: &str) -> Result<(), MailError> {
    Err(MailError::Unavailable(reason.to_owned()))
}

#[tokio::test]
async fn a_mail_server_gets_the_mail_whole() {
    let (address, heard) = mail_server(&[&TAKEN[..], &["221 bye"]].concat()).await.unwrap();
    assert_eq!(mailer(&format!("smtp://{address}"), LIMIT).send(&mail()).await, Ok(()));
    let heard = heard.await.unwrap().unwrap();
    let (commands, message) = heard.split_once("DATA\r\n").unwrap();
    assert!(commands.ends_with("MAIL FROM:<greenroom@example.com>\r\nRCPT TO:<bookings@example.org>\r\n"), "{heard}");
    let expected = String::from_utf8(addresses().write(&mail()).unwrap()).unwrap();
    // The library ends the last line once more.
    assert_eq!(message, format!("{expected}\r\n.\r\nQUIT\r\n"));
    assert!(message.contains(ID));
}

#[rstest]
#[case::greeting(0, "554 no")]
#[case::sender(2, "550 greenroom@example.com is not welcome")]
#[case::receiver(3, "550 no such user bookings@example.org")]
#[case::mail(5, "552 too long")]
#[tokio::test]
async fn a_5xx_is_a_refusal_for_good(#[case] at: usize, #[case] reply: &str) {
    let replies = [&TAKEN[..at], &[reply, "221 bye"]].concat();
    assert_eq!(outcome(&replies, LIMIT).await, Err(MailError::Refused(format!("SMTP {}", &reply[..3]))));
}

#[rstest]
#[case::greeting(0, "421 busy")]
#[case::receiver(3, "450 greylisted")]
#[case::mail(5, "451 later")]
#[tokio::test]
async fn a_4xx_passes(#[case] at: usize, #[case] reply: &str) {
    let replies = [&TAKEN[..at], &[reply, "221 bye"]].concat();
    assert_eq!(outcome(&replies, LIMIT).await, unavailable(&format!("SMTP {}", &reply[..3])));
}

#[rstest]
#[case::greeting(0)]
#[case::receiver(3)]
#[case::mail(5)]
#[tokio::test]
async fn silence_ends_in_time(#[case] at: usize) {
    assert_eq!(outcome(&TAKEN[..at], SHORT).await, unavailable("timed out"));
}

#[tokio::test]
async fn a_mail_that_was_taken_has_left_whatever_follows() {
    assert_eq!(outcome(&TAKEN, LIMIT / 8).await, Ok(()));
    assert_eq!(outcome(&[&TAKEN[..], &["500 what?"]].concat(), LIMIT).await, Ok(()));
}

#[tokio::test]
async fn nonsense_is_no_refusal() {
    assert_eq!(outcome(&["HTTP/1.1 400 Bad Request"], LIMIT).await, unavailable("the answer cannot be read"));
}

#[tokio::test]
async fn nobody_there_is_no_refusal() {
    let outcome = mailer(&format!("smtp://{}", nobody().unwrap()), LIMIT).send(&mail()).await;
    assert_eq!(outcome, unavailable("the connection failed"));
}

#[tokio::test]
async fn no_mail_leaves_in_clear_where_tls_is_required() {
    let (address, heard) = mail_server(&TAKEN).await.unwrap();
    let outcome = mailer(&format!("smtp://user:secret@{address}?tls=required"), LIMIT).send(&mail()).await;
    assert_eq!(outcome, Err(MailError::Refused("the server lacks what the settings ask of it".to_owned())));
    let heard = heard.await.unwrap().unwrap();
    assert!(heard.starts_with("EHLO ") && heard.lines().count() == 1, "{heard}");
}

#[tokio::test]
async fn credentials_come_from_the_url() {
    let replies = ["220 here", "250-here\r\n250 AUTH PLAIN", "535 wrong"];
    let (address, heard) = mail_server(&replies).await.unwrap();
    let outcome = mailer(&format!("smtp://us%40er:p%2Fss%3A@{address}"), LIMIT).send(&mail()).await;
    assert_eq!(outcome, Err(MailError::Refused("SMTP 535".to_owned())));
    // "\0us@er\0p/ss:" in base64.
    assert!(heard.await.unwrap().unwrap().ends_with("AUTH PLAIN AHVzQGVyAHAvc3M6\r\n"));
}

#[rstest]
#[case("smtp://mail.example", "None", 25)]
#[case("smtp://mail.example?tls=required", "Required", 587)]
#[case("smtp://mail.example?tls=opportunistic", "Opportunistic", 587)]
#[case("smtps://mail.example", "Wrapper", 465)]
#[case("smtps://user:secret@mail.example:2465", "Wrapper", 2465)]
fn the_url_says_how_the_server_is_reached(#[case] url: &str, #[case] tls: &str, #[case] port: u16) {
    let mailer = mailer(url, LIMIT);
    let kind = match &mailer.tls {
        Tls::None => "None",
        Tls::Opportunistic(_) => "Opportunistic",
        Tls::Required(_) => "Required",
        Tls::Wrapper(_) => "Wrapper",
    };
    assert_eq!((kind, mailer.port, &*mailer.host), (tls, port, "mail.example"));
    assert_eq!(format!("{mailer:?}"), "SmtpMailer");
}

#[rstest]
#[case("smtp://")]
#[case("smtp://user:secret@mail.example?tls=none")]
#[case("smtp://user:%ff@mail.example")]
#[case("http://user:secret@mail.example")]
fn a_url_that_cannot_be_used_is_refused_without_being_quoted(#[case] url: &str) {
    let error = SmtpMailer::new(&url.to_owned().into(), addresses(), LIMIT).unwrap_err();
    assert!(error.to_string().starts_with("SMTP_URL cannot be used: "));
    assert!(!error.to_string().contains("secret"));
}
