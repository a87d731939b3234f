//! URLs among the settings.

use http::HeaderValue;

pub(super) fn public_url(text: &str) -> Result<String, String> {
    let url: Result<http::Uri, _> = text.parse();
    // The clients know no path before the API's own, so a path is refused.
    let problem = || "must be a URL like https://greenroom.example, without a path".to_owned();
    let url = url.map_err(|_| problem())?;
    let http = matches!(url.scheme_str(), Some("http" | "https"));
    let bare = matches!(url.path(), "" | "/") && url.query().is_none();
    let host = url.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    if http && bare && host { Ok(text.trim_end_matches('/').to_owned()) } else { Err(problem()) }
}

pub(super) fn origins(text: &str) -> Result<Vec<HeaderValue>, String> {
    let origins = text.split(',').map(str::trim).filter(|origin| !origin.is_empty());
    let origins: Result<_, _> = origins.map(|origin| public_url(origin).map(HeaderValue::try_from)).collect();
    let origins: Result<Vec<_>, String> = origins;
    let origins = origins.map_err(|_| "must be origins like https://app.example, separated by commas".to_owned())?;
    origins.into_iter().collect::<Result<_, _>>().map_err(|_| "must be origins, separated by commas".to_owned())
}
