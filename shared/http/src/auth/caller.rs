//! Who may call an endpoint. The first argument of its handler says so, and the credentials in the OpenAPI document and
//! those of a wrong method follow from it.

use axum::{
    extract::{FromRequestParts, State},
    handler::Handler,
    http::request::Parts,
};

use crate::App;

/// A way to authenticate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// A back-end's secret.
    OpenVidu,
    /// An operator's access token.
    Operator,
    /// The JID and password of a participant of conversations.
    Account,
    /// The token of a device.
    DeviceToken,
    /// The token of a user's login.
    Jwt,
    /// A static API token.
    ApiToken,
    /// A media server's signature.
    MediaServer,
    /// The media provider's signature.
    MediaProvider,
    /// A LiveKit server's signature.
    LiveKit,
}

impl Scheme {
    /// All schemes.
    pub const ALL: [Self; 9] = [
        Self::OpenVidu,
        Self::Operator,
        Self::Account,
        Self::DeviceToken,
        Self::Jwt,
        Self::ApiToken,
        Self::MediaServer,
        Self::MediaProvider,
        Self::LiveKit,
    ];

    /// The name of the scheme in the OpenAPI document.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenVidu => "openvidu",
            Self::Operator => "operator",
            Self::Account => "account",
            Self::DeviceToken => "deviceToken",
            Self::Jwt => "jwt",
            Self::ApiToken => "apiToken",
            Self::MediaServer => "mediaServer",
            Self::MediaProvider => "mediaProvider",
            Self::LiveKit => "liveKit",
        }
    }
}

/// The ways to authenticate at an endpoint. A caller needs one of them. `None` is a request without credentials.
pub type Schemes = &'static [Option<Scheme>];

/// The type of a handler's first argument, which says who may call. An extractor that runs another `Caller` has its
/// schemes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say who may call",
    note = "the first argument of a handler, or the one after its `State`, is a `Caller`; `Anyone` is one too"
)]
pub trait Caller {
    /// How the caller authenticates.
    const SCHEMES: Schemes;
}

/// A caller without credentials.
#[derive(Clone, Copy, Debug)]
pub struct Anyone;

impl Caller for Anyone {
    const SCHEMES: Schemes = &[None];
}

impl<S: Sync> FromRequestParts<S> for Anyone {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self)
    }
}

/// The arguments of a handler, as axum lists them.
#[diagnostic::on_unimplemented(message = "the arguments of this handler do not begin with a `Caller`")]
pub trait Arguments {
    /// The first one that is no `State`.
    type Caller: Caller;
}

macro_rules! arguments {
    ($($rest:ident)*) => {
        impl<M, C: Caller, $($rest),*> Arguments for (M, C, $($rest),*) {
            type Caller = C;
        }

        impl<M, S, C: Caller, $($rest),*> Arguments for (M, State<S>, C, $($rest),*) {
            type Caller = C;
        }
    };
}

arguments!();
arguments!(A);
arguments!(A B);
arguments!(A B D);
arguments!(A B D E);

/// The ways in which the callers of a handler authenticate.
#[must_use]
pub fn schemes<H: Handler<T, App>, T: Arguments>(_: &H) -> Schemes {
    T::Caller::SCHEMES
}
