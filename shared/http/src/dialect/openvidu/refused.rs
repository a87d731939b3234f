//! Why OpenVidu 2.32 refuses a parameter, in its words (`docs/apis/openvidu-2.32.md`). Where OpenVidu shows the text of
//! a Java exception, Greenroom says what it expects.

use std::{borrow::Cow, fmt};

use greenroom_core::{
    id::CUSTOM_ID_MAX,
    model::media_session::{SHM_SIZE_MIN, TEXT_MAX},
};

use super::Sent;

/// A field of a body has a wrong JSON type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongType {
    /// The name of the field.
    pub name: &'static str,
    /// The type that it has to have.
    pub expected: &'static str,
}

impl fmt::Display for WrongType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} has to be {}", self.name, self.expected)
    }
}

/// Why a parameter of a request is refused.
#[derive(Debug)]
pub enum Refused {
    /// A parameter of the query is no boolean.
    Query(&'static str),
    /// A field has a wrong type.
    Type(WrongType),
    /// A property of a new session has none of its possible values.
    Value(&'static str, Sent),
    /// The video codec does not exist.
    ForcedVideoCodec(Sent),
    /// The custom session id has characters that it may not have.
    CustomSessionId,
    /// The custom session id is too long.
    CustomSessionIdTooLong,
    /// `defaultRecordingProperties` is no object.
    NoRecordingProperties,
    /// A recording property is refused.
    RecordingProperty(RecordingRefused),
    /// `mediaNode` is no object.
    NoMediaNode,
    /// `mediaNode` has no id.
    NoMediaNodeId,
    /// A media node's id is no string.
    MediaNodeId(WrongType),
    /// A text is too long for the table.
    TooLong(&'static str),
    /// The type of a connection does not exist, or does not go with this request.
    ConnectionType(Sent),
    /// The role is no string.
    RoleType(WrongType),
    /// `record` is no boolean.
    RecordType(WrongType),
    /// A parameter is no JSON object or array of JSON objects. OpenVidu's name of it.
    NoJson(&'static str),
    /// Something inside a parameter has a wrong type.
    TypeInside(&'static str, WrongType),
    /// An ICE server is not valid.
    IceServer,
    /// The options of a connection are too long.
    OptionsTooLong,
    /// The address of an IP camera is not valid.
    RtspUri,
}

/// Why a recording property is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordingRefused {
    /// A property has a wrong type.
    Type(WrongType),
    /// The name has characters that it may not have.
    Name,
    /// A recording has neither audio nor video.
    Nothing,
    /// The output mode does not exist.
    OutputMode,
    /// The layout does not exist.
    Layout,
    /// A side is not between 100 and 1999 pixels.
    Resolution,
    /// The frame rate is not between 1 and 120.
    FrameRate,
    /// There is too little shared memory.
    ShmSize,
    /// A text is too long for the table.
    TooLong(&'static str),
}

impl From<WrongType> for RecordingRefused {
    fn from(wrong: WrongType) -> Self {
        Self::Type(wrong)
    }
}

/// The largest number of characters of a connection's options, as sent.
pub const OPTIONS_MAX: usize = 10_000;

impl fmt::Display for RecordingRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type(wrong) => write!(f, "Type error in some parameter: {wrong}"),
            Self::Name => f.write_str("Parameter 'name' is wrong. Must be an alphanumeric string [a-zA-Z0-9_-~]"),
            Self::Nothing => {
                f.write_str("Cannot start a recording with both \"hasAudio\" and \"hasVideo\" set to false")
            }
            Self::OutputMode => f.write_str("Type error in parameter 'outputMode'"),
            Self::Layout => f.write_str("Type error in parameter 'recordingLayout'"),
            Self::Resolution => f.write_str(
                "Wrong 'resolution' parameter. Must be a string of width and height, both from 100 to 1999, as 1280x720",
            ),
            Self::FrameRate => f.write_str("Wrong 'frameRate' parameter. Must be a number from 1 to 120"),
            Self::ShmSize => write!(f, "Wrong 'shmSize' parameter. Must be a number from {SHM_SIZE_MIN} on"),
            Self::TooLong(name) => write!(f, "Parameter '{name}' is too long. At most {TEXT_MAX} bytes are allowed"),
        }
    }
}

impl Refused {
    /// The message of the answer.
    pub(super) fn message(&self) -> Cow<'static, str> {
        const INVALID: &str = "Some parameter is not valid.";
        let message = match self {
            Self::Query(name) => format!("Parameter '{name}' has to be a boolean"),
            Self::Type(wrong) => format!("Type error in some parameter: {wrong}"),
            Self::Value(name, sent) => format!("{INVALID} Parameter '{name}' {sent} is not defined"),
            Self::ForcedVideoCodec(sent) => format!("Invalid value for parameter 'forcedVideoCodec': {sent}"),
            Self::CustomSessionId => {
                format!("{INVALID} Parameter 'customSessionId' is wrong. Must be an alphanumeric string [a-zA-Z0-9_-]")
            }
            Self::CustomSessionIdTooLong => {
                format!("{INVALID} Parameter 'customSessionId' is wrong. Must have at most {CUSTOM_ID_MAX} characters")
            }
            Self::NoRecordingProperties => {
                format!("{INVALID} Error in parameter 'defaultRecordingProperties'. It is not a valid JSON object")
            }
            Self::RecordingProperty(refused) => {
                format!("{INVALID} Parameter 'defaultRecordingProperties' is not valid: {refused}")
            }
            Self::NoMediaNode => format!("{INVALID} Error in parameter 'mediaNode'. It is not a valid JSON object"),
            Self::NoMediaNodeId => format!("{INVALID} Error in parameter 'mediaNode'. Property 'id' not found"),
            Self::MediaNodeId(wrong) => format!("{INVALID} Type error in parameter 'mediaNode.id': {wrong}"),
            Self::TooLong(name) => {
                format!("{INVALID} Parameter '{name}' is too long. At most {TEXT_MAX} bytes are allowed")
            }
            Self::ConnectionType(sent) => format!("Parameter 'type' {sent} is not defined"),
            Self::RoleType(wrong) => format!("Type error in parameter 'role': {wrong}"),
            Self::RecordType(wrong) => format!("Type error in parameter 'record': {wrong}"),
            Self::NoJson(name) => format!("Error in parameter '{name}'. It is not a valid JSON object"),
            Self::TypeInside(name, wrong) => format!("Type error in some parameter of '{name}': {wrong}"),
            Self::IceServer => {
                return "Type error in some parameter of 'customIceServers': a url has to be that of a STUN server, or \
                        of a TURN server with username and credential or staticAuthSecret"
                    .into();
            }
            Self::OptionsTooLong => format!(
                "Parameters 'kurentoOptions' and 'customIceServers' are too long. Together they may have \
                 {OPTIONS_MAX} characters"
            ),
            Self::RtspUri => {
                return "Error in parameter 'rtspUri': its scheme has to be file, rtsp, rtsps, http or https".into();
            }
        };
        message.into()
    }
}
