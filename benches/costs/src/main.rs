//! What requests cost that must not grow with what there is: requests to `DynamoDB`, and the time on an embedded one in
//! memory, with little and with much of it.
//!
//! Prints a line for each: how much there is, which request, how many requests to the table, the median time, and the
//! time that 99 of 100 do not exceed, in microseconds.

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
