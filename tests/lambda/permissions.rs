//! Each function may do in the table what it does there, and no more.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    response::Response,
};
use reqwest::RequestBuilder;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::{
    events::{EVENTS, SCHEDULED},
    housekeeping::leave_work,
    stage::{Fixture, Stage},
};

/// What the template allows and no event needs: it is for what others left half done, a device's last session, wrong
/// passwords, later pages of lists, managers of events, whoever has joined what is deleted or is at the media provider,
/// and for the first use of a credential within the hour.
const RARE: &[(&str, &str)] = &[
    ("admission", "ConditionCheckItem"),
    ("admission", "DeleteItem"),
    ("admission", "UpdateItem"),
    ("api-root", "UpdateItem"),
    ("contacts", "UpdateItem"),
    ("create-session", "ConditionCheckItem"),
    ("create-session", "DeleteItem"),
    ("create-session", "Query"),
    ("device-session", "DeleteItem"),
    ("events", "BatchGetItem"),
    ("events", "BatchWriteItem"),
    ("housekeeping", "PutItem"),
    ("live", "ConditionCheckItem"),
    ("logintokens", "BatchGetItem"),
    ("message-events", "DeleteItem"),
    ("message-events", "Query"),
    ("message-events", "UpdateItem"),
    ("messages", "DeleteItem"),
    ("opentok-webhook", "DeleteItem"),
    ("opentok-webhook", "PutItem"),
    ("opentok-webhook", "Query"),
    ("opentok-webhook", "UpdateItem"),
    ("rooms", "DeleteItem"),
    ("rtcsessions", "UpdateItem"),
    ("sessions", "BatchGetItem"),
    ("sessions", "BatchWriteItem"),
    ("stream-sessions", "ConditionCheckItem"),
    ("token-auth", "UpdateItem"),
    ("users", "BatchGetItem"),
];

type Actions = BTreeMap<String, BTreeSet<String>>;

#[tokio::test]
async fn the_template_allows_each_function_what_it_does_in_the_table() {
    let mut stage = Stage::new().await;
    let seen = Arc::new(Mutex::new(Actions::new()));
    stage.endpoint = record(stage.endpoint.clone(), seen.clone()).await;
    for greenroom::Function { name, .. } in greenroom::functions() {
        let fixture = Fixture { meeting: stage.meeting().await, ..stage.fixture().await };
        for (event, _) in EVENTS.iter().filter(|(event, _)| event.starts_with(&format!("{name}/"))) {
            stage.send(event, &fixture).await;
        }
    }
    leave_work(&stage).await;
    for event in SCHEDULED {
        stage.run(event).await.unwrap();
    }
    let mut seen = seen.lock().unwrap().clone();
    // The test's own.
    seen.remove("local");
    for (function, action) in RARE {
        seen.get_mut(*function).unwrap().insert((*action).to_owned());
    }
    assert_eq!(seen, allowed());
}

/// A way to the table that notes who does what; returns where.
async fn record(table: String, seen: Arc<Mutex<Actions>>) -> String {
    let client = reqwest::Client::new();
    let pass = move |request: Request| pass(client.clone().post(&table), seen.clone(), request);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, Router::new().fallback(pass)).into_future());
    endpoint
}

async fn pass(to_table: RequestBuilder, seen: Arc<Mutex<Actions>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let header = |name: &str| parts.headers[name].to_str().unwrap();
    let (_, function) = header("authorization").split_once("Credential=").unwrap();
    let function = function.split('/').next().unwrap().to_owned();
    let (_, operation) = header("x-amz-target").split_once('.').unwrap();
    seen.lock().unwrap().entry(function).or_default().extend(actions(operation, &body));
    let answer = to_table.headers(parts.headers).body(body).send().await.unwrap();
    let mut response = Response::builder().status(answer.status());
    response.headers_mut().unwrap().extend(answer.headers().clone());
    response.body(Body::from(answer.bytes().await.unwrap())).unwrap()
}

/// What IAM asks for: of a transaction, the action of each of its items.
fn actions(operation: &str, body: &[u8]) -> BTreeSet<String> {
    if operation != "TransactWriteItems" {
        return [operation.to_owned()].into();
    }
    let body: Value = serde_json::from_slice(body).unwrap();
    let items = body["TransactItems"].as_array().unwrap().iter();
    items
        .flat_map(|item| item.as_object().unwrap().keys())
        .map(|action| match action.as_str() {
            "ConditionCheck" => "ConditionCheckItem".to_owned(),
            action => format!("{action}Item"),
        })
        .collect()
}

/// What the functions' roles allow.
fn allowed() -> Actions {
    let template: serde_yaml_ng::Value = serde_yaml_ng::from_str(include_str!("../../template.yaml")).unwrap();
    let roles = template["Resources"].as_mapping().unwrap().values().filter(|item| item["Type"] == "AWS::IAM::Role");
    roles
        .map(|role| {
            let policy = &role["Properties"]["Policies"][0];
            let statements = policy["PolicyDocument"]["Statement"].as_sequence().unwrap().iter();
            let actions = statements.flat_map(|statement| statement["Action"].as_sequence().unwrap());
            let of_table = actions.filter_map(|action| action.as_str().unwrap().strip_prefix("dynamodb:"));
            (policy["PolicyName"].as_str().unwrap().to_owned(), of_table.map(str::to_owned).collect())
        })
        .filter(|(_, actions): &(String, BTreeSet<String>)| !actions.is_empty())
        .collect()
}
