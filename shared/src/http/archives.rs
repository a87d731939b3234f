//! Archives of sessions, as the media provider lists them (`events-api.md`, `opentok.md`).

use std::cmp::Reverse;

use futures_util::future::try_join_all;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{ListQuery, Listing};
use crate::{
    App,
    dialect::events::Error,
    id::ProviderSessionId,
    provider::{Archives, ProviderError},
};

/// Most archives the provider is asked for at once.
const AT_ONCE: usize = 1_000;
/// Of how many sessions it is asked for archives at once.
const SESSIONS_AT_ONCE: usize = 8;

/// An archive, as the media provider describes it.
#[derive(Serialize, ToSchema)]
#[schema(value_type = Object, example = json!({
    "id": "b40ef09b-3811-4726-b508-e41a0f96c68f",
    "sessionId": "2_MX40NTgyODA2Mn5-MTc5NTM0NDAwMDAwMH4",
    "status": "available",
    "createdAt": 1_795_344_000_000_u64,
}))]
pub struct Archive(Map<String, Value>);

/// Reads the page that is asked for, of the archives of all these sessions together, newest first.
pub async fn read_archives(
    app: &App,
    query: &ListQuery,
    sessions: Vec<ProviderSessionId>,
) -> Result<Listing<Archive>, Error> {
    // Archives have no numbers to go on from: a cursor holds how many were read.
    let skip = query.after(app).unwrap_or_else(|| query.skip());
    let skip = usize::try_from(skip).unwrap_or(usize::MAX);
    let (count, mut items) = match sessions.as_slice() {
        [session] => {
            let page = app.media().provider.archives(session, skip, query.limit()).await?;
            (page.count, page.items)
        }
        sessions => {
            let wanted = skip.saturating_add(query.limit());
            let mut newest = Vec::new();
            for some in sessions.chunks(SESSIONS_AT_ONCE) {
                newest.extend(try_join_all(some.iter().map(|session| self::newest(app, session, wanted))).await?);
            }
            let count: usize = newest.iter().map(|archives: &Archives| archives.count).sum();
            let mut items: Vec<_> = newest.into_iter().flat_map(|archives| archives.items).collect();
            items.sort_by_key(|item| Reverse(item.get("createdAt").and_then(Value::as_i64)));
            (count, items.into_iter().skip(skip).collect())
        }
    };
    items.truncate(query.limit());
    let read = skip.saturating_add(items.len());
    let last = (!items.is_empty() && read < count).then_some(read as u64);
    Ok(query.page(app, count as u64, items.into_iter().map(Archive).collect(), last))
}

/// The newest archives of a session, as many as there are of these.
async fn newest(app: &App, session: &ProviderSessionId, wanted: usize) -> Result<Archives, ProviderError> {
    let mut all = Archives::default();
    loop {
        let left = wanted.saturating_sub(all.items.len()).min(AT_ONCE);
        let page = app.media().provider.archives(session, all.items.len(), left).await?;
        all.count = page.count;
        let ended = page.items.is_empty();
        all.items.extend(page.items);
        if ended || all.items.len() >= wanted.min(all.count) {
            return Ok(all);
        }
    }
}
