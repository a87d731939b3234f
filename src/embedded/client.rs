//! Clients without a port in between: of the embedded database, and of services that answer like it.

use aws_sdk_dynamodb::{
    Client, Config,
    config::{
        BehaviorVersion, ConfigBag, Credentials, Region, RuntimeComponents, StalledStreamProtectionConfig,
        auth::{Params as AuthParams, ResolveAuthScheme},
        endpoint::{Endpoint, EndpointFuture, Params as EndpointParams, ResolveEndpoint},
        retry::RetryConfig,
        timeout::TimeoutConfig,
    },
};
use aws_smithy_runtime_api::{
    client::{
        auth::{AuthSchemeId, AuthSchemeOption, AuthSchemeOptionsFuture},
        http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use greenroom_store::Metering;

use super::{
    Embedded,
    typed::{self, ByTypes},
};

/// The endpoint that the clients are given. Nothing is there.
const NOWHERE: &str = "http://embedded.invalid";

/// A client of a service that answers like DynamoDB, by JSON.
pub(crate) fn client_over(connector: impl HttpConnector + 'static) -> Client {
    Client::from_conf(config(connector).credentials_provider(nobody()).endpoint_url(NOWHERE).build())
}

/// A client of the embedded database. It signs nothing, looks up nothing, retries nothing and has no timeouts: a
/// request is a call.
pub(super) fn client_of(embedded: &Embedded) -> Client {
    let config = config(embedded.clone())
        .interceptor(ByTypes)
        .auth_scheme_resolver(Unsigned)
        .endpoint_resolver(Nowhere(Endpoint::builder().url(NOWHERE).build()))
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    Client::from_conf(config.build())
}

fn config(connector: impl HttpConnector + 'static) -> aws_sdk_dynamodb::config::Builder {
    let connector = SharedHttpConnector::new(connector);
    Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("local"))
        .interceptor(Metering)
        .http_client(http_client_fn(move |_, _| connector.clone()))
}

fn nobody() -> Credentials {
    Credentials::new("local", "local", None, None, "embedded")
}

impl HttpConnector for Embedded {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let embedded = self.clone();
        if let Some(call) = typed::call_of(&request) {
            return HttpConnectorFuture::new(async move {
                let answered = embedded.desk.run(call.writes, call.work).await;
                match answered.map_err(|error| ConnectorError::other(error.into(), None))? {
                    Ok(output) => {
                        let mut response = response(200, String::new())?;
                        typed::put(&mut response, output);
                        Ok(response)
                    }
                    Err(error) => response(error.status_code(), error.to_json()),
                }
            });
        }
        let target = request.headers().get("x-amz-target").and_then(|target| target.rsplit_once('.'));
        let operation = target.map(|(_, operation)| operation.to_owned()).unwrap_or_default();
        let body = request.body().bytes().unwrap_or_default().to_vec();
        HttpConnectorFuture::new(async move {
            let answered = embedded.respond(operation, body).await;
            let (status, body) = answered.map_err(|error| ConnectorError::other(error.into(), None))?;
            response(status, body)
        })
    }
}

fn response(status: u16, body: String) -> Result<HttpResponse, ConnectorError> {
    let status = StatusCode::try_from(status).map_err(|error| ConnectorError::other(error.into(), None))?;
    Ok(HttpResponse::new(status, SdkBody::from(body)))
}

/// A signer that does nothing.
#[derive(Debug)]
struct Unsigned;

impl ResolveAuthScheme for Unsigned {
    fn resolve_auth_scheme<'a>(
        &'a self,
        _: &'a AuthParams,
        _: &'a ConfigBag,
        _: &'a RuntimeComponents,
    ) -> AuthSchemeOptionsFuture<'a> {
        AuthSchemeOptionsFuture::ready(Ok(vec![AuthSchemeOption::from(AuthSchemeId::new("noAuth"))]))
    }
}

/// An endpoint resolver that always returns the same endpoint.
#[derive(Debug)]
struct Nowhere(Endpoint);

impl ResolveEndpoint for Nowhere {
    fn resolve_endpoint<'a>(&'a self, _: &'a EndpointParams) -> EndpointFuture<'a> {
        EndpointFuture::ready(Ok(self.0.clone()))
    }
}
