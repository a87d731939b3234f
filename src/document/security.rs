//! The credentials that the APIs ask for.

use utoipa::{
    Modify,
    openapi::{
        self,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

pub(super) struct SecuritySchemes;

impl Modify for SecuritySchemes {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let http = |scheme, description| {
            SecurityScheme::Http(HttpBuilder::new().scheme(scheme).description(Some(description)).build())
        };
        let header = |name, description| {
            SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(name, description)))
        };
        let schemes = [
            ("openvidu", http(HttpAuthScheme::Basic, "A back-end: user `OPENVIDUAPP`, and the secret as password.")),
            ("operator", header("Authorization", "An operator: `Basic`, and the access token alone in base64.")),
            ("account", http(HttpAuthScheme::Basic, "A user: their bare JID, and their password or a user's token.")),
            ("deviceToken", http(HttpAuthScheme::Bearer, "A device: the token that it was given when it registered.")),
            ("jwt", header("Authorization", "A user: `JWT`, and the token that they logged in for.")),
            ("apiToken", header("Authorization", "A client: `Token`, and its static API token.")),
            (
                "mediaServer",
                header(
                    "X-OME-Signature",
                    "A media server: HMAC-SHA1 of the body with the shared secret, in base64url without padding.",
                ),
            ),
            (
                "mediaProvider",
                http(
                    HttpAuthScheme::Bearer,
                    "The media provider: a JSON Web Token, signed with the shared secret, that has the body's SHA-256 and a time within 5 minutes of now. In place of it, the URL may end in `?key=` and the secret.",
                ),
            ),
        ];
        let components = document.components.get_or_insert_default();
        for (name, scheme) in schemes {
            components.add_security_scheme(name, scheme);
        }
    }
}
