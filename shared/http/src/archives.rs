//! Archives of sessions, as the media provider lists them (`docs/apis/events-api.md`, `docs/apis/opentok.md`).

use std::cmp::Reverse;

use futures_util::future::try_join_all;
use greenroom_core::id::ProviderSessionId;
use greenroom_media::provider::{Archives, MediaProvider, ProviderError};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{ListQuery, Listed, Listing};
use crate::{App, dialect::events::Error};

/// The largest number of archives that the provider returns for one request.
const PAGE_MAX: usize = 1_000;
/// The largest number of sessions that the provider is asked about at the same time.
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

impl Listed for Archive {
    const FILTERS: &'static [&'static str] = &[];
}

/// Reads a page of one list with the archives of all these sessions, newest first.
pub async fn read_archives(
    app: &App,
    query: &ListQuery<Archive>,
    sessions: Vec<ProviderSessionId>,
) -> Result<Listing<Archive>, Error> {
    // Archives have no numbers. So a cursor has the number of archives that were read before it.
    let skip = query.after(app).unwrap_or_else(|| query.skip());
    let skip = usize::try_from(skip).unwrap_or(usize::MAX);
    let sessions = recorded(app, sessions)?;
    let (count, mut items) = match sessions.as_slice() {
        [session] => page(app, session, skip, query.limit()).await?,
        sessions => merged(app, sessions, skip, query.limit()).await?,
    };
    items.truncate(query.limit());
    let read = skip.saturating_add(items.len());
    let last = (!items.is_empty() && read < count).then_some(read as u64);
    Ok(query.page(app, count as u64, items.into_iter().map(Archive).collect(), last))
}

/// The sessions whose provider records.
fn recorded(app: &App, sessions: Vec<ProviderSessionId>) -> Result<Vec<ProviderSessionId>, ProviderError> {
    let all = sessions.len();
    let records = |session: &ProviderSessionId| provider_of(app, session).is_ok_and(MediaProvider::records);
    let recorded: Vec<_> = sessions.into_iter().filter(records).collect();
    if recorded.is_empty() && all > 0 { Err(ProviderError::NoArchives) } else { Ok(recorded) }
}

/// The number of all archives, and those that were read.
type Found = (usize, Vec<Map<String, Value>>);

/// Archives of one session. Past the last one there are none, even if the provider answers such a request with an error.
async fn page(app: &App, session: &ProviderSessionId, skip: usize, limit: usize) -> Result<Found, ProviderError> {
    let provider = provider_of(app, session)?;
    match provider.archives(session, skip, limit).await {
        Ok(page) => Ok((page.count, page.items)),
        Err(error) if skip > 0 && error.is_about_the_request() => match provider.archives(session, 0, 1).await {
            Ok(first) if first.count <= skip => Ok((first.count, Vec::new())),
            _ => Err(error),
        },
        Err(error) => Err(error),
    }
}

/// Archives of several sessions together, newest first.
async fn merged(app: &App, sessions: &[ProviderSessionId], skip: usize, limit: usize) -> Result<Found, ProviderError> {
    let wanted = skip.saturating_add(limit);
    let first = wanted.min(PAGE_MAX);
    let mut newest = Vec::new();
    for some in sessions.chunks(SESSIONS_AT_ONCE) {
        let firsts =
            some.iter().map(|session| async move { provider_of(app, session)?.archives(session, 0, first).await });
        newest.extend(try_join_all(firsts).await?);
    }
    let count = newest.iter().map(|archives| archives.count).sum();
    if skip >= count {
        return Ok((count, Vec::new()));
    }
    let mut items = Vec::new();
    for (some, begun) in sessions.chunks(SESSIONS_AT_ONCE).zip(newest.chunks_mut(SESSIONS_AT_ONCE)) {
        let rest = some.iter().zip(begun).map(|(session, begun)| rest(app, session, std::mem::take(begun), wanted));
        items.extend(try_join_all(rest).await?.into_iter().flatten());
    }
    items.sort_by_key(|item| Reverse(item.get("createdAt").and_then(Value::as_i64)));
    Ok((count, items.into_iter().skip(skip).collect()))
}

/// The `wanted` newest archives of a session. `all` has those that were read already.
async fn rest(
    app: &App,
    session: &ProviderSessionId,
    mut all: Archives,
    wanted: usize,
) -> Result<Vec<Map<String, Value>>, ProviderError> {
    while all.items.len() < wanted.min(all.count) {
        let left = wanted.saturating_sub(all.items.len()).min(PAGE_MAX);
        let page = provider_of(app, session)?.archives(session, all.items.len(), left).await?;
        all.count = page.count;
        if page.items.is_empty() {
            break;
        }
        all.items.extend(page.items);
    }
    Ok(all.items)
}

/// The provider that made a session.
fn provider_of<'a>(app: &'a App, session: &ProviderSessionId) -> Result<&'a dyn MediaProvider, ProviderError> {
    app.services.media().provider_of(session).ok_or(ProviderError::ForeignSession)
}
