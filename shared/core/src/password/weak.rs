//! Passwords that are too weak to be set (`docs/apis/access.md`).

use crate::model::User;

/// The most common passwords of at least the required length, in lower case, the most common first.
const COMMON: &str = include_str!("common.txt");
/// The name of this service.
const SERVICE: &str = "greenroom";

/// Whether a password is one of the 10,000 most common ones, the name or the mail address of its user, or the name of
/// the service. Case does not matter.
#[must_use]
pub fn is_too_common(password: &str, username: &str, email: &str) -> bool {
    let folded = User::folded(password);
    let named = [username, email, SERVICE].iter().any(|name| User::folded(name) == folded);
    named || COMMON.lines().any(|common| common == folded)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::config::PASSWORD_CHARS_MIN;

    #[rstest]
    #[case::a_common_one("password1", true)]
    #[case::a_common_one_in_capitals("PassWord1", true)]
    #[case::their_name("AdaLovelace", true)]
    #[case::their_mail_address("ADA@greenroom.example", true)]
    #[case::the_service("GreenRoom", true)]
    #[case::one_with_more_in_it("password1 ", false)]
    #[case::none_of_them("correct horse", false)]
    fn what_everybody_tries_first_is_too_common(#[case] password: &str, #[case] common: bool) {
        assert_eq!(is_too_common(password, "adalovelace", "Ada@greenroom.example"), common);
    }

    #[test]
    fn the_list_has_nothing_in_it_that_is_never_asked_about() {
        assert!(COMMON.lines().count() > 3_000);
        for line in COMMON.lines() {
            assert!(line.chars().count() >= PASSWORD_CHARS_MIN && User::folded(line) == line, "{line}");
        }
    }
}
