//! Structured JSON logs: one line an event.
//!
//! What we log ourselves carries no secret and no identifier, by type. What our dependencies log at their lower levels
//! carries whole requests, so of them only warnings pass, whatever the filter says.

use tracing::{Level, level_filters::LevelFilter};
use tracing_subscriber::{
    Layer,
    filter::{Targets, filter_fn},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// Logs to standard output what the filter lets through, such as `info` or `shared::store=debug,warn`.
///
/// A filter that cannot be read counts as `info`. A second call changes nothing.
pub fn init(filter: &str) {
    let wanted: Targets = filter.parse().unwrap_or_else(|_| Targets::new().with_default(LevelFilter::INFO));
    let discreet = filter_fn(|event| *event.level() <= Level::WARN || is_ours(event.target()));
    let lines = fmt::layer().json().flatten_event(true).with_current_span(true).with_span_list(false);
    // Fails only where a subscriber is set already.
    let _ = tracing_subscriber::registry().with(lines.with_filter(wanted).with_filter(discreet)).try_init();
}

fn is_ours(target: &str) -> bool {
    ["shared", "greenroom"].iter().any(|ours| target.split("::").next() == Some(*ours))
}
