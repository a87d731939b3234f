//! Device tokens where static API tokens are accepted: `rtcsessions`, `networktestsessions` and `bookingemails`.

use axum::body::Body;
use greenroom_core::config::Setting;
use serde_json::{Value, json};

use crate::support::{Answer, Caller, TestApp};

/// The endpoints that a client calls.
const CALLS: [&str; 4] = ["rtcsessions", "networktestsessions", "networktestsession", "bookingemails"];

async fn call(caller: &Caller<'_>, name: &str) -> Answer {
    let text = |keys: &[&str]| -> Value { keys.iter().map(|key| ((*key).to_owned(), json!("x"))).collect() };
    let event = ["date", "country", "lengthDays", "lengthHoursDay", "amountPeople", "fromLang", "toLang"];
    let body = match name {
        "rtcsessions" => json!({ "loginToken": "the token" }),
        "bookingemails" => {
            json!({ "event": text(&event), "contact": text(&["name", "position", "company", "phone", "email"]) })
        }
        _ => json!({}),
    };
    caller.post(&format!("/api/v2/{name}/"), body).await
}

#[tokio::test]
async fn a_device_is_a_client_while_its_token_is_current() {
    let mails = tempfile::tempdir().unwrap();
    let app = TestApp::with([(Setting::MailDir, mails.path().to_str().unwrap())]).await;
    app.event_to_join(json!({}), "participant").await;
    let old = app.register("phone").await;
    for name in CALLS {
        let answer = call(&app.bearer(&old), name).await;
        assert!(answer.status.is_success(), "{name}: {answer}");
    }
    let refreshed = app.bearer(&old).post_nothing("/api/session/refresh").await;
    let new = refreshed.body["data"]["token"].as_str().unwrap();
    app.wait(std::time::Duration::from_secs(6));
    for name in CALLS {
        assert_eq!(call(&app.bearer(&old), name).await.to_string(), r#"401 {"detail":"Invalid token."}"#, "{name}");
        assert!(call(&app.bearer(new), name).await.status.is_success(), "{name}");
    }
    app.bearer(new).delete("/api/session").await;
    app.wait(std::time::Duration::from_secs(6));
    for name in CALLS {
        let refused = call(&app.bearer(new), name).await;
        assert_eq!(refused.to_string(), r#"401 {"detail":"Invalid token."}"#, "{name}");
        assert_eq!(refused.header("www-authenticate"), "Token", "{name}");
    }
}

#[tokio::test]
async fn no_other_kind_of_token_passes_for_a_device_token() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let client = app.client_token(false).await;
    let device = app.register("phone").await;
    for name in CALLS {
        for (authorization, detail) in [
            (format!("Bearer {}", admin.jwt), "Invalid token."),
            (format!("Bearer {}", client.strip_prefix("Token ").unwrap()), "Invalid token."),
            (format!("Token {device}"), "Invalid token."),
            (format!("JWT {device}"), "Authentication credentials were not provided."),
            ("Bearer".to_owned(), "Invalid token header. No credentials provided."),
        ] {
            let answer = call(&app.with_authorization(authorization.clone()), name).await;
            assert_eq!(
                (answer.status.as_u16(), &answer.body["detail"]),
                (401, &json!(detail)),
                "{name} {authorization}"
            );
        }
        // The method is checked after the credentials, a device's too.
        let path = format!("/api/v2/{name}/");
        assert_eq!(app.bearer(&device).send("PUT", &path, &[], Body::empty()).await.status, 405, "{name}");
    }
}
