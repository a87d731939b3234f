//! The log: one line for each event. Lines are JSON, or text for people on a terminal.
//!
//! Greenroom's own lines carry no secret and no identifier, by type. The lower levels of dependencies log whole
//! requests, so only their warnings pass, whatever the filter says.

mod readable;

use std::io::IsTerminal;

use tracing::{Level, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    Layer,
    filter::{FilterExt, Targets, filter_fn},
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use self::readable::Readable;

/// The crates of this workspace that log. `tests/lambda/logs.rs` compares them with the packages.
const OURS: &[&str] = &[
    "admission",
    "api_root",
    "apitokens",
    "bookingemails",
    "contacts",
    "create_session",
    "device_session",
    "events",
    "fallback",
    "greenroom",
    "housekeeping",
    "issue_token",
    "live",
    "logintokens",
    "media_sessions",
    "message_events",
    "messages",
    "networktestsessions",
    "opentok_webhook",
    "rooms",
    "rtcsessions",
    "sessions",
    "shared",
    "specification",
    "stream_sessions",
    "token_auth",
    "users",
];

/// The target of the audit log.
const DECISIONS: &str = "shared::audit";

/// Logs to standard output the lines that the filter lets through, like `info` or `info,shared::store=debug`. The audit
/// log is always on. On a terminal the lines are text for people, otherwise JSON.
///
/// A filter that [`check_filter`] refuses counts as `info`. A second call changes nothing.
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
    let decided = filter_fn(|event| event.target() == DECISIONS);
    let others = wanted.with_target(DECISIONS, LevelFilter::OFF).and(discreet);
    // In JSON, the audit log has the decision's target where other lines have the target of `tracing`.
    let (decisions, others) = if for_people {
        let decisions = fmt::layer().event_format(Readable).with_writer(to.clone()).with_filter(decided).boxed();
        (decisions, fmt::layer().event_format(Readable).with_writer(to).with_filter(others).boxed())
    } else {
        let decisions = fmt::layer().json().flatten_event(true).with_current_span(true).with_span_list(false);
        let rest = fmt::layer().json().flatten_event(true).with_current_span(true).with_span_list(false);
        let decisions = decisions.with_target(false).with_writer(to.clone()).with_filter(decided).boxed();
        (decisions, rest.with_writer(to).with_filter(others).boxed())
    };
    tracing_subscriber::registry().with(vec![decisions, others])
}

/// Whether lines with this target are Greenroom's own.
#[must_use]
pub fn is_ours(target: &str) -> bool {
    target.split("::").next().is_some_and(|name| OURS.contains(&name))
}

/// Refuses a text that is no filter.
///
/// # Errors
/// The form of a filter.
pub fn check_filter(filter: &str) -> Result<String, String> {
    let looks = "must be a level (off, error, warn, info, debug or trace), or levels of targets like info,shared=debug";
    read_filter(filter).map(|_| filter.to_owned()).ok_or_else(|| looks.to_owned())
}

/// A filter. A single word that is no level would be read as a target, and only that target would be logged; it is a
/// misspelt level. A level for a dependency's target has no effect beyond what [`init`] lets through.
fn read_filter(filter: &str) -> Option<Targets> {
    let level = |word: &str| word.parse::<LevelFilter>().ok().filter(|_| !word.is_empty());
    let words: Vec<_> = filter.split(',').map(str::trim).collect();
    let has_meaning = words.iter().all(|word| match word.split_once('=') {
        Some((target, wanted)) => level(wanted).is_some_and(|wanted| is_ours(target) || wanted <= LevelFilter::WARN),
        None => level(word).is_some(),
    });
    has_meaning.then(|| words.join(",").parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("info", true)]
    #[case("DEBUG", true)]
    #[case("off", true)]
    #[case("warn,shared::store=debug", true)]
    #[case("shared=trace, message_events=debug,info", true)]
    #[case("info,hyper=error", true)]
    #[case("info,hyper=debug", false)]
    #[case("info,shraed=debug", false)]
    #[case("debgu", false)]
    #[case("info,shared=debgu", false)]
    #[case("shared", false)]
    #[case("", false)]
    #[case("info,", false)]
    fn a_filter_is_made_of_levels(#[case] filter: &str, #[case] is_one: bool) {
        assert_eq!(check_filter(filter).is_ok(), is_one);
    }
}
