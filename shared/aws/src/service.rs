//! Calls of AWS's services other than DynamoDB.
//!
//! A service's SDK has all of its operations, up to 170 000 lines of code, and this project calls one to five of them.
//! So it makes the requests itself. The SDK's runtime carries them: it signs and retries them as it does those of an
//! SDK.

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_runtime::{
    auth::{
        SigV4OperationSigningConfig,
        sigv4::{SCHEME_ID, SigV4AuthScheme},
    },
    retries::classifiers::AwsErrorCodeClassifier,
    service_clock_skew::{ServiceClockSkewClassifier, ServiceClockSkewInterceptor},
};
use aws_smithy_runtime::client::{
    identity::IdentityCache,
    orchestrator::operation::Operation,
    retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier},
};
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        auth::{AuthSchemeOptionResolverParams, static_resolver::StaticAuthSchemeOptionResolver},
        http::SharedHttpClient,
        orchestrator::{HttpRequest, HttpResponse, OrchestratorError, SensitiveOutput},
        result::SdkError,
        runtime_components::RuntimeComponentsBuilder,
        runtime_plugin::StaticRuntimePlugin,
    },
};
use aws_smithy_types::{
    body::SdkBody, config_bag::Layer, error::metadata::ErrorMetadata, retry::RetryConfig, timeout::TimeoutConfig,
};
use aws_types::{
    SigningName,
    region::{Region, SigningRegion},
};
use greenroom_core::config::AwsEnvironment;
use http::{
    HeaderValue, Request,
    header::{CONTENT_TYPE, USER_AGENT},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::client::{credentials, http_client, region};

/// The name of this project in AWS's records of calls.
const NAME: &str = concat!("greenroom/", env!("CARGO_PKG_VERSION"));

/// A service of AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name, as its SDK writes it.
    pub name: &'static str,
    /// Its name in signatures, and in the targets of its operations where it has those.
    pub signing_name: &'static str,
    /// The first label of its host.
    pub host: &'static str,
}

impl Service {
    /// Secrets Manager.
    pub const SECRETS_MANAGER: Self =
        Self { name: "Secrets Manager", signing_name: "secretsmanager", host: "secretsmanager" };

    /// The URL of the service in a region.
    fn endpoint(self, region: &Region) -> String {
        // The regions of China are a partition with a domain of their own.
        let domain = if region.as_ref().starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        format!("https://{}.{region}.{domain}", self.host)
    }
}

/// Why a call failed. [`reason`](crate::reason) writes it for logs.
pub type CallError = SdkError<ErrorMetadata, HttpResponse>;

/// The code with which the service refused a call; `None` if the call failed otherwise.
#[must_use]
pub fn code(error: &CallError) -> Option<&str> {
    error.as_service_error()?.code()
}

/// A client of one service.
#[derive(Clone, Debug)]
pub struct ServiceClient {
    service: Service,
    endpoint: String,
    region: Region,
    credentials: SharedCredentialsProvider,
    http: SharedHttpClient,
    retries: RetryConfig,
    timeouts: TimeoutConfig,
}

impl ServiceClient {
    /// A client with the endpoint, the region and the credentials of this environment, which tries a call three times
    /// and waits for an answer as long as it takes.
    #[must_use]
    pub fn new(service: Service, environment: &AwsEnvironment) -> Self {
        let region = region(environment);
        Self {
            service,
            endpoint: environment.endpoint_url.clone().unwrap_or_else(|| service.endpoint(&region)),
            region,
            credentials: SharedCredentialsProvider::new(credentials(environment)),
            http: http_client(environment),
            retries: RetryConfig::standard(),
            timeouts: TimeoutConfig::disabled(),
        }
    }

    /// The client with other timeouts.
    #[must_use]
    pub fn timeouts(self, timeouts: TimeoutConfig) -> Self {
        Self { timeouts, ..self }
    }

    /// The client with other retries.
    #[must_use]
    pub fn retries(self, retries: RetryConfig) -> Self {
        Self { retries, ..self }
    }

