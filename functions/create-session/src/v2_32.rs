//! The properties of a media session in `/openvidu/api/sessions` (`docs/apis/openvidu-2.32.md`).

use std::ops::RangeInclusive;

use greenroom_core::{
    id::{CUSTOM_ID_MAX, MediaSessionId},
    model::media_session::{
        ForcedVideoCodec, MediaMode, OutputMode, RecordingLayout, RecordingMode, RecordingProperties, Resolution,
        SHM_SIZE_MIN, SessionProperties, TEXT_MAX,
    },
};
use greenroom_http::dialect::openvidu::{Error, RecordingRefused, Refused, Sent, WrongType};
use greenroom_openvidu::{Fields, value};
use serde::{Serialize, de::DeserializeOwned};
use utoipa::ToSchema;

use crate::OpenSession;

/// The frames per second that a recording may have.
const FRAME_RATES: RangeInclusive<u32> = 1..=120;

/// The properties of a media session.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OpenViduSessionProperties)]
pub(crate) struct Properties {
    /// Whether streams pass through a media server.
    media_mode: Option<MediaMode>,
    /// When the session is recorded.
    recording_mode: Option<RecordingMode>,
    /// The id of the session. If it is empty, the session gets a random id.
    #[schema(pattern = "^[a-zA-Z0-9_-]*$", max_length = 255, example = "daily")]
    custom_session_id: Option<String>,
    /// The video codec of all publishers.
    forced_video_codec: Option<ForcedVideoCodec>,
    /// Whether the media server transcodes streams of other codecs; false by default.
    #[schema(example = false)]
    allow_transcoding: Option<bool>,
    /// The media node that the session asks for.
    #[schema(value_type = Option<MediaNode>)]
    media_node: Option<MediaNode>,
    /// The properties of the session's recordings.
    default_recording_properties: Option<Recording>,
    /// `outputMode`, as clients of 2.16 and 2.17 call it.
    #[schema(example = "COMPOSED")]
    default_output_mode: Option<OutputMode>,
    /// `recordingLayout`, as clients of 2.16 and 2.17 call it.
    #[schema(example = "BEST_FIT")]
    default_recording_layout: Option<RecordingLayout>,
    /// `customLayout`, as clients of 2.16 and 2.17 call it.
    #[schema(max_length = 10_000, example = "")]
    default_custom_layout: Option<String>,
}

/// A media node.
#[derive(Serialize, ToSchema)]
#[schema(as = OpenViduMediaNode)]
struct MediaNode {
    /// Its id.
    #[schema(max_length = 10_000, example = "media_i-0a1b2c3d")]
    id: String,
}

/// The properties of recordings.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OpenViduRecordingProperties)]
struct Recording {
    /// The name of a recording.
    #[schema(pattern = "^[a-zA-Z0-9_~-]*$", max_length = 10_000, example = "")]
    name: Option<String>,
    /// Whether audio is recorded; true by default.
    #[schema(example = true)]
    has_audio: Option<bool>,
    /// Whether video is recorded; true by default. One of the two has to be.
    #[schema(example = true)]
    has_video: Option<bool>,
    /// The files that a recording consists of.
    output_mode: Option<OutputMode>,
    /// How a composed recording is laid out: a name as of a session's `defaultRecordingLayout`. This and the next three
    /// are looked at for composed recordings only.
    #[schema(example = "BEST_FIT")]
    recording_layout: Option<String>,
    /// The width and height of a composed recording, both from 100 to 1999 pixels.
    #[schema(example = "1280x720")]
    resolution: Option<String>,
    /// The frames per second of a composed recording, from 1 to 120; 25 by default. A fraction is dropped.
    #[schema(example = 25)]
    frame_rate: Option<f64>,
    /// The shared memory of the process that composes a recording, in bytes, from 128 MiB on; 512 MiB by default.
    #[schema(example = 536_870_912)]
    shm_size: Option<f64>,
    /// The name of the layout `CUSTOM`.
    #[schema(max_length = 10_000, example = "")]
    custom_layout: Option<String>,
    /// Whether an individual recording goes on when a stream fails; false by default.
    #[schema(example = false)]
    ignore_failed_streams: Option<bool>,
    /// The media node that composes a recording: its id, or an object with it.
    media_node: Option<NodeName>,
}

