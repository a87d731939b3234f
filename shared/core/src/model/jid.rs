//! JIDs: the addresses of participants in conversations (`docs/apis/mongooseim.md`, RFC 7622).

use std::{cmp::Ordering, fmt};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::User;

/// The longest local part or domain, in bytes (RFC 7622, 3.2 and 3.3).
const PART_MAX: usize = 1023;

/// A bare JID. Both parts are folded to one case, because JIDs are compared without regard to case.
///
/// JIDs are ordered by local part, then by domain.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, example = "alice@localhost")]
pub struct Jid(String);

/// The text is no JID.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("not a JID")]
pub struct NotAJid;

impl Jid {
    /// The bare JID of this text, without its resource. `None` if the text is no JID.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bare = match text.split_once('/') {
            Some((_, "")) => return None,
            Some((bare, _)) => bare,
            None => text,
        };
        let (local, domain) = bare.split_once('@')?;
        Self::of(local, domain)
    }

    /// The JID with these parts. `None` if a part is not valid, like a username with a space in it.
    #[must_use]
    pub fn of(local: &str, domain: &str) -> Option<Self> {
        let (local, domain) = (User::folded(local), domain.to_lowercase());
        (is_local(&local) && is_domain(&domain)).then(|| Self(format!("{local}@{domain}")))
    }

    /// The JID as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the `@`: a username, folded as [`User::folded`] does.
    #[must_use]
    pub fn local(&self) -> &str {
        self.parts().0
    }

    /// The part behind the `@`.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.parts().1
    }

    /// The two parts. Neither of them contains an `@`.
    fn parts(&self) -> (&str, &str) {
        self.0.split_once('@').unwrap_or_default()
    }
}

/// RFC 7622, 3.3.1
fn is_local(part: &str) -> bool {
    let barred = |char: char| char.is_whitespace() || char.is_control() || "\"&'/:<>@".contains(char);
    (1..=PART_MAX).contains(&part.len()) && !part.contains(barred)
}

/// RFC 7622, 3.2: labels of letters, digits and hyphens, in any script.
fn is_domain(part: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty() && label.chars().all(|char| char.is_alphanumeric() || char == '-') && !label.starts_with('-')
    };
    part.len() <= PART_MAX && part.split('.').all(is_label)
}

impl Ord for Jid {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts().cmp(&other.parts())
    }
}

impl PartialOrd for Jid {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Jid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

crate::opaque!(Jid);

impl From<Jid> for String {
    fn from(jid: Jid) -> Self {
        jid.0
    }
}

impl TryFrom<String> for Jid {
    type Error = NotAJid;

    fn try_from(text: String) -> Result<Self, NotAJid> {
        Self::parse(&text).ok_or(NotAJid)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("alice@localhost", Some("alice@localhost"))]
    #[case("ALICE@LocalHost", Some("alice@localhost"))]
    #[case("alice@localhost/phone", Some("alice@localhost"))]
    #[case("alice@localhost/phone@home/2", Some("alice@localhost"))]
    #[case("o'neil@localhost", None)]
    #[case("alice@localhost/", None)]
    #[case("alice", None)]
    #[case("@x", None)]
    #[case("alice@", None)]
    #[case("alice@a@b", None)]
    #[case("al ice@localhost", None)]
    #[case("älice@chät-1.example", Some("älice@chät-1.example"))]
    #[case("alice@local*host", None)]
    #[case("alice@localhost.", None)]
    #[case("alice@.example", None)]
    #[case("alice@-a.example", None)]
    #[case("al\u{0}ice@localhost", None)]
    #[case("", None)]
    fn a_jid_is_a_local_part_and_a_domain_in_any_case(#[case] text: &str, #[case] jid: Option<&str>) {
        assert_eq!(Jid::parse(text).map(|jid| jid.to_string()).as_deref(), jid);
    }

    #[test]
    fn jids_are_ordered_by_local_part_first() {
        let jid = |text| Jid::parse(text).unwrap();
        assert!(jid("a@z") < jid("a-x@a"));
        assert!(jid("a@a") < jid("a@b"));
    }
}
