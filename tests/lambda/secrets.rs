//! Secrets that a function reads from Secrets Manager when it starts.

use axum::{
    Json, Router,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use serde_json::{Value, json};
use testbed::{Function, StartError, serve};

use crate::{
    answer::Answer,
    binaries::binary,
    stage::{Fixture, OPENVIDU_SECRET, SIGNING_SECRET, Stage},
};

const PREFIX: &str = "stage/";

/// Serves a Secrets Manager with these secrets; returns its address.
async fn secrets_manager(secrets: Value) -> String {
    let get = async move |headers: HeaderMap, body: String| {
        let request: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(headers["x-amz-target"], "secretsmanager.GetSecretValue");
        let name = request["SecretId"].as_str().unwrap().strip_prefix(PREFIX).unwrap();
        match secrets.get(name) {
            Some(secret) => Ok(Json(json!({ "Name": request["SecretId"], "SecretString": secret.to_string() }))),
            None => Err((StatusCode::BAD_REQUEST, Json(json!({ "__type": "ResourceNotFoundException" })))),
        }
    };
    serve(Router::new().route("/", post(get))).await.unwrap()
}

/// Starts a function whose environment has no secret but this one.
async fn start(stage: &Stage, secrets: Value, own: Option<&str>) -> Result<Function, StartError> {
    let mut environment = stage.environment();
    for name in ["OPENVIDU_SECRET", "SIGNING_KEYS"] {
        environment.remove(name);
    }
    environment.insert("SECRETS_PREFIX".to_owned(), PREFIX.to_owned());
    environment.insert("AWS_ENDPOINT_URL_SECRETS_MANAGER".to_owned(), secrets_manager(secrets).await);
    environment.extend(own.map(|own| ("OPENVIDU_SECRET".to_owned(), own.to_owned())));
    Function::start(&binary("create-session"), environment).await
}

/// The secrets that `create-session` reads. Each setting counts only in its own secret, not in another one.
fn secrets(openvidu: &Value) -> Value {
    json!({
        "openvidu": { "OPENVIDU_SECRET": openvidu, "SIGNING_KEYS": "of no use here" },
        "signing-keys": { "SIGNING_KEYS": keys() },
    })
}

async fn status(function: &Function) -> u16 {
    let event = Fixture::default().event("create-session/openvidu");
    Answer::new(function.invoke(&event).await.unwrap()).status()
}

fn keys() -> Value {
    json!([{ "kid": "k1", "secret": SIGNING_SECRET }])
}

#[tokio::test]
async fn a_function_reads_its_secrets_from_secrets_manager() {
    let stage = Stage::new().await;
    for secret in [json!(OPENVIDU_SECRET), json!(["another-secret-of-length", OPENVIDU_SECRET])] {
        assert_eq!(status(&start(&stage, secrets(&secret), None).await.unwrap()).await, 200);
    }
}

#[tokio::test]
async fn an_environment_variable_overrides_secrets_manager() {
    let stage = Stage::new().await;
    let secrets = secrets(&json!("another-secret-of-length"));
    assert_eq!(status(&start(&stage, secrets.clone(), None).await.unwrap()).await, 401);
    assert_eq!(status(&start(&stage, secrets, Some(OPENVIDU_SECRET)).await.unwrap()).await, 200);
}

#[tokio::test]
async fn a_secret_that_is_missing_in_secrets_manager_too_is_named() {
    let stage = Stage::new().await;
    let empty = json!({ "openvidu": {}, "signing-keys": { "SIGNING_KEYS": keys() } });
    let error = start(&stage, empty, None).await.err().unwrap();
    assert!(error.output().contains("OPENVIDU_SECRET: missing"), "{error}");
    assert!(!error.output().contains(SIGNING_SECRET));
    let error = start(&stage, json!({ "signing-keys": { "SIGNING_KEYS": keys() } }), None).await.err().unwrap();
    assert!(error.output().contains("the secret stage/openvidu cannot be read"), "{error}");
    assert!(!error.output().contains(SIGNING_SECRET));
}
