//! The media provider: who makes the sessions that participants meet in, and keeps their archives
//! (`docs/apis/opentok.md`).
//!
//! Tokens need no provider to ask: a [`TokenSigner`] makes them from the project's secret.

use std::{fmt::Debug, net::Ipv4Addr, sync::Arc};

use futures_util::future::BoxFuture;

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
use crate::{
    Services,
    clock::Clock,
    config::{Config, VideoProvider},
    id::ProviderSessionId,
    model::SessionMode,
};

/// What a provider's answer becomes.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, ProviderError>>;

/// Who makes sessions and keeps their archives.
pub trait MediaProvider: Debug + Send + Sync {
    /// Makes a session; it stays until the provider forgets it.
    fn create_session<'a>(&'a self, session: &'a NewSession) -> Answer<'a, ProviderSessionId>;

    /// Archives of a session, newest first: at most `count` of them, from the `offset`th on.
    fn archives<'a>(&'a self, session: &'a ProviderSessionId, offset: usize, count: usize) -> Answer<'a, Archives>;

    /// Ends a connection to a session, by the provider's own id of it; where there is none, that is done.
    fn disconnect<'a>(&'a self, session: &'a ProviderSessionId, connection: &'a str) -> Answer<'a, ()>;
}

/// The provider with what its tokens are made with.
#[derive(Debug)]
pub struct Media {
    /// Makes sessions.
    pub provider: Arc<dyn MediaProvider>,
    /// Makes tokens.
    pub signer: TokenSigner,
}

impl Services {
    /// The media provider, made for the first request that needs it.
    #[must_use]
    pub fn media(&self) -> &Media {
        self.media.get_or_init(|| Media {
            provider: provider(&self.config, self.clock.clone()),
            signer: TokenSigner::new(&self.config.opentok),
        })
    }
}

/// What is asked of a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NewSession {
    /// Whether its streams pass through a media server.
    pub mode: SessionMode,
    /// Whether it is recorded by itself. No relayed session can be.
    pub archive: bool,
    /// An address near its participants; `None` where it is unknown.
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
    use crate::config::{Setting, Strictness};

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
