use std::net::Ipv4Addr;

use axum::{
    body::Bytes,
    http::{Request, StatusCode},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use greenroom_core::{
    config::{Config, Setting, Strictness},
    model::{RoomName, SessionMode},
};
use rstest::rstest;
use rustls::{
    SignatureScheme,
    crypto::ring::{self, sign},
};
use serde_json::{Value, json};
use testbed::HttpStub;

use super::*;
use crate::provider::{T1_TTL, T1Role};

const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);
const APPLICATION: &str = "5a4f3f1c-0d6e-4a57-9b8e-2f6f0b1c7d11";
const KEY: &str = include_str!("../../../../../tests/keys/rsa.pem");
const PKCS1: &str = include_str!("../../../../../tests/keys/rsa-pkcs1.pem");
const SECOND: &str = include_str!("../../../../../tests/keys/rsa-second.pem");

fn vonage(api_url: &str, key: &str) -> Vonage {
    let settings = [("VONAGE_APPLICATION_ID", APPLICATION), ("VONAGE_PRIVATE_KEY", key), ("VONAGE_API_URL", api_url)];
    let environment = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let asked = [Setting::VonageApplicationId, Setting::VonagePrivateKey, Setting::VonageApiUrl];
    Config::read(&environment, &asked, Strictness::Local).unwrap().vonage.unwrap()
}

fn provider(api_url: &str) -> VonageProvider {
    VonageProvider::new(&vonage(api_url, KEY), Clock::stopped_at(NOW))
}

fn offline() -> VonageProvider {
    provider("http://127.0.0.1:1")
}

fn id(text: &str) -> ProviderSessionId {
    ProviderSessionId::new(format!("1_{}", BASE64_URL_SAFE_NO_PAD.encode(text)))
}

/// The id of a session of the application.
fn session() -> ProviderSessionId {
    id(&format!("1~{APPLICATION}~~1700000000123~AbCdEfGhIjKlMnOpQrStUvWx~"))
}

/// An API that creates sessions with this id.
async fn creating(id: &ProviderSessionId) -> HttpStub {
    let created = json!([{ "session_id": id, "project_id": APPLICATION, "media_server_url": "" }]);
    HttpStub::in_turn([(StatusCode::OK, created.to_string())]).await.unwrap()
}

/// The claims of a token, if this key signed it.
fn claims(token: &str, key: &str) -> Option<Value> {
    let keys = vonage("http://127.0.0.1:1", key).private_keys;
    let spki = sign::any_supported_type(keys[0].der()).unwrap().public_key().unwrap().to_vec();
    let (input, signature) = token.rsplit_once('.').unwrap();
    let (header, claims) = input.split_once('.').unwrap();
    let [header, claims, signature] =
        [header, claims, signature].map(|part| BASE64_URL_SAFE_NO_PAD.decode(part).unwrap());
    assert_eq!(serde_json::from_slice::<Value>(&header).unwrap(), json!({ "alg": "RS256", "typ": "JWT" }));
    let algorithms = ring::default_provider().signature_verification_algorithms;
    let (_, [algorithm, ..]) =
        algorithms.mapping.iter().find(|(scheme, _)| *scheme == SignatureScheme::RSA_PKCS1_SHA256).unwrap()
    else {
        panic!("an algorithm")
    };
    // What says that it is an RSA key has 24 bytes before the key itself.
    algorithm.verify_signature(&spki[24..], input.as_bytes(), &signature).ok()?;
    Some(serde_json::from_slice(&claims).unwrap())
}

/// The claims of a request's credentials.
fn claims_of(request: &Request<Bytes>) -> Value {
    let header = request.headers()["authorization"].to_str().unwrap();
    claims(header.strip_prefix("Bearer ").unwrap(), KEY).unwrap()
}

fn token(session: &ProviderSessionId, role: T1Role, data: &str, expires_at: Timestamp) -> Result<Value, T1Error> {
    let token = offline().token(&Grant { session, role, expires_at, connection_data: data }, NOW)?;
    Ok(claims(token.as_str(), KEY).unwrap())
}

