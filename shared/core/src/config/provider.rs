//! Settings of the media provider (`docs/apis/opentok.md`).

use secrecy::SecretString;

/// The media provider that makes sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VideoProvider {
    /// None. Greenroom makes ids and tokens of the real form.
    #[default]
    Offline,
    /// OpenTok's REST API.
    OpenTok,
}

impl VideoProvider {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match text {
            "offline" => Ok(Self::Offline),
            "opentok" => Ok(Self::OpenTok),
            _ => Err("must be offline or opentok".to_owned()),
        }
    }
}

/// An OpenTok project, and the address of its API.
#[derive(Clone, Debug, Default)]
pub struct OpenTok {
    /// The project's key. It is public, and part of every session id.
    pub api_key: String,
    /// The secret that signs tokens and requests.
    pub api_secret: SecretString,
    /// The scheme and host of the REST API.
    pub api_url: String,
}

pub(super) fn api_key(text: &str) -> Result<String, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if digits { Ok(text.to_owned()) } else { Err("must be letters and digits".to_owned()) }
}
