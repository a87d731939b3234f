//! Vonage Video as the media provider, alone and beside OpenTok (`docs/apis/vonage.md`).

use std::time::Duration;

use axum::{
    Json,
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use greenroom_core::{config::Setting, id::random_hex, model::user::Role};
use rstest::rstest;
use serde_json::{Value, json};
use testbed::HttpStub;

use crate::{
    joining::{JOIN, t1},
    media_provider::{SESSIONS, table},
    opentok_webhook::{MONITOR, token},
    stream_sessions::sessions,
    support::{Answer, NOW, TestApp},
};

const APPLICATION: &str = "5a4f3f1c-0d6e-4a57-9b8e-2f6f0b1c7d11";
const SIGNATURE: &str = "secret-of-the-applications-callbacks";
const NETWORK_TEST: &str = "/api/v2/networktestsessions/";

/// The settings of the application, and of sessions that it makes.
fn application(url: &str) -> [(Setting, &str); 5] {
    [
        (Setting::VideoProvider, "vonage"),
        (Setting::VonageApplicationId, APPLICATION),
        (Setting::VonagePrivateKey, include_str!("../keys/rsa.pem")),
        (Setting::VonageSignatureSecret, SIGNATURE),
        (Setting::VonageApiUrl, url),
    ]
}

/// Vonage's API. It makes a session at each POST, and everything else is done.
async fn vonage() -> HttpStub {
    let answer = |method: &Method| -> Response {
        match *method {
            Method::POST => {
                let id = format!("1~{APPLICATION}~~1700000000000~{}~", random_hex());
                let id = format!("1_{}", BASE64_URL_SAFE_NO_PAD.encode(id));
                Json(json!([{ "session_id": id, "project_id": APPLICATION }])).into_response()
            }
            Method::GET => Json(json!({ "count": 1, "items": [{ "id": "an archive" }] })).into_response(),
            _ => StatusCode::NO_CONTENT.into_response(),
        }
    };
    HttpStub::start(move |request| std::future::ready(answer(request.method()))).await.unwrap()
}

/// The method and path of each request, which has to carry a token of the application.
fn asked(server: &HttpStub) -> Vec<String> {
    let received = server.received().into_iter();
    let asked = received.map(|request| {
        let header = request.headers()["authorization"].to_str().unwrap();
        assert_eq!(claims(header.strip_prefix("Bearer ").unwrap())["application_id"], APPLICATION);
        format!("{} {}", request.method(), request.uri())
    });
    asked.collect()
}

/// The claims of a token of the application. Its signature is tested where it is made.
fn claims(token: &str) -> Value {
    let parts: Vec<_> = token.split('.').collect();
    let [header, claims, _] = parts[..] else { panic!("{token}") };
    let part = |part| serde_json::from_slice::<Value>(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    assert_eq!(part(header), json!({ "alg": "RS256", "typ": "JWT" }));
    part(claims)
}

async fn join(app: &TestApp) -> Answer {
    let client = app.client_token(false).await;
    app.with_authorization(client).post(JOIN, json!({ "loginToken": "the token" })).await
}

/// Whether the tokens of the joined sessions are Vonage's, each with the session's number.
fn makers(joined: &Answer) -> Vec<(u64, bool)> {
    assert_eq!(joined.status, 201, "{joined}");
    let sessions = joined.body["sessions"].as_array().unwrap().iter();
    let makers = sessions.map(|session| {
        let token = &session["tokbox"]["sessionToken"];
        let is_vonage = !token.as_str().unwrap().starts_with("T1==");
        let named = if is_vonage { claims(token.as_str().unwrap()) } else { t1(token) };
        assert_eq!(named["session_id"], session["tokbox"]["sessionId"]);
        (session["id"].as_u64().unwrap(), is_vonage)
    });
    makers.collect()
}

#[tokio::test]
async fn a_participant_joins_with_the_applications_token() {
    let server = vonage().await;
    // Without a project of OpenTok nothing is missing.
    let settings = application(server.url()).into_iter();
    let app = TestApp::with(settings.chain([(Setting::OpentokApiKey, ""), (Setting::OpentokApiSecret, "")])).await;
    app.event_to_join(json!({ "subscribersSeeFloor": true }), "interpreter").await;
    assert_eq!(asked(&server), ["POST /session/create"; 2]);
    let joined = join(&app).await;
    let [english, floor] = [0, 1].map(|index| joined.body["sessions"][index].clone());
    for (session, role) in [(english, "publisher"), (floor, "subscriber")] {
        let keys: Vec<_> = session.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["archive", "id", "isFloor", "language", "languageCode", "mode", "tokbox"]);
        let claims = claims(session["tokbox"]["sessionToken"].as_str().unwrap());
        let (jti, data, now) = (&claims["jti"], &claims["connection_data"], NOW / 1000);
        assert_eq!(app.live_names(1, session["id"].as_u64().unwrap()).await, [data.as_str().unwrap()]);
        let expected = json!({
            "application_id": APPLICATION, "sub": "video", "session_id": session["tokbox"]["sessionId"], "role": role,
            "scope": "session.connect", "initial_layout_class_list": "", "connection_data": data,
            "acl": { "paths": { "/session/**": {} } }, "iat": now, "exp": now + 86_400, "jti": jti,
        });
        assert_eq!(claims, expected);
    }
    let tested = app.with_authorization(app.client_token(false).await).post(NETWORK_TEST, json!({})).await;
    let keys: Vec<_> = tested.body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!((tested.status.as_u16(), keys), (201, vec!["sessionId", "sessionToken"]));
    let claims = claims(tested.body["sessionToken"].as_str().unwrap());
    assert_eq!((&claims["session_id"], &claims["role"]), (&tested.body["sessionId"], &json!("publisher")));
}

#[tokio::test]
async fn a_session_is_moved_when_its_media_settings_change() {
    // The stand-in of OpenTok made the sessions.
    let old = TestApp::new().await;
    old.event_to_join(json!({ "subscribersSeeFloor": true }), "participant").await;
    let server = vonage().await;
    let url: &'static str = server.url().to_owned().leak();
    let both = old.again_with(application(url));
    let admin = both.account("another admin", Role::Admin, None).await;
    assert_eq!(makers(&join(&both).await), [(1, false), (2, false)]);
    let path = format!("{SESSIONS}1/");
    let caller = both.organiser(&admin);
    // A change of other fields leaves the session where it is.
    assert_eq!(caller.patch(&path, json!({ "language": "German" })).await.status, 200);
    assert!(asked(&server).is_empty());
    assert_eq!(caller.patch(&path, json!({ "archive": false })).await.status, 200);
    assert_eq!(asked(&server), ["POST /session/create"]);
    both.wait(Duration::from_secs(6));
    assert_eq!(makers(&join(&both).await), [(1, true), (2, false)]);
    // What one provider made is left out where that one's credentials are missing.
    let settings = [(Setting::OpentokApiKey, ""), (Setting::OpentokApiSecret, "")];
    let vonage_only = old.again_with(application(url).into_iter().chain(settings));
    assert_eq!(makers(&join(&vonage_only).await), [(1, true)]);
    assert_eq!(makers(&join(&old).await), [(2, false)]);
    // There the next change makes it anew, whichever it is.
    assert_eq!(vonage_only.organiser(&admin).patch(&format!("{SESSIONS}2/"), json!({})).await.status, 200);
    vonage_only.wait(Duration::from_secs(6));
    assert_eq!(makers(&join(&vonage_only).await), [(1, true), (2, true)]);
    // Its former session at OpenTok is asked for nothing without OpenTok's credentials.
    let archives = vonage_only.organiser(&admin).get(&format!("{SESSIONS}2/archives/")).await;
    assert_eq!((archives.status.as_u16(), &archives.body["results"]), (200, &json!([{ "id": "an archive" }])));
    assert!(asked(&server).last().unwrap().starts_with(&format!("GET /v2/project/{APPLICATION}/archive?")));
}

/// A callback about a client of a connection, signed with this secret.
async fn callback(app: &TestApp, told: &Value, secret: &str) -> String {
    let body = told.to_string();
    let signed = token(&body, secret, &json!({ "iat": app.clock.now().seconds(), "jti": body }));
    app.with_authorization(format!("Bearer {signed}")).post_text(MONITOR, body).await.to_string()
}

#[tokio::test]
async fn its_callbacks_say_who_is_there_and_a_terminated_client_is_disconnected() {
    let server = vonage().await;
    let app = TestApp::with(application(server.url())).await;
    let event = app.event_to_join(json!({}), "moderator").await;
    let joined = join(&app).await;
    let session = &joined.body["sessions"][0];
    let (id, provider) = (session["id"].as_u64().unwrap(), session["tokbox"]["sessionId"].as_str().unwrap());
    let name = claims(session["tokbox"]["sessionToken"].as_str().unwrap())["connection_data"].clone();
    let told = |project: &Value, client: &str| {
        json!({
            "sessionId": provider, "projectId": project, "event": "connectionCreated", "timestamp": NOW,
            "connection": { "id": client, "createdAt": NOW, "data": name },
        })
    };
    let admin = app.account("another admin", Role::Admin, None).await;
    let state = async || {
        let entry = app.entry(&admin, &format!("event={event}&stream={id}")).await;
        assert_eq!(entry["provider"], "vonage");
        entry["state"].as_str().unwrap().to_owned()
    };
    let ours = json!(APPLICATION);
    let refused = r#"401 {"detail":"Invalid signature."}"#;
    assert_eq!(callback(&app, &told(&ours, "a"), "another-secret-of-somebody").await, refused);
    // Only OpenTok's callbacks may have the secret in their URL.
    let keyed = app.anyone().post(&format!("{MONITOR}?key={SIGNATURE}"), told(&ours, "a")).await;
    assert_eq!(keyed.to_string(), refused);
    assert_eq!(callback(&app, &told(&json!("00000000-0d6e-4a57-9b8e-2f6f0b1c7d11"), "a"), SIGNATURE).await, "200 {}");
    assert_eq!(state().await, "issued");
    assert_eq!(callback(&app, &told(&ours, "a"), SIGNATURE).await, "200 {}");
    assert_eq!(state().await, "connected");
    asked(&server);

    let path = format!("{}/{}", sessions(event, id), name.as_str().unwrap());
    assert_eq!(app.operator().delete(&path).await.status, 200);
    let disconnected =
        |client: &str| format!("DELETE /v2/project/{APPLICATION}/session/{provider}/connection/{client}");
    let deletions = || asked(&server).into_iter().filter(|asked| asked.starts_with("DELETE")).collect::<Vec<_>>();
    assert_eq!(deletions(), [disconnected("a")]);
    // Who comes back with the old token is disconnected too.
    assert_eq!(callback(&app, &told(&ours, "b"), SIGNATURE).await, "200 {}");
    assert_eq!(deletions().last(), Some(&disconnected("b")));
}

#[rstest]
#[case::credentials(401, "no")]
#[case::too_many_requests(429, "later")]
#[case::fault(500, "oops")]
#[case::html(200, "<html>")]
#[case::of_another_application(200, r#"[{"session_id":"1_MX4wMDAwMDAwMC0wZDZlLTRhNTctOWI4ZS0yZjZmMGIxYzdkMTF-fjE"}]"#)]
#[case::of_opentok(200, r#"[{"session_id":"1_MX40NTgyODA2Mn5-eA"}]"#)]
#[tokio::test]
async fn nothing_is_stored_if_vonage_fails(#[case] status: u16, #[case] body: &'static str) {
    let server = HttpStub::in_turn([(StatusCode::from_u16(status).unwrap(), body)]).await.unwrap();
    let settings = application(server.url()).into_iter();
    let app = TestApp::with(settings.chain([(Setting::OpentokApiKey, ""), (Setting::OpentokApiSecret, "")])).await;
    let admin = app.admin().await;
    let event = app.organiser(&admin).make_event("A").await;
    let client = app.client_token(false).await;
    let before = table(&app).await;
    for answer in [
        app.organiser(&admin).post(SESSIONS, json!({ "event": event, "language": "x" })).await,
        app.with_authorization(client).post_nothing(NETWORK_TEST).await,
    ] {
        let expected = r#"503 {"detail":"The media provider cannot be reached; try again."}"#;
        assert_eq!((answer.to_string().as_str(), answer.header("retry-after")), (expected, "1"));
    }
    assert_eq!(table(&app).await, before);
}
