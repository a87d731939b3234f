//! The answers that the OpenAPI document allows.

use std::{collections::BTreeSet, sync::LazyLock};

use greenroom_http::dialect::Api;
use serde_json::Value;

use crate::bed::{Answer, Call};

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::to_value(greenroom::api().1).unwrap());

/// Every operation of the document: its method and its path.
pub(crate) fn operations() -> BTreeSet<String> {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        item.as_object().unwrap().keys().map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    operations.collect()
}

/// The API to which a request belongs.
pub(crate) fn api_of(call: &Call) -> Api {
    Api::of(path_of(call))
}

/// The path of a request, without its query.
fn path_of(call: &Call) -> &str {
    call.path.split('?').next().unwrap()
}

/// The operation to which a request belongs.
pub(crate) fn operation_of(call: &Call) -> String {
    let path = path_of(call);
    let path = path.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(path);
    let fits = |template: &str| {
        let (parts, wanted): (Vec<_>, Vec<_>) = (path.split('/').collect(), template.split('/').collect());
        parts.len() == wanted.len()
            && parts.iter().zip(&wanted).all(|(part, wanted)| part == wanted || wanted.starts_with('{'))
    };
    let paths = DOCUMENT["paths"].as_object().unwrap().keys();
    let template = paths.filter(|template| fits(template)).min_by_key(|template| template.matches('{').count());
    format!("{} {}", call.method, template.unwrap_or_else(|| panic!("{call} is not in the document")))
}

/// Whether the operation of this request needs the table, according to the document. Then it may answer 503.
pub(crate) fn needs_the_table(call: &Call) -> bool {
    answers(&operation_of(call)).get("503").is_some()
}

/// The answers of an operation.
fn answers(operation: &str) -> &'static Value {
    let (method, path) = operation.split_once(' ').unwrap();
    &DOCUMENT["paths"][path][method.to_lowercase()]["responses"]
}

/// Fails unless the document describes this answer. A 503 also has to say when to retry, in the dialect of its API.
pub(crate) fn check(call: &Call, answer: &Answer) {
    let operation = operation_of(call);
    assert!(answers(&operation).get(answer.status.to_string()).is_some(), "{operation} does not document {answer}");
    assert_ne!(answer.status, 500, "{call}: {answer}");
    if answer.status == 503 {
        let wait = answer.headers.get("retry-after").and_then(|wait| wait.to_str().ok()?.parse::<u32>().ok());
        assert!(wait.is_some_and(|wait| wait > 0), "{call}: {answer} without Retry-After");
        // One path belongs to two APIs: that of back-ends, which send credentials, and that of devices, which do not.
        let of_device = operation == "POST /api/sessions" && call.headers.is_empty();
        let api = if of_device { Api::Device } else { api_of(call) };
        // The answer to this one is the state that was asked for.
        let is_down = operation == "GET /openvidu/api/health" && answer.body["status"] == "DOWN";
        assert!(is_down || says_busy(api, &answer.body), "{call}: {answer} is not of its API");
    }
}

fn says_busy(api: Api, body: &Value) -> bool {
    match api {
        Api::Device => body["error"]["code"] == "unavailable",
        Api::OpenVidu => body["status"] == 503 && body["error"] == "Service Unavailable",
        Api::Events => body["detail"].is_string(),
        Api::Conversation => body.is_string(),
        Api::Streams => body["statusCode"] == 503,
    }
}
