//! The `Accept` and `Accept-Encoding` headers (RFC 9110, 12.5.1 and 12.5.3).

use axum::http::{HeaderMap, HeaderName, header};

/// Whether a caller accepts answers of this media type. The most specific range in `Accept` that matches it decides.
#[must_use]
pub fn accepts(headers: &HeaderMap, kind: &str) -> bool {
    let ranges = weights(headers, &header::ACCEPT);
    if ranges.is_empty() {
        return true;
    }
    let family = kind.split_once('/').map(|(family, _)| format!("{family}/*")).unwrap_or_default();
    decides(&ranges, &[&[kind], &[&family], &["*/*", "*"]])
}

/// Whether a caller accepts answers of this media type and names it. A program that accepts anything names none.
#[must_use]
pub fn asks_for(headers: &HeaderMap, kind: &str) -> bool {
    decides(&weights(headers, &header::ACCEPT), &[&[kind]])
}

/// Whether a caller accepts answers in this content coding. The coding's own name decides before `*`.
#[must_use]
pub fn accepts_encoding(headers: &HeaderMap, coding: &str) -> bool {
    decides(&weights(headers, &header::ACCEPT_ENCODING), &[&[coding], &["*"]])
}

/// The values of a header, each with its weight. A weight that cannot be read counts as 1.
// No crate does this for both headers: `headers` has neither, `mediatype` no codings and no `*` alone.
fn weights(headers: &HeaderMap, name: &HeaderName) -> Vec<(String, f32)> {
    let values = headers.get_all(name).into_iter();
    let values = values.map(|value| value.to_str().unwrap_or_default().to_ascii_lowercase());
    let listed = values.flat_map(|value| value.split(',').map(weight).collect::<Vec<_>>());
    listed.filter(|(name, _)| !name.is_empty()).collect()
}

fn weight(listed: &str) -> (String, f32) {
    let mut parts = listed.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default().to_owned();
    let weight = parts.filter_map(|parameter| parameter.split_once('='));
    let mut weight = weight.filter(|(name, _)| name.trim() == "q").filter_map(|(_, q)| q.trim().parse().ok());
    (name, weight.next().unwrap_or(1.0))
}

/// Whether the first of these groups of names that is listed has a weight above 0. The greatest weight of a group
/// counts.
fn decides(listed: &[(String, f32)], closest_first: &[&[&str]]) -> bool {
    let greatest = |names: &&[&str]| {
        let weights = listed.iter().filter(|(name, _)| names.contains(&name.as_str())).map(|(_, weight)| *weight);
        weights.reduce(f32::max)
    };
    closest_first.iter().find_map(greatest).is_some_and(|weight| weight > 0.0)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("application/json", true)]
    #[case("Application/JSON; charset=utf-8", true)]
    #[case("application/*", true)]
    #[case("*/*", true)]
    #[case("*", true)]
    #[case("", true)]
    #[case("text/html, */*;q=0.1", true)]
    #[case("text/html", false)]
    #[case("application/json;q=0", false)]
    #[case("application/json;q=0, */*", false)]
    #[case("text/*, application/xml", false)]
    fn the_closest_range_decides(#[case] accept: &str, #[case] takes: bool) {
        let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
        assert_eq!(accepts(&headers, "application/json"), takes);
    }

    #[rstest]
    #[case("text/html,application/xhtml+xml,*/*;q=0.8", true)]
    #[case("application/json, TEXT/HTML;level=1;q=0.5", true)]
    #[case("text/html;q=0, */*", false)]
    #[case("text/*", false)]
    #[case("*/*", false)]
    fn a_range_asks_for_no_type(#[case] accept: &str, #[case] asks: bool) {
        let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
        assert_eq!(asks_for(&headers, "text/html"), asks);
    }

    #[rstest]
    #[case("gzip", true)]
    #[case("br, gzip;q=0.5", true)]
    #[case("GZIP", true)]
    #[case("*", true)]
    #[case("br;q=1, *;q=0.1", true)]
    #[case("gzip;q=0", false)]
    #[case("gzip;q=0, *", false)]
    #[case("*, gzip;q=0", false)]
    #[case("gzip; q=0.0, br", false)]
    #[case("identity", false)]
    #[case("", false)]
    fn the_codings_own_name_decides_before_the_wildcard(#[case] accepted: &str, #[case] takes: bool) {
        let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, accepted.parse().unwrap())]);
        assert_eq!(accepts_encoding(&headers, "gzip"), takes);
    }

    #[test]
    fn who_says_nothing_takes_everything() {
        assert!(accepts(&HeaderMap::new(), "application/json"));
        assert!(!accepts_encoding(&HeaderMap::new(), "gzip"));
    }
}
