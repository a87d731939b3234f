//! Lists of `/api/v2`: pages, filters and cursors (`docs/apis/events-api.md`).

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::FromRequestParts,
    http::{HeaderValue, header, request::Parts},
    response::{AppendHeaders, IntoResponse, Response},
};
use form_urlencoded::Serializer;
use greenroom_store::{Next, Record, Selection, Window};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::base_url;
use crate::{App, dialect::events::Error};

/// The number of records on a page if the request names none.
const LIMIT: usize = 100;
/// The largest number of records on a page.
const LIMIT_MAX: usize = 1_000;

/// The parameters of a request for a list.
pub struct ListQuery {
    /// The URL of the list, without a query.
    url: String,
    limit: usize,
    /// How many pages lie before this one.
    offset: u64,
    cursor: Option<String>,
    /// All other parameters. The last one counts if a name is given several times.
    others: BTreeMap<String, String>,
}

impl FromRequestParts<App> for ListQuery {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let query = parts.uri.query().unwrap_or_default();
        let mut others: BTreeMap<String, String> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let limit = others.remove("limit").and_then(|limit| number(&limit)).filter(|limit| *limit > 0);
        Ok(Self {
            url: format!("{}{}/", base_url(parts, app), parts.uri.path().trim_end_matches('/')),
            limit: limit.map_or(LIMIT, |limit| usize::try_from(limit).unwrap_or(LIMIT_MAX).min(LIMIT_MAX)),
            offset: others.remove("offset").and_then(|offset| number(&offset)).unwrap_or(0),
            cursor: others.remove("cursor"),
            others,
        })
    }
}

/// A number of any length. One that is too large is read as the largest.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

/// The values that records have to have in these fields.
pub struct Filters(BTreeMap<String, String>);

impl Filters {
    /// Takes the filter of a field out, for a list that already holds nothing else.
    pub fn take(&mut self, field: &str) -> Option<String> {
        self.0.remove(field)
    }

    /// The value that a field has to have.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&str> {
        self.0.get(field).map(String::as_str)
    }

    /// Whether a record matches all filters.
    #[must_use]
    pub fn match_record<T: Serialize>(&self, record: &T) -> bool {
        let record = serde_json::to_value(record).unwrap_or_default();
        self.0.iter().all(|(field, wanted)| has(&record[field.as_str()], wanted))
    }

    /// Whether there are no filters.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn has(value: &Value, wanted: &str) -> bool {
    match value {
        Value::String(text) => text == wanted,
        // A value that is no boolean does not filter.
        Value::Bool(boolean) => as_boolean(wanted).is_none_or(|wanted| wanted == *boolean),
        Value::Number(number) => self::number(wanted).is_some_and(|wanted| number.as_u64() == Some(wanted)),
        Value::Array(members) => members.iter().any(|member| has(member, wanted)),
        Value::Null | Value::Object(_) => false,
    }
}

fn as_boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub struct Envelope<T> {
    /// The number of records on all pages; `null` if a filter has not looked through all of them.
    #[schema(example = 1, required)]
    count: Option<u64>,
    /// URL of the next page. With a filter, a page may be shorter than `limit` although there is a next one.
    #[schema(example = json!(null))]
    next: Option<String>,
    /// URL of the previous page.
    #[schema(example = json!(null))]
    previous: Option<String>,
    /// The records on this page.
    results: Vec<T>,
}

/// A page of a list, with a cursor to the next one. Reading on by the cursor costs the same on every page.
pub struct Listing<T> {
    envelope: Envelope<T>,
    link: Option<String>,
}

impl<T> Listing<T> {
    /// The same page, with each record in the form that callers see.
    #[must_use]
    pub fn map<U>(self, shown: impl FnMut(T) -> U) -> Listing<U> {
        let Envelope { count, next, previous, results } = self.envelope;
        let results = results.into_iter().map(shown).collect();
        Listing { envelope: Envelope { count, next, previous, results }, link: self.link }
    }
}

