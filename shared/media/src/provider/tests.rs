use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use greenroom_core::config::{Setting, Strictness};
use rstest::rstest;

use super::*;

const SETTINGS: &[Setting] = &[
    Setting::VideoProvider,
    Setting::OpentokApiKey,
    Setting::OpentokApiSecret,
    Setting::OpentokApiUrl,
    Setting::VonageApplicationId,
    Setting::VonagePrivateKey,
    Setting::VonageApiUrl,
    Setting::LivekitUrl,
    Setting::LivekitApiKey,
    Setting::LivekitApiSecret,
];
const OPENTOK: &[(&str, &str)] =
    &[("OPENTOK_API_URL", "http://127.0.0.1:1"), ("OPENTOK_API_KEY", "45828062"), ("OPENTOK_API_SECRET", "secret")];
const VONAGE: &[(&str, &str)] = &[
    ("VONAGE_API_URL", "http://127.0.0.1:1"),
    ("VONAGE_APPLICATION_ID", "5a4f3f1c-0d6e-4a57-9b8e-2f6f0b1c7d11"),
    ("VONAGE_PRIVATE_KEY", include_str!("../../../../tests/keys/rsa.pem")),
];
const LIVEKIT: &[(&str, &str)] =
    &[("LIVEKIT_URL", "http://127.0.0.1:1"), ("LIVEKIT_API_KEY", "devkey"), ("LIVEKIT_API_SECRET", "secret")];

fn media(provider: &str, credentials: &[&[(&str, &str)]]) -> Media {
    let provider = [("VIDEO_PROVIDER", provider)];
    let environment = credentials.concat().into_iter().chain(provider);
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Media::new(&Config::read(&environment, SETTINGS, Strictness::Local).unwrap(), &Clock::system())
}

#[rstest]
#[case::by_default("offline", "OfflineProvider")]
#[case::opentok("opentok", "OpenTokProvider")]
#[case::vonage_beside_opentok("vonage", "OpenTokProvider")]
#[case::livekit_beside_opentok("livekit", "OpenTokProvider")]
#[tokio::test]
async fn a_session_goes_on_with_the_provider_that_made_it(#[case] provider: &str, #[case] name: &str) {
    let media = media(provider, &[OPENTOK, VONAGE, LIVEKIT]);
    let opentok = ProviderSessionId::new("1_MX40NTgyODA2Mn5-eA".to_owned());
    assert!(format!("{:?}", media.provider_of(&opentok)).contains(name), "{media:?}");
    let room = RoomName::NetworkTest.room();
    assert!(format!("{:?}", media.provider_of(&room)).contains("LiveKitProvider"));
    assert!(matches!(media.maker_of(&room), Some(Maker::LiveKit(_))));
    assert!(matches!(media.maker_of(&opentok), Some(Maker::OpenTok(_))));
    let made = media.create_session(&NewSession::plain(RoomName::NetworkTest)).await;
    let is_room = made.as_ref().is_ok_and(|made| RoomName::parse(made.as_str()).is_some());
    assert_eq!(is_room, provider == "livekit");
    assert_eq!(made.is_err(), matches!(provider, "opentok" | "vonage"), "they cannot be reached");
}

/// The maker of a session, and who is asked about it.
fn of(media: &Media, session: &str) -> [String; 2] {
    let session = ProviderSessionId::new(session.to_owned());
    let maker = match media.maker_of(&session) {
        Some(Maker::OpenTok(_)) => "OpenTok",
        Some(Maker::Vonage(_)) => "Vonage",
        Some(Maker::LiveKit(_)) => "LiveKit",
        None => "",
    };
    let provider = media.provider_of(&session).map(|provider| format!("{provider:?}").replace("Provider", ""));
    [maker.to_owned(), provider.unwrap_or_default()]
}

#[rstest]
#[case::of_the_project("1~45828062~~1~x~", [["OpenTok", "OpenTok"], ["OpenTok", "OpenTok"], ["", ""], ["", ""]])]
#[case::of_another_project("1~99999999~~1~x~", [["", "OpenTok"], ["", "OpenTok"], ["", ""], ["", ""]])]
#[case::of_the_application(
    "1~5a4f3f1c-0d6e-4a57-9b8e-2f6f0b1c7d11~~1~x~",
    [["Vonage", "Vonage"], ["", ""], ["Vonage", "Vonage"], ["", ""]]
)]
#[case::of_another_application(
    "1~00000000-0d6e-4a57-9b8e-2f6f0b1c7d11~~1~x~",
    [["", ""], ["", ""], ["", ""], ["", ""]]
)]
#[case::of_nobody("1~~~1~x~", [["Vonage", "Vonage"], ["", "OpenTok"], ["Vonage", "Vonage"], ["", ""]])]
#[case::of_another_form("", [["Vonage", "Vonage"], ["", "OpenTok"], ["Vonage", "Vonage"], ["", ""]])]
fn an_id_says_who_made_the_session(#[case] text: &str, #[case] expected: [[&str; 2]; 4]) {
    let id =
        if text.is_empty() { "another form".to_owned() } else { format!("1_{}", BASE64_URL_SAFE_NO_PAD.encode(text)) };
    let configured: [&[&[(&str, &str)]]; 4] =
        [&[OPENTOK, VONAGE, LIVEKIT], &[OPENTOK, LIVEKIT], &[VONAGE, LIVEKIT], &[LIVEKIT]];
    for (credentials, expected) in configured.into_iter().zip(expected) {
        // Which provider makes new sessions does not matter.
        assert_eq!(of(&media("livekit", credentials), &id), expected, "{} settings", credentials.concat().len());
    }
}

#[test]
fn without_a_server_a_room_is_nobodys() {
    let room = RoomName::NetworkTest.room();
    assert_eq!(of(&media("vonage", &[OPENTOK, VONAGE]), room.as_str()), ["", ""]);
}
