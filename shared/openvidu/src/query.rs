//! Parameters of queries.

use axum::{extract::FromRequestParts, http::request::Parts};
use greenroom_http::{
    App,
    dialect::openvidu::{Error, Refused},
};
use utoipa::IntoParams;

/// The parameters of a list of sessions or connections, and of one of them. Others are ignored.
#[derive(Clone, Copy, Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct Query {
    /// Whether connections are shown that nobody has used yet.
    #[param(example = true)]
    pub pending_connections: Option<bool>,
    /// Whether statistics of media are shown. There are none.
    #[param(example = false)]
    pub web_rtc_stats: Option<bool>,
}

impl FromRequestParts<App> for Query {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Error> {
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self { pending_connections: flag(query, "pendingConnections")?, web_rtc_stats: flag(query, "webRtcStats")? })
    }
}

/// A boolean in a query, as Spring reads it. An empty one counts as absent.
fn flag(query: &str, name: &'static str) -> Result<Option<bool>, Error> {
    let found = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name);
    let Some((_, value)) = found.filter(|(_, value)| !value.is_empty()) else { return Ok(None) };
    match value.to_ascii_lowercase().as_str() {
        "true" | "on" | "yes" | "1" => Ok(Some(true)),
        "false" | "off" | "no" | "0" => Ok(Some(false)),
        _ => Err(Refused::Query(name).into()),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("a=TRUE", Some(true))]
    #[case("b=1&a=oFf", Some(false))]
    #[case("a=%74rue", Some(true))]
    #[case("a=", None)]
    #[case("a", None)]
    #[case("", None)]
    #[case("A=x", None)]
    fn a_boolean_has_four_spellings_in_any_case(#[case] query: &str, #[case] value: Option<bool>) {
        assert_eq!(flag(query, "a").unwrap(), value);
    }

    #[test]
    fn another_spelling_is_refused() {
        assert!(flag("a=2", "a").is_err());
    }
}
