//! The two kinds of requests for a session: a device's and a back-end's.

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, request::Parts},
    response::{IntoResponse, Response},
};
use greenroom_core::{
    id::{CUSTOM_ID_MAX, MediaSessionId},
    model::{
        device::Identifier,
        media_session::{MediaMode, OutputMode, RecordingLayout, RecordingMode, SessionProperties},
    },
};
use greenroom_http::{
    App, Object,
    auth::{Authorization, Backend, Caller, Registrar, Scheme, Schemes},
    dialect::{
        device,
        openvidu::{self, Sent},
    },
    error::{Error, Unauthenticated},
    is_json, read_json_body,
};
use serde::{
    Deserialize, Serialize,
    de::{DeserializeOwned, IntoDeserializer, value::Error as ValueError},
};
use utoipa::{IntoResponses, ToSchema};

/// The longest name of a custom layout, in bytes. A session has to fit into an item.
const CUSTOM_LAYOUT_MAX: usize = 10_000;

/// A request for a session.
pub(crate) enum SessionRequest {
    /// A device registers.
    Device(Identifier),
    /// A back-end opens a media session.
    Media(OpenSession),
}

/// Why a session was refused, in the dialect of the caller.
pub(crate) enum SessionError {
    Device(device::Error),
    Media(openvidu::Error),
}

impl From<device::Error> for SessionError {
    fn from(error: device::Error) -> Self {
        Self::Device(error)
    }
}

impl From<openvidu::Error> for SessionError {
    fn from(error: openvidu::Error) -> Self {
        Self::Media(error)
    }
}

impl IntoResponse for SessionError {
    fn into_response(self) -> Response {
        match self {
            Self::Device(error) => error.into_response(),
            Self::Media(error) => error.into_response(),
        }
    }
}

/// The body of a refusal, in the dialect of the caller.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes the bodies to the OpenAPI document")]
#[schema(as = NewSessionProblem)]
pub(crate) enum Problem {
    Device(device::Body),
    Media(openvidu::Body),
}

/// The refusals of both kinds of requests.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes the answers to the OpenAPI document")]
pub(crate) enum Refusals {
    /// The identifier or a property is not valid, or the body is no JSON object
    #[response(
        status = 400,
        example = json!({"error": {
            "code": "invalid_identifier",
            "message": "identifier must be a string of 1 to 256 characters, not blank, without control characters, and none that many devices share",
        }}),
    )]
    Invalid(#[to_schema] Problem),
    /// The credentials are missing or wrong
    #[response(
        status = 401,
        headers(("WWW-Authenticate" = String, description = "The scheme to use: `Basic` or `Bearer`")),
        example = json!({
            "timestamp": 1_795_344_000_000_u64,
            "status": 401,
            "error": "Unauthorized",
            "message": "Full authentication is required to access this resource",
            "path": "/api/sessions",
        }),
    )]
    Unauthenticated(#[to_schema] Problem),
    /// A live media session has this `customSessionId`
    #[response(
        status = 409,
        example = json!({
            "timestamp": 1_795_344_000_000_u64,
            "status": 409,
            "error": "Conflict",
            "message": "A session with this customSessionId exists already",
            "path": "/api/sessions",
        }),
    )]
    Exists(#[to_schema] openvidu::Body),
    /// The body has 1 MiB or more
    #[response(
        status = 413,
        example = json!({"error": {"code": "body_too_large", "message": "The body must be smaller than 1 MiB"}}),
    )]
    TooLarge(#[to_schema] Problem),
    /// A back-end's body is not JSON
    #[response(
        status = 415,
        example = json!({
            "timestamp": 1_795_344_000_000_u64,
            "status": 415,
            "error": "Unsupported Media Type",
            "message": "The body must be application/json",
            "path": "/api/sessions",
        }),
    )]
    UnsupportedMediaType(#[to_schema] openvidu::Body),
    /// An internal error
    #[response(
        status = 500,
        example = json!({"error": {"code": "internal", "message": "Something went wrong on our side"}}),
    )]
    Fault(#[to_schema] Problem),
    /// The database table is busy
    #[response(
        status = 503,
        headers(("Retry-After" = u64, description = "The number of seconds after which to try again")),
        example = json!({"error": {"code": "unavailable", "message": "The service is busy; try again"}}),
    )]
    Unavailable(#[to_schema] Problem),
}

/// The properties of a media session. A property may also have the name that OpenVidu 1.7 had for it.
#[derive(Default, Serialize, Deserialize, ToSchema)]
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
const PROPERTIES: [&str; 8] = [
    "archiveMode",
    "recordingMode",
    "archiveLayout",
    "defaultRecordingLayout",
    "mediaMode",
    "defaultOutputMode",
    "defaultCustomLayout",
    "customSessionId",
];

