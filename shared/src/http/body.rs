//! Request bodies: bounded, and JSON objects in which no key stands twice.

use std::fmt;

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, header},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _, IgnoredAny, MapAccess, Visitor},
};
use serde_json::{Map, Value, error::Category};

use crate::error::Error;

/// Bodies of this many bytes, 1 MiB, and more are refused.
pub const BODY_LIMIT: usize = 1024 * 1024;

/// The whole body.
///
/// # Errors
/// [`Error::BodyTooLarge`] as soon as that is known; [`Error::MalformedBody`] where it breaks off.
pub async fn read_body(headers: &HeaderMap, body: Body) -> Result<Bytes, Error> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length >= BODY_LIMIT) {
        return Err(Error::BodyTooLarge);
    }
    match Limited::new(body, BODY_LIMIT - 1).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Error::BodyTooLarge),
        Err(_) => Err(Error::MalformedBody("The body breaks off".to_owned())),
    }
}

/// Whether the headers say that the body is JSON; `None` where they do not say what it is.
#[must_use]
pub fn is_json(headers: &HeaderMap) -> Option<bool> {
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let suffixed = kind.starts_with("application/") && kind.ends_with("+json");
    Some(kind == "application/json" || suffixed)
}

/// A JSON object in which no key stands twice.
#[derive(Debug, Default)]
pub struct Object(Map<String, Value>);

impl Object {
    /// Reads a body.
    ///
    /// # Errors
    /// [`Error::MalformedBody`], which quotes nothing of it.
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        let problem = |error: serde_json::Error| match error.classify() {
            Category::Syntax | Category::Eof | Category::Io => {
                format!("The body is not JSON: line {} column {}", error.line(), error.column())
            }
            Category::Data => "The body must be a JSON object in which no key stands twice".to_owned(),
        };
        // Read to the end first: an error of form is one wherever it stands.
        serde_json::from_slice::<IgnoredAny>(body).map_err(|error| Error::MalformedBody(problem(error)))?;
        serde_json::from_slice(body).map_err(|error| Error::MalformedBody(problem(error)))
    }

    /// Whether it has this key.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// The value of this key.
    #[must_use]
    pub fn take(mut self, key: &str) -> Option<Value> {
        self.0.remove(key)
    }

    /// The object as a type; `None` where a value is of another type.
    #[must_use]
    pub fn read<T: DeserializeOwned>(self) -> Option<T> {
        serde_json::from_value(Value::Object(self.0)).ok()
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;

        impl<'de> Visitor<'de> for Keys {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Object, A::Error> {
                let mut object = Map::new();
                while let Some((key, value)) = entries.next_entry()? {
                    if object.insert(key, value).is_some() {
                        return Err(A::Error::custom("a key stands twice"));
                    }
                }
                Ok(Object(object))
            }
        }

        deserializer.deserialize_map(Keys)
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
    #[case::an_array("[1]", Some("The body must be a JSON object in which no key stands twice"))]
    #[case::null("null", Some("The body must be a JSON object in which no key stands twice"))]
    #[case::a_key_twice(r#"{"a":1,"a":1}"#, Some("The body must be a JSON object in which no key stands twice"))]
    fn a_body_is_an_object_without_repeated_keys(#[case] body: &str, #[case] problem: Option<&str>) {
        let error = Object::parse(body.as_bytes()).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), problem);
    }

    #[test]
    fn nesting_without_end_is_malformed() {
        let body = "[".repeat(100_000);
        assert!(Object::parse(format!(r#"{{"a":{body}"#).as_bytes()).is_err());
    }
}
