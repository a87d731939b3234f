//! Tokens of `/api/tokens` (`docs/apis/openvidu.md`).

use std::convert::Infallible;

use greenroom_core::{
    id::MediaSessionId,
    model::{
        Connection,
        connection::{Grant, KurentoOptions, MediaToken, Role, ServerData},
    },
};
use greenroom_http::dialect::openvidu::{Error, OPTIONS_MAX, Sent};
use greenroom_openvidu::{Fields, value};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::options;

/// The options of a token.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes the body to the OpenAPI document")]
pub(crate) struct TokenOptions {
    /// The session that the token is for.
    #[schema(example = "ses_0a1b2c3d4e5f60718293a4b5c6d7e8f9")]
    session: String,
    /// The rights of its bearer; those of a publisher by default.
    role: Option<Role>,
    /// Metadata. Greenroom passes it on and never reads it.
    #[schema(max_length = 10_000, example = "{\"name\":\"Alice\"}")]
    data: Option<String>,
    /// Options for OpenVidu's media server, which Greenroom does not use. The answer repeats them.
    #[schema(value_type = Option<Object>, example = json!({"videoMaxRecvBandwidth": 1000}))]
    kurento_options: Option<()>,
}

/// A token.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IssuedToken {
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

impl IssuedToken {
    /// The token of a connection that was made with these fields.
    pub(crate) fn of(connection: Connection, token: MediaToken, fields: &Fields<'_>) -> Self {
        let Connection { session_id, grant, .. } = connection;
        let given = fields.raw("kurentoOptions").filter(|_| grant.kurento_options.is_some());
        let is_empty = |options: &&RawValue| options.get()[1..].trim_start().starts_with('}');
        Self {
            id: token.clone(),
            session: session_id,
            role: grant.role,
            data: grant.server_data,
            token,
            kurento_options: given.filter(|options| !is_empty(options)).map(ToOwned::to_owned),
        }
    }
}

/// A request for a token, each field of its type.
pub(crate) struct Request {
    /// The session that it is for.
    pub(crate) session: String,
    role: Option<String>,
    data: String,
    kurento_options: Option<KurentoOptions>,
}

impl Request {
    /// Reads a request.
    pub(crate) fn read(fields: &Fields<'_>) -> Result<Self, Error> {
        let text = |name| fields.text(name).map_err(|_| Error::WrongType);
        let (session, role, data) = (text("session")?, text("role")?, text("data")?);
        let kurento_options = understood(fields)?;
        Ok(Self {
            session: session.filter(|id| !id.is_empty()).ok_or(Error::SessionMissing)?,
            role,
            data: data.unwrap_or_default(),
            kurento_options,
        })
    }

    /// The rights that it asks for.
    pub(crate) fn grant(self) -> Result<Grant, Error> {
        let role = value(self.role.as_deref()).map_err(|name| Error::UnknownRole(Sent::new(name)))?;
        let server_data = ServerData::parse(self.data).ok_or(Error::DataTooLong)?;
        Ok(Grant { role, server_data, record: true, kurento_options: self.kurento_options, ice_servers: Vec::new() })
    }
}

/// The options that 2.32 knows, as far as they have the right types. Filters that do not fit into an item are left out.
fn understood(fields: &Fields<'_>) -> Result<Option<KurentoOptions>, Error> {
    let Some(given) = fields.object("kurentoOptions").map_err(|_| Error::WrongType)? else { return Ok(None) };
    let Ok(options) = options::read(&given, |_| Ok::<_, Infallible>(()));
    let length = fields.raw("kurentoOptions").map_or(0, |raw| raw.get().chars().count());
    let allowed_filters = if length > OPTIONS_MAX { Vec::new() } else { options.allowed_filters };
    Ok(Some(KurentoOptions { allowed_filters, ..options }))
}
