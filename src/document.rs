//! What the OpenAPI document says beside the functions' own routes.

use utoipa::{
    Modify, OpenApi,
    openapi::{
        self,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

/// The document's head.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Greenroom",
        description = "Session APIs for real-time media",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    modifiers(&SecuritySchemes),
)]
pub(crate) struct Document;

struct SecuritySchemes;

impl Modify for SecuritySchemes {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let http = |scheme, description| {
            SecurityScheme::Http(HttpBuilder::new().scheme(scheme).description(Some(description)).build())
        };
        let components = document.components.get_or_insert_default();
        components.add_security_scheme(
            "openvidu",
            http(HttpAuthScheme::Basic, "A back-end: user OPENVIDUAPP, and the secret as password"),
        );
        let operator =
            ApiKeyValue::with_description("Authorization", "An operator, `Basic` and the access token in base64");
        components.add_security_scheme("operator", SecurityScheme::ApiKey(ApiKey::Header(operator)));
        components
            .add_security_scheme("account", http(HttpAuthScheme::Basic, "A user: their bare JID, and their password"));
        components
            .add_security_scheme("deviceToken", http(HttpAuthScheme::Bearer, "A device: the token it registered for"));
        let user = ApiKeyValue::with_description("Authorization", "A user, `JWT` and the token they logged in for");
        components.add_security_scheme("jwt", SecurityScheme::ApiKey(ApiKey::Header(user)));
        let token = "A client, `Token` and its static API token";
        let token = ApiKeyValue::with_description("Authorization", token);
        components.add_security_scheme("apiToken", SecurityScheme::ApiKey(ApiKey::Header(token)));
    }
}
