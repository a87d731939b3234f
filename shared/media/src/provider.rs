//! The media provider, which makes the sessions that participants meet in and keeps their archives
//! (`docs/apis/opentok.md`).
//!
//! Making a token takes no request to the provider: a [`TokenSigner`] makes it from the project's secret.

use std::{fmt::Debug, net::Ipv4Addr, sync::Arc};

use futures_util::future::BoxFuture;
use greenroom_core::{
    clock::Clock,
    config::{Config, VideoProvider},
    id::ProviderSessionId,
    model::SessionMode,
};

mod archive;
mod error;
mod form;
mod offline;
mod opentok;
mod session_id;
mod t1;

pub use self::{
    archive::Archives,
    error::ProviderError,
    offline::OfflineProvider,
    opentok::OpenTokProvider,
    t1::{Grant, T1_TTL, T1Error, T1Role, T1Token, TokenSigner},
};

/// The future of a provider's answer.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, ProviderError>>;

/// A media provider: it makes sessions and keeps their archives.
pub trait MediaProvider: Debug + Send + Sync {
    /// Makes a session. It exists until the provider deletes it.
    fn create_session<'a>(&'a self, session: &'a NewSession) -> Answer<'a, ProviderSessionId>;

    /// Archives of a session, newest first: at most `count` of them, beginning with number `offset`.
    fn archives<'a>(&'a self, session: &'a ProviderSessionId, offset: usize, count: usize) -> Answer<'a, Archives>;

    /// Ends a connection to a session, by the provider's id of it. If there is no such connection, it counts as ended.
    fn disconnect<'a>(&'a self, session: &'a ProviderSessionId, connection: &'a str) -> Answer<'a, ()>;
}

/// The provider, and the signer of its tokens.
#[derive(Debug)]
pub struct Media {
    /// Makes sessions.
    pub provider: Arc<dyn MediaProvider>,
    /// Makes tokens.
    pub signer: TokenSigner,
}

/// The properties of a new session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NewSession {
    /// Whether its streams pass through a media server.
    pub mode: SessionMode,
    /// Whether it is recorded automatically. A relayed session cannot be.
    pub archive: bool,
    /// An address near its participants; `None` if it is unknown.
    pub location: Option<Ipv4Addr>,
}

/// The provider that the configuration names.
#[must_use]
pub fn provider(config: &Config, clock: Clock) -> Arc<dyn MediaProvider> {
    match config.video_provider {
        VideoProvider::Offline => Arc::new(OfflineProvider::new(&config.opentok, clock)),
        VideoProvider::OpenTok => Arc::new(OpenTokProvider::new(&config.opentok, clock)),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use greenroom_core::config::{Setting, Strictness};

    #[rstest]
    #[case::by_default(&[], "OfflineProvider")]
    #[case::none(&[("VIDEO_PROVIDER", "offline")], "OfflineProvider")]
    #[case::opentok(&[("VIDEO_PROVIDER", "opentok")], "OpenTokProvider")]
    fn the_configuration_names_the_provider(#[case] environment: &[(&str, &str)], #[case] name: &str) {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let config = Config::read(&environment, &[Setting::VideoProvider], Strictness::Local).unwrap();
        let provider = format!("{:?}", provider(&config, Clock::system()));
        assert!(provider.starts_with(name), "{provider}");
    }
}
