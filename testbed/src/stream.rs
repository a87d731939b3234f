//! A streamed answer of a function, as a function URL passes it on.

use axum::body::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use crate::error::InvokeError;

/// The delimiter between the head and the body.
const DELIMITER: [u8; 8] = [0; 8];

/// An answer whose head has arrived but whose body has not.
///
/// If it is dropped before its end, the function is still sending and takes no further event.
#[derive(Debug)]
pub struct Streamed {
    head: Head,
    /// The part of the body that arrived together with the head.
    begun: Bytes,
    chunks: mpsc::Receiver<Bytes>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    status_code: u16,
    headers: Map<String, Value>,
}

impl Streamed {
    /// Waits for the head.
    pub(crate) async fn begin(mut chunks: mpsc::Receiver<Bytes>) -> Result<Self, InvokeError> {
        let mut arrived = Vec::new();
        loop {
            if let Some(end) = arrived.windows(DELIMITER.len()).position(|window| window == DELIMITER) {
                let head = serde_json::from_slice(&arrived[..end]).map_err(InvokeError::NotJson)?;
                return Ok(Self { head, begun: arrived.split_off(end + DELIMITER.len()).into(), chunks });
            }
            let Some(chunk) = chunks.recv().await else { return Err(InvokeError::BrokenOff) };
            arrived.extend(chunk);
        }
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.head.status_code
    }

    /// A header, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name)?.as_str()
    }

    /// The next part; `None` at the end.
    pub async fn chunk(&mut self) -> Option<Bytes> {
        if self.begun.is_empty() { self.chunks.recv().await } else { Some(std::mem::take(&mut self.begun)) }
    }

    /// The whole answer, in the form of an answer that is not streamed.
    pub async fn collect(mut self) -> Value {
        let mut body = Vec::new();
        while let Some(chunk) = self.chunk().await {
            body.extend(chunk);
        }
        let Head { status_code, headers } = self.head;
        let body = String::from_utf8_lossy(&body);
        json!({"statusCode": status_code, "headers": headers, "body": body, "isBase64Encoded": false})
    }
}
