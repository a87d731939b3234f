//! Media sessions, which back-ends open and participants join (`docs/apis/openvidu.md`, `docs/apis/openvidu-2.32.md`).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    clock::{Timestamp, seconds},
    id::{MediaSessionId, ProviderSessionId},
    model::RoomName,
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

/// The video codec that all publishers of a session have to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ForcedVideoCodec {
    /// The one that the media server prefers.
    #[default]
    MediaServerPreferred,
    /// None; each publisher chooses.
    None,
    /// VP8.
    Vp8,
    /// VP9.
    Vp9,
    /// H.264.
    H264,
}

/// The longest text among a session's properties, in bytes. A session has to fit into an item.
pub const TEXT_MAX: usize = 10_000;
/// The least shared memory of a process that composes a recording, in bytes.
pub const SHM_SIZE_MIN: u64 = 128 * 1024 * 1024;

/// The properties that a back-end gives a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionProperties {
    /// Whether streams pass through a media server.
    pub media_mode: MediaMode,
    /// When the session is recorded.
    pub recording_mode: RecordingMode,
    /// The video codec of all publishers.
    #[serde(default)]
    pub forced_video_codec: ForcedVideoCodec,
    /// Whether the media server transcodes streams of other codecs.
    #[serde(default)]
    pub allow_transcoding: bool,
    /// The id of the media node that the back-end asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_node: Option<String>,
    /// The properties of its recordings, where a recording is not asked for with others.
    #[serde(flatten)]
    pub recording: RecordingProperties,
}

/// The properties of a session's recordings. The table has those of OpenVidu 2.15 under their names there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordingProperties {
    /// The files that a recording consists of.
    #[serde(rename = "defaultOutputMode")]
    pub output_mode: OutputMode,
    /// How a composed recording is laid out.
    #[serde(rename = "defaultRecordingLayout")]
    pub layout: RecordingLayout,
    /// The name of the layout that [`RecordingLayout::Custom`] means.
    #[serde(rename = "defaultCustomLayout")]
    pub custom_layout: String,
    /// The name of a recording; empty if the media server chooses it.
    #[serde(rename = "recordingName", default)]
    pub name: String,
    /// Whether audio is recorded.
    #[serde(default = "yes")]
    pub has_audio: bool,
    /// Whether video is recorded.
    #[serde(default = "yes")]
    pub has_video: bool,
    /// The width and height of a composed recording, in pixels.
    #[serde(default)]
    pub resolution: Resolution,
    /// The frames per second of a composed recording.
    #[serde(default = "frame_rate")]
    pub frame_rate: u32,
    /// The shared memory of the process that composes a recording, in bytes.
    #[serde(default = "shm_size")]
    pub shm_size: u64,
    /// Whether an individual recording goes on when a stream fails.
    #[serde(default)]
    pub ignore_failed_streams: bool,
    /// The id of the media node that composes a recording, if the back-end asked for one.
    #[serde(rename = "recordingMediaNode", default, skip_serializing_if = "Option::is_none")]
    pub media_node: Option<String>,
}

impl Default for RecordingProperties {
    fn default() -> Self {
        Self {
            output_mode: OutputMode::default(),
            layout: RecordingLayout::default(),
            custom_layout: String::new(),
            name: String::new(),
            has_audio: true,
            has_video: true,
            resolution: Resolution::default(),
            frame_rate: frame_rate(),
            shm_size: shm_size(),
            ignore_failed_streams: false,
            media_node: None,
        }
    }
}

const fn yes() -> bool {
    true
}

const fn frame_rate() -> u32 {
    25
}

const fn shm_size() -> u64 {
    512 * 1024 * 1024
}

/// A width and a height in pixels, like `1280x720`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, pattern = "^([1-9]|1[0-9])[0-9]{2}x([1-9]|1[0-9])[0-9]{2}$", example = "1280x720")]
pub struct Resolution(String);

