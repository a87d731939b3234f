//! What is asked of the list.

use std::collections::BTreeMap;

use axum::{extract::FromRequestParts, http::request::Parts};
use serde::{Deserialize, Serialize};
use shared::{App, http::base_url, model::live::State};

/// Connections on a page where the request does not say.
const LIMIT: usize = 100;
/// Most connections on a page.
const LIMIT_MAX: usize = 1_000;

/// Where a page ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// In which application.
    pub(crate) scope: String,
    /// Behind which connection in it; `None`: before all of them.
    pub(crate) after: Option<String>,
}

/// What is asked of the list. Empty parameters and unknown ones are ignored.
pub(crate) struct Query {
    url: String,
    parameters: BTreeMap<String, String>,
    pub(crate) limit: usize,
    pub(crate) position: Option<Position>,
}

impl FromRequestParts<App> for Query {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let query = parts.uri.query().unwrap_or_default();
        let mut parameters: BTreeMap<String, String> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        parameters.retain(|_, value| !value.is_empty());
        let limit = parameters.get("limit").and_then(|limit| limit.parse().ok()).filter(|limit| *limit > 0);
        let cursor = parameters.remove("cursor").and_then(|cursor| app.keys.open_text(&cursor));
        Ok(Self {
            url: format!("{}{}/", base_url(parts, app), parts.uri.path().trim_end_matches('/')),
            limit: limit.unwrap_or(LIMIT).min(LIMIT_MAX),
            position: cursor.and_then(|cursor| serde_json::from_str(&cursor).ok()),
            parameters,
        })
    }
}

impl Query {
    /// The value of a filter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// Whether those are asked for that are over.
    pub(crate) fn wants_ended(&self) -> bool {
        self.get("state") == Some("ended")
    }

    /// Whether live ones in this state are asked for.
    pub(crate) fn wants(&self, state: State) -> bool {
        match self.get("state") {
            Some("issued") => state == State::Issued,
            Some("connected") => state == State::Connected,
            _ => true,
        }
    }

    /// The URL of the page that goes on from here.
    pub(crate) fn link(&self, app: &App, position: &Position) -> Option<String> {
        let cursor = app.keys.seal_text(&serde_json::to_string(position).ok()?)?;
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.parameters).append_pair("cursor", &cursor);
        Some(format!("{}?{}", self.url, query.finish()))
    }
}
