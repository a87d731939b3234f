//! What this API is called from outside: the base of the links in its answers (`events-api.md`).

use axum::http::{HeaderMap, header, request::Parts, uri::Authority};

use crate::App;

/// The part of the path that a gateway takes away before we see it: a stage, or a base path of a custom domain.
#[derive(Clone, Debug, Default)]
pub struct Prefix(pub String);

/// Scheme, host and prefix of this API: the configured ones, else those the request was sent to, by what the proxies
/// in between say of it.
#[must_use]
pub fn base_url(parts: &Parts, app: &App) -> String {
    if let Some(url) = &app.config.public_url {
        return url.clone();
    }
    let headers = &parts.headers;
    let scheme = first(headers, "x-forwarded-proto").filter(|scheme| matches!(*scheme, "http" | "https"));
    let host = first(headers, "x-forwarded-host").or_else(|| first(headers, header::HOST.as_str()));
    // A host that names a user is no host that anybody asked for.
    let host = host.and_then(|host| host.parse::<Authority>().ok()).filter(|host| !host.as_str().contains('@'));
    let host = host.as_ref().map_or("localhost", Authority::as_str);
    format!("{}://{host}{}", scheme.unwrap_or("http"), prefix(parts))
}

/// What the paths of this API begin with where the request was sent to, without a slash at the end.
#[must_use]
pub fn prefix(parts: &Parts) -> &str {
    let forwarded = first(&parts.headers, "x-forwarded-prefix").filter(|prefix| is_prefix(prefix)).unwrap_or_default();
    let prefix = parts.extensions.get::<Prefix>().map_or(forwarded, |prefix| prefix.0.as_str());
    prefix.trim_end_matches('/')
}

/// What the first of several proxies said.
fn first<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()?.split(',').next().map(str::trim).filter(|value| !value.is_empty())
}

fn is_prefix(prefix: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
    let folded = prefix.split('/').any(|segment| matches!(segment, "." | ".."));
    prefix.starts_with('/') && !prefix.starts_with("//") && !folded && prefix.bytes().all(plain)
}
