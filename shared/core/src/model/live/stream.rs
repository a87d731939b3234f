//! Media streams, and the sessions that they belong to.

use serde::{Deserialize, Serialize};

use super::{DEFAULT_VHOST, MEDIA_APP};
use crate::id::MediaSessionId;

/// A media stream, which connections join.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    /// Its virtual host.
    pub vhost: String,
    /// Its application: an event's id, `openvidu`, or a media server's own.
    pub app: String,
    /// Its name: an event session's id, a media session's, or a media server's own.
    pub stream: String,
}

impl Stream {
    /// The stream of an event's session.
    #[must_use]
    pub fn of_session(event: u64, session: u64) -> Self {
        Self { vhost: DEFAULT_VHOST.to_owned(), app: event.to_string(), stream: session.to_string() }
    }

    /// The stream of a media session.
    #[must_use]
    pub fn of_media_session(session: &MediaSessionId) -> Self {
        Self { vhost: DEFAULT_VHOST.to_owned(), app: MEDIA_APP.to_owned(), stream: session.to_string() }
    }

    /// The event that its application names, if there can be such an event.
    #[must_use]
    pub fn event(&self) -> Option<u64> {
        event_of(&self.vhost, &self.app)
    }

    /// The event and the session that it names, if there can be such a session.
    #[must_use]
    pub fn event_session(&self) -> Option<(u64, u64)> {
        Some((self.event()?, number(&self.stream)?))
    }

    /// The media session that it names, if there can be such a session.
    #[must_use]
    pub fn media_session(&self) -> Option<MediaSessionId> {
        let media = self.vhost == DEFAULT_VHOST && self.app == MEDIA_APP;
        MediaSessionId::parse(&self.stream).filter(|_| media)
    }
}

crate::opaque!(Stream);

/// The event that an application names, if there can be such an event.
#[must_use]
pub fn event_of(vhost: &str, app: &str) -> Option<u64> {
    number(app).filter(|_| vhost == DEFAULT_VHOST)
}

/// The number that a text spells without sign and leading zeros.
fn number(text: &str) -> Option<u64> {
    text.parse::<u64>().ok().filter(|number| number.to_string() == text)
}
