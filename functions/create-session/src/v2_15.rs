//! The properties of a media session in `/api/sessions` (`docs/apis/openvidu.md`).

use greenroom_core::{
    id::{CUSTOM_ID_MAX, MediaSessionId},
    model::media_session::{
        MediaMode, OutputMode, RecordingLayout, RecordingMode, RecordingProperties, SessionProperties, TEXT_MAX,
    },
};
use greenroom_http::dialect::openvidu::{Error, Sent};
use greenroom_openvidu::{Fields, value};
use serde::Serialize;
use utoipa::ToSchema;

use crate::OpenSession;

/// The properties of a media session. A property may also have the name that OpenVidu 1.7 had for it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MediaSessionProperties)]
pub(crate) struct Properties {
    /// The former name of `recordingMode`.
    #[schema(value_type = Option<RecordingMode>, example = "MANUAL")]
    archive_mode: Option<String>,
    /// When the session is recorded.
    #[schema(value_type = Option<RecordingMode>, example = "MANUAL")]
    recording_mode: Option<String>,
    /// The former name of `defaultRecordingLayout`.
    #[schema(value_type = Option<RecordingLayout>, example = "BEST_FIT")]
    archive_layout: Option<String>,
    /// How a composed recording is laid out.
    #[schema(value_type = Option<RecordingLayout>, example = "BEST_FIT")]
    default_recording_layout: Option<String>,
    /// Whether streams pass through a media server.
    #[schema(value_type = Option<MediaMode>, example = "ROUTED")]
    media_mode: Option<String>,
    /// The files that a recording consists of.
    #[schema(value_type = Option<OutputMode>, example = "COMPOSED")]
    default_output_mode: Option<String>,
    /// The name of the layout `CUSTOM`; at most 10,000 bytes.
    #[schema(max_length = 10_000, example = "")]
    default_custom_layout: Option<String>,
    /// The id of the session. If it is empty, the session gets a random id.
    #[schema(pattern = "^[a-zA-Z0-9_-]*$", max_length = 255, example = "daily")]
    custom_session_id: Option<String>,
}

/// The keys that mark a body as a back-end's.
pub(crate) const PROPERTIES: [&str; 8] = [
    "archiveMode",
    "recordingMode",
    "archiveLayout",
    "defaultRecordingLayout",
    "mediaMode",
    "defaultOutputMode",
    "defaultCustomLayout",
    "customSessionId",
];

impl Properties {
    /// Reads the properties.
    pub(crate) fn read(fields: &Fields<'_>) -> Result<Self, Error> {
        let text = |name| fields.text(name).map_err(|_| Error::WrongType);
        Ok(Self {
            archive_mode: text("archiveMode")?,
            recording_mode: text("recordingMode")?,
            archive_layout: text("archiveLayout")?,
            default_recording_layout: text("defaultRecordingLayout")?,
            media_mode: text("mediaMode")?,
            default_output_mode: text("defaultOutputMode")?,
            default_custom_layout: text("defaultCustomLayout")?,
            custom_session_id: text("customSessionId")?,
        })
    }

    /// Checks the properties.
    pub(crate) fn open(self) -> Result<OpenSession, Error> {
        let recording_mode = self.recording_mode.as_deref().or(self.archive_mode.as_deref());
        let layout = self.default_recording_layout.as_deref().or(self.archive_layout.as_deref());
        let (media_mode, output_mode) = (self.media_mode.as_deref(), self.default_output_mode.as_deref());
        let unknown = |_| {
            let sent = |value: Option<&str>| Sent::new(value.unwrap_or("null"));
            Error::UnknownValue {
                recording_mode: sent(recording_mode),
                output_mode: sent(output_mode),
                recording_layout: sent(layout),
                media_mode: sent(media_mode),
            }
        };
        let properties = SessionProperties {
            media_mode: value(media_mode).map_err(unknown)?,
            recording_mode: value(recording_mode).map_err(unknown)?,
            recording: RecordingProperties {
                output_mode: value(output_mode).map_err(unknown)?,
                layout: value(layout).map_err(unknown)?,
                custom_layout: self.default_custom_layout.unwrap_or_default(),
                ..RecordingProperties::default()
            },
            ..SessionProperties::default()
        };
        if properties.recording.custom_layout.len() > TEXT_MAX {
            return Err(Error::CustomLayoutTooLong);
        }
        let custom_id = self.custom_session_id.filter(|id| !id.is_empty());
        let custom_id = custom_id.map(|id| match MediaSessionId::parse(&id) {
            Some(id) => Ok(id),
            None if id.len() > CUSTOM_ID_MAX => Err(Error::CustomSessionIdTooLong),
            None => Err(Error::InvalidCustomSessionId),
        });
        Ok(OpenSession { custom_id: custom_id.transpose()?, properties })
    }
}
