//! The cost of requests that must not grow with the amount of data: requests to `DynamoDB`, and the time with an
//! embedded one in memory, for little and for much data.
//!
//! Prints one line per request: the amount of data, the request, its number of requests to the table, the median time,
//! and the time that 99 of 100 requests do not exceed, in microseconds.

mod conversation;
mod service;
mod streams;
mod tokens;

use service::Service;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let service = Service::new().await?;
    tokens::measure(&service).await?;
    streams::measure(&service).await?;
    conversation::measure(&service).await
}
