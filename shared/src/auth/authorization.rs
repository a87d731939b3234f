//! The `Authorization` header (RFC 9110, 11.6.2).

use axum::http::{HeaderMap, header};

/// What the `Authorization` header carries, the scheme read without regard to case.
#[derive(Clone, Copy)]
pub enum Authorization<'a> {
    /// There is no such header.
    Absent,
    /// `Basic` and its credentials.
    Basic(&'a str),
    /// `Bearer` and its token.
    Bearer(&'a str),
    /// `Token` and its token.
    Token(&'a str),
    /// Another scheme, or no text at all.
    Other,
}

impl<'a> Authorization<'a> {
    /// Reads the header.
    #[must_use]
    pub fn of(headers: &'a HeaderMap) -> Self {
        let Some(value) = headers.get(header::AUTHORIZATION) else { return Self::Absent };
        let Ok(value) = value.to_str() else { return Self::Other };
        let (scheme, credentials) = value.trim().split_once(' ').unwrap_or((value.trim(), ""));
        let credentials = credentials.trim();
        match scheme.to_ascii_lowercase().as_str() {
            "basic" => Self::Basic(credentials),
            "bearer" => Self::Bearer(credentials),
            "token" => Self::Token(credentials),
            _ => Self::Other,
        }
    }
}
