//! The `Accept` header (RFC 9110, 12.5.1).

use axum::http::{HeaderMap, header};

/// Whether a caller takes answers of this media type. The range that names it most closely decides.
#[must_use]
pub fn accepts(headers: &HeaderMap, kind: &str) -> bool {
    let values = headers.get_all(header::ACCEPT).into_iter();
    let values: Vec<_> = values.map(|value| value.to_str().unwrap_or_default().to_ascii_lowercase()).collect();
    let ranges = || values.iter().flat_map(|value| value.split(',')).map(str::trim).filter(|range| !range.is_empty());
    if ranges().next().is_none() {
        return true;
    }
    let family = kind.split_once('/').map(|(family, _)| format!("{family}/*")).unwrap_or_default();
    let weight = |name: &str| ranges().filter_map(|range| weight_of(range, name)).reduce(f32::max);
    weight(kind).or_else(|| weight(&family)).or_else(|| weight("*/*")).is_some_and(|weight| weight > 0.0)
}

/// The weight of a range that has this name; one that cannot be read counts in full.
fn weight_of(range: &str, name: &str) -> Option<f32> {
    let mut parts = range.split(';').map(str::trim);
    let named = parts.next().is_some_and(|range| range == name || (range == "*" && name == "*/*"));
    let weight = parts.find_map(|parameter| parameter.strip_prefix("q=")?.trim().parse().ok());
    named.then(|| weight.unwrap_or(1.0))
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

    #[test]
    fn who_says_nothing_takes_everything() {
        assert!(accepts(&HeaderMap::new(), "application/json"));
    }
}
