//! The events with which API Gateway and function URLs invoke a function, and the requests in them.
//!
//! Greenroom converts them itself, and not with `lambda_http`. That crate panics if a path, a query string or a header
//! makes no URL, which a caller can bring about, and loses the prefix that a gateway puts before the path. This
//! conversion has an answer for everything that they can send: REST APIs, HTTP APIs with payload format 1.0 or 2.0, and
//! function URLs.

use std::collections::BTreeMap;

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use form_urlencoded::Serializer;
use greenroom_core::model::guesses::SourceAddress;
use greenroom_http::{Gateway, RouteTable};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Deserializer, de::Visitor};

/// The payload format of an event and of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Payload format 1.0: REST APIs, and HTTP APIs that are set to it.
    Version1,
    /// Payload format 2.0: HTTP APIs and function URLs.
    Version2,
}

/// An event with a request, in either format.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    http_method: Option<Text>,
    resource: Option<Text>,
    route_key: Option<Text>,
    path: Option<Text>,
    raw_path: Option<Text>,
    raw_query_string: Option<Text>,
    query_string_parameters: Option<BTreeMap<Text, Option<Text>>>,
    multi_value_query_string_parameters: Option<BTreeMap<Text, Option<Vec<Text>>>>,
    headers: Option<BTreeMap<Text, Option<Text>>>,
    multi_value_headers: Option<BTreeMap<Text, Option<Vec<Text>>>>,
    #[serde(default)]
    request_context: Context,
    body: Option<Text>,
    is_base64_encoded: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    domain_name: Option<Text>,
    path: Option<Text>,
    identity: Option<Caller>,
    http: Option<Http>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Http {
    method: Option<Text>,
    path: Option<Text>,
    source_ip: Option<Text>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Caller {
    source_ip: Option<Text>,
}

/// The characters that a path cannot carry unescaped (RFC 3986, 3.3). Existing escapes stay.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The characters that a query string cannot carry unescaped (RFC 3986, 3.4). Existing escapes stay.
const QUERY: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

impl Event {
    /// The format that the answer has to have.
    pub(super) fn format(&self) -> Format {
        if self.request_context.http.is_some() { Format::Version2 } else { Format::Version1 }
    }

    /// The request to the function's own routes. `None` if the event holds none.
    pub(super) fn into_request(self, table: &RouteTable) -> Option<Request> {
        let method = self.method()?;
        let (prefix, path) = self.path(table);
        let path_and_query = match self.query() {
            Some(query) => format!("{path}?{query}"),
            None => path,
        };
        let headers = self.headers();
        let source = self.source();
        let mut request = Request::new(self.body());
        *request.method_mut() = method;
        // A path that is too long for a URI is not found.
        *request.uri_mut() = path_and_query.parse().unwrap_or_else(|_| Uri::from_static("/"));
        *request.headers_mut() = headers;
        request.extensions_mut().insert(Gateway { prefix });
        request.extensions_mut().insert(source);
        Some(request)
    }

    fn method(&self) -> Option<Method> {
        let http = self.request_context.http.as_ref();
        let method = http.and_then(|http| http.method.as_ref()).or(self.http_method.as_ref())?;
        // Escaped, any text is the name of a method. Nothing is served with it.
        let escaped = || Method::from_bytes(utf8_percent_encode(&method.0, NON_ALPHANUMERIC).to_string().as_bytes());
        Method::from_bytes(method.0.as_bytes()).or_else(|_| escaped()).ok()
    }

    /// The prefix before our part of the gateway's path, and our part.
    ///
    /// The path is taken as it came. Read as a browser reads it, segments like `..` would be folded away, and a DELETE
    /// of a session's part would delete the session.
    fn path(&self, table: &RouteTable) -> (String, String) {
        let context = &self.request_context;
        let of_context = context.http.as_ref().and_then(|http| http.path.as_ref());
        let path = self.raw_path.as_ref().or(self.path.as_ref()).or(of_context).map_or("/", |path| &path.0);
        let path = utf8_percent_encode(path, PATH).to_string();
        let path = if path.starts_with('/') { path } else { format!("/{path}") };
        let (base_path, own) = table.split(&path, self.template());
        // A REST API takes its stage off the path, but not off the path in the context.
        let outside = context.path.as_ref().map(|path| path.0.trim_end_matches('/'));
        let stage = outside.and_then(|outside| outside.strip_suffix(path.trim_end_matches('/'))).unwrap_or_default();
        (format!("{stage}{base_path}"), own.to_owned())
    }

    /// The path of the gateway's route, like `/api/rooms/{id}`, if the event names it.
    fn template(&self) -> Option<&str> {
        let of_route = self.route_key.as_ref().and_then(|route| route.0.split_once(' ')).map(|(_, path)| path);
        of_route.or(self.resource.as_ref().map(|resource| resource.0.as_str()))
    }

    fn query(&self) -> Option<String> {
        if let Some(query) = &self.raw_query_string {
            return (!query.0.is_empty()).then(|| utf8_percent_encode(&query.0, QUERY).to_string());
        }
        let mut query = Serializer::new(String::new());
        let several = self.multi_value_query_string_parameters.iter().flatten();
        for (name, values) in several.clone() {
            query.extend_pairs(values.iter().flatten().map(|value| (&name.0, &value.0)));
        }
        // If a name has several values, the single-value map has the last of them, so it is read only without the other
        // map.
        if several.count() == 0 {
            let one = self.query_string_parameters.iter().flatten();
            query.extend_pairs(one.map(|(name, value)| (&name.0, value.as_ref().map_or("", |value| &value.0))));
        }
        let query = query.finish();
        (!query.is_empty()).then_some(query)
    }

    /// The headers. Those that HTTP does not allow are left out.
    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let several = self.multi_value_headers.iter().flatten();
        let several = several.flat_map(|(name, values)| values.iter().flatten().map(move |value| (name, value)));
        for (name, value) in several.filter_map(header) {
            // This fails only with more headers than a gateway passes on.
            let _ = headers.try_append(name, value);
        }
        let one = self.headers.iter().flatten().filter_map(|(name, value)| header((name, value.as_ref()?)));
        for (name, value) in one {
            if !headers.contains_key(&name) {
                let _ = headers.try_append(name, value);
            }
        }
        let domain = self.request_context.domain_name.as_ref();
        if let Some(host) = domain.filter(|_| !headers.contains_key(header::HOST)) {
            headers.extend(HeaderValue::from_str(&host.0).ok().map(|host| (header::HOST, host)));
        }
        headers
    }

    /// The address of the caller, as API Gateway or the function's URL saw it.
    fn source(&self) -> SourceAddress {
        let context = &self.request_context;
        let of_http = context.http.as_ref().and_then(|http| http.source_ip.as_ref());
        let address = of_http.or(context.identity.as_ref().and_then(|caller| caller.source_ip.as_ref()));
        SourceAddress(address.and_then(|address| address.0.parse().ok()))
    }

    fn body(self) -> Body {
        let body = self.body.unwrap_or_default().0;
        let decoded = self.is_base64_encoded.unwrap_or_default().then(|| BASE64_STANDARD.decode(&body));
        // A body that is not base64 is taken as it came.
        match decoded {
            Some(Ok(bytes)) => bytes.into(),
            _ => body.into(),
        }
    }
}

fn header((name, value): (&Text, &Text)) -> Option<(HeaderName, HeaderValue)> {
    let name = HeaderName::from_bytes(name.0.as_bytes()).ok()?;
    Some((name, HeaderValue::from_bytes(value.0.as_bytes()).ok()?))
}

/// A text in which U+FFFD replaces what is not Unicode. JSON can escape halves of characters, which no `String` can
/// hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(AnyText)
    }
}

struct AnyText;

impl Visitor<'_> for AnyText {
    type Value = Text;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a text")
    }

    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Text, E> {
        Ok(Text(String::from_utf8_lossy(bytes).into_owned()))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Text, E> {
        Ok(Text(text.to_owned()))
    }
}

#[cfg(test)]
mod tests;
