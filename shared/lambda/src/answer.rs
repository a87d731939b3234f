//! An answer in the form that API Gateway takes.

use std::borrow::Cow;

use axum::{
    body::{Bytes, to_bytes},
    http::{HeaderMap, HeaderName, HeaderValue, header::GetAll},
    response::Response,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use lambda_runtime::{Error, MetadataPrelude, StreamResponse};
use serde::{Serialize, Serializer, ser::SerializeMap};

use super::event::Format;

/// An answer that is sent whole.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer {
    status_code: u16,
    #[serde(flatten)]
    headers: Headers,
    body: String,
    is_base64_encoded: bool,
}

#[derive(Serialize)]
enum Headers {
    #[serde(rename = "multiValueHeaders", serialize_with = "listed")]
    Listed(HeaderMap),
    /// Values of one name are joined with commas, because the form has only one place for each name.
    #[serde(rename = "headers", serialize_with = "joined")]
    Joined(HeaderMap),
}

impl Answer {
    /// Waits for the end of the body. A body that is no text is sent in base64.
    pub(super) async fn read(response: Response, format: Format) -> Result<Self, Error> {
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await?;
        let (body, is_base64_encoded) = match String::from_utf8(body.into()) {
            Ok(text) => (text, false),
            Err(binary) => (BASE64_STANDARD.encode(binary.as_bytes()), true),
        };
        let headers = match format {
            Format::Version1 => Headers::Listed(parts.headers),
            Format::Version2 => Headers::Joined(parts.headers),
        };
        Ok(Self { status_code: parts.status.as_u16(), headers, body, is_base64_encoded })
    }
}

fn listed<S: Serializer>(headers: &HeaderMap, serializer: S) -> Result<S::Ok, S::Error> {
    each(headers, serializer, |values| values.iter().map(text).collect::<Vec<_>>())
}

fn joined<S: Serializer>(headers: &HeaderMap, serializer: S) -> Result<S::Ok, S::Error> {
    each(headers, serializer, |values| {
        let mut values = values.iter().map(text);
        let first = values.next().unwrap_or_default();
        values.fold(first, |joined, value| Cow::Owned(format!("{joined}, {value}")))
    })
}

/// Writes each name once, with what `of` makes of its values.
fn each<'a, S: Serializer, T: Serialize>(
    headers: &'a HeaderMap,
    serializer: S,
    of: impl Fn(GetAll<'a, HeaderValue>) -> T,
) -> Result<S::Ok, S::Error> {
    let mut members = serializer.serialize_map(Some(headers.keys_len()))?;
    for name in headers.keys() {
        members.serialize_entry(HeaderName::as_str(name), &of(headers.get_all(name)))?;
    }
    members.end()
}

fn text(value: &HeaderValue) -> Cow<'_, str> {
    value.to_str().map_or_else(|_| String::from_utf8_lossy(value.as_bytes()), Cow::Borrowed)
}

/// An answer that is sent while it is made.
pub(super) fn streamed(
    response: Response,
) -> StreamResponse<impl futures_util::Stream<Item = Result<Bytes, axum::Error>> + Unpin + Send + 'static> {
    let (parts, body) = response.into_parts();
    let metadata_prelude = MetadataPrelude { status_code: parts.status, headers: parts.headers, cookies: Vec::new() };
    StreamResponse { metadata_prelude, stream: body.into_data_stream() }
}
