//! Clients: joining, testing the network, booking.

use greenroom_core::config::Setting;
use serde_json::json;

use super::{Rows, write_down_uses};
use crate::{joining::JOIN, support::TestApp};

pub(super) async fn measure(rows: &mut Rows) {
    let mails = tempfile::tempdir().unwrap();
    let app = TestApp::with([(Setting::MailDir, mails.path().to_str().unwrap())]).await;
    write_down_uses(&app).await;
    let event = app.event_to_join(json!({}), "moderator").await;
    let admin = app.account("operator", greenroom_core::model::user::Role::Admin, None).await;
    let client = app.client(false).await;
    let join = async || client.post(JOIN, json!({ "loginToken": "the token" })).await;
    rows.note("two sessions, on an instance that has read nothing of it", join().await);
    rows.note("two sessions, on an instance that read it within 5 seconds", join().await);
    for number in 2..25 {
        let session = json!({ "event": event, "language": format!("Language {number}") });
        app.organiser(&admin).make("/api/v2/sessions/", session).await;
    }
    let other = app.again_with([]);
    let client = other.client(false).await;
    let join = async || client.post(JOIN, json!({ "loginToken": "the token" })).await;
    rows.note("25 sessions, on an instance that has read nothing of it", join().await);
    rows.note("25 sessions, on an instance that read it within 5 seconds", join().await);
    rows.note("any", client.post_nothing("/api/v2/networktestsessions/").await);
    rows.note("any", client.post_nothing("/api/v2/networktestsession/").await);
    let booking = json!({
        "event": {
            "date": "24.12.2016", "country": "Österreich", "lengthDays": 2, "lengthHoursDay": 7.5,
            "amountPeople": "40", "fromLang": "de", "toLang": "en",
        },
        "contact": { "name": "Ada", "position": "", "company": "...", "phone": "+43 1", "email": "..." },
    });
    let client = app.client(false).await;
    rows.note("any", client.post("/api/v2/bookingemails/", booking).await);
}