/// OpenSSL made this signature, with `openssl dgst -sha256 -sign rsa.pem`.
#[rstest]
#[case::pkcs_8(KEY)]
#[case::pkcs_1(PKCS1)]
fn a_signature_is_that_of_openssl(#[case] key: &str) {
    let signer = Rs256::new(&vonage("http://127.0.0.1:1", key).private_keys[0]).unwrap();
    let token = signer.token(&json!({ "a": 1 })).unwrap();
    assert_eq!(token, include_str!("openssl-rs256.txt").trim_end());
}

#[test]
fn a_key_whose_numbers_do_not_belong_together_signs_nothing() {
    let mut lines: Vec<_> = KEY.lines().collect();
    lines.swap(12, 13);
    let provider = VonageProvider::new(&vonage("http://127.0.0.1:1", &lines.join("\n")), Clock::stopped_at(NOW));
    let session = session();
    let grant = Grant { session: &session, role: T1Role::Publisher, expires_at: NOW + T1_TTL, connection_data: "" };
    assert_eq!(provider.token(&grant, NOW).unwrap_err(), T1Error::Key);
}

#[test]
fn the_first_of_two_keys_signs() {
    let keys = json!([SECOND, KEY]).to_string();
    let provider = VonageProvider::new(&vonage("http://127.0.0.1:1", &keys), Clock::stopped_at(NOW));
    let session = session();
    let grant = Grant { session: &session, role: T1Role::Publisher, expires_at: NOW + T1_TTL, connection_data: "" };
    let token = provider.token(&grant, NOW).unwrap();
    assert!(claims(token.as_str(), SECOND).is_some());
    assert!(claims(token.as_str(), KEY).is_none());
}

#[rstest]
#[case::subscriber(T1Role::Subscriber, "subscriber", "0c2b5c1e-6c1f-4b5a-9a43-1f6f3f0f8a11")]
#[case::publisher(T1Role::Publisher, "publisher", "")]
#[case::moderator(T1Role::Moderator, "moderator", "a \"name\"")]
fn a_token_says_what_was_granted(#[case] role: T1Role, #[case] name: &str, #[case] data: &str) {
    let session = session();
    let claims = token(&session, role, data, NOW + T1_TTL).unwrap();
    let (now, exp, jti) = (NOW.seconds(), 1_700_086_400, &claims["jti"]);
    assert_eq!(jti.as_str().unwrap().len(), 32);
    let mut expected = json!({
        "application_id": APPLICATION, "sub": "video", "session_id": session, "role": name,
        "scope": "session.connect", "initial_layout_class_list": "",
        "acl": { "paths": { "/session/**": {} } }, "iat": now, "exp": exp, "jti": jti,
    });
    if !data.is_empty() {
        expected["connection_data"] = json!(data);
    }
    assert_eq!(claims, expected);
    assert_ne!(token(&session, role, data, NOW + T1_TTL).unwrap()["jti"], *jti);
}

#[test]
fn a_token_ends_within_thirty_days_and_has_a_thousand_code_points_of_data() {
    let session = session();
    let at = |seconds: i64| Timestamp::from_seconds(NOW.seconds() + seconds);
    let life = |seconds| token(&session, T1Role::Publisher, "", at(seconds)).map(drop);
    assert_eq!([life(0), life(2_592_000)], [Ok(()), Ok(())]);
    assert_eq!([life(-1), life(2_592_001)], [Err(T1Error::Expiry), Err(T1Error::Expiry)]);
    let data = |count| token(&session, T1Role::Publisher, &"🎧".repeat(count), NOW + T1_TTL).map(drop);
    assert_eq!([data(1000), data(1001)], [Ok(()), Err(T1Error::ConnectionData)]);
}

#[rstest]
#[case::of_the_application(&session(), true)]
#[case::of_no_known_form(&ProviderSessionId::new("another form".to_owned()), true)]
#[case::of_another_application(&id("1~00000000-0d6e-4a57-9b8e-2f6f0b1c7d11~~1~x~"), false)]
#[case::of_a_project_of_opentok(&id("1~45828062~~1~x~"), false)]
#[case::a_room(&RoomName::NetworkTest.room(), false)]
#[tokio::test]
async fn only_the_applications_sessions_are_taken_and_have_tokens(#[case] id: &ProviderSessionId, #[case] ours: bool) {
    let refused = token(id, T1Role::Publisher, "", NOW + T1_TTL).err();
    assert_eq!(refused, (!ours).then_some(T1Error::Session));
    let server = creating(id).await;
    let made = provider(server.url()).create_session(&NewSession::plain(RoomName::NetworkTest)).await;
    assert!(matches!((made, ours), (Ok(_), true) | (Err(ProviderError::ForeignSession), false)));
}

