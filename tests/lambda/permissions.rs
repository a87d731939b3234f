//! The role of each function allows everything that the function does in the table. Everything else is refused.
//!
//! `tests/api/rights.rs` checks that no role allows more than needed, because it has the rarer cases.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    response::Response,
};
use testbed::{
    RequestBuilder,
    rights::{Asked, Roles},
    serve,
};

use crate::{
    events::every_request,
    housekeeping::{SCHEDULED, leave_work},
    stage::{Fixture, Stage},
};

/// The access key id of the test itself, which may do anything.
const TEST: &str = "local";

/// The refused operations of the functions.
#[derive(Clone, Default)]
struct Refused(Arc<Mutex<Vec<String>>>);

#[tokio::test]
async fn the_template_allows_each_function_all_its_table_operations() {
    let mut stage = Stage::new().await;
    let refused = Refused::default();
    stage.endpoint = guarded(stage.endpoint.clone(), refused.clone()).await;
    for greenroom::Function { name, .. } in greenroom::functions() {
        let fixture = Fixture { meeting: stage.meeting().await, ..stage.fixture().await };
        for event in every_request().iter().filter(|event| event.starts_with(&format!("{name}/"))) {
            stage.send(event, &fixture).await;
        }
    }
    Box::pin(leave_work(&stage)).await;
    stage.run(SCHEDULED).await.unwrap();
    assert_eq!(*refused.0.lock().unwrap(), [""; 0]);
}

/// Serves a proxy to the table that allows each function only what its role allows; returns its address.
async fn guarded(table: String, refused: Refused) -> String {
    let roles = Arc::new(Roles::of_workspace().unwrap());
    let client = testbed::Client::new();
    let pass = move |request: Request| pass(client.clone().post(&table), roles.clone(), refused.clone(), request);
    serve(Router::new().fallback(pass)).await.unwrap()
}

async fn pass(to_table: RequestBuilder, roles: Arc<Roles>, refused: Refused, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let header = |name: &str| parts.headers[name].to_str().unwrap();
    let (_, function) = header("authorization").split_once("Credential=").unwrap();
    let function = function.split('/').next().unwrap().to_owned();
    let (_, operation) = header("x-amz-target").split_once('.').unwrap();
    let asked = Asked::of(operation, &body);
    let actions = roles.refused(&function, &asked);
    if function != TEST && !actions.is_empty() {
        refused.0.lock().unwrap().push(format!("{function}: {actions:?} on {:?}", asked.keys));
        let denied = r#"{"__type":"com.amazon.coral.service#AccessDeniedException"}"#;
        return Response::builder().status(400).body(denied.into()).unwrap();
    }
    let answer = to_table.headers(&parts.headers).body(body).send().await.unwrap();
    let mut response = Response::builder().status(answer.status());
    response.headers_mut().unwrap().extend(answer.headers().clone());
    response.body(Body::from(answer.bytes().await.unwrap())).unwrap()
}
