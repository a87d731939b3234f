//! The form of session ids: `<digit>_` and base64 of `1~<api key>~<location>~<ms>~<random>~` (`docs/apis/opentok.md`).

use std::net::Ipv4Addr;

use base64::{
    Engine,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use greenroom_core::{
    clock::Timestamp,
    id::{ProviderSessionId, random_bytes},
};

/// The decoder of ids. It takes padding or none, and is as lenient as the provider's own libraries.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A new id of this project.
pub(super) fn new(api_key: &str, location: Option<Ipv4Addr>, now: Timestamp) -> ProviderSessionId {
    let location = location.map_or_else(String::new, |location| location.to_string());
    // 24 characters of base64.
    let random = BASE64_STANDARD.encode(random_bytes::<18>());
    let text = format!("1~{api_key}~{location}~{}~{random}~", now.millis());
    ProviderSessionId::new(format!("1_{}", BASE64_URL_SAFE_NO_PAD.encode(text)))
}

/// Whether the id belongs to this project: one of its parts is the project's key.
pub(super) fn is_of(id: &ProviderSessionId, api_key: &str) -> bool {
    let text = match id.as_str().as_bytes() {
        [b'0'..=b'9', b'_', encoded @ ..] => LENIENT.decode(encoded),
        _ => return false,
    };
    let text = text.unwrap_or_default();
    str::from_utf8(&text).is_ok_and(|text| text.split('~').any(|part| part == api_key))
}
