//! Operations of the SDK, passed to the embedded database as types. In one process nothing has to be written as JSON
//! and read again.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::{
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::{BeforeDeserializationInterceptorContextMut, BeforeSerializationInterceptorContextMut},
    },
    error::BoxError,
};
use aws_smithy_runtime_api::client::{
    interceptors::context::{Error, Input, Output},
    orchestrator::{HttpRequest, HttpResponse, OrchestratorError},
    ser_de::{DeserializeResponse, SerializeRequest, SharedRequestSerializer, SharedResponseDeserializer},
};
use aws_smithy_types::body::SdkBody;

use super::{call::Call, operations};

/// A value that a request or a response carries as an extension. It can be taken once.
struct Carried<T>(Arc<Mutex<Option<T>>>);

impl<T> Carried<T> {
    fn new(what: T) -> Self {
        Self(Arc::new(Mutex::new(Some(what))))
    }

    fn take(&self) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<T> Clone for Carried<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// The call in a request of the embedded database's own client. `None` if the request is JSON.
pub(super) fn call_of(request: &HttpRequest) -> Option<Call> {
    request.extension::<Carried<Call>>()?.take()
}

/// Puts an output into a response.
pub(super) fn put(response: &mut HttpResponse, output: Output) {
    response.add_extension(Carried::new(output));
}

/// The interceptor that passes operations as types. The embedded database's own client has it.
#[derive(Debug)]
pub(super) struct ByTypes;

impl Intercept for ByTypes {
    fn name(&self) -> &'static str {
        "by types"
    }

    fn modify_before_serialization(
        &self,
        _: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(usual) = config.load::<SharedRequestSerializer>().cloned() {
            config.interceptor_state().store_put(SharedRequestSerializer::new(Serializer(usual)));
        }
        Ok(())
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // Errors are read from JSON as usual.
        if context.response().extension::<Carried<Output>>().is_some() {
            config.interceptor_state().store_put(SharedResponseDeserializer::new(Deserializer));
        }
        Ok(())
    }
}

/// Passes known inputs as they are, and writes all others as usual.
#[derive(Debug)]
struct Serializer(SharedRequestSerializer);

impl SerializeRequest for Serializer {
    fn serialize_input(&self, input: Input, config: &mut ConfigBag) -> Result<HttpRequest, BoxError> {
        match operations::call(input) {
            Ok(call) => {
                let mut request = HttpRequest::new(SdkBody::empty());
                request.add_extension(Carried::new(call));
                Ok(request)
            }
            Err(input) => self.0.serialize_input(input, config),
        }
    }
}

/// Takes an output as it is.
#[derive(Debug)]
struct Deserializer;

impl DeserializeResponse for Deserializer {
    fn deserialize_nonstreaming_with_config(
        &self,
        response: &HttpResponse,
        _: &ConfigBag,
    ) -> Result<Output, OrchestratorError<Error>> {
        let output = response.extension::<Carried<Output>>().and_then(Carried::take);
        output.ok_or_else(|| OrchestratorError::other("an answer was taken twice"))
    }
}
