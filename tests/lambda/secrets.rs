//! Secrets that a function reads from Secrets Manager when it starts.

use axum::{Json, Router, http::HeaderMap, routing::post};
use serde_json::{Value, json};
use testbed::{Function, StartError};
use tokio::net::TcpListener;

use crate::{
    answer::Answer,
    binaries::binary,
    stage::{Fixture, OPENVIDU_SECRET, SIGNING_SECRET, Stage},
};

const ARN: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:greenroom-a1b2c3";

/// A Secrets Manager with one secret; returns where.
async fn secrets_manager(secret: Value) -> String {
    let get = async move |headers: HeaderMap, body: String| {
        let request: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(headers["x-amz-target"], "secretsmanager.GetSecretValue");
        assert_eq!(request["SecretId"], ARN);
        Json(json!({ "ARN": ARN, "Name": "greenroom", "SecretString": secret.to_string() }))
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, Router::new().route("/", post(get))).into_future());
    url
}

/// Starts a function that has no secret in its environment but this one.
async fn start(stage: &Stage, secret: Value, own: Option<&str>) -> Result<Function, StartError> {
    let mut environment = stage.environment();
    for name in ["OPENVIDU_SECRET", "SIGNING_KEYS"] {
        environment.remove(name);
    }
    environment.insert("SECRETS_ARN".to_owned(), ARN.to_owned());
    environment.insert("AWS_ENDPOINT_URL_SECRETS_MANAGER".to_owned(), secrets_manager(secret).await);
    environment.extend(own.map(|own| ("OPENVIDU_SECRET".to_owned(), own.to_owned())));
    Function::start(&binary("create-session"), environment).await
}

async fn status(function: &Function) -> u16 {
    let event = Fixture::default().event("create-session/openvidu");
    Answer::new(function.invoke(&event).await.unwrap()).status()
}

fn keys() -> Value {
    json!([{ "kid": "k1", "secret": SIGNING_SECRET }])
}

#[tokio::test]
async fn a_function_finds_its_secrets_there() {
    let stage = Stage::new().await;
    for secret in [json!(OPENVIDU_SECRET), json!(["another-secret-of-length", OPENVIDU_SECRET])] {
        let secret = json!({ "OPENVIDU_SECRET": secret, "SIGNING_KEYS": keys() });
        assert_eq!(status(&start(&stage, secret, None).await.unwrap()).await, 200);
    }
}

#[tokio::test]
async fn the_environment_wins() {
    let stage = Stage::new().await;
    let secret = json!({ "OPENVIDU_SECRET": "another-secret-of-length", "SIGNING_KEYS": keys() });
    assert_eq!(status(&start(&stage, secret.clone(), None).await.unwrap()).await, 401);
    assert_eq!(status(&start(&stage, secret, Some(OPENVIDU_SECRET)).await.unwrap()).await, 200);
}

#[tokio::test]
async fn what_is_missing_there_too_is_named() {
    let stage = Stage::new().await;
    let error = start(&stage, json!({ "SIGNING_KEYS": keys() }), None).await.err().unwrap();
    assert!(error.output().contains("OPENVIDU_SECRET: missing"), "{error}");
    assert!(!error.output().contains(SIGNING_SECRET));
}
