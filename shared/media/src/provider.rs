//! The media provider, which makes the sessions that participants meet in and keeps their archives
//! (`docs/apis/opentok.md`).
//!
//! Making a token takes no request to a provider: it is made from the secret of the project or server.

use std::{fmt::Debug, net::Ipv4Addr, sync::Arc};

use futures_util::future::BoxFuture;
use greenroom_core::{
    clock::Clock,
    config::{Config, VideoProvider},
    id::ProviderSessionId,
    model::{RoomName, SessionMode},
};
use serde::Serialize;
use utoipa::ToSchema;

mod archive;
mod error;
mod form;
mod livekit;
mod offline;
mod opentok;
mod session_id;
mod t1;

pub use self::{
    archive::Archives,
    error::ProviderError,
    livekit::{
        LiveKitProvider,
        api::{ListedParticipant, ListedRoom},
        token::{LiveKitAccess, LiveKitGrant, LiveKitRights, TokenError},
    },
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

    /// Whether it can record sessions.
    fn records(&self) -> bool {
        true
    }

    /// Archives of a session, newest first: at most `count` of them, beginning with number `offset`.
    fn archives<'a>(&'a self, session: &'a ProviderSessionId, offset: usize, count: usize) -> Answer<'a, Archives>;

    /// Ends a connection to a session, by the provider's id of it. If there is no such connection, it counts as ended.
    fn disconnect<'a>(&'a self, session: &'a ProviderSessionId, connection: &'a str) -> Answer<'a, ()>;
}

/// The media providers. Each session goes on with the one that made it, while that one's credentials are set.
#[derive(Debug)]
pub struct Media {
    makes_rooms: bool,
    opentok: Option<OpenTok>,
    livekit: Option<Arc<LiveKitProvider>>,
}

/// An OpenTok project, or its stand-in for work without a network.
#[derive(Debug)]
struct OpenTok {
    provider: Arc<dyn MediaProvider>,
    signer: TokenSigner,
}

/// What can make tokens for a session.
#[derive(Clone, Copy, Debug)]
pub enum Maker<'a> {
    /// The project that the session belongs to.
    OpenTok(&'a TokenSigner),
    /// The LiveKit server that the session is a room of.
    LiveKit(&'a LiveKitProvider),
}

/// The properties of a new session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSession {
    /// What it is for.
    pub purpose: RoomName,
    /// Whether its streams pass through a media server.
    pub mode: SessionMode,
    /// Whether it is recorded automatically. A relayed session cannot be.
    pub archive: bool,
    /// An address near its participants; `None` if it is unknown.
    pub location: Option<Ipv4Addr>,
}

impl NewSession {
    /// A session with the properties that a provider's sessions have by default.
    #[must_use]
    pub fn plain(purpose: RoomName) -> Self {
        Self { purpose, mode: SessionMode::default(), archive: false, location: None }
    }
}

/// A token with which a participant joins a session of the media provider.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, example = "T1==cGFydG5lcl9pZD00NTgyODA2MiZzaWc9")]
pub struct ProviderToken(String);

greenroom_core::opaque!(ProviderToken);

impl ProviderToken {
    /// The token as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<T1Token> for ProviderToken {
    fn from(token: T1Token) -> Self {
        Self(token.into())
    }
}

impl Media {
    /// The providers whose credentials the configuration has. No request is made.
    #[must_use]
    pub fn new(config: &Config, clock: &Clock) -> Self {
        let opentok = config.opentok.is_set().then(|| OpenTok {
            provider: match config.video_provider {
                VideoProvider::Offline => Arc::new(OfflineProvider::new(&config.opentok, clock.clone())),
                VideoProvider::OpenTok | VideoProvider::LiveKit => {
                    Arc::new(OpenTokProvider::new(&config.opentok, clock.clone()))
                }
            },
            signer: TokenSigner::new(&config.opentok),
        });
        let livekit = config.livekit.as_ref().map(|server| Arc::new(LiveKitProvider::new(server, clock.clone())));
        Self { makes_rooms: config.video_provider == VideoProvider::LiveKit, opentok, livekit }
    }

