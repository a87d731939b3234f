//! Bodies of POST and PATCH.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, Uri},
};
use greenroom_http::{
    App, Object,
    auth::{Backend, Caller, Schemes},
    base_url,
    dialect::openvidu::Error,
    error, is_json, read_json_body,
};

use crate::{Fields, SessionPath};

/// A back-end's request with a body.
pub struct Given {
    /// The host that participants join at: that of the public address, or else the one that the request was sent to.
    pub host: String,
    /// The session that its path names, if it names one.
    pub path: SessionPath,
    headers: HeaderMap,
    body: Bytes,
}

impl Caller for Given {
    const SCHEMES: Schemes = Backend::SCHEMES;
}

impl FromRequest<App> for Given {
    type Rejection = Error;

    async fn from_request(request: Request, app: &App) -> Result<Self, Error> {
        let (mut parts, body) = request.into_parts();
        // The body is read before any refusal, because a caller that is still sending does not read the answer.
        let body = read_json_body(&parts.headers, body).await;
        Backend::from_request_parts(&mut parts, app).await?;
        let path = SessionPath::from_request_parts(&mut parts, app).await?;
        let host = base_url(&parts, app).parse().ok().and_then(|url: Uri| Some(url.authority()?.to_string()));
        let host = host.unwrap_or_else(|| "localhost".to_owned());
        Ok(Self { host, path, headers: parts.headers, body: body? })
    }
}

impl Given {
    /// The fields of the body. A body that is missing or `null` has none.
    ///
    /// # Errors
    /// As [`read_object`].
    pub fn optional(&self) -> Result<Fields<'_>, Error> {
        Ok(read_object(&self.headers, &self.body)?.unwrap_or_default())
    }

    /// The fields of the body, which has to be there.
    ///
    /// # Errors
    /// As [`read_object`], and [`Error::BodyMissing`].
    pub fn required(&self) -> Result<Fields<'_>, Error> {
        read_object(&self.headers, &self.body)?.ok_or(Error::BodyMissing)
    }
}

/// Reads a body as a JSON object; `None` if it is missing or `null`.
///
/// # Errors
/// [`error::Error::UnsupportedMediaType`] if the headers say that it is no JSON, and
/// [`error::Error::MalformedBody`] if it is no object, or one with a key twice.
pub fn read_object<'a>(headers: &HeaderMap, body: &'a [u8]) -> Result<Option<Fields<'a>>, Error> {
    if body.is_empty() {
        return Ok(None);
    }
    if is_json(headers) == Some(false) {
        return Err(error::Error::UnsupportedMediaType.into());
    }
    if body.trim_ascii() == b"null" {
        return Ok(None);
    }
    Ok(Object::parse(body)?.read())
}
