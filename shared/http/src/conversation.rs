//! The extractors that the endpoints of conversations share (`docs/apis/mongooseim.md`).

use std::collections::HashMap;

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, RawPathParams, Request},
    http::{Method, request::Parts},
};
use greenroom_core::model::{Jid, message::BODY_MAX};
use greenroom_store::ArchiveWindow;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Object, accepts, body::media_type, read_json_body};
use crate::{
    App,
    dialect::conversation::{Error, Problem},
    error,
};

/// A caller that accepts JSON.
#[derive(Clone, Copy, Debug)]
pub struct TakesJson(());

impl FromRequestParts<App> for TakesJson {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Error> {
        if accepts(&parts.headers, "application/json") { Ok(Self(())) } else { Err(Error::NotAcceptable) }
    }
}

/// A body that says it is JSON and has not been parsed. A caller without permission is refused before the body is
/// checked.
pub struct Payload(Bytes);

impl FromRequest<App> for Payload {
    type Rejection = Error;

    async fn from_request(request: Request, _: &App) -> Result<Self, Error> {
        let (parts, body) = request.into_parts();
        let is_json = media_type(&parts.headers).is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
        // A DELETE need not say what its body is.
        if !is_json && parts.method != Method::DELETE {
            return Err(error::Error::UnsupportedMediaType.into());
        }
        Ok(Self(read_json_body(&parts.headers, body).await?))
    }
}

impl Payload {
    /// The object in the body.
    ///
    /// # Errors
    /// [`Error::Common`] if the body is no object.
    pub fn fields(&self) -> Result<BodyFields<'_>, Error> {
        let fields = Object::parse(&self.0)?.read();
        let unreadable = || error::Error::MalformedBody("A key in the body is no Unicode text".to_owned());
        Ok(BodyFields(fields.ok_or_else(unreadable)?))
    }
}

/// The fields of a body. Fields that no handler asks for are not checked.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct BodyFields<'a>(#[serde(borrow)] HashMap<String, &'a RawValue>);

impl BodyFields<'_> {
    /// A text. `what` is its name for people.
    ///
    /// # Errors
    /// [`Problem::Missing`] or [`Problem::NotText`].
    pub fn text(&self, name: &str, what: &'static str) -> Result<String, Error> {
        let value = self.0.get(name).ok_or(Error::Invalid(Problem::Missing(what)))?;
        serde_json::from_str(value.get()).map_err(|_| Error::Invalid(Problem::NotText(what)))
    }

    /// A JID.
    ///
    /// # Errors
    /// As [`text`](Self::text), or [`Problem::NotAJid`].
    pub fn jid(&self, name: &str, what: &'static str) -> Result<Jid, Error> {
        Jid::parse(&self.text(name, what)?).ok_or(Error::Invalid(Problem::NotAJid(what)))
    }

    /// At most `most` JIDs, without duplicates, in their order.
    ///
    /// # Errors
    /// [`Problem::Missing`], [`Problem::NotAList`] or [`Problem::TooLong`].
    pub fn jids(&self, name: &str, what: &'static str, most: usize) -> Result<Vec<Jid>, Error> {
        let list = self.0.get(name).ok_or(Error::Invalid(Problem::Missing(what)))?;
        let list: Vec<String> =
            serde_json::from_str(list.get()).map_err(|_| Error::Invalid(Problem::NotAList(what)))?;
        if list.len() > most {
            return Err(Error::Invalid(Problem::TooLong(what)));
        }
        let jids = list.iter().map(|jid| Jid::parse(jid));
        let mut jids = jids.collect::<Option<Vec<_>>>().ok_or(Error::Invalid(Problem::NotAList(what)))?;
        jids.sort();
        jids.dedup();
        Ok(jids)
    }

    /// The body of a message.
    ///
    /// # Errors
    /// As [`text`](Self::text), or [`Problem::BodyTooLong`].
    pub fn message_body(&self) -> Result<String, Error> {
        let body = self.text("body", "message body")?;
        if body.len() <= BODY_MAX { Ok(body) } else { Err(Error::Invalid(Problem::BodyTooLong)) }
    }
}

/// The JID in the path's parameter `name`. A text that is no JID names nothing, so it is not found.
pub async fn path_jid(parts: &mut Parts, app: &App, name: &str) -> Result<Jid, Error> {
    path_text(parts, app, name).await.as_deref().and_then(Jid::parse).ok_or(Error::NotFound)
}

/// A parameter of the path. `None` if it is not UTF-8.
pub async fn path_text(parts: &mut Parts, app: &App, name: &str) -> Option<String> {
    let params = RawPathParams::from_request_parts(parts, app).await.ok()?;
    params.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

/// The largest number of an archive's entries in one answer. A request for more gets this many.
const LIMIT_MAX: u64 = 500;
/// The number of entries if the request names none.
const LIMIT: u64 = 50;
/// The largest numbers that the published specification allows in a request. The second is the year 2100.
const LIMIT_ASKED_MAX: u64 = 2_147_483_647;
const BEFORE_MAX: u64 = 4_102_444_800_000;

/// The part of an archive that a request asks for, not parsed yet. A caller without permission is refused before it is
/// checked.
#[derive(Clone, Debug)]
pub struct PageQuery {
    limit: Option<String>,
    before: Option<String>,
}

impl FromRequestParts<App> for PageQuery {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Error> {
        let query = parts.uri.query().unwrap_or_default();
        let value = |name: &str| {
            let found = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name);
            found.map(|(_, value)| value.into_owned())
        };
        Ok(Self { limit: value("limit"), before: value("before") })
    }
}

impl PageQuery {
    /// The part of the archive.
    ///
    /// # Errors
    /// [`Problem::NotANumber`]
    pub fn window(&self) -> Result<ArchiveWindow, Error> {
        let limit = number(self.limit.as_deref(), "limit", LIMIT_ASKED_MAX)?.unwrap_or(LIMIT).min(LIMIT_MAX);
        let before = number(self.before.as_deref(), "before", BEFORE_MAX)?.unwrap_or(u64::MAX);
        Ok(ArchiveWindow { before, limit: usize::try_from(limit).unwrap_or_default() })
    }
}

/// A whole number from 0 to `max`.
fn number(text: Option<&str>, name: &'static str, max: u64) -> Result<Option<u64>, Error> {
    let Some(text) = text else { return Ok(None) };
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|number| digits && *number <= max);
    number.map(Some).ok_or(Error::Invalid(Problem::NotANumber { name, max }))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(None, Ok(None))]
    #[case(Some("0"), Ok(Some(0)))]
    #[case(Some("1700000000000"), Ok(Some(1_700_000_000_000)))]
    #[case(Some("1700000000001"), Err(()))]
    #[case(Some("99999999999999999999999"), Err(()))]
    #[case(Some(""), Err(()))]
    #[case(Some("-1"), Err(()))]
    #[case(Some("+1"), Err(()))]
    #[case(Some("1.5"), Err(()))]
    #[case(Some("ten"), Err(()))]
    fn a_parameter_is_a_whole_number(#[case] text: Option<&str>, #[case] outcome: Result<Option<u64>, ()>) {
        assert_eq!(number(text, "limit", 1_700_000_000_000).map_err(drop), outcome);
    }
}
