//! Back-ends: `Basic OPENVIDUAPP:secret` (`docs/apis/openvidu.md`).

use axum::{extract::FromRequestParts, http::request::Parts};
use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use greenroom_core::config::Setting;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use super::{Authorization, Caller, Scheme, Schemes};
use crate::{App, dialect::openvidu, error::Unauthenticated};

const USER: &str = "OPENVIDUAPP";

/// Base64 with or without padding, because some clients leave it out.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A back-end that sent a valid secret.
#[derive(Clone, Copy, Debug)]
pub struct Backend(());

impl Caller for Backend {
    const SCHEMES: Schemes = &[Some(Scheme::OpenVidu)];
}

impl FromRequestParts<App> for Backend {
    type Rejection = openvidu::Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let credentials = Authorization::credentials(&parts.headers, "basic").ok_or(Unauthenticated::Missing)?;
        let index = check(credentials, &app.config.openvidu_secrets)?;
        app.last_used.mark(Setting::OpenviduSecret, index);
        Ok(Self(()))
    }
}

/// The index of the secret that matches.
fn check(credentials: &[u8], secrets: &[SecretString]) -> Result<usize, Unauthenticated> {
    let decoded = BASE64.decode(credentials).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let decoded = SecretString::from(decoded.ok_or(Unauthenticated::Undecodable)?);
    let (user, password) = decoded.expose_secret().split_once(':').ok_or(Unauthenticated::NoColon)?;
    let (known, is_user) =
        (which(secrets.iter().map(|secret| same(password, secret.expose_secret()))), same(user, USER));
    known.filter(|_| is_user.into()).ok_or(Unauthenticated::Wrong)
}

/// The index of the candidate that matches. All of them are compared, whichever matches.
pub(super) fn which(candidates: impl Iterator<Item = Choice>) -> Option<usize> {
    let first = (Choice::from(0), 0_u32);
    let (known, index) = (0_u32..)
        .zip(candidates)
        .fold(first, |(known, at), (index, right)| (known | right, u32::conditional_select(&at, &index, right)));
    usize::try_from(index).ok().filter(|_| known.into())
}

/// Compares two texts in a time that tells nothing about either, their lengths included.
pub(super) fn same(a: &str, b: &str) -> Choice {
    Sha256::digest(a.as_bytes()).as_slice().ct_eq(Sha256::digest(b.as_bytes()).as_slice())
}

#[cfg(test)]
mod tests {
    use base64::prelude::BASE64_STANDARD;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::the_secret("OPENVIDUAPP:one:with:colons", Ok(0))]
    #[case::the_other_live_secret("OPENVIDUAPP:two", Ok(1))]
    #[case::another_secret("OPENVIDUAPP:three", Err(Unauthenticated::Wrong))]
    #[case::another_user("openviduapp:two", Err(Unauthenticated::Wrong))]
    #[case::no_password("OPENVIDUAPP:", Err(Unauthenticated::Wrong))]
    #[case::no_colon("OPENVIDUAPP", Err(Unauthenticated::NoColon))]
    fn credentials_are_the_user_and_a_live_secret(#[case] text: &str, #[case] outcome: Result<usize, Unauthenticated>) {
        let secrets = ["one:with:colons", "two"].map(|secret| SecretString::from(secret.to_owned()));
        assert_eq!(check(BASE64_STANDARD.encode(text).as_bytes(), &secrets), outcome);
    }

    #[test]
    fn without_a_secret_nobody_gets_in() {
        assert_eq!(check(BASE64_STANDARD.encode("OPENVIDUAPP:").as_bytes(), &[]), Err(Unauthenticated::Wrong));
    }
}