    /// The LiveKit server; `None` if none is configured.
    #[must_use]
    pub fn livekit(&self) -> Option<&Arc<LiveKitProvider>> {
        self.livekit.as_ref()
    }

    /// What makes tokens for a session. `None` if the session is of another project, or if the credentials of its
    /// provider are not set.
    #[must_use]
    pub fn maker_of(&self, session: &ProviderSessionId) -> Option<Maker<'_>> {
        if RoomName::parse(session.as_str()).is_some() {
            return self.livekit.as_deref().map(Maker::LiveKit);
        }
        let signer = &self.opentok.as_ref()?.signer;
        signer.knows(session).then_some(Maker::OpenTok(signer))
    }

    /// Whether new sessions are rooms of a LiveKit server. Their names are made up, and no request is made.
    #[must_use]
    pub fn makes_rooms(&self) -> bool {
        self.makes_rooms
    }

    /// Makes a session at the provider of new sessions.
    ///
    /// # Errors
    /// The provider made none.
    pub async fn create_session(&self, session: &NewSession) -> Result<ProviderSessionId, ProviderError> {
        let provider = match (&self.livekit, &self.opentok) {
            (Some(livekit), _) if self.makes_rooms => &**livekit as &dyn MediaProvider,
            (_, Some(opentok)) => &*opentok.provider,
            // The configuration refuses a provider of new sessions without its credentials.
            (_, None) => return Err(ProviderError::ForeignSession),
        };
        provider.create_session(session).await
    }

    /// The provider that made a session; `None` if its credentials are not set.
    #[must_use]
    pub fn provider_of(&self, session: &ProviderSessionId) -> Option<&dyn MediaProvider> {
        if RoomName::parse(session.as_str()).is_some() {
            return self.livekit.as_deref().map(|livekit| livekit as &dyn MediaProvider);
        }
        self.opentok.as_ref().map(|opentok| &*opentok.provider)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use greenroom_core::config::{Setting, Strictness};

    const SETTINGS: &[Setting] = &[
        Setting::VideoProvider,
        Setting::OpentokApiKey,
        Setting::OpentokApiSecret,
        Setting::OpentokApiUrl,
        Setting::LivekitUrl,
        Setting::LivekitApiKey,
        Setting::LivekitApiSecret,
    ];

    #[rstest]
    #[case::by_default(&[], "OfflineProvider")]
    #[case::none(&[("VIDEO_PROVIDER", "offline")], "OfflineProvider")]
    #[case::opentok(&[("VIDEO_PROVIDER", "opentok")], "OpenTokProvider")]
    #[case::livekit_beside_opentok(&[("VIDEO_PROVIDER", "livekit")], "OpenTokProvider")]
    #[tokio::test]
    async fn a_session_goes_on_with_the_provider_that_made_it(#[case] given: &[(&str, &str)], #[case] name: &str) {
        let credentials = [
            ("OPENTOK_API_URL", "http://127.0.0.1:1"),
            ("OPENTOK_API_KEY", "45828062"),
            ("OPENTOK_API_SECRET", "secret"),
            ("LIVEKIT_URL", "http://127.0.0.1:1"),
            ("LIVEKIT_API_KEY", "devkey"),
            ("LIVEKIT_API_SECRET", "secret"),
        ];
        let environment =
            given.iter().chain(&credentials).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let config = Config::read(&environment.collect(), SETTINGS, Strictness::Local).unwrap();
        let media = Media::new(&config, &Clock::system());
        let opentok = ProviderSessionId::new("1_MX40NTgyODA2Mn5-eA".to_owned());
        assert!(format!("{:?}", media.provider_of(&opentok)).contains(name), "{media:?}");
        let room = RoomName::NetworkTest.room();
        assert!(format!("{:?}", media.provider_of(&room)).contains("LiveKitProvider"));
        assert!(matches!(media.maker_of(&room), Some(Maker::LiveKit(_))));
        assert!(matches!(media.maker_of(&opentok), Some(Maker::OpenTok(_))));
        let made = media.create_session(&NewSession::plain(RoomName::NetworkTest)).await;
        let is_room = made.is_ok_and(|made| RoomName::parse(made.as_str()).is_some());
        assert_eq!(is_room, given.contains(&("VIDEO_PROVIDER", "livekit")));
    }
}
