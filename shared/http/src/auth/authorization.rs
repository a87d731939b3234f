//! The `Authorization` header (RFC 9110, 11.6.2).

use axum::http::{HeaderMap, header};

/// The `Authorization` header. The scheme is compared without regard to case.
#[derive(Clone, Copy)]
pub struct Authorization<'a> {
    pub(super) scheme: &'a [u8],
    /// Everything behind the scheme, the space between them included.
    pub(super) rest: &'a [u8],
}

impl<'a> Authorization<'a> {
    /// Reads the header; `None` if there is none.
    #[must_use]
    pub fn of(headers: &'a HeaderMap) -> Option<Self> {
        let value = headers.get(header::AUTHORIZATION)?.as_bytes().trim_ascii();
        let end = value.iter().position(u8::is_ascii_whitespace).unwrap_or(value.len());
        let (scheme, rest) = value.split_at(end);
        Some(Self { scheme, rest })
    }

    /// Whether it has this scheme.
    #[must_use]
    pub const fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme.as_bytes())
    }

    /// The credentials in the header; `None` if there are none with this scheme.
    #[must_use]
    pub fn credentials(headers: &'a HeaderMap, scheme: &str) -> Option<&'a [u8]> {
        Self::of(headers).filter(|header| header.is(scheme)).map(|header| header.rest.trim_ascii())
    }

    /// The same, if they are text.
    #[must_use]
    pub fn token(headers: &'a HeaderMap, scheme: &str) -> Option<&'a str> {
        str::from_utf8(Self::credentials(headers, scheme)?).ok()
    }
}
