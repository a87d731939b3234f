//! The files that are served, compressed in the binary.

use std::{convert::Infallible, io::Read};

use axum::{
    Extension,
    extract::FromRequestParts,
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use flate2::read::GzDecoder;
use greenroom_http::{App, ForEverybody, accepts_encoding, dialect::device, error, prefix};

/// The content security policy of the page: it loads only files from this server. Swagger UI's images are in its style
/// sheet.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A file that is served.
pub(crate) struct File {
    name: &'static str,
    kind: &'static str,
    gzip: &'static [u8],
    /// The text before each path in the file that begins at the root of this API. The paths get the prefix that callers
    /// use.
    before_root: Option<&'static str>,
}

macro_rules! file {
    ($name:literal, $kind:literal, $before_root:expr) => {
        File {
            name: $name,
            kind: $kind,
            gzip: include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".gz")),
            before_root: $before_root,
        }
    };
}

/// The OpenAPI document.
pub(crate) const DOCUMENT: File = file!("openapi.json", "application/json", Some("\"url\": \""));
/// The page that shows the document.
pub(crate) const PAGE: File = file!("docs.html", "text/html; charset=utf-8", Some("=\""));
/// The files that the page loads, and the licence of those that are not ours.
const OF_PAGE: &[File] = &[
    file!("docs.css", "text/css; charset=utf-8", None),
    file!("start.js", "text/javascript; charset=utf-8", None),
    file!("swagger-ui-bundle.js", "text/javascript; charset=utf-8", None),
    file!("swagger-ui.css", "text/css; charset=utf-8", None),
    file!("favicon-32x32.png", "image/png", None),
    file!("LICENSE", "text/plain; charset=utf-8", None),
    file!("NOTICE", "text/plain; charset=utf-8", None),
];

/// The parts of a request that decide how a file is sent.
pub(crate) struct Conditions {
    takes_gzip: bool,
    known: Vec<String>,
    prefix: String,
}

impl FromRequestParts<App> for Conditions {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Self::Rejection> {
        let headers = &parts.headers;
        Ok(Self {
            takes_gzip: accepts_encoding(headers, "gzip"),
            known: known_tags(headers),
            prefix: prefix(parts).to_owned(),
        })
    }
}

/// The entity tags that a caller names.
fn known_tags(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(header::IF_NONE_MATCH).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(|tag| tag.trim().to_owned()).collect()
}

/// Whether one of these tags matches a version's, by the weak comparison of RFC 9110 (13.1.2), or is `*`.
fn is_known(known: &[String], tag: &str) -> bool {
    let opaque = tag.trim_start_matches("W/");
    known.iter().any(|known| known == "*" || known.trim_start_matches("W/") == opaque)
}

impl File {
    /// The file with this name that the page loads.
    pub(crate) fn of_page(name: &str) -> Option<&'static Self> {
        OF_PAGE.iter().find(|file| file.name == name)
    }

    /// The answer to a request for the file.
    pub(crate) fn serve(&'static self, conditions: Conditions) -> Served {
        Served { file: self, conditions }
    }

    /// The entity tag of this version: the checksum and the length at the end of its compressed form.
    fn tag(&self) -> String {
        let end = self.gzip.iter().rev().take(8).fold(0_u64, |end, byte| (end << 8) | u64::from(*byte));
        format!("W/\"{end:016x}\"")
    }

    fn content(&self) -> std::io::Result<Vec<u8>> {
        let mut content = Vec::new();
        GzDecoder::new(self.gzip).read_to_end(&mut content).map(|_| content)
    }

    /// The content for an API that is not at the root of its host.
    fn below(&self, prefix: &str) -> std::io::Result<Vec<u8>> {
        let content = self.content()?;
        let (Some(before), false) = (self.before_root, prefix.is_empty()) else { return Ok(content) };
        let moved = String::from_utf8_lossy(&content).replace(&format!("{before}/"), &format!("{before}{prefix}/"));
        Ok(moved.into_bytes())
    }
}

/// A file and the conditions of its request.
pub(crate) struct Served {
    file: &'static File,
    conditions: Conditions,
}

impl IntoResponse for Served {
    fn into_response(self) -> Response {
        let Self { file, conditions: Conditions { takes_gzip, known, prefix } } = self;
        let tag = file.tag();
        let headers = [
            (header::CONTENT_TYPE, file.kind),
            (header::VARY, "accept-encoding"),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::ETAG, &tag),
        ];
        if is_known(&known, &tag) {
            return (StatusCode::NOT_MODIFIED, headers, Extension(ForEverybody)).into_response();
        }
        let is_moved = file.before_root.is_some() && !prefix.is_empty();
        if takes_gzip && !is_moved {
            let encoding = [(header::CONTENT_ENCODING, "gzip")];
            return (headers, encoding, Extension(ForEverybody), file.gzip).into_response();
        }
        match file.below(&prefix) {
            Ok(content) => (headers, Extension(ForEverybody), content).into_response(),
            // This cannot fail for content that was compressed at build time.
            Err(_) => device::Error::from(error::Error::Fault).into_response(),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("W/\"a\"", true)]
    #[case("\"a\"", true)]
    #[case("\"b\", W/\"a\"", true)]
    #[case("*", true)]
    #[case("\"ab\"", false)]
    #[case("a", false)]
    #[case("", false)]
    fn a_version_is_known_by_its_tag(#[case] known: &str, #[case] is: bool) {
        let headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, known.parse().unwrap())]);
        assert_eq!(is_known(&known_tags(&headers), "W/\"a\""), is);
    }

    #[test]
    fn what_begins_at_the_root_is_moved_below_a_prefix() {
        let moved = |file: &File| String::from_utf8(file.below("/prod").unwrap()).unwrap();
        let page = moved(&PAGE);
        assert_eq!(page.matches("=\"/").count(), page.matches("=\"/prod/docs/").count());
        assert!(page.contains("src=\"/prod/docs/start.js\""));
        assert!(moved(&DOCUMENT).contains("\"url\": \"/prod/\""));
    }
}
