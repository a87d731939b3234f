//! The log: one line for each event. Lines are JSON, or text for people on a terminal.
//!
//! Greenroom's own lines carry no secret and no identifier, by type. The lower levels of dependencies log whole
//! requests, so only their warnings pass, whatever the filter says.

mod json;
mod readable;

use std::io::IsTerminal;

use greenroom_core::config::{is_ours, read_filter};
use tracing::{Level, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    Layer,
    filter::{FilterExt, Targets, filter_fn},
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use self::{json::Json, readable::Readable};

/// The target of the audit log.
const DECISIONS: &str = "greenroom_media::audit";

/// Logs to standard output the lines that the filter lets through, like `info` or `info,greenroom_store=debug`. The audit
/// log is always on. On a terminal the lines are text for people, otherwise JSON.
///
/// A filter that [`check_filter`](greenroom_core::config::check_filter) refuses counts as `info`. A second call changes nothing.
pub fn init(filter: &str) {
    // This fails only if a subscriber is set already.
    let _ = subscriber(filter, std::io::stdout, std::io::stdout().is_terminal()).try_init();
}

/// Logs the audit log to standard error, and nothing else. It is for commands, whose results go to standard output.
///
/// After [`init`] it changes nothing.
pub fn init_command() {
    let _ = subscriber("off", std::io::stderr, std::io::stderr().is_terminal()).try_init();
}

/// The subscriber of [`init`], for another output and either form.
pub fn subscriber(
    filter: &str,
    to: impl for<'a> MakeWriter<'a> + Clone + Send + Sync + 'static,
    for_people: bool,
) -> impl Subscriber + Send + Sync {
    let wanted = read_filter(filter).unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    let discreet = filter_fn(|event| *event.level() <= Level::WARN || is_ours(event.target()));
    let lines = fmt::layer().with_writer(to);
    let lines = if for_people { lines.event_format(Readable).boxed() } else { lines.event_format(Json).boxed() };
    tracing_subscriber::registry()
        .with(lines.with_filter(wanted.with_target(DECISIONS, LevelFilter::INFO).and(discreet)))
}
