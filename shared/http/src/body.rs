//! Request bodies: bounded in size, and JSON objects without duplicate keys.

use std::{collections::HashSet, fmt, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, header},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IgnoredAny, MapAccess, Visitor},
};
use serde_json::error::Category;
use tokio::time::timeout;

use crate::error::Error;

/// The size limit of a body, 1 MiB. Bodies of this many bytes and more are refused.
pub const BODY_LIMIT: usize = 1024 * 1024;

/// The timeout for receiving a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// How much of a refused body is read and dropped, and for how long. A caller that is still sending does not read the
/// answer.
const DRAIN_LIMIT: usize = 16 * BODY_LIMIT;
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// Reads the whole body of a JSON request, without a byte order mark.
///
/// # Errors
/// As [`read_body`].
pub async fn read_json_body(headers: &HeaderMap, body: Body) -> Result<Bytes, Error> {
    let body = read_body(headers, body).await?;
    Ok(body.slice(body.len() - without_bom(&body).len()..))
}

/// The JSON text of a body, without a byte order mark (RFC 8259, 8.1).
#[must_use]
pub fn without_bom(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// Reads the whole body as it came. Signatures cover a byte order mark too.
///
/// # Errors
/// [`Error::BodyTooLarge`]. [`Error::MalformedBody`] if the body breaks off or does not arrive in time.
pub async fn read_body(headers: &HeaderMap, body: Body) -> Result<Bytes, Error> {
    read_body_up_to(BODY_LIMIT - 1, headers, body).await
}

/// Reads the whole body as it came, if it has at most `max` bytes.
///
/// # Errors
/// As [`read_body`].
pub async fn read_body_up_to(max: usize, headers: &HeaderMap, mut body: Body) -> Result<Bytes, Error> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let read = async {
        if announced.is_some_and(|length: usize| length > max) {
            return Err(Error::BodyTooLarge);
        }
        match Limited::new(&mut body, max).collect().await {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => Err(Error::BodyTooLarge),
            Err(_) => Err(Error::MalformedBody("The body breaks off".to_owned())),
        }
    };
    let late = || Err(Error::MalformedBody("The body did not arrive in time".to_owned()));
    let read = timeout(BODY_TIMEOUT, read).await.unwrap_or_else(|_| late());
    if let Err(Error::BodyTooLarge) = read {
        // The answer is the same whether draining succeeds or not.
        let _ = timeout(DRAIN_TIMEOUT, drain(body)).await;
    }
    read
}

async fn drain(mut body: Body) {
    let mut drained = 0;
    while let Some(Ok(frame)) = body.frame().await
        && drained < DRAIN_LIMIT
    {
        drained += frame.data_ref().map_or(0, Bytes::len);
    }
}

/// Whether the headers say that the body is JSON. `None` if they do not say what it is.
#[must_use]
pub fn is_json(headers: &HeaderMap) -> Option<bool> {
    let kind = media_type(headers)?.to_ascii_lowercase();
    let suffixed = kind.starts_with("application/") && kind.ends_with("+json");
    Some(kind == "application/json" || suffixed)
}

/// The media type that the headers name, without its parameters; empty if it is no text.
// Not by the `mediatype` crate, which refuses the whole type if a parameter is malformed. Here none matters.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<&str> {
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().unwrap_or_default();
    Some(kind.split(';').next().unwrap_or_default().trim())
}

/// A body that is a JSON object without duplicate keys. Values that no handler asks for are not checked.
pub struct Object<'a> {
    keys: HashSet<String>,
    body: &'a [u8],
}

impl<'a> Object<'a> {
    /// Reads a body.
    ///
    /// # Errors
    /// [`Error::MalformedBody`], which quotes nothing of the body.
    pub fn parse(body: &'a [u8]) -> Result<Self, Error> {
        let malformed = |problem: String| Error::MalformedBody(problem);
        let no_json = |error: &serde_json::Error| {
            malformed(format!("The body is not JSON: line {} column {}", error.line(), error.column()))
        };
        if str::from_utf8(body).is_err() {
            return Err(malformed("The body is not UTF-8".to_owned()));
        }
        // The body is read to its end first, so that a syntax error counts wherever it is.
        serde_json::from_slice::<IgnoredAny>(body).map_err(|error| no_json(&error))?;
        if !body.trim_ascii_start().starts_with(b"{") {
            return Err(malformed("The body must be a JSON object".to_owned()));
        }
        let Keys(keys) = serde_json::from_slice(body).map_err(|error| match error.classify() {
            Category::Data => malformed("A key stands twice in the body".to_owned()),
            Category::Syntax | Category::Eof | Category::Io => no_json(&error),
        })?;
        Ok(Self { keys, body })
    }

    /// Whether the object has this key.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.keys.contains(key)
    }

    /// The object as a type. `None` if a value is of another type.
    #[must_use]
    pub fn read<T: Deserialize<'a>>(&self) -> Option<T> {
        serde_json::from_slice(self.body).ok()
    }
}

/// The keys of an object. A duplicate key is an error.
struct Keys(HashSet<String>);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Keys;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Keys, A::Error> {
                let mut keys = HashSet::new();
                while let Some((key, IgnoredAny)) = entries.next_entry()? {
                    if !keys.insert(key) {
                        return Err(A::Error::custom("a key stands twice"));
                    }
                }
                Ok(Keys(keys))
            }
        }

        deserializer.deserialize_map(Collect)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::an_object(r#"{"a":1,"b":{"a":2}}"#, None)]
    #[case::nothing("", Some("The body is not JSON: line 1 column 0"))]
    #[case::a_trailing_comma(r#"{"a":1,}"#, Some("The body is not JSON: line 1 column 8"))]
    #[case::something_behind_it(r#"{"a":1} x"#, Some("The body is not JSON: line 1 column 9"))]
    #[case::an_array("[1]", Some("The body must be a JSON object"))]
    #[case::null("null", Some("The body must be a JSON object"))]
    #[case::a_key_twice(r#"{"a":1,"a":1}"#, Some("A key stands twice in the body"))]
    fn a_body_is_an_object_without_repeated_keys(#[case] body: &str, #[case] problem: Option<&str>) {
        let error = Object::parse(body.as_bytes()).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), problem);
    }

    #[rstest]
    #[case("application/json", true)]
    #[case("Application/JSON; charset", true)]
    #[case("application/problem+json;charset=utf-8", true)]
    #[case("application/jsonp", false)]
    #[case("text/x+json", false)]
    #[case("", false)]
    fn the_media_type_says_whether_a_body_is_json(#[case] kind: &str, #[case] json: bool) {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, kind.parse().unwrap())]);
        assert_eq!(is_json(&headers), Some(json));
        assert_eq!(is_json(&HeaderMap::new()), None);
    }

    #[test]
    fn nesting_without_end_is_read_without_end() {
        let (open, close) = ("[".repeat(300_000), "]".repeat(300_000));
        assert!(Object::parse(format!(r#"{{"a":{open}"#).as_bytes()).is_err());
        assert!(Object::parse(format!(r#"{{"a":{open}{close}}}"#).as_bytes()).is_ok());
    }
}
