//! Sessions in the form of OpenVidu 2.32.

use greenroom_core::{
    clock::Timestamp,
    id::MediaSessionId,
    model::{
        self,
        media_session::{ForcedVideoCodec, MediaMode, OutputMode, RecordingLayout, RecordingMode, Resolution},
    },
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{Connection, List};

/// A media session, in the form of OpenVidu 2.32.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OpenViduSession)]
pub struct Session {
    /// The session's id.
    id: MediaSessionId,
    /// Always `session`.
    #[schema(example = "session")]
    object: &'static str,
    /// The session's id, again.
    session_id: MediaSessionId,
    /// When the session was opened, in milliseconds since the Unix epoch.
    created_at: Timestamp,
    /// Whether it is being recorded. Greenroom records nothing.
    #[schema(example = false)]
    recording: bool,
    /// Whether it is being broadcast. Greenroom broadcasts nothing.
    #[schema(example = false)]
    broadcasting: bool,
    /// Whether streams pass through a media server.
    media_mode: MediaMode,
    /// When the session is recorded.
    recording_mode: RecordingMode,
    /// The properties of its recordings.
    default_recording_properties: RecordingProperties,
    /// The session's id if the back-end chose it, and empty otherwise.
    #[schema(example = "daily")]
    custom_session_id: String,
    /// The media node that the back-end asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    media_node: Option<MediaNode>,
    /// The video codec of all publishers.
    forced_video_codec: ForcedVideoCodec,
    /// Whether the media server transcodes streams of other codecs.
    #[schema(example = false)]
    allow_transcoding: bool,
    /// The connections that the query asks for.
    connections: List<Connection>,
}

/// A media node.
#[derive(Serialize, ToSchema)]
struct MediaNode {
    /// Its id.
    #[schema(example = "media_i-0a1b2c3d")]
    id: String,
}

/// The properties of a session's recordings.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RecordingProperties {
    /// The name of a recording.
    #[schema(example = "")]
    name: String,
    /// Whether audio is recorded.
    #[schema(example = true)]
    has_audio: bool,
    /// Whether video is recorded.
    #[schema(example = true)]
    has_video: bool,
    /// The files that a recording consists of.
    output_mode: OutputMode,
    /// How a recording is laid out; only with composed recordings that have video, as the next three.
    #[serde(skip_serializing_if = "Option::is_none")]
    recording_layout: Option<RecordingLayout>,
    /// Its width and height in pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    resolution: Option<Resolution>,
    /// Its frames per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 25)]
    frame_rate: Option<u32>,
    /// The shared memory of the process that composes it, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 536_870_912)]
    shm_size: Option<u64>,
    /// The name of the layout; only with the layout `CUSTOM`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "")]
    custom_layout: Option<String>,
    /// Whether a recording goes on when a stream fails; only with individual recordings.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = false)]
    ignore_failed_streams: Option<bool>,
    /// The media node that composes a recording, if the back-end asked for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "media_i-0a1b2c3d")]
    media_node: Option<String>,
}

impl Session {
    /// A session with these connections.
    #[must_use]
    pub fn of(session: model::MediaSession, connections: Vec<Connection>) -> Self {
        let properties = session.properties;
        Self {
            object: "session",
            created_at: session.created_at,
            recording: false,
            broadcasting: false,
            media_mode: properties.media_mode,
            recording_mode: properties.recording_mode,
            default_recording_properties: properties.recording.into(),
            custom_session_id: if session.has_custom_id { session.session_id.to_string() } else { String::new() },
            media_node: properties.media_node.map(|id| MediaNode { id }),
            forced_video_codec: properties.forced_video_codec,
            allow_transcoding: properties.allow_transcoding,
            connections: connections.into_iter().collect(),
            id: session.session_id.clone(),
            session_id: session.session_id,
        }
    }
}

impl From<model::media_session::RecordingProperties> for RecordingProperties {
    fn from(recording: model::media_session::RecordingProperties) -> Self {
        let is_composed = recording.is_composed();
        let has_picture = is_composed && recording.has_video;
        let is_custom = has_picture && recording.layout == RecordingLayout::Custom;
        Self {
            name: recording.name,
            has_audio: recording.has_audio,
            has_video: recording.has_video,
            output_mode: recording.output_mode,
            recording_layout: has_picture.then_some(recording.layout),
            resolution: has_picture.then_some(recording.resolution),
            frame_rate: has_picture.then_some(recording.frame_rate),
            shm_size: has_picture.then_some(recording.shm_size),
            custom_layout: is_custom.then_some(recording.custom_layout),
            ignore_failed_streams: (!is_composed).then_some(recording.ignore_failed_streams),
            media_node: recording.media_node.filter(|_| is_composed),
        }
    }
}
