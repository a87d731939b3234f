//! Checks of the addresses: whether the API answers at both, whether its clock agrees with ours, and whether configured
//! pages may call it.

use std::time::Duration;

use greenroom_core::clock::Clock;
use greenroom_media::outgoing;
use http::StatusCode;

use super::{Check, clock as clocks, request::request};
use crate::cli::stack::Stack;

/// A path that answers without credentials, by asking for them.
const ROOT: &str = "/api/v2";
/// The difference of clocks beyond which signatures, tokens and holds go wrong.
const FAR_APART: Duration = Duration::from_mins(1);
/// An origin that nobody has configured.
const STRANGER: &str = "https://doctor.greenroom.invalid";

pub(super) async fn check(stack: &Stack, api_url: &str, clock: &Clock) -> Vec<Check> {
    let client = outgoing::client();
    let url = format!("{}{ROOT}", api_url.trim_end_matches('/'));
    // The first answer may wait for a cold start, so it says nothing about the clock.
    let _ = request(&client, "GET", &url, &[]).await;
    let answer = request(&client, "GET", &url, &[]).await;
    let now = clock.now();
    let (status, headers) = match answer {
        Ok(answer) => answer,
        Err(error) => return vec![Check::fail("address", format!("{api_url} {error}"))],
    };
    let good = status == StatusCode::UNAUTHORIZED;
    let mut checks = vec![
        Check::of("address", good, format!("{api_url} answers {status}"), "something else is at this address"),
        clocks::check("clock", headers.get("date").map(String::as_str), now, FAR_APART, "set this machine's clock"),
    ];
    if let Some(public) = stack.parameter("PublicUrl") {
        let url = format!("{}{ROOT}", public.trim_end_matches('/'));
        checks.push(match request(&client, "GET", &url, &[]).await {
            Ok((status, _)) => {
                let (good, detail) = (status == StatusCode::UNAUTHORIZED, format!("{public} answers {status}"));
                Check::of("public address", good, detail, "it does not lead to this API: map the domain to its stage")
            }
            Err(error) => Check::fail("public address", format!("{public} {error}")),
        });
    }
    let origins = stack.parameter("CorsOrigins").unwrap_or_default();
    let origins = origins.split(',').map(str::trim).filter(|origin| !origin.is_empty());
    let mut wrong = Vec::new();
    for (origin, expected) in origins.clone().map(|origin| (origin, true)).chain([(STRANGER, false)]) {
        let preflight = [("origin", origin), ("access-control-request-method", "GET")];
        let allowed = match request(&client, "OPTIONS", &url, &preflight).await {
            Ok((_, headers)) => headers.get("access-control-allow-origin").is_some_and(|it| it == origin || it == "*"),
            Err(_) => !expected,
        };
        if allowed != expected {
            wrong.push(format!("{origin} is {}allowed", if allowed { "" } else { "not " }));
        }
    }
    let detail = match origins.count() {
        0 => "no page of another origin may call".to_owned(),
        count => format!("{count} origins may call"),
    };
    checks.push(if wrong.is_empty() { Check::ok("CORS", detail) } else { Check::fail("CORS", wrong.join(", ")) });
    checks
}
