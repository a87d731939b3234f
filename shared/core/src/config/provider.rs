//! Settings of the media provider (`docs/apis/opentok.md`).

use secrecy::{ExposeSecret, SecretString};

use super::{Reader, Setting, url::public_url};

/// The media provider that makes sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VideoProvider {
    /// None. Greenroom makes ids and tokens of the real form.
    #[default]
    Offline,
    /// OpenTok's REST API.
    OpenTok,
    /// Vonage Video's REST API.
    Vonage,
    /// A LiveKit server.
    LiveKit,
}

impl VideoProvider {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match text {
            "offline" => Ok(Self::Offline),
            "opentok" => Ok(Self::OpenTok),
            "vonage" => Ok(Self::Vonage),
            "livekit" => Ok(Self::LiveKit),
            _ => Err("must be offline, opentok, vonage or livekit".to_owned()),
        }
    }
}

/// The media server that tokens of media sessions open (`docs/apis/openvidu.md`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OpenviduMedia {
    /// None. Greenroom makes tokens of OpenVidu's form.
    #[default]
    None,
    /// The LiveKit server.
    LiveKit,
}

impl OpenviduMedia {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self::None),
            "livekit" => Ok(Self::LiveKit),
            _ => Err("must be none or livekit".to_owned()),
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

impl OpenTok {
    /// Reads the settings. With the providers that make its session ids, they have to be there.
    pub(super) fn read(reader: &mut Reader, provider: VideoProvider) -> Self {
        let api_key = reader.parse(Setting::OpentokApiKey, api_key);
        let api_secret = reader.provider_secret(provider);
        if matches!(provider, VideoProvider::Offline | VideoProvider::OpenTok) {
            for setting in [Setting::OpentokApiKey, Setting::OpentokApiSecret] {
                if reader.environment.get(setting.name()).is_none() {
                    reader.note_missing(setting);
                }
            }
        }
        let api_url = reader.parse(Setting::OpentokApiUrl, public_url).unwrap_or_default();
        Self { api_key: api_key.unwrap_or_default(), api_secret, api_url }
    }

    /// Whether there is a project: its key and its secret are set.
    #[must_use]
    pub fn is_set(&self) -> bool {
        !self.api_key.is_empty() && !self.api_secret.expose_secret().is_empty()
    }
}

fn api_key(text: &str) -> Result<String, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if digits { Ok(text.to_owned()) } else { Err("must be letters and digits".to_owned()) }
}
