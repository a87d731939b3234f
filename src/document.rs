//! The OpenAPI document: the functions' own documents, and what holds for all of them.

mod bodies;
mod examples;
mod names;
mod security;

use serde_json::Value;
use utoipa::{OpenApi, openapi};

use security::SecuritySchemes;

/// The document's head.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Greenroom",
        description = "Session APIs for real-time media: five of them on one store, each with its own credentials and its own errors.\n\n\
            A trailing slash makes no difference. An unknown path is 404, a method that a path does not serve 405 with `Allow`, or 404 \
            below `/v1`. Every answer carries `X-Request-Id`. Below `/api/v2` texts \
            are trimmed before they are measured. A body must have less than 1 MiB. After 503 and 429, `Retry-After` says \
            in how many seconds to try again. API Gateway's throttling answers 429 with a body of its own.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    servers((url = "/", description = "Where this document comes from; the stream of events may have an address of its own")),
    tags(
        (name = "Device sessions", description = "Mobile devices register an identifier, and hold a token for it."),
        (name = "Media sessions", description = "Back-ends open sessions and issue tokens for them, as with OpenVidu."),
        (name = "Device and media sessions", description = "Where a device registers, and a back-end opens a session."),
        (name = "Session management", description = "Organisers manage users and events with their sessions and login tokens; clients join."),
        (name = "Live sessions", description = "Who is where: operators and media servers, as with OvenMediaEngine, and organisers."),
        (name = "Conversations", description = "Participants' messages, rooms and contacts, as with MongooseIM's client API."),
        (name = "Specification", description = "This document."),
        (name = "Health", description = "Whether this API can do its work."),
    ),
    modifiers(&SecuritySchemes),
)]
pub(crate) struct Document;

/// Joins the functions' documents into one, and adds what holds for all of them.
pub(crate) fn finish(document: &openapi::OpenApi) -> Value {
    let mut document = serde_json::to_value(document).unwrap_or_default();
    bodies::patches_ask_for_nothing(&mut document);
    bodies::either_may_open_a_session(&mut document);
    bodies::fields_are_lenient(&mut document);
    examples::complete(&mut document);
    names::tidy(document)
}

/// Every operation with its path and method.
fn operations(document: &mut Value) -> impl Iterator<Item = (&String, &String, &mut Value)> {
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    paths.flat_map(|(path, item)| {
        item.as_object_mut().into_iter().flatten().map(move |(method, operation)| (path, method, operation))
    })
}
