//! A function that does one `PutItem` of a small new item, and answers how many nanoseconds it took.
//!
//! Its clock runs around the SDK's call alone: that is what a function cannot do without.

use std::{
    env::VarError,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use aws_sdk_dynamodb::{
    Client, Config,
    config::{BehaviorVersion, Credentials, Region},
    types::AttributeValue,
};
use aws_smithy_http_client::{Builder, tls};
use lambda_http::{Error, Request, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let (client, table) = (client()?, variable("TABLE_NAME")?);
    let count = AtomicU64::new(0);
    let (client, table, count) = (&client, table.as_str(), &count);
    // The connection is made during the start, as the functions do.
    put(client, table, u64::MAX).await?;
    run(service_fn(async |_: Request| {
        let begun = Instant::now();
        put(client, table, count.fetch_add(1, Ordering::Relaxed)).await?;
        Ok::<_, Error>(begun.elapsed().as_nanos().to_string())
    }))
    .await
}

async fn put(client: &Client, table: &str, number: u64) -> Result<(), Error> {
    let s = |value: &str| AttributeValue::S(value.to_owned());
    let put = client
        .put_item()
        .table_name(table)
        .item("PK", s("BENCHMARK#put-item"))
        .item("SK", s(&format!("{}-{number:020}", std::process::id())))
        .item("Type", s("Benchmark"))
        .item("role", s("PUBLISHER"))
        .item("data", s("{\"name\":\"Ada\"}"))
        .item("expiresAt", AttributeValue::N("4102444800".to_owned()));
    put.send().await?;
    Ok(())
}

/// The client that the functions use, built from the same variables.
fn client() -> Result<Client, VarError> {
    let credentials = Credentials::new(
        variable("AWS_ACCESS_KEY_ID")?,
        variable("AWS_SECRET_ACCESS_KEY")?,
        Some(variable("AWS_SESSION_TOKEN")?),
        None,
        "environment",
    );
    let tls = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(Builder::new().tls_provider(tls).build_https())
        .credentials_provider(credentials)
        .region(Region::new(variable("AWS_REGION")?))
        .endpoint_url(variable("AWS_ENDPOINT_URL_DYNAMODB")?);
    Ok(Client::from_conf(config.build()))
}

#[expect(clippy::disallowed_methods, reason = "a peer has no `Config`; it reads its variables once, at start")]
fn variable(name: &str) -> Result<String, VarError> {
    std::env::var(name)
}
