//! The media providers, which make the sessions that participants meet in and keep their archives
//! (`docs/apis/opentok.md`, `docs/apis/vonage.md`, `docs/apis/livekit.md`).
//!
//! Making a token takes no request to a provider: it is made from the secret of the project, application or server.

use std::{fmt::Debug, net::Ipv4Addr, sync::Arc};

use futures_util::future::BoxFuture;
use greenroom_core::{
    clock::Clock,
    config::{Config, VideoProvider},
    id::ProviderSessionId,
    model::{RoomName, SessionMode, SessionOrigin},
};
use serde::Serialize;
use utoipa::ToSchema;

mod archive;
mod error;
mod form;
mod livekit;
mod offline;
mod opentok;
mod rest;
mod t1;
mod vonage;

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
    vonage::VonageProvider,
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
    makes: VideoProvider,
    opentok: Option<OpenTok>,
    vonage: Option<Arc<VonageProvider>>,
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
    /// The application that made the session.
    Vonage(&'a VonageProvider),
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
                VideoProvider::OpenTok | VideoProvider::Vonage | VideoProvider::LiveKit => {
                    Arc::new(OpenTokProvider::new(&config.opentok, clock.clone()))
                }
            },
            signer: TokenSigner::new(&config.opentok),
        });
        let vonage = config.vonage.as_ref().map(|vonage| Arc::new(VonageProvider::new(vonage, clock.clone())));
        let livekit = config.livekit.as_ref().map(|server| Arc::new(LiveKitProvider::new(server, clock.clone())));
        Self { makes: config.video_provider, opentok, vonage, livekit }
    }

    /// The LiveKit server; `None` if none is configured.
    #[must_use]
    pub fn livekit(&self) -> Option<&Arc<LiveKitProvider>> {
        self.livekit.as_ref()
    }

    /// What makes tokens for a session. `None` if the session is of another project, or if the credentials of its
    /// provider are not set.
    ///
    /// Nothing but the session's id says which provider made it ([`SessionOrigin`]). A room's name has a form of its
    /// own. OpenTok's ids name the project, and Vonage's the application, so an id with the configured project's key is
    /// OpenTok's, and one that names another project or application is nobody's. What remains says nothing: it cannot
    /// be OpenTok's, whose form is known, so it is Vonage's if there is an application.
    #[must_use]
    pub fn maker_of(&self, session: &ProviderSessionId) -> Option<Maker<'_>> {
        if SessionOrigin::of(session) == SessionOrigin::LiveKit {
            return self.livekit.as_deref().map(Maker::LiveKit);
        }
        let opentok = self.opentok.as_ref().map(|opentok| &opentok.signer).filter(|signer| signer.knows(session));
        let vonage = || self.vonage.as_deref().filter(|vonage| vonage.knows(session)).map(Maker::Vonage);
        opentok.map(Maker::OpenTok).or_else(vonage)
    }

    /// Whether new sessions are rooms of a LiveKit server. Their names are made up, and no request is made.
    #[must_use]
    pub fn makes_rooms(&self) -> bool {
        self.makes == VideoProvider::LiveKit
    }

    /// Whether the provider of new sessions has this one, in the project or application that is configured.
    #[must_use]
    pub fn is_there(&self, session: &ProviderSessionId) -> bool {
        match self.maker_of(session) {
            Some(Maker::OpenTok(_)) => matches!(self.makes, VideoProvider::Offline | VideoProvider::OpenTok),
            Some(Maker::Vonage(_)) => self.makes == VideoProvider::Vonage,
            Some(Maker::LiveKit(_)) => self.makes == VideoProvider::LiveKit,
            None => false,
        }
    }

    /// Makes a session at the provider of new sessions.
    ///
    /// # Errors
    /// The provider made none.
    pub async fn create_session(&self, session: &NewSession) -> Result<ProviderSessionId, ProviderError> {
        let provider = match self.makes {
            VideoProvider::Offline | VideoProvider::OpenTok => self.opentok_provider(),
            VideoProvider::Vonage => self.vonage_provider(),
            VideoProvider::LiveKit => self.livekit_provider(),
        };
        // The configuration refuses a provider of new sessions without its credentials.
        provider.ok_or(ProviderError::ForeignSession)?.create_session(session).await
    }

    /// The provider that made a session; `None` if its credentials are not set.
    ///
    /// It is the one of [`maker_of`](Self::maker_of). OpenTok is also asked about sessions of other projects, for it
    /// says itself what the project may see.
    #[must_use]
    pub fn provider_of(&self, session: &ProviderSessionId) -> Option<&dyn MediaProvider> {
        match (self.maker_of(session), SessionOrigin::of(session)) {
            (Some(Maker::LiveKit(livekit)), _) => Some(livekit),
            (Some(Maker::Vonage(vonage)), _) => Some(vonage),
            (Some(Maker::OpenTok(_)), _) | (None, SessionOrigin::OpenTok | SessionOrigin::Unknown) => {
                self.opentok_provider()
            }
            (None, SessionOrigin::LiveKit | SessionOrigin::Vonage(_)) => None,
        }
    }

    fn opentok_provider(&self) -> Option<&dyn MediaProvider> {
        self.opentok.as_ref().map(|opentok| &*opentok.provider)
    }

    fn vonage_provider(&self) -> Option<&dyn MediaProvider> {
        self.vonage.as_deref().map(|vonage| vonage as &dyn MediaProvider)
    }

    fn livekit_provider(&self) -> Option<&dyn MediaProvider> {
        self.livekit.as_deref().map(|livekit| livekit as &dyn MediaProvider)
    }
}

#[cfg(test)]
mod tests;