impl<T: Serialize> IntoResponse for Listing<T> {
    fn into_response(self) -> Response {
        let link = self.link.and_then(|link| HeaderValue::try_from(format!("<{link}>; rel=\"next\"")).ok());
        (AppendHeaders(link.map(|link| (header::LINK, link))), Json(self.envelope)).into_response()
    }
}

impl ListQuery {
    /// The filters for these fields. Other parameters and empty values are ignored.
    #[must_use]
    pub fn filters(&self, fields: &[&str]) -> Filters {
        let known = self.others.iter().filter(|(field, value)| fields.contains(&field.as_str()) && !value.is_empty());
        Filters(known.map(|(field, value)| (field.clone(), value.clone())).collect())
    }

    /// Reads a page of the records that match the filters.
    pub async fn read<T: Record>(
        &self,
        app: &App,
        selection: Selection<T>,
        filters: &Filters,
    ) -> Result<Listing<T>, Error> {
        let (after, skip) = self.position(app);
        let window = Window { skip, limit: self.limit, after };
        let matches = |record: &T| filters.match_record(record);
        let page = app.store.page(selection, window, (!filters.is_empty()).then_some(&matches)).await?;
        let cursor = page.next.and_then(|next| match next {
            Next { after, skip: 0 } => app.keys.seal_cursor(after),
            Next { after, skip } => app.keys.seal_text(&format!("{after}+{skip}")),
        });
        Ok(self.listing(page.count, page.records, cursor))
    }

    /// The position where the page begins: behind which number, and how many further records are passed over.
    fn position(&self, app: &App) -> (Option<u64>, u64) {
        let skipping = || {
            let text = app.keys.open_text(self.cursor.as_deref()?)?;
            let (after, skip) = text.split_once('+')?;
            Some((Some(after.parse().ok()?), skip.parse().ok()?))
        };
        match self.after(app) {
            Some(after) => (Some(after), 0),
            None => skipping().unwrap_or((None, self.skip())),
        }
    }

    /// The number that the previous page ended with, if the request follows its cursor.
    #[must_use]
    pub fn after(&self, app: &App) -> Option<u64> {
        self.cursor.as_deref().and_then(|cursor| app.keys.open_cursor(cursor))
    }

    /// How many records lie before this page.
    #[must_use]
    pub fn skip(&self) -> u64 {
        self.offset.saturating_mul(self.limit as u64)
    }

    /// The largest number of records on this page.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// A page with its links, of a list with this many records. `last` is the number that the page ended with, if more
    /// records follow.
    #[must_use]
    pub fn page<T>(&self, app: &App, count: u64, results: Vec<T>, last: Option<u64>) -> Listing<T> {
        self.listing(Some(count), results, last.and_then(|last| app.keys.seal_cursor(last)))
    }

    fn listing<T>(&self, count: Option<u64>, results: Vec<T>, cursor: Option<String>) -> Listing<T> {
        // Deletions in between move the offsets, but no cursor.
        let link = cursor.map(|cursor| format!("{}&cursor={cursor}", self.link(self.offset.saturating_add(1))));
        let next = match count {
            Some(count) if self.skip().saturating_add(self.limit as u64) < count => Some(self.link(self.offset + 1)),
            Some(_) => None,
            // The number of pages is unknown, so only the cursor leads on.
            None => link.clone(),
        };
        let previous = self.offset.checked_sub(1).map(|offset| self.link(offset));
        Listing { link, envelope: Envelope { count, next, previous, results } }
    }

    /// The URL of another page of this list.
    fn link(&self, offset: u64) -> String {
        let mut query = Serializer::new(String::new());
        query.extend_pairs(&self.others);
        query.append_pair("limit", &self.limit.to_string());
        if offset > 0 {
            query.append_pair("offset", &offset.to_string());
        }
        format!("{}?{}", self.url, query.finish())
    }
}
