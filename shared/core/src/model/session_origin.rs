//! What the id of a provider's session says about who made it (`docs/apis/vonage.md`).

use base64::{
    Engine,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use uuid::Uuid;

use super::RoomName;
use crate::id::ProviderSessionId;

/// The decoder of ids. It takes padding or none, and is as lenient as the providers' own libraries.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Who made a session, as far as its id says.
#[derive(Clone, PartialEq, Eq)]
pub enum SessionOrigin {
    /// A LiveKit server: the id is a room's name.
    LiveKit,
    /// An application of Vonage: one part of the id is a UUID.
    Vonage(Uuid),
    /// A project of OpenTok: the second part of the id is a project's key, letters and digits.
    OpenTok,
    /// The id does not say. Only OpenTok's form is documented.
    Unknown,
}

crate::opaque!(SessionOrigin);

impl SessionOrigin {
    /// Who made this session.
    #[must_use]
    pub fn of(session: &ProviderSessionId) -> Self {
        if RoomName::parse(session.as_str()).is_some() {
            return Self::LiveKit;
        }
        let text = decoded(session).unwrap_or_default();
        if let Some(application) = text.split('~').find_map(application) {
            return Self::Vonage(application);
        }
        let is_key = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if text.split('~').nth(1).is_some_and(is_key) { Self::OpenTok } else { Self::Unknown }
    }
}

/// Whether one of the parts of an id is the key of this project of OpenTok.
#[must_use]
pub fn is_of_project(session: &ProviderSessionId, api_key: &str) -> bool {
    decoded(session).is_some_and(|text| text.split('~').any(|part| part == api_key))
}

/// The text in an id: `<digit>_` and base64 of `1~<project>~<location>~<ms>~<random>~`. `None` if the id has another
/// form.
fn decoded(session: &ProviderSessionId) -> Option<String> {
    let [b'0'..=b'9', b'_', encoded @ ..] = session.as_str().as_bytes() else { return None };
    String::from_utf8(LENIENT.decode(encoded).ok()?).ok()
}

fn application(part: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(part).ok()?;
    // The crate also reads ids without hyphens, which may be keys of projects.
    (id.to_string() == part.to_ascii_lowercase()).then_some(id)
}

#[cfg(test)]
mod tests {
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    use rstest::rstest;

    use super::*;

    const APPLICATION: Uuid = Uuid::from_u128(0x5a4f_3f1c_0d6e_4a57_9b8e_2f6f_0b1c_7d11);

    fn encoded(text: &str) -> ProviderSessionId {
        ProviderSessionId::new(format!("1_{}", BASE64_URL_SAFE_NO_PAD.encode(text)))
    }

    #[rstest]
    #[case::opentok("1~45828062~~1700000000123~AbCd~", &SessionOrigin::OpenTok)]
    #[case::offline("1~AaBb09~12.34.56.78~1700000000123~AbCd~", &SessionOrigin::OpenTok)]
    #[case::a_key_of_hexadecimal_digits("1~5a4f3f1c0d6e4a579b8e2f6f0b1c7d11~~1~x~", &SessionOrigin::OpenTok)]
    #[case::vonage("1~5a4f3f1c-0d6e-4a57-9b8e-2f6f0b1c7d11~~1700000000123~AbCd~", &SessionOrigin::Vonage(APPLICATION))]
    #[case::upper("1~5A4F3F1C-0D6E-4A57-9B8E-2F6F0B1C7D11~~1~x~", &SessionOrigin::Vonage(APPLICATION))]
    #[case::elsewhere("2~eu~5a4f3f1c-0d6e-4a57-9b8e-2f6f0b1c7d11~x", &SessionOrigin::Vonage(APPLICATION))]
    #[case::no_parts("something else", &SessionOrigin::Unknown)]
    #[case::no_key("1~~~1700000000123~AbCd~", &SessionOrigin::Unknown)]
    #[case::no_key_but_a_name("1~a-b~~1700000000123~AbCd~", &SessionOrigin::Unknown)]
    fn an_id_says_who_made_the_session(#[case] text: &str, #[case] origin: &SessionOrigin) {
        assert!(SessionOrigin::of(&encoded(text)) == *origin, "{text}");
    }

    #[test]
    fn a_room_is_of_livekit_and_another_text_of_anybody() {
        assert!(SessionOrigin::of(&RoomName::NetworkTest.room()) == SessionOrigin::LiveKit);
        for id in ["", "1_", "1_!", "x_MX40NTgyODA2Mn5-eA", "5a4f3f1c-0d6e-4a57-9b8e-2f6f0b1c7d11"] {
            assert!(SessionOrigin::of(&ProviderSessionId::new(id.to_owned())) == SessionOrigin::Unknown, "{id}");
        }
    }
}
