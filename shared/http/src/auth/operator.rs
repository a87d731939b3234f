//! Operators of live sessions: `Basic` with the access token alone, in base64 (`docs/apis/ovenmediaengine.md`).

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, request::Parts},
};
use base64::Engine;
use greenroom_core::config::Setting;
use secrecy::{ExposeSecret, SecretString};

use super::{
    Authorization, Caller, Scheme, Schemes,
    backend::{BASE64, same, which},
};
use crate::{
    App,
    dialect::{
        openvidu::Sent,
        streams::{Error, Unauthenticated},
    },
};

/// An operator who sent a valid access token.
#[derive(Clone, Copy, Debug)]
pub struct Operator(());

impl Caller for Operator {
    const SCHEMES: Schemes = &[Some(Scheme::Operator)];
}

impl FromRequestParts<App> for Operator {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let index = check(&parts.headers, &app.config.streams.access_tokens).map_err(Error::Unauthenticated)?;
        app.last_used.mark(Setting::StreamsAccessToken, index);
        Ok(Self(()))
    }
}

/// The index of the access token that matches.
fn check(headers: &HeaderMap, tokens: &[SecretString]) -> Result<usize, Unauthenticated> {
    let header = Authorization::of(headers).filter(|header| !header.scheme.is_empty());
    let header = header.ok_or(Unauthenticated::Missing)?;
    let credentials = header.rest.strip_prefix(b" ").filter(|rest| !rest.is_empty() && !rest.contains(&b' '));
    let credentials = credentials.ok_or(Unauthenticated::Malformed)?;
    if !header.is("basic") {
        return Err(Unauthenticated::Unsupported(Sent::new(&String::from_utf8_lossy(header.scheme))));
    }
    let given = BASE64.decode(credentials).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let given = SecretString::from(given.ok_or(Unauthenticated::Wrong)?);
    which(tokens.iter().map(|token| same(given.expose_secret(), token.expose_secret()))).ok_or(Unauthenticated::Wrong)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, header};
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::the_token("Basic b25lOnR3bw==", "Ok(0)")]
    #[case::without_padding("basic b25lOnR3bw", "Ok(0)")]
    #[case::the_other_live_token("BASIC dGhyZWU=", "Ok(1)")]
    #[case::with_a_user_before_it("Basic dXNlcjp0aHJlZQ==", "Err(Wrong)")]
    #[case::no_base64("Basic three", "Err(Wrong)")]
    #[case::nothing("", "Err(Missing)")]
    #[case::the_scheme_alone("Basic", "Err(Malformed)")]
    #[case::two_spaces("Basic  dGhyZWU=", "Err(Malformed)")]
    #[case::three_words("Basic dGhyZWU= x", "Err(Malformed)")]
    #[case::another_scheme("Bearer dGhyZWU=", "Err(Unsupported(Sent))")]
    fn credentials_are_a_live_token_in_base64(#[case] value: &'static str, #[case] outcome: &str) {
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static(value))]);
        let tokens = ["one:two", "three"].map(|token| SecretString::from(token.to_owned()));
        assert_eq!(format!("{:?}", check(&headers, &tokens)), outcome);
    }

    #[test]
    fn without_a_token_nobody_gets_in() {
        assert!(check(&HeaderMap::new(), &[]).is_err());
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static("Basic ="))]);
        assert!(check(&headers, &[]).is_err());
    }
}
