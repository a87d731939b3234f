//! Settings of a real OvenMediaEngine (`docs/apis/ovenmediaengine.md`).

use secrecy::SecretString;

use super::{Reader, Setting, public_url};

/// The API of a real OvenMediaEngine.
#[derive(Clone, Debug)]
pub struct StreamsApi {
    /// Scheme and host.
    pub url: String,
    /// What it asks its callers for; `None` where it asks for nothing.
    pub token: Option<SecretString>,
}

impl StreamsApi {
    /// The settings; `None` where no URL is set.
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let url = reader.parse(Setting::StreamsApiUrl, public_url);
        let token = reader.text(Setting::StreamsApiToken).map(SecretString::from);
        Some(Self { url: url?, token })
    }
}
