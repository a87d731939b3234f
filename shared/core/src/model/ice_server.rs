//! ICE servers that a back-end gives a participant's client (`docs/apis/openvidu-2.32.md`, RFC 7064, RFC 7065).

use std::{net::Ipv6Addr, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use utoipa::ToSchema;

use crate::{
    clock::Timestamp,
    id::{hex, random_bytes},
};

/// How long the credentials live that are made from a TURN server's secret.
const SECRET_TTL: Duration = Duration::from_hours(24);
/// The longest name of a host, in bytes (RFC 1035, 2.3.4).
const HOST_MAX: usize = 253;

/// An ICE server: a STUN server, or a TURN server with the credentials for it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IceServer {
    /// Its URL.
    #[schema(example = "turn:turn.example.com:3478?transport=udp")]
    url: String,
    /// The user at a TURN server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "alice")]
    username: Option<String>,
    /// The user's password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "a password")]
    credential: Option<String>,
}

crate::opaque!(IceServer);

/// How a participant's client authenticates at an ICE server.
pub enum IceCredentials {
    /// It does not: the server is a STUN server.
    None,
    /// With this user and password.
    Password(String, String),
    /// With a user and a password that are made from the TURN server's secret, as coturn's `use-auth-secret` has it.
    Secret(SecretString),
}

crate::opaque!(IceCredentials);

impl IceServer {
    /// Reads an ICE server. `None` if the URL is not valid, a TURN server comes without credentials, or a STUN server
    /// with some.
    #[must_use]
    pub fn parse(url: String, credentials: &IceCredentials, now: Timestamp) -> Option<Self> {
        let relays = relays(&url)?;
        let (username, credential) = match credentials {
            IceCredentials::None => (None, None),
            IceCredentials::Password(username, credential) => (Some(username.clone()), Some(credential.clone())),
            IceCredentials::Secret(secret) => {
                let (username, credential) = made_from(secret, now);
                (Some(username), Some(credential))
            }
        };
        (relays == username.is_some()).then_some(Self { url, username, credential })
    }
}

/// A user who expires in a day, and the password that the TURN server computes from its name.
fn made_from(secret: &SecretString, now: Timestamp) -> (String, String) {
    let username = format!("{}:{}", (now + SECRET_TTL).seconds(), hex(&random_bytes::<4>()));
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.expose_secret().as_bytes()).expect("a key of any length");
    mac.update(username.as_bytes());
    (username, BASE64_STANDARD.encode(mac.finalize().into_bytes()))
}

/// Whether a URL names a TURN server. `None` if it names no ICE server.
fn relays(url: &str) -> Option<bool> {
    let (scheme, rest) = url.split_once(':')?;
    let relays = match scheme {
        "turn" | "turns" => true,
        "stun" | "stuns" => false,
        _ => return None,
    };
    let authority = match rest.split_once('?') {
        Some((authority, "transport=udp" | "transport=tcp")) if relays => authority,
        Some(_) => return None,
        None => rest,
    };
    is_authority(authority).then_some(relays)
}

/// Whether this is a host, or a host and a port.
fn is_authority(text: &str) -> bool {
    if let Some(rest) = text.strip_prefix('[') {
        let Some((address, behind)) = rest.split_once(']') else { return false };
        let ends = behind.is_empty() || behind.strip_prefix(':').is_some_and(is_port);
        return ends && address.parse::<Ipv6Addr>().is_ok();
    }
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    is_host(host) && port.is_none_or(is_port)
}

/// Whether this may be the name of a host, or an IPv4 address. Nobody asks a name server.
fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (1..=63).contains(&label.len()) && label.bytes().all(plain)
    };
    text.len() <= HOST_MAX && text.split('.').all(is_label)
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port > 0)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::a_name("stun:stun.example.com", Some(false))]
    #[case::a_port("stuns:stun.example.com:5349", Some(false))]
    #[case::ipv4("turn:192.0.2.1:3478", Some(true))]
    #[case::ipv6("turn:[2001:db8::1]", Some(true))]
    #[case::ipv6_with_a_port("turns:[2001:db8::1]:5349?transport=tcp", Some(true))]
    #[case::a_transport("turn:turn.example.com?transport=udp", Some(true))]
    #[case::stun_with_a_transport("stun:stun.example.com?transport=udp", None)]
    #[case::another_transport("turn:turn.example.com?transport=sctp", None)]
    #[case::another_query("turn:turn.example.com?transport=udp&x=1", None)]
    #[case::another_scheme("http:turn.example.com", None)]
    #[case::a_path("turn:turn.example.com/x", None)]
    #[case::slashes("turn://turn.example.com", None)]
    #[case::no_host("turn::3478", None)]
    #[case::nothing("turn:", None)]
    #[case::port_zero("turn:turn.example.com:0", None)]
    #[case::a_large_port("turn:turn.example.com:65536", None)]
    #[case::a_signed_port("turn:turn.example.com:+1", None)]
    #[case::no_port("turn:turn.example.com:", None)]
    #[case::bare_ipv6("turn:2001:db8::1", None)]
    #[case::something_behind_ipv6("turn:[2001:db8::1]x", None)]
    #[case::an_empty_label("turn:turn..example.com", None)]
    #[case::a_space("turn:turn example.com", None)]
    fn a_url_names_a_stun_or_turn_server(#[case] url: &str, #[case] relays: Option<bool>) {
        assert_eq!(super::relays(url), relays);
    }

    #[test]
    fn credentials_go_with_turn_only() {
        let now = Timestamp::from_seconds(1_700_000_000);
        let password = || IceCredentials::Password("user".to_owned(), "password".to_owned());
        let is_one = |url: &str, credentials| IceServer::parse(url.to_owned(), &credentials, now).is_some();
        assert!(is_one("turn:a.example", password()));
        assert!(is_one("stun:a.example", IceCredentials::None));
        assert!(!is_one("turn:a.example", IceCredentials::None));
        assert!(!is_one("stun:a.example", password()));
    }

    #[test]
    fn a_turn_server_can_check_what_was_made_from_its_secret() {
        let secret = IceCredentials::Secret("shared with coturn".to_owned().into());
        let now = Timestamp::from_seconds(1_700_000_000);
        let server = IceServer::parse("turn:turn.example.com".to_owned(), &secret, now).unwrap();
        let username = server.username.unwrap();
        assert_eq!(username.split_once(':').unwrap().0, "1700086400");
        let mut mac = Hmac::<Sha1>::new_from_slice(b"shared with coturn").unwrap();
        mac.update(username.as_bytes());
        let sent = BASE64_STANDARD.decode(server.credential.unwrap()).unwrap();
        assert!(mac.verify_slice(&sent).is_ok());
    }
}
