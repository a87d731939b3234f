//! Media sessions, which back-ends open and participants join (`docs/apis/openvidu.md`).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    clock::{Timestamp, seconds},
    id::MediaSessionId,
};

/// Whether streams pass through a media server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MediaMode {
    /// They pass through a media server.
    #[default]
    Routed,
    /// They go from participant to participant.
    Relayed,
}

/// When a session is recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RecordingMode {
    /// From the first publisher on.
    Always,
    /// When the back-end says so.
    #[default]
    Manual,
}

/// The files that a recording consists of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OutputMode {
    /// One file with all streams laid out in it.
    #[default]
    Composed,
    /// A file per stream.
    Individual,
    /// As composed, with the recorder kept ready.
    ComposedQuickStart,
}

/// How a composed recording lays out its streams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RecordingLayout {
    /// A grid.
    #[default]
    BestFit,
    /// One stream inside another.
    PictureInPicture,
    /// One large stream with a column of small ones.
    VerticalPresentation,
    /// One large stream with a row of small ones.
    HorizontalPresentation,
    /// A layout of the back-end's own.
    Custom,
}

/// The properties that a back-end gives a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionProperties {
    /// Whether streams pass through a media server.
    pub media_mode: MediaMode,
    /// When the session is recorded.
    pub recording_mode: RecordingMode,
    /// The files that a recording consists of.
    pub default_output_mode: OutputMode,
    /// How a composed recording is laid out.
    pub default_recording_layout: RecordingLayout,
    /// The name of the layout that [`RecordingLayout::Custom`] means.
    pub default_custom_layout: String,
}

/// A media session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MediaSession {
    /// Its id: the custom one if the back-end chose one.
    pub session_id: MediaSessionId,
    /// Whether the back-end chose the id.
    pub has_custom_id: bool,
    /// Distinguishes this session from earlier and later ones with the same custom id.
    pub incarnation: String,
    /// The properties that the back-end gave it.
    #[serde(flatten)]
    pub properties: SessionProperties,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it is removed as unused, unless another token is issued.
    #[serde(with = "seconds")]
    pub expires_at: Timestamp,
    /// When its last token ends. `None` if no token was ever issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_end_at: Option<Timestamp>,
    /// When it was closed. No caller sees a closed session; its item stays until the items of its connections are
    /// deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    /// The number of changes of its connections.
    pub revision: u64,
}

impl MediaSession {
    /// A session that opens now. It is removed as unused after `grace`, unless a token is issued.
    #[must_use]
    pub fn open(
        custom_id: Option<MediaSessionId>,
        properties: SessionProperties,
        now: Timestamp,
        grace: Duration,
    ) -> Self {
        Self {
            has_custom_id: custom_id.is_some(),
            session_id: custom_id.unwrap_or_else(MediaSessionId::random),
            incarnation: crate::id::random_hex(),
            properties,
            created_at: now,
            expires_at: (now + grace).whole_second(),
            tokens_end_at: None,
            closed_at: None,
            revision: 0,
        }
    }

    /// Whether the session is neither closed nor due to be removed as unused.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.closed_at.is_none() && now < self.expires_at
    }

    /// When the session is removed as unused if its last token ends at this time: `grace` after that or after its
    /// creation, whichever is later.
    #[must_use]
    pub fn collected_at(&self, last_end: Timestamp, grace: Duration) -> Timestamp {
        (last_end.max(self.created_at) + grace).whole_second()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    #[test]
    fn a_session_nobody_joins_is_collected_an_hour_after_its_creation() {
        let now = Timestamp::from_seconds(1_700_000_000);
        let session = MediaSession::open(None, SessionProperties::default(), now, HOUR);
        assert!(session.is_live(Timestamp::from_millis((now + HOUR).millis() - 1)));
        assert!(!session.is_live(now + HOUR));
        assert_eq!(session.collected_at(Timestamp::from_seconds(5), HOUR), now + HOUR);
        assert_eq!(session.collected_at(now + HOUR, HOUR), now + HOUR + HOUR);
    }

    #[test]
    fn a_closed_session_is_not_live() {
        let now = Timestamp::from_seconds(1_700_000_000);
        let open = MediaSession::open(None, SessionProperties::default(), now, HOUR);
        assert!(!MediaSession { closed_at: Some(now), ..open }.is_live(now));
    }
}
