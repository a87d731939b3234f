//! Compares every answer with the OpenAPI document.
//!
//! [`TestApp`](crate::support::TestApp) passes every exchange to this module, so that each test of the API also tests
//! the document.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex},
};

use axum::http::{HeaderMap, StatusCode, header};
use serde_json::Value;

use crate::schema::Schema;

/// Webhooks answer 200 to anything.
const WEBHOOKS: [&str; 3] = ["admit", "monitorSession", "noteRoomEvent"];

static DESCRIBED: LazyLock<Described> = LazyLock::new(Described::new);

/// The document, with its schemas that were used.
struct Described {
    document: Value,
    paths: matchit::Router<String>,
    schemas: Mutex<HashMap<String, Arc<Schema>>>,
}

/// A request and its answer.
pub(crate) struct Exchange<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    /// The body of the request, if it was sent as a whole.
    pub(crate) sent: Option<&'a [u8]>,
    pub(crate) status: StatusCode,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

/// Fails if the document describes something else.
pub(crate) fn check(exchange: &Exchange<'_>) {
    let path = exchange.path.split(['?', '#']).next().unwrap_or_default();
    let path = path.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(path);
    let Ok(found) = DESCRIBED.paths.at(path) else { return };
    let operation = &DESCRIBED.document["paths"][found.value][exchange.method.to_lowercase()];
    if operation.is_null() {
        return;
    }
    let Exchange { method, status, headers, body, .. } = exchange;
    let at = format!("{method} {} {}", found.value, status.as_u16());
    let response = &operation["responses"][status.as_str()];
    assert!(!response.is_null(), "{at} is not described: {}", String::from_utf8_lossy(body));
    for name in response["headers"].as_object().into_iter().flat_map(|headers| headers.keys()) {
        assert!(headers.contains_key(name), "{at} has no {name}");
    }
    let kind = headers.get(header::CONTENT_TYPE).map(|kind| kind.to_str().unwrap().split(';').next().unwrap());
    match response["content"].as_object() {
        None => assert!(body.is_empty(), "{at} is described without a body"),
        Some(content) => {
            let schema = content.get(kind.unwrap_or_default()).map(|media| &media["schema"]);
            let schema = schema.unwrap_or_else(|| panic!("{at} is not described as {kind:?}"));
            if kind == Some("application/json") {
                // This reader cannot parse JSON that is nested too deeply. The test looks at such a body itself.
                if let Ok(body) = serde_json::from_slice(body) {
                    DESCRIBED.validate(&at, schema, &body);
                }
            }
        }
    }
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    let is_webhook = WEBHOOKS.iter().any(|id| operation["operationId"] == *id);
    if let Some(sent) = exchange.sent.filter(|_| status.is_success() && !schema.is_null() && !is_webhook)
        // An absent body is not JSON. JSON that is nested too deeply cannot be parsed here.
        && let Ok(sent) = serde_json::from_slice::<Value>(sent)
    {
        // Passwords are not trimmed.
        let sent = if DESCRIBED.schema(schema).misfit(&sent).is_none() { sent } else { trimmed(sent) };
        DESCRIBED.validate(&format!("the body of {at}"), schema, &sent);
    }
}

/// Trims the texts. A schema cannot exclude the space around a text from its length.
fn trimmed(body: Value) -> Value {
    match body {
        Value::String(text) => text.trim().into(),
        Value::Array(values) => values.into_iter().map(trimmed).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, trimmed(value))).collect(),
        other => other,
    }
}

impl Described {
    fn new() -> Self {
        let document = greenroom::specification();
        let mut paths = matchit::Router::new();
        for path in document["paths"].as_object().unwrap().keys() {
            paths.insert(path, path.clone()).unwrap();
        }
        Self { document, paths, schemas: Mutex::default() }
    }

    fn validate(&self, at: &str, schema: &Value, body: &Value) {
        let misfit = self.schema(schema).misfit(body);
        assert!(misfit.is_none(), "{at} is not as described: {}\n{body}", misfit.unwrap_or_default());
    }

    fn schema(&self, schema: &Value) -> Arc<Schema> {
        let mut schemas = self.schemas.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let read = || Arc::new(Schema::of(schema, &self.document).unwrap());
        schemas.entry(schema.to_string()).or_insert_with(read).clone()
    }
}
