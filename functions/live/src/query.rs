//! The parameters of a request for the list.

use std::collections::BTreeMap;

use axum::{extract::FromRequestParts, http::request::Parts};
use greenroom_core::model::live::State;
use greenroom_http::{
    App, base_url,
    dialect::events::{Error, FieldErrors, Problem},
};
use serde::{Deserialize, Serialize};

/// The number of connections on a page if the request names none.
const LIMIT: usize = 100;
/// The largest number of connections on a page.
const LIMIT_MAX: usize = 1_000;

/// The parameters that filter the list.
const FILTERS: &[&str] = &["state", "event", "vhost", "app", "stream"];
/// The states that the list can be filtered by.
const STATES: &[&str] = &["issued", "connected", "ending", "ended"];

/// The position at which a page ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// The name of its application.
    pub(crate) scope: String,
    /// The last connection that was read there; `None` if none was.
    pub(crate) after: Option<String>,
}

/// The content of a cursor. It is valid only for a list with the same filters.
#[derive(Serialize, Deserialize)]
struct Cursor {
    position: Position,
    filters: BTreeMap<String, String>,
}

/// The parameters of the request. Empty and unknown ones are ignored.
pub(crate) struct Query {
    url: String,
    parameters: BTreeMap<String, String>,
    pub(crate) limit: usize,
    pub(crate) position: Option<Position>,
}

impl FromRequestParts<App> for Query {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let query = parts.uri.query().unwrap_or_default();
        let mut parameters: BTreeMap<String, String> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        parameters.retain(|_, value| !value.is_empty());
        let limit = parameters.get("limit").and_then(|limit| limit.parse().ok()).filter(|limit| *limit > 0);
        let cursor = parameters.remove("cursor");
        let query = Self {
            url: format!("{}{}/", base_url(parts, app), parts.uri.path().trim_end_matches('/')),
            limit: limit.unwrap_or(LIMIT).min(LIMIT_MAX),
            position: None,
            parameters,
        };
        if let Some(state) = query.get("state").filter(|state| !STATES.contains(state)) {
            return Err(refusal("state", &Problem::NoChoice(state.to_owned())));
        }
        let position =
            cursor.map(|cursor| query.position_of(app, &cursor).ok_or_else(|| refusal("cursor", &Problem::NoCursor)));
        Ok(Self { position: position.transpose()?, ..query })
    }
}

fn refusal(parameter: &str, problem: &Problem) -> Error {
    FieldErrors::one(parameter, problem).into()
}

impl Query {
    /// The value of a filter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// Whether ended connections are asked for.
    pub(crate) fn wants_ended(&self) -> bool {
        self.get("state") == Some("ended")
    }

    /// Whether live connections in this state are asked for.
    pub(crate) fn wants(&self, state: State) -> bool {
        match self.get("state") {
            Some("issued") => state == State::Issued,
            Some("connected") => state == State::Connected,
            Some("ending") => state == State::Ending,
            _ => true,
        }
    }

    fn filters(&self) -> BTreeMap<String, String> {
        let filters = FILTERS.iter().filter_map(|name| Some(((*name).to_owned(), self.get(name)?.to_owned())));
        filters.collect()
    }

    /// The position in a cursor. `None` if Greenroom did not sign it, or it belongs to another list.
    fn position_of(&self, app: &App, cursor: &str) -> Option<Position> {
        let cursor: Cursor = serde_json::from_str(&app.keys.open_text(cursor)?).ok()?;
        (cursor.filters == self.filters()).then_some(cursor.position)
    }

    /// The URL of the page that begins at this position.
    pub(crate) fn link(&self, app: &App, position: Position) -> Option<String> {
        let cursor = Cursor { position, filters: self.filters() };
        let cursor = app.keys.seal_text(&serde_json::to_string(&cursor).ok()?)?;
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.parameters).append_pair("cursor", &cursor);
        Some(format!("{}?{}", self.url, query.finish()))
    }
}
