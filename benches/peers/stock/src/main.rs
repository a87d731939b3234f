//! A device registers: `create-session`, written as AWS's examples for Lambda in Rust are.
//!
//! The configuration is loaded and the client created before the runtime starts. Nothing is sent before the first
//! request.

use std::{
    collections::HashMap,
    env,
    time::{SystemTime, UNIX_EPOCH},
};

use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use lambda_http::{Body, Error, Request, Response, run, service_fn, tracing};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::Sha256;
use uuid::Uuid;

const TTL: u64 = 2_592_000;
const SESSIONS_MAX: u64 = 10;

struct State {
    client: Client,
    table: String,
    device_key: String,
    kid: String,
    key: EncodingKey,
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    session: &'a str,
    sub: &'a str,
    generation: u64,
    iat: u64,
    exp: u64,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let keys: Value = serde_json::from_str(&env::var("SIGNING_KEYS")?)?;
    let state = State {
        client: Client::new(&config),
        table: env::var("TABLE_NAME")?,
        device_key: env::var("DEVICE_KEY")?,
        kid: keys[0]["kid"].as_str().ok_or("no kid")?.to_owned(),
        key: EncodingKey::from_base64_secret(keys[0]["secret"].as_str().ok_or("no secret")?)?,
    };
    run(service_fn(|request| register(&state, request))).await
}

async fn register(state: &State, request: Request) -> Result<Response<Body>, Error> {
    let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    let Some(identifier) = body["identifier"].as_str().filter(|identifier| is_valid(identifier)) else {
        let error = json!({"error": {"code": "invalid_identifier", "message": "The identifier is not valid"}});
        return answer(400, &error);
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let (now, millis) = (now.as_secs(), now.as_millis());
    let end = now + TTL;
    let device = device_id(&state.device_key, identifier)?;
    let session = format!("dev_{}", Uuid::new_v4().simple());
    let number = |value: u64| AttributeValue::N(value.to_string());
    let entry = HashMap::from([
        ("createdAt".to_owned(), AttributeValue::N(millis.to_string())),
        ("refreshedAt".to_owned(), AttributeValue::N(millis.to_string())),
        ("expiresAt".to_owned(), number(end)),
        ("generation".to_owned(), number(1)),
        ("kid".to_owned(), AttributeValue::S(state.kid.clone())),
    ]);
    state
        .client
        .update_item()
        .table_name(&state.table)
        .key("PK", AttributeValue::S(format!("DEVICE#{device}")))
        .key("SK", AttributeValue::S("DEVICE".to_owned()))
        .update_expression(
            "SET #type = :type, identifier = :identifier, #session = :session, expiresAt = :end ADD live :one",
        )
        .condition_expression(
            "attribute_not_exists(#session) AND (attribute_not_exists(live) OR live < :max) \
             AND (attribute_not_exists(expiresAt) OR expiresAt <= :end)",
        )
        .expression_attribute_names("#type", "Type")
        .expression_attribute_names("#session", &session)
        .expression_attribute_values(":type", AttributeValue::S("Device".to_owned()))
        .expression_attribute_values(":identifier", AttributeValue::S(identifier.to_owned()))
        .expression_attribute_values(":session", AttributeValue::M(entry))
        .expression_attribute_values(":end", number(end))
        .expression_attribute_values(":one", number(1))
        .expression_attribute_values(":max", number(SESSIONS_MAX))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .send()
        .await?;
    let header = Header { kid: Some(state.kid.clone()), ..Header::new(Algorithm::HS256) };
    let claims = Claims { aud: "device", session: &session, sub: &device, generation: 1, iat: now, exp: end };
    let token = jsonwebtoken::encode(&header, &claims, &state.key)?;
    answer(200, &json!({"data": {"token": token}}))
}

fn is_valid(identifier: &str) -> bool {
    !identifier.trim().is_empty() && identifier.chars().count() <= 256 && !identifier.chars().any(char::is_control)
}

fn device_id(key: &str, identifier: &str) -> Result<String, Error> {
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes())?.chain_update(identifier).finalize().into_bytes();
    Ok(mac.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn answer(status: u16, body: &Value) -> Result<Response<Body>, Error> {
    let response = Response::builder().status(status).header("content-type", "application/json");
    Ok(response.body(body.to_string().into())?)
}