/// The body of a device's request.
#[derive(Serialize, ToSchema)]
#[schema(as = DeviceRegistration)]
pub(crate) struct Registration {
    /// The identifier that the device gives itself.
    #[schema(example = "device_unique_id_here")]
    identifier: Identifier,
}

/// The body of either request.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes the body to the OpenAPI document")]
#[schema(as = NewSessionBody)]
pub(crate) enum Body {
    #[schema(title = "Device")]
    Device(Registration),
    #[schema(title = "MediaSession")]
    Media(Properties),
}

/// A request for a media session.
#[derive(Debug)]
pub(crate) struct OpenSession {
    pub(crate) custom_id: Option<MediaSessionId>,
    pub(crate) properties: SessionProperties,
}

impl Caller for SessionRequest {
    const SCHEMES: Schemes = &[None, Some(Scheme::OpenVidu), Some(Scheme::ApiToken)];
}

impl FromRequest<App> for SessionRequest {
    type Rejection = SessionError;

    async fn from_request(request: Request, app: &App) -> Result<Self, SessionError> {
        let (mut parts, body) = request.into_parts();
        // The body is read before any refusal, because a caller that is still sending does not read the answer.
        let body = read_json_body(&parts.headers, body).await;
        if Authorization::of(&parts.headers).is_some_and(|header| header.is("basic")) {
            Backend::from_request_parts(&mut parts, app).await?;
            return Ok(Self::Media(media(&parts.headers, &body.map_err(openvidu::Error::from)?)?));
        }
        let body = body.map_err(device::Error::from)?;
        let object = Object::parse(&body);
        if Authorization::of(&parts.headers).is_none()
            && (body.is_empty() || object.as_ref().is_ok_and(only_a_backend_sends))
        {
            return Err(openvidu::Error::from(Unauthenticated::Missing).into());
        }
        Ok(Self::Device(device(&mut parts, app, object).await?))
    }
}

fn only_a_backend_sends(object: &Object<'_>) -> bool {
    !object.has("identifier") && PROPERTIES.iter().any(|key| object.has(key))
}

async fn device(parts: &mut Parts, app: &App, object: Result<Object<'_>, Error>) -> Result<Identifier, device::Error> {
    #[derive(Deserialize)]
    struct Unchecked {
        identifier: String,
    }
    Registrar::from_request_parts(parts, app).await?;
    let identifier = object?.read().and_then(|Unchecked { identifier }| Identifier::parse(identifier));
    identifier.ok_or(device::Error::InvalidIdentifier)
}

fn media(headers: &HeaderMap, body: &[u8]) -> Result<OpenSession, openvidu::Error> {
    if body.is_empty() {
        return Properties::default().open();
    }
    if is_json(headers) == Some(false) {
        return Err(Error::UnsupportedMediaType.into());
    }
    if body.trim_ascii() == b"null" {
        return Properties::default().open();
    }
    Object::parse(body)?.read::<Properties>().ok_or(openvidu::Error::WrongType)?.open()
}

impl Properties {
    fn open(self) -> Result<OpenSession, openvidu::Error> {
        let recording_mode = self.recording_mode.as_ref().or(self.archive_mode.as_ref());
        let layout = self.default_recording_layout.as_ref().or(self.archive_layout.as_ref());
        let values = (|| {
            Some(SessionProperties {
                media_mode: value(self.media_mode.as_ref())?,
                recording_mode: value(recording_mode)?,
                default_output_mode: value(self.default_output_mode.as_ref())?,
                default_recording_layout: value(layout)?,
                default_custom_layout: self.default_custom_layout.clone().unwrap_or_default(),
            })
        })();
        let properties = values.ok_or_else(|| {
            let sent = |value: Option<&String>| Sent::new(value.map_or("null", String::as_str));
            openvidu::Error::UnknownValue {
                recording_mode: sent(recording_mode),
                output_mode: sent(self.default_output_mode.as_ref()),
                recording_layout: sent(layout),
                media_mode: sent(self.media_mode.as_ref()),
            }
        })?;
        if properties.default_custom_layout.len() > CUSTOM_LAYOUT_MAX {
            return Err(openvidu::Error::CustomLayoutTooLong);
        }
        let custom_id = self.custom_session_id.filter(|id| !id.is_empty());
        let custom_id = custom_id.map(|id| match MediaSessionId::parse(&id) {
            Some(id) => Ok(id),
            None if id.len() > CUSTOM_ID_MAX => Err(openvidu::Error::CustomSessionIdTooLong),
            None => Err(openvidu::Error::InvalidCustomSessionId),
        });
        Ok(OpenSession { custom_id: custom_id.transpose()?, properties })
    }
}

/// The value with this name. Without a name it is the default; `None` if there is no such value.
fn value<T: DeserializeOwned + Default>(name: Option<&String>) -> Option<T> {
    let Some(name) = name else { return Some(T::default()) };
    T::deserialize(IntoDeserializer::<ValueError>::into_deserializer(name.as_str())).ok()
}