    /// Calls an operation of a service that speaks AWS JSON 1.1.
    pub async fn call_target<O>(&self, operation: &'static str, input: &Value) -> Result<O, CallError>
    where
        O: DeserializeOwned + std::fmt::Debug + Send + Sync + 'static,
    {
        let request = Request::post("/")
            .header(CONTENT_TYPE, "application/x-amz-json-1.1")
            .header("x-amz-target", format!("{}.{operation}", self.service.signing_name));
        self.call(operation, request.body(input.to_string()), from_json).await
    }

    /// Calls an operation with this request, whose URI is a path, and reads the body of the answer with `read`.
    pub async fn call<O>(
        &self,
        operation: &'static str,
        request: http::Result<Request<String>>,
        read: fn(&[u8]) -> Result<O, BoxError>,
    ) -> Result<O, CallError>
    where
        O: std::fmt::Debug + Send + Sync + 'static,
    {
        let operation = Operation::builder()
            .service_name(self.service.name)
            .operation_name(operation)
            .endpoint_url(&self.endpoint)
            .http_client(self.http.clone())
            .standard_retry(&self.retries)
            .timeout_config(self.timeouts.clone())
            .retry_classifier(HttpStatusCodeClassifier::default())
            .retry_classifier(TransientErrorClassifier::<ErrorMetadata>::new())
            .retry_classifier(AwsErrorCodeClassifier::<ErrorMetadata>::new())
            .retry_classifier(ServiceClockSkewClassifier::<ErrorMetadata>::new())
            .interceptor(ServiceClockSkewInterceptor::new())
            .with_connection_poisoning()
            .runtime_plugin(self.signing())
            .serializer(|Unsent(request)| {
                let mut request = request?.map(SdkBody::from);
                request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(NAME));
                Ok(HttpRequest::try_from(request)?)
            })
            .deserializer(move |response| answer(response, read))
            .build();
        operation.invoke(Unsent(request)).await
    }

    /// What the runtime signs requests with.
    fn signing(&self) -> StaticRuntimePlugin {
        let mut config = Layer::new("signing");
        config.store_put(AuthSchemeOptionResolverParams::new(()));
        config.store_put(SigV4OperationSigningConfig {
            region: Some(SigningRegion::from(self.region.clone())),
            name: Some(SigningName::from_static(self.service.signing_name)),
            ..SigV4OperationSigningConfig::default()
        });
        config.store_put(SensitiveOutput);
        let components = RuntimeComponentsBuilder::new("signing")
            .with_auth_scheme(SigV4AuthScheme::new())
            .with_auth_scheme_option_resolver(Some(StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID])))
            .with_identity_cache(Some(IdentityCache::no_cache()))
            .with_identity_resolver(SCHEME_ID, self.credentials.clone());
        StaticRuntimePlugin::new().with_config(config.freeze()).with_runtime_components(components)
    }
}

/// Reads an answer in JSON.
pub fn from_json<O: DeserializeOwned>(body: &[u8]) -> Result<O, BoxError> {
    Ok(serde_json::from_slice(body)?)
}

/// A request before it is sent. It may hold a secret.
struct Unsent(http::Result<Request<String>>);

greenroom_core::opaque!(Unsent);

fn answer<O>(
    response: &HttpResponse,
    read: fn(&[u8]) -> Result<O, BoxError>,
) -> Result<O, OrchestratorError<ErrorMetadata>> {
    let body = response.body().bytes().unwrap_or_default();
    if response.status().is_success() {
        return read(body).map_err(OrchestratorError::response);
    }
    let code = response.headers().get("x-amzn-errortype").map(str::to_owned).or_else(|| code_of(body));
    let mut error = ErrorMetadata::builder();
    if let Some(code) = code {
        error = error.code(without_namespace(&code));
    }
    Err(OrchestratorError::operation(error.build()))
}

/// The code in the body of an error, in JSON or XML.
fn code_of(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Error {
        #[serde(alias = "__type")]
        code: String,
    }
    if let Ok(Error { code }) = serde_json::from_slice(body) {
        return Some(code);
    }
    let (_, rest) = std::str::from_utf8(body).ok()?.split_once("<Code>")?;
    Some(rest.split_once("</Code>")?.0.to_owned())
}

/// A code like `com.amazonaws.ses#NotFoundException:http://…` without what is around it.
fn without_namespace(code: &str) -> &str {
    let code = code.split(':').next().unwrap_or_default();
    code.rsplit('#').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("eu-west-1", "https://secretsmanager.eu-west-1.amazonaws.com")]
    #[case("cn-north-1", "https://secretsmanager.cn-north-1.amazonaws.com.cn")]
    fn each_region_has_an_endpoint(#[case] region: &'static str, #[case] endpoint: &str) {
        assert_eq!(Service::SECRETS_MANAGER.endpoint(&Region::from_static(region)), endpoint);
    }

    #[rstest]
    #[case(r#"{"__type":"com.amazonaws#Refused","message":"x"}"#, Some("Refused"))]
    #[case(r#"{"code":"Refused:http://x"}"#, Some("Refused"))]
    #[case("<ErrorResponse><Error><Code>Refused</Code></Error></ErrorResponse>", Some("Refused"))]
    #[case("<html>", None)]
    fn an_error_has_the_code_of_its_body(#[case] body: &'static str, #[case] code: Option<&str>) {
        let response = http::Response::builder().status(400).body(SdkBody::from(body)).unwrap();
        let read = answer::<Value>(&HttpResponse::try_from(response).unwrap(), from_json);
        assert_eq!(read.unwrap_err().as_operation_error().unwrap().code(), code);
    }
}
