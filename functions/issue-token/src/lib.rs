//! `POST /api/tokens`: issues a participant's token for a media session, with its connection (`docs/apis/openvidu.md`).

use axum::{
    Json,
    extract::{FromRequest, FromRequestParts, Request, State},
    http::{HeaderMap, Uri, header, uri::Authority},
};
use greenroom_core::{
    config::Setting,
    id::MediaSessionId,
    model::{
        Connection,
        connection::{MediaToken, Role, ServerData},
    },
};
use greenroom_http::{
    App, Object as JsonObject,
    auth::{Backend, Caller, Schemes},
    dialect::openvidu::{Body, BodyRefusals, Error, Refusals, Sent},
    error, is_json, read_json_body,
};
use greenroom_media::Services;
use serde::{
    Deserialize, Serialize,
    de::{IntoDeserializer, value::Error as ValueError},
};
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// The settings of this function.
pub const SETTINGS: &[Setting] = &[
    Setting::TableName,
    Setting::OpenviduSecret,
    Setting::MediaTokenTtl,
    Setting::MediaSessionGrace,
    Setting::CorsOrigins,
    Setting::Log,
];

greenroom_http::routes!(issue_token);

/// The options of a token.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TokenOptions {
    /// The session that the token is for.
    #[schema(required, value_type = String, example = "ses_0a1b2c3d4e5f60718293a4b5c6d7e8f9")]
    session: Option<String>,
    /// The rights of its bearer; those of a publisher by default.
    #[schema(value_type = Option<Role>, example = "PUBLISHER")]
    role: Option<String>,
    /// Metadata. Greenroom passes it on and never reads it.
    #[schema(max_length = 10_000, example = "{\"name\":\"Alice\"}")]
    data: Option<String>,
    /// Options for Kurento, which Greenroom does not use. The answer repeats them.
    #[schema(value_type = Option<Object>, example = json!({"videoMaxRecvBandwidth": 1000}))]
    kurento_options: Option<Box<RawValue>>,
}

/// A token.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct IssuedToken {
    /// The token, again.
    id: MediaToken,
    /// The session that the token is for.
    session: MediaSessionId,
    /// The rights of its bearer.
    role: Role,
    /// The metadata of the request.
    data: ServerData,
    /// The token.
    token: MediaToken,
    /// The options of the request. It is missing if there were none, or if they were empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>, example = json!({"videoMaxRecvBandwidth": 1000}))]
    kurento_options: Option<Box<RawValue>>,
}

/// Issue a token.
#[utoipa::path(
    post,
    path = "/api/tokens",
    operation_id = "issueToken",
    tag = "Media sessions",
    request_body = TokenOptions,
    responses(
        (status = 200, description = "The token", body = IssuedToken),
        (status = 400, description = "A parameter is missing or not valid, or the body is no JSON object", body = Body),
        (status = 404, description = "There is no such live session", body = Body),
        BodyRefusals,
        Refusals,
    ),
)]
async fn issue_token(State(services): State<Services>, request: TokenRequest) -> Result<Json<IssuedToken>, Error> {
    let TokenRequest { session, role, data, kurento_options, host } = request;
    let now = services.clock.now();
    let id = MediaSessionId::parse(&session).ok_or_else(|| Error::SessionNotFound(Sent::new(&session)))?;
    let (role, data) = match (role, data) {
        (Ok(role), Ok(data)) => (role, data),
        // A missing session is reported before problems of the other options.
        _ if !services.store.is_media_session_live(&id, now).await? => {
            return Err(Error::SessionNotFound(Sent::new(&session)));
        }
        (Err(error), _) | (_, Err(error)) => return Err(error),
    };
    let connection = Connection::issue(id, role, data, &host, now, services.config.media_token_ttl);
    if !services.store.insert_connection(&connection, services.config.media_session_grace).await? {
        return Err(Error::SessionNotFound(Sent::new(&session)));
    }
    let Connection { token, session_id, role, server_data, .. } = connection;
    Ok(Json(IssuedToken { id: token.clone(), session: session_id, role, data: server_data, token, kurento_options }))
}

/// A back-end's request for a token. Its role and metadata are checked only when the session is known to be live.
struct TokenRequest {
    session: String,
    role: Result<Role, Error>,
    data: Result<ServerData, Error>,
    kurento_options: Option<Box<RawValue>>,
    host: String,
}

impl Caller for TokenRequest {
    const SCHEMES: Schemes = Backend::SCHEMES;
}

impl FromRequest<App> for TokenRequest {
    type Rejection = Error;

    async fn from_request(request: Request, app: &App) -> Result<Self, Error> {
        let (mut parts, body) = request.into_parts();
        // The body is read before any refusal, because a caller that is still sending does not read the answer.
        let body = read_json_body(&parts.headers, body).await;
        Backend::from_request_parts(&mut parts, app).await?;
        let body = body?;
        let options = if body.is_empty() { TokenOptions::default() } else { options(&parts.headers, &body)? };
        let kurento_options = given(options.kurento_options)?;
        Ok(Self {
            session: options.session.filter(|id| !id.is_empty()).ok_or(Error::SessionMissing)?,
            role: options.role.as_deref().map_or(Ok(Role::default()), role),
            data: ServerData::parse(options.data.unwrap_or_default()).ok_or(Error::DataTooLong),
            kurento_options,
            host: host(&parts.headers, app.config.public_url.as_deref()),
        })
    }
}

fn options(headers: &HeaderMap, body: &[u8]) -> Result<TokenOptions, Error> {
    if is_json(headers) == Some(false) {
        return Err(error::Error::UnsupportedMediaType.into());
    }
    if body.trim_ascii() == b"null" {
        return Ok(TokenOptions::default());
    }
    JsonObject::parse(body)?.read().ok_or(Error::WrongType)
}

/// The options as they were sent, without a check of their content. `None` for an empty object.
fn given(options: Option<Box<RawValue>>) -> Result<Option<Box<RawValue>>, Error> {
    let inside = options.as_ref().map(|options| options.get().strip_prefix('{').ok_or(Error::WrongType)).transpose()?;
    let empty = inside.is_none_or(|inside| inside.trim_start().starts_with('}'));
    Ok(options.filter(|_| !empty))
}

fn role(name: &str) -> Result<Role, Error> {
    let role = Role::deserialize(IntoDeserializer::<ValueError>::into_deserializer(name));
    role.map_err(|_| Error::UnknownRole(Sent::new(name)))
}

/// The host that participants join at: that of the public address, else the one that the request was sent to.
fn host(headers: &HeaderMap, public_url: Option<&str>) -> String {
    let public = public_url.and_then(|url| url.parse::<Uri>().ok()?.authority().map(Authority::to_string));
    let asked = || {
        let host: Authority = headers.get(header::HOST)?.to_str().ok()?.parse().ok()?;
        Some(host.to_string())
    };
    public.or_else(asked).unwrap_or_else(|| "localhost".to_owned())
}
