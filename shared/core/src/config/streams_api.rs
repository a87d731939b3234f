//! Settings of a real OvenMediaEngine (`docs/apis/ovenmediaengine.md`).

use secrecy::SecretString;

use super::{Reader, Setting, public_url};

/// The API of a real OvenMediaEngine.
#[derive(Clone, Debug)]
pub struct StreamsApi {
    /// The scheme and host.
    pub url: String,
    /// The access token; `None` if the API asks for none.
    pub token: Option<SecretString>,
}

impl StreamsApi {
    /// Reads the settings; `None` if no URL is set.
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let url = reader.parse(Setting::StreamsApiUrl, public_url);
        let token = reader.text(Setting::StreamsApiToken).map(SecretString::from);
        Some(Self { url: url?, token })
    }
}
