//! The address under which callers reach this API, which is the base of the links in its answers
//! (`docs/apis/events-api.md`), and the addresses of callers (`docs/apis/access.md`).

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts, uri::Authority},
};
use greenroom_core::model::guesses::SourceAddress;

use crate::App;

/// Marks a request that came through API Gateway or a function's URL. Both speak TLS only.
#[derive(Clone, Debug, Default)]
pub struct Gateway {
    /// What a gateway put before the path: a stage, or a base path of a custom domain. It does not end in a slash.
    pub prefix: String,
}

/// The scheme, host and prefix of this API: the configured ones, else those that the request was sent to. Headers of
/// proxies in between say those.
#[must_use]
pub fn base_url(parts: &Parts, app: &App) -> String {
    if let Some(url) = &app.config.public_url {
        return url.clone();
    }
    let headers = &parts.headers;
    let default = if parts.extensions.get::<Gateway>().is_some() { "https" } else { "http" };
    let scheme = said(headers, "x-forwarded-proto").find_map(scheme).unwrap_or(default);
    let mut hosts = said(headers, "x-forwarded-host").chain(said(headers, header::HOST.as_str()));
    let host = hosts.find_map(host);
    let host = host.as_ref().map_or("localhost", Authority::as_str);
    format!("{scheme}://{host}{}", prefix(parts))
}

/// The prefix of this API's paths where the request was sent to. It does not end in a slash.
#[must_use]
pub fn prefix(parts: &Parts) -> &str {
    let forwarded = said(&parts.headers, "x-forwarded-prefix").find(|prefix| is_prefix(prefix));
    let of_gateway = || parts.extensions.get::<Gateway>().map(|gateway| gateway.prefix.as_str());
    forwarded.or_else(of_gateway).unwrap_or_default().trim_end_matches('/')
}

/// The values that proxies put into a header, the first proxy's first.
fn said<'a>(headers: &'a HeaderMap, name: &'static str) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim).filter(|value| !value.is_empty())
}

fn scheme(said: &str) -> Option<&'static str> {
    ["https", "http"].into_iter().find(|scheme| said.eq_ignore_ascii_case(scheme))
}

/// A host, with or without a port. `None` if it names a user, because no such host was asked for.
fn host(said: &str) -> Option<Authority> {
    let host: Authority = said.parse().ok()?;
    let is_port = host.as_str().strip_prefix(host.host()).is_some_and(|port| port.is_empty() || host.port().is_some());
    (!host.host().is_empty() && is_port).then_some(host)
}

/// Whether links may begin with this prefix.
pub(super) fn is_prefix(prefix: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
    let folded = prefix.split('/').any(|segment| matches!(segment, "." | ".."));
    prefix.starts_with('/') && !prefix.starts_with("//") && !folded && prefix.bytes().all(plain)
}

/// The address that a request came from. It is the peer's; with configured proxies, it is the one that the outermost
/// proxy put into `X-Forwarded-For`. Each proxy adds its own peer at the right, so anything that the caller itself put
/// into the header is left of that.
#[must_use]
pub fn source(parts: &Parts, app: &App) -> SourceAddress {
    let peer = parts.extensions.get().copied().unwrap_or(SourceAddress(None));
    let Some(behind) = app.config.trusted_proxies.checked_sub(1) else { return peer };
    let headers = parts.headers.get_all("x-forwarded-for").iter();
    let said: Vec<_> = headers.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    let said: Vec<_> = said.iter().flat_map(|value| value.split(',')).map(str::trim).collect();
    let caller = said.iter().rev().nth(behind).or(said.first()).and_then(|text| address(text));
    caller.map_or(peer, |caller| SourceAddress(Some(caller)))
}

/// An address. Some proxies add a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    bare.parse().ok().or_else(|| text.parse().ok().map(|address: SocketAddr| address.ip()))
}

impl FromRequestParts<App> for SourceAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        Ok(source(parts, app))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("api.example.com", true)]
    #[case("api.example.com:8443", true)]
    #[case("[::1]:3000", true)]
    #[case("user@api.example.com", false)]
    #[case("api.example.com/x", false)]
    #[case("api.example.com:", false)]
    #[case("api.example.com:x", false)]
    #[case(":80", false)]
    #[case("two words", false)]
    fn a_host_is_one_that_can_be_asked(#[case] said: &str, #[case] usable: bool) {
        assert_eq!(host(said).is_some(), usable);
    }
}
