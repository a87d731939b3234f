//! What an API costs: its requests to the table, counted.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use aws_sdk_dynamodb::{
    config::{ConfigBag, Intercept, RuntimeComponents, interceptors::BeforeTransmitInterceptorContextRef},
    error::BoxError,
};

use crate::support::TestApp;

/// An API whose requests to DynamoDB are counted.
pub(crate) struct Counted {
    pub(crate) app: TestApp,
    pub(crate) requests: Arc<AtomicUsize>,
}

impl Counted {
    pub(crate) fn over(app: TestApp) -> Self {
        let counter = RequestCounter::default();
        let requests = counter.0.clone();
        let config = app.client.config().to_builder().interceptor(counter).build();
        Self { app: app.with_client(config), requests }
    }
}

#[derive(Debug, Default)]
struct RequestCounter(Arc<AtomicUsize>);

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
