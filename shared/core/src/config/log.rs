//! The filter of the log.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

/// Whether lines with this target are Greenroom's own. All packages of this workspace have names that begin alike.
#[must_use]
pub fn is_ours(target: &str) -> bool {
    let name = target.split("::").next().unwrap_or_default();
    name == "greenroom" || name.starts_with("greenroom_")
}

/// Refuses a text that is no filter.
///
/// # Errors
/// The form of a filter.
pub fn check_filter(filter: &str) -> Result<String, String> {
    let looks = "must be a level (off, error, warn, info, debug or trace), or levels of targets like \
                 info,greenroom_store=debug";
    read_filter(filter).map(|_| filter.to_owned()).ok_or_else(|| looks.to_owned())
}

/// A filter. A single word that is no level would be read as a target, and only that target would be logged; it is a
/// misspelt level. `None` if the text is no filter. A level for a dependency's target has no effect beyond what the log lets through.
pub fn read_filter(filter: &str) -> Option<Targets> {
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
    #[case("warn,greenroom_store=debug", true)]
    #[case("greenroom_http=trace, greenroom_message_events=debug,info", true)]
    #[case("info,hyper=error", true)]
    #[case("info,hyper=debug", false)]
    #[case("info,greenrom=debug", false)]
    #[case("debgu", false)]
    #[case("info,greenroom=debgu", false)]
    #[case("greenroom", false)]
    #[case("", false)]
    #[case("info,", false)]
    fn a_filter_is_made_of_levels(#[case] filter: &str, #[case] is_one: bool) {
        assert_eq!(check_filter(filter).is_ok(), is_one);
    }
}
