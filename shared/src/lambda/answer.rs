//! An answer in the form that API Gateway takes.

use std::collections::BTreeMap;

use axum::{
    body::{Bytes, to_bytes},
    http::HeaderMap,
    response::Response,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use lambda_runtime::{Error, MetadataPrelude, StreamResponse};
use serde::Serialize;

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
    #[serde(rename = "multiValueHeaders")]
    Listed(BTreeMap<String, Vec<String>>),
    /// Values of one name are joined with commas, because the form has only one place for each name.
    #[serde(rename = "headers")]
    Joined(BTreeMap<String, String>),
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
        let headers = Headers::of(&parts.headers, format);
        Ok(Self { status_code: parts.status.as_u16(), headers, body, is_base64_encoded })
    }
}

impl Headers {
    fn of(headers: &HeaderMap, format: Format) -> Self {
        let mut listed: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in headers {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            listed.entry(name.to_string()).or_default().push(value);
        }
        match format {
            Format::Version1 => Self::Listed(listed),
            Format::Version2 => {
                Self::Joined(listed.into_iter().map(|(name, values)| (name, values.join(", "))).collect())
            }
        }
    }
}

/// An answer that is sent while it is made.
pub(super) fn streamed(
    response: Response,
) -> StreamResponse<impl futures_util::Stream<Item = Result<Bytes, axum::Error>> + Unpin + Send + 'static> {
    let (parts, body) = response.into_parts();
    let metadata_prelude = MetadataPrelude { status_code: parts.status, headers: parts.headers, cookies: Vec::new() };
    StreamResponse { metadata_prelude, stream: body.into_data_stream() }
}