#[tokio::test]
async fn a_session_is_asked_for_as_at_opentok_with_a_bearer_token() {
    let server = creating(&session()).await;
    let location = Some(Ipv4Addr::new(12, 34, 56, 78));
    let new = NewSession { purpose: RoomName::NetworkTest, mode: SessionMode::Routed, archive: true, location };
    assert!(provider(server.url()).create_session(&new).await.unwrap() == session());
    let [request] = &server.received()[..] else { panic!("one request") };
    assert_eq!((request.method().as_str(), request.uri().path()), ("POST", "/session/create"));
    assert_eq!(request.headers()["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(request.headers()["accept"], "application/json");
    let form = "p2p.preference=disabled&archiveMode=always&location=12.34.56.78";
    assert_eq!(std::str::from_utf8(request.body()).unwrap(), form);
    let claims = claims_of(request);
    let (now, jti) = (NOW.seconds(), &claims["jti"]);
    assert_eq!(jti.as_str().unwrap().len(), 32);
    assert_eq!(claims, json!({ "application_id": APPLICATION, "iat": now, "exp": now + 900, "jti": jti }));
    assert!(!request.headers().contains_key("x-opentok-auth"));
}

#[rstest]
#[case::a_fault_of_theirs(&[500, 204], "done")]
#[case::gone_before(&[404], "done")]
#[case::bad_credentials(&[401], "the media provider refused our credentials")]
#[case::forbidden(&[403], "the media provider refused our credentials")]
#[case::too_many_requests(&[429], "the media provider answered with status 429")]
#[tokio::test]
async fn a_connection_is_ended_or_was_not_there(#[case] statuses: &[u16], #[case] outcome: &str) {
    let answers =
        statuses.iter().map(|status| (StatusCode::from_u16(*status).unwrap(), "no secret of theirs".to_owned()));
    let server = HttpStub::in_turn(answers).await.unwrap();
    let told = provider(server.url()).disconnect(&session(), "c0ffee-1").await;
    assert_eq!(told.map_or_else(|error| error.to_string(), |()| "done".to_owned()), outcome);
    let requests = server.received();
    assert_eq!(requests.len(), statuses.len());
    let mut ids: Vec<_> = requests.iter().map(|request| claims_of(request)["jti"].to_string()).collect();
    ids.dedup();
    assert_eq!(ids.len(), statuses.len(), "each attempt has credentials of its own");
    for request in requests {
        let path = format!("/v2/project/{APPLICATION}/session/{}/connection/c0ffee-1", session());
        assert_eq!((request.method().as_str(), request.uri().path()), ("DELETE", &*path));
    }
}

#[tokio::test]
async fn a_page_of_archives_comes_without_what_is_private() {
    let archive =
        json!({ "id": "a", "status": "available", "applicationId": APPLICATION, "projectId": 2, "password": "x" });
    let answer = json!({ "count": 7, "items": [archive] });
    let server = HttpStub::in_turn([(StatusCode::OK, answer.to_string())]).await.unwrap();
    let archives = provider(server.url()).archives(&session(), 20, 2).await.unwrap();
    let shown = json!([{ "id": "a", "status": "available" }]);
    assert_eq!((archives.count, json!(archives.items)), (7, shown));
    let [request] = &server.received()[..] else { panic!("one request") };
    let uri = format!("/v2/project/{APPLICATION}/archive?sessionId={}&offset=20&count=2", session());
    assert_eq!((request.method().as_str(), request.uri().to_string()), ("GET", uri));
    assert_eq!(claims_of(request)["application_id"], APPLICATION);
}

#[test]
fn neither_a_provider_nor_its_key_shows_itself() {
    assert_eq!(format!("{:?}", offline()), "VonageProvider");
    let shown = format!("{:?}", vonage("http://127.0.0.1:1", KEY));
    assert!(shown.contains("private_keys: [RsaPrivateKey]"), "{shown}");
}
