//! The credentials that the APIs ask for.

use greenroom_http::auth::Scheme;
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
        let components = document.components.get_or_insert_default();
        for scheme in Scheme::ALL {
            components.add_security_scheme(scheme.name(), described(scheme));
        }
    }
}

fn described(scheme: Scheme) -> SecurityScheme {
    let http = |scheme, description| {
        SecurityScheme::Http(HttpBuilder::new().scheme(scheme).description(Some(description)).build())
    };
    let header =
        |name, description| SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(name, description)));
    match scheme {
        Scheme::OpenVidu => http(HttpAuthScheme::Basic, "A back-end: user `OPENVIDUAPP`, and the secret as password."),
        Scheme::Operator => header("Authorization", "An operator: `Basic`, and the access token alone in base64."),
        Scheme::Account => http(HttpAuthScheme::Basic, "A user: their bare JID, and their password or a user's token."),
        Scheme::DeviceToken => {
            http(HttpAuthScheme::Bearer, "A device: the token that it was given when it registered.")
        }
        Scheme::Jwt => header("Authorization", "A user: `JWT`, and the token that they logged in for."),
        Scheme::ApiToken => header("Authorization", "A client: `Token`, and its static API token."),
        Scheme::MediaServer => header(
            "X-OME-Signature",
            "A media server: HMAC-SHA1 of the body with the shared secret, in base64url without padding.",
        ),
        Scheme::MediaProvider => http(
            HttpAuthScheme::Bearer,
            "The media provider: a JSON Web Token, signed with the shared secret, that has the body's SHA-256 and a time within 5 minutes of now. In place of it, the URL may end in `?key=` and the secret.",
        ),
        Scheme::LiveKit => header(
            "Authorization",
            "A LiveKit server: a JSON Web Token, signed with the secret of its API key, that has the body's SHA-256.",
        ),
    }
}