impl Resolution {
    /// Reads a resolution; `None` if a side is not between 100 and 1999 pixels, or has a leading zero.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_side = |side: &str| match side.as_bytes() {
            [b'1'..=b'9', rest @ ..] if rest.len() == 2 => rest.iter().all(u8::is_ascii_digit),
            [b'1', rest @ ..] if rest.len() == 3 => rest.iter().all(u8::is_ascii_digit),
            _ => false,
        };
        let (width, height) = text.split_once('x')?;
        (is_side(width) && is_side(height)).then(|| Self(text.to_owned()))
    }
}

impl Default for Resolution {
    fn default() -> Self {
        Self("1280x720".to_owned())
    }
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
    /// The number of times that a connection was made, or the last one ended.
    pub revision: u64,
    /// Its room at the LiveKit server. `None` if its tokens open none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<ProviderSessionId>,
}

impl RecordingProperties {
    /// Whether a recording is one file, in which all streams are laid out.
    #[must_use]
    pub const fn is_composed(&self) -> bool {
        match self.output_mode {
            OutputMode::Composed | OutputMode::ComposedQuickStart => true,
            OutputMode::Individual => false,
        }
    }
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
            room: None,
        }
    }

    /// This session with a room at the LiveKit server. The room of a session whose id Greenroom made up is made from
    /// the id, so that tokens are issued without reading the session.
    #[must_use]
    pub fn with_room(self) -> Self {
        let made = RoomName::room_of_made_up(&self.session_id).filter(|_| !self.has_custom_id);
        let room = made.unwrap_or_else(|| RoomName::MediaSession(self.session_id.clone()).room());
        Self { room: Some(room), ..self }
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
    use rstest::rstest;

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

    #[rstest]
    #[case("100x100", true)]
    #[case("1999x1999", true)]
    #[case("1000x999", true)]
    #[case("099x100", false)]
    #[case("99x100", false)]
    #[case("2000x100", false)]
    #[case("1280X720", false)]
    #[case("1280x720x", false)]
    #[case("1280", false)]
    fn a_side_of_a_resolution_has_100_to_1999_pixels(#[case] text: &str, #[case] is_one: bool) {
        assert_eq!(Resolution::parse(text).is_some(), is_one);
    }

    #[test]
    fn a_session_from_before_openvidu_2_16_has_the_defaults_of_later_properties() {
        let before = serde_json::json!({
            "mediaMode": "RELAYED", "recordingMode": "ALWAYS", "defaultOutputMode": "INDIVIDUAL",
            "defaultRecordingLayout": "CUSTOM", "defaultCustomLayout": "grid",
        });
        let properties: SessionProperties = serde_json::from_value(before).unwrap();
        let recording = RecordingProperties {
            output_mode: OutputMode::Individual,
            layout: RecordingLayout::Custom,
            custom_layout: "grid".to_owned(),
            ..RecordingProperties::default()
        };
        assert_eq!(properties.recording, recording);
        assert_eq!(properties.forced_video_codec, ForcedVideoCodec::MediaServerPreferred);
    }

    #[test]
    fn a_custom_id_that_is_used_again_has_another_room() {
        let room = |custom_id: Option<MediaSessionId>| {
            let now = Timestamp::from_seconds(1_700_000_000);
            let session = MediaSession::open(custom_id, SessionProperties::default(), now, HOUR).with_room();
            (RoomName::room_of_made_up(&session.session_id), session.room)
        };
        // A back-end may choose an id that looks made up, too.
        for id in ["daily", "ses_0a1b2c3d4e5f60718293a4b5c6d7e8f9"].map(MediaSessionId::parse) {
            assert!(room(id.clone()).1 != room(id).1);
        }
        let (made, room) = room(None);
        assert!(made == room && room.is_some());
    }

    #[test]
    fn a_closed_session_is_not_live() {
        let now = Timestamp::from_seconds(1_700_000_000);
        let open = MediaSession::open(None, SessionProperties::default(), now, HOUR);
        assert!(!MediaSession { closed_at: Some(now), ..open }.is_live(now));
    }
}
