//! The two kinds of requests for `/api/sessions`: a device's and a back-end's.

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::request::Parts,
    response::{IntoResponse, Response},
};
use greenroom_core::model::device::Identifier;
use greenroom_http::{
    App, Object,
    auth::{Authorization, Backend, Caller, Registrar, Scheme, Schemes},
    dialect::{device, openvidu},
    error::{Error, Unauthenticated},
    read_json_body,
};
use greenroom_openvidu::read_object;
use serde::{Deserialize, Serialize};
use utoipa::{IntoResponses, ToSchema};

use crate::{
    OpenSession,
    v2_15::{PROPERTIES, Properties},
};

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
            let body = body.map_err(openvidu::Error::from)?;
            let fields = read_object(&parts.headers, &body)?.unwrap_or_default();
            return Ok(Self::Media(Properties::read(&fields)?.open()?));
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
