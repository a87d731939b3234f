//! An interceptor between an API and its table that holds requests back and loses answers.

use std::{fmt, sync::Arc};

use aws_smithy_runtime_api::client::{
    http::{HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
    orchestrator::HttpRequest,
    result::ConnectorError,
};

use crate::support::TestApp;

/// What happens to the requests that an API sends to DynamoDB, by the name of their operation.
pub(crate) trait Meddler: fmt::Debug + Send + Sync + 'static {
    /// Called before a request is sent.
    fn before(&self, operation: &str) -> impl Future<Output = ()> + Send;
    /// Called once the request is answered; `true` loses the answer.
    fn loses_answer(&self, operation: &str) -> bool;
}

impl TestApp {
    /// The same API, with this interceptor before its table.
    pub(crate) fn with_meddler(self, meddler: impl Meddler) -> Self {
        let inner = self.client.config().http_client().unwrap();
        let meddler = Arc::new(meddler);
        let http = http_client_fn(move |settings, components| {
            let inner = inner.http_connector(settings, components);
            SharedHttpConnector::new(Meddling { inner, meddler: meddler.clone() })
        });
        let config = self.client.config().to_builder().http_client(http).build();
        self.with_client(config)
    }
}

#[derive(Debug)]
struct Meddling<M> {
    inner: SharedHttpConnector,
    meddler: Arc<M>,
}

impl<M: Meddler> HttpConnector for Meddling<M> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (inner, meddler) = (self.inner.clone(), self.meddler.clone());
        let target = request.headers().get("x-amz-target").unwrap();
        let operation = target.rsplit_once('.').unwrap().1.to_owned();
        HttpConnectorFuture::new(async move {
            meddler.before(&operation).await;
            let answer = inner.call(request).await;
            let lost = meddler.loses_answer(&operation);
            if lost { Err(ConnectorError::io("the answer was lost".into())) } else { answer }
        })
    }
}
