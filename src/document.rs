//! The OpenAPI document: the functions' own documents, and what holds for all of them.

mod bodies;
mod examples;
mod names;
mod parts;
mod security;

use utoipa::{OpenApi, openapi};

use security::SecuritySchemes;

/// The document's head.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Greenroom",
        description = "Greenroom serves five session APIs for real-time media from one store. Each API has its own \
            credentials and its own errors.\n\n\
            A trailing slash makes no difference. An unknown path is answered with 404. A method that a path does not \
            serve is answered with 405 and `Allow`, or with 404 below `/v1`. Every answer carries `X-Request-Id`. \
            Below `/api/v2` the server trims a text before it checks its length. A body must have less than 1 MiB. \
            With 503 and 429, `Retry-After` gives the number of seconds after which to try again. If API Gateway \
            throttles a request, it answers 429 with a body of its own.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    servers((url = "/", description = "The server of this document; the stream of events may have its own address")),
    tags(
        (name = "Device sessions", description = "Mobile devices register with an identifier and get a token."),
        (name = "Media sessions", description = "Back-ends open sessions and issue tokens for them, as with OpenVidu."),
        (name = "OpenVidu 2.32", description = "The same below the paths of OpenVidu 2.16 to 2.32, with connections."),
        (name = "Device and media sessions", description = "The path where a device registers and a back-end opens a session."),
        (name = "Session management", description = "Organisers manage users, events, and the sessions and login tokens of events. Clients join events."),
        (name = "Live sessions", description = "Operators list and end live sessions, and media servers ask who may connect, as with OvenMediaEngine. Organisers see who is where."),
        (name = "Conversations", description = "Participants' messages, rooms and contacts, as with MongooseIM's client API."),
        (name = "Specification", description = "This OpenAPI document."),
        (name = "Health", description = "A check whether Greenroom works."),
    ),
    modifiers(&SecuritySchemes),
)]
pub(crate) struct Document;

/// Completes the document that is joined from those of the functions, by what holds for all of them.
pub(crate) fn finish(document: &mut openapi::OpenApi) {
    let openapi::OpenApi { paths, components, .. } = document;
    let schemas = &mut components.get_or_insert_default().schemas;
    bodies::patches_ask_for_nothing(paths, schemas);
    bodies::either_may_open_a_session(paths, schemas);
    bodies::fields_are_lenient(paths, schemas);
    examples::complete(paths, schemas);
    names::shorten(paths, schemas);
}