/// The name of a media node.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = OpenViduNodeName)]
#[expect(dead_code, reason = "describes the body to the OpenAPI document")]
enum NodeName {
    /// Its id.
    #[schema(example = "media_i-0a1b2c3d")]
    Id(String),
    /// An object with its id.
    Node(MediaNode),
}

/// Reads and checks the properties. The order of the checks is OpenVidu's.
pub(crate) fn read(fields: &Fields<'_>) -> Result<OpenSession, Error> {
    let [media_mode, recording_mode, custom_id, codec] =
        ["mediaMode", "recordingMode", "customSessionId", "forcedVideoCodec"].map(|name| fields.text(name));
    let (media_mode, recording_mode) = (media_mode.map_err(Refused::Type)?, recording_mode.map_err(Refused::Type)?);
    let (custom_id, codec) = (custom_id.map_err(Refused::Type)?, codec.map_err(Refused::Type)?);
    let allow_transcoding = fields.boolean("allowTranscoding").map_err(Refused::Type)?;
    let codec = value(codec.as_deref()).map_err(|codec| Refused::ForcedVideoCodec(Sent::new(codec)))?;
    let properties = SessionProperties {
        recording_mode: named("recordingMode", recording_mode.as_deref())?,
        media_mode: named("mediaMode", media_mode.as_deref())?,
        forced_video_codec: codec,
        allow_transcoding: allow_transcoding.unwrap_or_default(),
        ..SessionProperties::default()
    };
    let custom_id = custom_id.filter(|id| !id.is_empty()).map(|id| custom(&id)).transpose()?;
    let properties = SessionProperties { recording: recording(fields)?, ..properties };
    Ok(OpenSession { custom_id, properties: SessionProperties { media_node: media_node(fields)?, ..properties } })
}

fn named<T: DeserializeOwned + Default>(name: &'static str, sent: Option<&str>) -> Result<T, Refused> {
    value(sent).map_err(|sent| Refused::Value(name, Sent::new(sent)))
}

fn custom(id: &str) -> Result<MediaSessionId, Refused> {
    let too_long = id.len() > CUSTOM_ID_MAX;
    let refused = || if too_long { Refused::CustomSessionIdTooLong } else { Refused::CustomSessionId };
    MediaSessionId::parse(id).ok_or_else(refused)
}

fn media_node(fields: &Fields<'_>) -> Result<Option<String>, Refused> {
    let Some(node) = fields.object("mediaNode").map_err(|_| Refused::NoMediaNode)? else { return Ok(None) };
    let id = node.text("id").map_err(Refused::MediaNodeId)?.ok_or(Refused::NoMediaNodeId)?;
    if id.len() > TEXT_MAX { Err(Refused::TooLong("mediaNode.id")) } else { Ok(Some(id)) }
}

/// The properties of recordings. What clients of 2.16 and 2.17 send beside them counts where they say nothing.
fn recording(fields: &Fields<'_>) -> Result<RecordingProperties, Refused> {
    let given = fields.object("defaultRecordingProperties").map_err(|_| Refused::NoRecordingProperties)?;
    let sent = SentRecording::read(&given.unwrap_or_default(), fields).map_err(RecordingRefused::from);
    sent.and_then(SentRecording::check).map_err(Refused::RecordingProperty)
}

/// The media node of a recording: its id, or an object with it.
fn node_name(given: &Fields<'_>) -> Result<Option<String>, WrongType> {
    let wrong = WrongType { name: "mediaNode", expected: "a string, or an object with the string id" };
    match given.object("mediaNode") {
        Ok(Some(node)) => node.text("id").ok().flatten().ok_or(wrong).map(Some),
        Ok(None) => Ok(None),
        Err(_) => given.text("mediaNode").map_err(|_| wrong),
    }
}

