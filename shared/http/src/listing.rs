//! Lists of `/api/v2`: pages, filters and cursors (`docs/apis/events-api.md`).

mod parameters;

use std::{collections::BTreeMap, marker::PhantomData};

use axum::{
    Json,
    extract::FromRequestParts,
    http::{HeaderValue, header, request::Parts},
    response::{AppendHeaders, IntoResponse, Response},
};
use form_urlencoded::Serializer;
use greenroom_core::model::entity::Entity;
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

/// A type whose values are listed.
pub trait Listed {
    /// The fields that a request can filter the list by, as JSON names them.
    const FILTERS: &'static [&'static str];
}

impl<T: Entity> Listed for T {
    const FILTERS: &'static [&'static str] = T::SHOWN;
}

/// The parameters of a request for a list of `T`: `limit`, `offset`, `cursor` and the filters. The OpenAPI document
/// describes them.
pub struct ListQuery<T> {
    /// The URL of the list, without a query.
    url: String,
    limit: usize,
    /// The number of pages before this one.
    offset: u64,
    cursor: Option<String>,
    /// All other parameters. If the request repeats one, the last value counts.
    others: BTreeMap<String, String>,
    listed: PhantomData<fn() -> T>,
}

impl<T> FromRequestParts<App> for ListQuery<T> {
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
            listed: PhantomData,
        })
    }
}

/// A whole number with any number of digits. A number that is too large is read as the largest.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

/// The values that records have to have in these fields.
pub struct Filters(BTreeMap<String, String>);

impl Filters {
    /// Removes the filter of a field, and returns its value. For a list that is read by this field anyway.
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

/// A page of a list, with a link that reads on by a cursor. Such a read costs the same on every page.
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

impl<T: Listed> ListQuery<T> {
    /// The filters of the request. Other parameters and empty values are ignored.
    #[must_use]
    pub fn filters(&self) -> Filters {
        let is_filter = |field: &str, value: &str| T::FILTERS.contains(&field) && !value.is_empty();
        let filters = self.others.iter().filter(|(field, value)| is_filter(field, value));
        Filters(filters.map(|(field, value)| (field.clone(), value.clone())).collect())
    }
}

impl<T: Record> ListQuery<T> {
    /// Reads a page of the records that match the filters.
    pub async fn read(&self, app: &App, selection: Selection<T>, filters: &Filters) -> Result<Listing<T>, Error> {
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
}

impl<T> ListQuery<T> {
    /// Where the page begins: after the record with this number, and after this many records that follow it.
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

    /// The number of the last record on the previous page, if the request has a cursor.
    #[must_use]
    pub fn after(&self, app: &App) -> Option<u64> {
        self.cursor.as_deref().and_then(|cursor| app.keys.open_cursor(cursor))
    }

    /// The number of records before this page.
    #[must_use]
    pub fn skip(&self) -> u64 {
        self.offset.saturating_mul(self.limit as u64)
    }

    /// The largest number of records on this page.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// A page with its links. `count` is the number of records in the list. `last` is the number of the last record on
    /// the page, if more records follow.
    #[must_use]
    pub fn page<U>(&self, app: &App, count: u64, results: Vec<U>, last: Option<u64>) -> Listing<U> {
        self.listing(Some(count), results, last.and_then(|last| app.keys.seal_cursor(last)))
    }

    fn listing<U>(&self, count: Option<u64>, results: Vec<U>, cursor: Option<String>) -> Listing<U> {
        // A deletion shifts the pages that offsets name. A cursor keeps its place.
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
