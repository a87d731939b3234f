//! Checks of the addresses: whether the API answers at both, whether its clock agrees with ours, and whether configured
//! pages may call it.

use greenroom_core::clock::{Clock, Timestamp};
use greenroom_media::outgoing;
use http::StatusCode;

use super::{Check, request::request};
use crate::cli::stack::Stack;

/// A path that answers without credentials, by asking for them.
const ROOT: &str = "/api/v2";
/// The difference of clocks in milliseconds: beyond the first an operator should look, beyond the second signatures,
/// tokens and holds go wrong.
const APART: i64 = 5_000;
const FAR_APART: i64 = 60_000;
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
        time(headers.get("date").map(String::as_str), now),
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

/// The check of our clock against an answer's date, to the second.
fn time(date: Option<&str>, now: Timestamp) -> Check {
    let Some(theirs) = date.and_then(Timestamp::parse_http) else {
        return Check::warn("clock", "the answer has no date");
    };
    // The date is that of the second that has begun.
    let (early, late) = (theirs.millis() - now.millis(), now.millis() - (theirs.millis() + 1000));
    let apart = early.max(late).max(0);
    let detail = format!("{} s apart", apart / 1000);
    match apart {
        0..=APART => Check::ok("clock", detail),
        ..=FAR_APART => Check::warn("clock", format!("{detail}: set this machine's clock")),
        _ => Check::fail("clock", format!("{detail}: set this machine's clock")),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::the_same_second(999, "Ok")]
    #[case::a_slow_answer(4_500, "Ok")]
    #[case::ours_is_ahead(9_000, "Warn")]
    #[case::ours_is_behind(-30_000, "Warn")]
    #[case::far_ahead(90_000, "Fail")]
    #[case::far_behind(-3_600_000, "Fail")]
    fn clocks_may_be_a_little_apart(#[case] ahead: i64, #[case] result: &str) {
        let now = Timestamp::from_millis(784_111_777_000 + ahead);
        let check = time(Some("Sun, 06 Nov 1994 08:49:37 GMT"), now);
        assert!(format!("{check:?}").contains(&format!("result: {result}")), "{check:?}");
    }

    #[test]
    fn an_answer_without_a_date_tells_nothing() {
        assert!(format!("{:?}", time(Some("today"), Timestamp::default())).contains("Warn"));
    }
}
