//! Pagination over the applications whose connections a caller may see.

use greenroom_core::model::{
    Event, User,
    live::{DEFAULT_VHOST, MEDIA_APP, event_of},
    user::Role,
};
use greenroom_http::{App, dialect::events::Error};
use greenroom_store::{Scope, Selection, Window};

use crate::{
    entry::Entry,
    query::{Position, Query},
    visible_event,
};

/// The largest number of applications that are read for a page.
const LOOKS: usize = 8;

/// An application, with its name in a position. Names sort in the order in which the applications are read.
type Stop = (String, Scope);

/// The connections of a page, and the position at which the next one begins.
pub(crate) async fn paginate(app: &App, caller: &User, query: &Query) -> Result<(Vec<Entry>, Option<Position>), Error> {
    let (stops, further) = stops(app, caller, query).await?;
    let mut results = Vec::new();
    let mut looks = 0;
    for (key, scope) in stops {
        let began = query.position.as_ref().filter(|position| position.scope == key);
        let mut after = began.and_then(|position| position.after.clone());
        loop {
            if looks == LOOKS || results.len() == query.limit {
                return Ok((results, Some(Position { scope: key, after })));
            }
            looks += 1;
            if key.starts_with('o') && is_event(app, &scope).await? {
                // This application has been read already.
                break;
            }
            let (found, next) = look(app, query, &scope, after.as_deref(), query.limit - results.len()).await?;
            results.extend(found);
            match next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }
    Ok((results, further.map(|scope| Position { scope, after: None })))
}

/// Whether an application belongs to an existing event.
async fn is_event(app: &App, scope: &Scope) -> Result<bool, Error> {
    match event_of(&scope.vhost, &scope.app) {
        Some(event) => Ok(app.store.record::<Event>(event).await?.is_some()),
        None => Ok(false),
    }
}

/// Some connections of an application, and the position at which more follow.
async fn look(
    app: &App,
    query: &Query,
    scope: &Scope,
    after: Option<&str>,
    limit: usize,
) -> Result<(Vec<Entry>, Option<String>), Error> {
    let now = app.clock.now();
    if query.wants_ended() {
        let page = app.store.ended_page(scope, after, limit, now).await?;
        return Ok((page.connections.iter().map(Entry::of_ended).collect(), page.next));
    }
    let page = app.store.live_page(scope, after, limit, now).await?;
    let entries = page.connections.iter().map(|connection| Entry::of_live(connection, now));
    Ok((entries.filter(|entry| query.wants(entry.state())).collect(), page.next))
}

/// The applications to read, from the end of the previous page on, and the name of what lies behind them.
async fn stops(app: &App, caller: &User, query: &Query) -> Result<(Vec<Stop>, Option<String>), Error> {
    let scope = |vhost: &str, name: &str| Scope {
        vhost: vhost.to_owned(),
        app: name.to_owned(),
        stream: query.get("stream").map(str::to_owned),
    };
    let wanted = match (query.get("event"), query.get("app")) {
        (Some(event), Some(name)) if event != name => return Ok((Vec::new(), None)),
        (Some(event), _) => Some((DEFAULT_VHOST, event)),
        (None, name) => name.map(|name| (query.get("vhost").unwrap_or(DEFAULT_VHOST), name)),
    };
    let Some((vhost, name)) = wanted else { return all_stops(app, caller, query, scope).await };
    let is_event = query.get("event").is_some();
    let other_vhost = query.get("vhost").is_some_and(|wanted| wanted != vhost);
    let is_visible =
        visible_event(app, caller, event_of(vhost, name)).await?.is_some() || caller.role == Role::Admin && !is_event;
    let stops = if is_visible && !other_vhost { vec![(String::new(), scope(vhost, name))] } else { Vec::new() };
    Ok((stops, None))
}

async fn all_stops(
    app: &App,
    caller: &User,
    query: &Query,
    scope: impl Fn(&str, &str) -> Scope,
) -> Result<(Vec<Stop>, Option<String>), Error> {
    let from = query.position.as_ref().map_or("", |position| position.scope.as_str());
    let wanted = |vhost: &str| query.get("vhost").is_none_or(|wanted| wanted == vhost);
    let mut stops = Vec::new();
    if wanted(DEFAULT_VHOST) && from <= "f" {
        let first = from.strip_prefix('e').and_then(|id| id.parse::<u64>().ok()).unwrap_or(0);
        let (events, more) = some_events(app, caller, first).await?;
        let last = events.last().map(|event| event.id);
        stops.extend(events.iter().map(|event| (event_key(event.id), scope(DEFAULT_VHOST, &event.id.to_string()))));
        if let Some(last) = last.filter(|_| more) {
            return Ok((stops, Some(event_key(last + 1))));
        }
    }
    if caller.role == Role::Admin {
        let known = app.store.known_apps(app.clock.now()).await?;
        let known = known.iter().map(|(vhost, name)| (vhost.as_str(), name.as_str()));
        let others = known.filter(|other| *other != (DEFAULT_VHOST, MEDIA_APP));
        let all = [(DEFAULT_VHOST, MEDIA_APP)].into_iter().chain(others).filter(|(vhost, _)| wanted(vhost));
        let all = all.map(|(vhost, name)| (format!("o{vhost}/{name}"), scope(vhost, name)));
        let mut all: Vec<_> = all.filter(|(key, _)| key.as_str() >= from).collect();
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        stops.extend(all);
    }
    Ok((stops, None))
}

fn event_key(id: u64) -> String {
    format!("e{id:020}")
}

/// Some events that the caller may see, from this number on, and whether there are more.
async fn some_events(app: &App, caller: &User, first: u64) -> Result<(Vec<Event>, bool), Error> {
    let selection: Selection<Event> = app.store.events_seen_by(caller).await?;
    let window = Window { skip: 0, limit: LOOKS, after: Some(first.saturating_sub(1)) };
    let page = app.store.page(selection, window, None).await?;
    Ok((page.records, page.next.is_some()))
}
