//! The table of a suite: a real one, and the requests to it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use aws_sdk_dynamodb::{
    Client,
    config::{ConfigBag, Intercept, RuntimeComponents, interceptors::BeforeTransmitInterceptorContextRef},
    error::BoxError,
    types::TimeToLiveSpecification,
};

/// The endpoint of the DynamoDB that the suites use in place of the embedded one. The caller of the suite chooses it.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "where a suite runs is a matter of the process")]
pub fn external_store() -> Option<String> {
    std::env::var("GREENROOM_TEST_DYNAMODB").ok()
}

/// Disables TTL. The tests' clock is years behind the emulator's, so the emulator would delete items that are still live
/// in the tests.
pub async fn keep_what_expires(client: &Client, table: &str) {
    let ttl = TimeToLiveSpecification::builder().attribute_name("expiresAt").enabled(false).build().ok();
    // An emulator without TTL support keeps everything anyway.
    let _ = client.update_time_to_live().table_name(table).set_time_to_live_specification(ttl).send().await;
}

/// An interceptor that counts the requests of a client to its table.
#[derive(Debug, Default)]
pub struct RequestCounter(pub Arc<AtomicUsize>);

impl Intercept for RequestCounter {
    fn name(&self) -> &'static str {
        "request counter"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}
