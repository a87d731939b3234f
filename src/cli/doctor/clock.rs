//! The check of two clocks: ours, and that of a server that has just answered.

use std::time::Duration;

use greenroom_core::clock::Timestamp;

use super::Check;

/// The difference beyond which an operator should look.
const APART: Duration = Duration::from_secs(5);

/// The check of our clock against an answer's date, to the second. It fails if they are farther apart than `far`.
pub(super) fn check(name: &str, date: Option<&str>, now: Timestamp, far: Duration, remedy: &str) -> Check {
    let Some(theirs) = date.and_then(Timestamp::parse_http) else {
        return Check::warn(name, "the answer has no date");
    };
    // The date is that of the second that has begun.
    let apart = theirs.since(now).max(now.since(theirs + Duration::from_secs(1)));
    let detail = format!("{} s apart", apart.as_secs());
    if apart <= APART {
        Check::ok(name, detail)
    } else if apart <= far {
        Check::warn(name, format!("{detail}: {remedy}"))
    } else {
        Check::fail(name, format!("{detail}: {remedy}"))
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
        let check = check("clock", Some("Sun, 06 Nov 1994 08:49:37 GMT"), now, Duration::from_mins(1), "set it");
        assert!(format!("{check:?}").contains(&format!("result: {result}")), "{check:?}");
    }

    #[test]
    fn an_answer_without_a_date_tells_nothing() {
        let check = check("clock", Some("today"), Timestamp::default(), Duration::from_mins(1), "set it");
        assert!(format!("{check:?}").contains("Warn"));
    }
}
