//! `POST /api/v2/bookingemails`: bookings by mail.

use greenroom_core::{config::Setting, model::Booking};
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;
use testbed::{mail_server, nobody};

use crate::support::TestApp;

const BOOKINGS: &str = "/api/v2/bookingemails/";

fn booking() -> Value {
    json!({
        "event": {
            "date": "24.12.2016", "country": "Österreich", "lengthDays": 2, "lengthHoursDay": 7.5,
            "amountPeople": "40", "fromLang": "de", "toLang": "en",
        },
        "contact": { "name": "Ada", "position": "", "company": "...", "phone": "+43 1", "email": "..." },
    })
}

async fn with_dir() -> (TestApp, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let app = TestApp::with([(Setting::MailDir, dir.path().to_str().unwrap())]).await;
    (app, dir)
}

/// The mails in a directory.
fn mails(dir: &TempDir) -> Vec<String> {
    let files = std::fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().path());
    files
        .map(|path| {
            assert_eq!(path.extension().unwrap(), "eml");
            std::fs::read_to_string(path).unwrap()
        })
        .collect()
}

#[tokio::test]
async fn a_booking_is_kept_and_sent() {
    let (app, dir) = with_dir().await;
    let client = app.client(false).await;
    let mut body = booking();
    (body["x"], body["event"]["x"]) = (json!(1), json!([]));
    let answer = client.post(BOOKINGS, body).await;
    assert_eq!(answer.to_string(), "204 -");
    let [mail] = mails(&dir).try_into().unwrap();
    for header in ["From: greenroom@localhost", "To: bookings@localhost", "Subject: Booking "] {
        assert!(mail.contains(header), "{mail}");
    }
    assert!(app.store.unsent_bookings().await.unwrap().is_empty());
    assert_eq!(client.post("/api/v2/bookingemails", booking()).await.status, 204);
    assert_eq!(mails(&dir).len(), 2);
    assert_eq!(client.get(BOOKINGS).await.status, 405);
    assert_eq!(app.anyone().post(BOOKINGS, booking()).await.status, 401);
    assert_eq!(mails(&dir).len(), 2);
}

#[tokio::test]
async fn a_caller_cannot_inject_a_mail_header() {
    let (app, dir) = with_dir().await;
    let mut body = booking();
    body["contact"]["name"] = json!("x\r\nBcc: everybody@evil.example\r\n\r\nhello");
    body["contact"]["email"] = json!("a@b.example\nSubject: other");
    assert_eq!(app.client(true).await.post(BOOKINGS, body).await.status, 204);
    let [mail] = mails(&dir).try_into().unwrap();
    let (head, _) = mail.split_once("\r\n\r\n").unwrap();
    assert!(!head.contains("evil") && !head.contains("other"), "{head}");
    assert!(!mail.contains("\nBcc:") && !mail.contains("\nSubject: other"));
}

#[rstest]
#[case::nothing(json!({}), json!({ "event": ["This field is required."], "contact": ["This field is required."] }))]
#[case::null(
    json!({ "event": null, "contact": "x" }),
    json!({
        "event": ["This field may not be null."],
        "contact": { "nonFieldErrors": ["Invalid data. Expected a dictionary, but got str."] },
    }),
)]
#[case::empty(
    json!({ "event": {}, "contact": {} }),
    json!({
        "event": {
            "date": ["This field is required."], "country": ["This field is required."],
            "lengthDays": ["This field is required."], "lengthHoursDay": ["This field is required."],
            "amountPeople": ["This field is required."], "fromLang": ["This field is required."],
            "toLang": ["This field is required."],
        },
        "contact": {
            "name": ["This field is required."], "position": ["This field is required."],
            "company": ["This field is required."], "phone": ["This field is required."],
            "email": ["This field is required."],
        },
    }),
)]
#[tokio::test]
async fn a_missing_field_is_reported_under_its_name(#[case] body: Value, #[case] errors: Value) {
    let (app, dir) = with_dir().await;
    let answer = app.client(false).await.post(BOOKINGS, body).await;
    assert_eq!((answer.status.as_u16(), answer.body), (400, errors));
    assert!(mails(&dir).is_empty() && app.store.unsent_bookings().await.unwrap().is_empty());
}

#[tokio::test]
async fn each_field_is_required_and_must_be_a_string() {
    let (app, _dir) = with_dir().await;
    let client = app.client(false).await;
    for (part, fields) in booking().as_object().unwrap() {
        for field in fields.as_object().unwrap().keys() {
            let mut body = booking();
            body[part].as_object_mut().unwrap().remove(field);
            let answer = client.post(BOOKINGS, body).await;
            assert_eq!(answer.body, json!({ part: { field: ["This field is required."] } }));
            for (odd, message) in [
                (json!(null), "This field may not be null."),
                (json!(["x"]), "Not a valid string."),
                (json!(true), "Not a valid string."),
                (json!("x".repeat(4001)), "Ensure this field has no more than 4000 characters."),
            ] {
                let mut body = booking();
                body[part][field] = odd;
                let answer = client.post(BOOKINGS, body).await;
                assert_eq!((answer.status.as_u16(), answer.body), (400, json!({ part: { field: [message] } })));
            }
        }
    }
}

#[tokio::test]
async fn a_trailing_comma_is_not_json() {
    let (app, _dir) = with_dir().await;
    let text = booking().to_string().replace(r#""toLang":"en"}"#, r#""toLang":"en",}"#);
    let answer = app.client(false).await.post_text(BOOKINGS, text).await;
    assert_eq!(answer.status, 400);
    let detail = answer.body["detail"].as_str().unwrap();
    assert!(detail.starts_with("JSON parse error - ") && !detail.contains("Ada"), "{detail}");
}

#[rstest]
#[case::refused(Some("550 no such user"), 500, "The booking is kept, but its e-mail could not be sent.", "-")]
#[case::busy(Some("451 later"), 503, "The booking is kept, but its e-mail could not be sent yet.", "1")]
#[case::down(None, 503, "The booking is kept, but its e-mail could not be sent yet.", "1")]
#[tokio::test]
async fn a_booking_whose_mail_fails_is_kept_as_unsent(
    #[case] reply: Option<&'static str>,
    #[case] status: u16,
    #[case] detail: &str,
    #[case] retry_after: &str,
) {
    let address = match reply {
        Some(reply) => mail_server(&["220 here", "250 here", "250 ok", reply, "221 bye"]).await.unwrap().0,
        None => nobody().unwrap(),
    };
    let url = format!("smtp://{address}");
    let app = TestApp::with([(Setting::MailTransport, "smtp"), (Setting::SmtpUrl, url.as_str())]).await;
    let answer = app.client(false).await.post(BOOKINGS, booking()).await;
    assert_eq!((answer.status.as_u16(), &answer.body), (status, &json!({ "detail": detail })));
    assert_eq!(answer.header("retry-after"), retry_after);
    let [Booking { event, contact, sent_at, .. }] = app.store.unsent_bookings().await.unwrap().try_into().unwrap();
    assert_eq!((event.length_days.as_str(), event.length_hours_day.as_str()), ("2", "7.5"));
    assert_eq!((event.country.as_str(), contact.position.as_str(), sent_at), ("Österreich", "", None));
}