/// The recording properties of a request, each of its type. `None` where the request leaves one out.
struct SentRecording {
    name: Option<String>,
    has_audio: Option<bool>,
    has_video: Option<bool>,
    output_mode: Option<String>,
    layout: Option<String>,
    resolution: Option<String>,
    frame_rate: Option<i64>,
    shm_size: Option<i64>,
    custom_layout: Option<String>,
    ignore_failed_streams: Option<bool>,
    media_node: Option<String>,
}

impl SentRecording {
    fn read(given: &Fields<'_>, former: &Fields<'_>) -> Result<Self, WrongType> {
        let either = |name, former_name| {
            let (given, former) = (given.text(name)?, former.text(former_name)?);
            Ok(given.or(former))
        };
        Ok(Self {
            name: given.text("name")?,
            has_audio: given.boolean("hasAudio")?,
            has_video: given.boolean("hasVideo")?,
            output_mode: either("outputMode", "defaultOutputMode")?,
            layout: either("recordingLayout", "defaultRecordingLayout")?,
            resolution: given.text("resolution")?,
            frame_rate: given.integer("frameRate")?,
            shm_size: given.integer("shmSize")?,
            custom_layout: either("customLayout", "defaultCustomLayout")?,
            ignore_failed_streams: given.boolean("ignoreFailedStreams")?,
            media_node: node_name(given)?,
        })
    }

    /// Checks the values. Those that only composed recordings have are looked at for composed recordings only.
    fn check(self) -> Result<RecordingProperties, RecordingRefused> {
        let properties = RecordingProperties {
            name: self.name.clone().unwrap_or_default(),
            has_audio: self.has_audio.unwrap_or(true),
            has_video: self.has_video.unwrap_or(true),
            ignore_failed_streams: self.ignore_failed_streams.unwrap_or_default(),
            media_node: self.media_node.clone(),
            ..RecordingProperties::default()
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'~');
        if !properties.name.bytes().all(plain) {
            return Err(RecordingRefused::Name);
        }
        if !properties.has_audio && !properties.has_video {
            return Err(RecordingRefused::Nothing);
        }
        let output_mode = value(self.output_mode.as_deref()).map_err(|_| RecordingRefused::OutputMode)?;
        let properties = RecordingProperties { output_mode, ..properties };
        let properties = if properties.is_composed() { self.composed(properties)? } else { properties };
        let texts = [
            ("name", properties.name.len()),
            ("customLayout", properties.custom_layout.len()),
            ("mediaNode", properties.media_node.as_ref().map_or(0, String::len)),
        ];
        let too_long = texts.into_iter().find(|(_, length)| *length > TEXT_MAX);
        too_long.map_or(Ok(properties), |(name, _)| Err(RecordingRefused::TooLong(name)))
    }

    fn composed(&self, properties: RecordingProperties) -> Result<RecordingProperties, RecordingRefused> {
        let layout = value(self.layout.as_deref()).map_err(|_| RecordingRefused::Layout)?;
        let resolution = self.resolution.as_deref().map(Resolution::parse);
        let frame_rate = self.frame_rate.map(|rate| u32::try_from(rate).ok().filter(|rate| FRAME_RATES.contains(rate)));
        let shm_size = self.shm_size.map(|size| u64::try_from(size).ok().filter(|size| *size >= SHM_SIZE_MIN));
        Ok(RecordingProperties {
            layout,
            resolution: resolution.unwrap_or(Some(properties.resolution)).ok_or(RecordingRefused::Resolution)?,
            frame_rate: frame_rate.unwrap_or(Some(properties.frame_rate)).ok_or(RecordingRefused::FrameRate)?,
            shm_size: shm_size.unwrap_or(Some(properties.shm_size)).ok_or(RecordingRefused::ShmSize)?,
            custom_layout: self.custom_layout.clone().unwrap_or_default(),
            ..properties
        })
    }
}
