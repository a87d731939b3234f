//! The embedded database over HTTP, with DynamoDB's own protocol. Its owner's commands use a socket, and other tools a
//! port (`docs/apis/access.md`).

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::post,
};
use http::{HeaderMap, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use subtle::ConstantTimeEq;

use super::Embedded;

/// The longest request that DynamoDB takes.
const BODY_MAX: usize = 16 * 1024 * 1024;

/// The hosts that the port answers to. A page of another site cannot reach it under a name of its own.
const HOSTS: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// The protocol without a check of the caller.
pub(crate) fn router(embedded: Embedded) -> Router {
    let embedded = Embedded { keeps_tokens: true, ..embedded };
    Router::new().route("/", post(operate)).layer(DefaultBodyLimit::max(BODY_MAX)).with_state(embedded)
}

/// The protocol for programs on this machine that know the access key id. Browsers are refused.
pub(crate) fn guarded(embedded: Embedded, key: SecretString) -> Router {
    router(embedded).layer(from_fn_with_state(Arc::new(key), guard))
}

async fn operate(State(embedded): State<Embedded>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()?.rsplit_once('.'));
    let operation = target.map(|(_, operation)| operation.to_owned()).unwrap_or_default();
    match embedded.respond(operation, body.to_vec()).await {
        Ok((status, body)) => respond(StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST), body),
        Err(_) => refuse(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", "the request broke off"),
    }
}

async fn guard(State(key): State<Arc<SecretString>>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    if headers.contains_key(header::ORIGIN) || !is_local(headers) {
        return refuse(StatusCode::FORBIDDEN, "AccessDeniedException", "only programs on this machine are answered");
    }
    match access_key_id(headers) {
        None => {
            let message = "Request is missing Authentication Token";
            refuse(StatusCode::BAD_REQUEST, "MissingAuthenticationTokenException", message)
        }
        Some(given) if bool::from(given.as_bytes().ct_eq(key.expose_secret().as_bytes())) => next.run(request).await,
        Some(_) => {
            let message = "The security token included in the request is invalid: the access key id is LOCAL_DYNAMODB_KEY \
                           of the data directory's secrets.env";
            refuse(StatusCode::BAD_REQUEST, "UnrecognizedClientException", message)
        }
    }
}

fn is_local(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    HOSTS.iter().any(|local| local.eq_ignore_ascii_case(name))
}

/// The access key id in a request's credential. The signature is not checked.
fn access_key_id(headers: &HeaderMap) -> Option<&str> {
    let authorization = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (_, credential) = authorization.split_once("Credential=")?;
    credential.split(['/', ',']).next()
}

fn refuse(status: StatusCode, kind: &str, message: &str) -> Response {
    let kind = format!("com.amazon.coral.service#{kind}");
    respond(status, json!({ "__type": kind, "message": message }).to_string())
}

fn respond(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/x-amz-json-1.0")], body).into_response()
}
