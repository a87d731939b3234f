//! Requests that the events of `events/` describe.

use std::{fs, io, path::Path};

use serde_json::Value;

/// A request, without what API Gateway adds to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method, in upper case.
    pub method: String,
    /// The path, with its query.
    pub path: String,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// The body.
    pub body: Option<String>,
}

impl Request {
    /// A successful request of an operation such as `GET /api/v2/users/{id}`: the first of its events by name, since
    /// those that are refused have longer names. Each placeholder of the events is replaced by its value.
    ///
    /// # Errors
    ///
    /// `NotFound` if the operation has no event, or the error of a file that cannot be read.
    pub fn of_operation(operation: &str, values: &[(&str, &str)]) -> io::Result<Self> {
        let mut events = Vec::new();
        for folder in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../events"))? {
            for file in fs::read_dir(folder?.path())? {
                events.push(file?.path());
            }
        }
        events.sort_by_key(|path| path.with_extension(""));
        for event in events {
            let text = fs::read_to_string(event)?;
            let text = values.iter().fold(text, |text, (placeholder, value)| text.replace(placeholder, value));
            let event: Value = serde_json::from_str(&text)?;
            if event["routeKey"] == operation && event["isBase64Encoded"] != true {
                return Ok(Self::of_event(&event));
            }
        }
        Err(io::Error::new(io::ErrorKind::NotFound, format!("{operation} has no event")))
    }

    /// The request of an event in the second format.
    fn of_event(event: &Value) -> Self {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let path = text(&event["rawPath"]).unwrap_or_default();
        let query = event["rawQueryString"].as_str().filter(|query| !query.is_empty());
        Self {
            method: text(&event["requestContext"]["http"]["method"]).unwrap_or_default(),
            path: query.map_or_else(|| path.clone(), |query| format!("{path}?{query}")),
            authorization: text(&event["headers"]["authorization"]),
            body: text(&event["body"]).filter(|body| !body.is_empty()),
        }
    }
}
