//! The `Authorization` header (RFC 9110, 11.6.2).

use axum::http::{HeaderMap, header};

/// The `Authorization` header. The scheme is read without regard to case.
#[derive(Clone, Copy)]
pub enum Authorization<'a> {
    /// There is no such header.
    Absent,
    /// `Basic` and its credentials.
    Basic(&'a [u8]),
    /// `Bearer` and its token.
    Bearer(&'a str),
    /// `Token` and its token.
    Token(&'a str),
    /// Another scheme, or a token that is no text.
    Other,
}

impl<'a> Authorization<'a> {
    /// Reads the header.
    #[must_use]
    pub fn of(headers: &'a HeaderMap) -> Self {
        let Some(value) = headers.get(header::AUTHORIZATION) else { return Self::Absent };
        let value = value.as_bytes().trim_ascii();
        let end = value.iter().position(u8::is_ascii_whitespace).unwrap_or(value.len());
        let (scheme, credentials) = value.split_at(end);
        let credentials = credentials.trim_ascii();
        let token = str::from_utf8(credentials);
        match (scheme.to_ascii_lowercase().as_slice(), token) {
            (b"basic", _) => Self::Basic(credentials),
            (b"bearer", Ok(token)) => Self::Bearer(token),
            (b"token", Ok(token)) => Self::Token(token),
            _ => Self::Other,
        }
    }
}
