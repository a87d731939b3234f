//! The live values of one credential, and how they change.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use greenroom_core::{
    clock::Timestamp,
    config::{live_values, signing_keys},
    id::{hex, random_bytes, random_hex},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::Credential;

/// The largest number of live values of a credential.
const LIVE_MAX: usize = 2;

/// Why values are not changed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValuesError {
    /// They do not have the form of the setting.
    #[error("{0} {1}")]
    Malformed(&'static str, String),
    /// There are as many values as there may be.
    #[error("{0} has two live values; drop the older with `greenroom key retire {0}` first")]
    Full(&'static str),
    /// There is only one value.
    #[error("{0} has one live value")]
    Single(&'static str),
    /// It is not known which value is older.
    #[error("which value of {0} is older cannot be told: give the newer one its createdAt")]
    Undated(&'static str),
    /// The new value exists already.
    #[error("{0} has this value already")]
    Known(&'static str),
}

/// The live values of one credential.
#[derive(Clone, Debug)]
pub(crate) struct Values {
    credential: Credential,
    /// As they are stored: texts or objects.
    entries: Vec<Value>,
    live: Vec<Live>,
}

/// One live value.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    /// The id of a signing key.
    pub(crate) kid: Option<String>,
    pub(crate) secret: SecretString,
    pub(crate) created_at: Option<Timestamp>,
}

impl Values {
    /// Reads the values of a setting from its text.
    pub(crate) fn read(credential: Credential, text: &str) -> Result<Self, ValuesError> {
        let malformed = |problem| ValuesError::Malformed(credential.setting().name(), problem);
        let live: Vec<_> = if credential == Credential::SigningKeys {
            let keys = signing_keys(text).map_err(malformed)?.into_iter();
            keys.map(|key| Live { kid: Some(key.kid), secret: key.secret, created_at: key.created_at }).collect()
        } else {
            let values = live_values(text).map_err(malformed)?.into_iter();
            values.map(|value| Live { kid: None, secret: value.secret, created_at: value.created_at }).collect()
        };
        let bare = || vec![Value::String(text.to_owned())];
        let entries = if text.starts_with('[') { serde_json::from_str(text).unwrap_or_default() } else { bare() };
        Ok(Self { credential, entries, live })
    }

    /// The same, with this time for bare values.
    pub(crate) fn dated(mut self, created_at: Option<Timestamp>) -> Self {
        let Some(at) = created_at else { return self };
        for (entry, live) in self.entries.iter_mut().zip(&mut self.live) {
            if let Value::String(secret) = entry {
                *entry = json!({ "secret": secret, "createdAt": at.to_string() });
                live.created_at = Some(at);
            }
        }
        self
    }

    /// The values of a credential that has none yet.
    pub(crate) fn none(credential: Credential) -> Self {
        Self { credential, entries: Vec::new(), live: Vec::new() }
    }

    /// All values, the first one first.
    pub(crate) fn live(&self) -> &[Live] {
        &self.live
    }

    /// The value for clients: the newest.
    pub(crate) fn newest(&self) -> Option<&Live> {
        // New values are put first. Of several without a date any will do.
        self.live.iter().rev().max_by_key(|live| live.created_at)
    }

    /// Puts a new value beside the present one. `first` puts it first; otherwise it is second, for the time in which
    /// some instances do not know it.
    pub(crate) fn rotate(&self, value: Option<&str>, now: Timestamp, first: bool) -> Result<Vec<Value>, ValuesError> {
        if self.entries.len() >= LIVE_MAX {
            return Err(ValuesError::Full(self.credential.name()));
        }
        if self.live.iter().any(|live| value == Some(live.secret.expose_secret())) {
            return Err(ValuesError::Known(self.credential.name()));
        }
        // Dates tell which value is newer, and have whole seconds only.
        let after = self
            .live
            .iter()
            .filter_map(|live| live.created_at)
            .max()
            .map(|at| at.whole_second() + Duration::from_secs(1));
        let entry = new_entry(self.credential, value, after.map_or(now, |after| now.max(after)));
        let mut entries = self.entries.clone();
        entries.insert(if first { 0 } else { entries.len() }, entry);
        Ok(entries)
    }

    /// Whether the first value is newer than the second, so it was promoted.
    pub(crate) fn first_is_newer(&self) -> bool {
        matches!(&*self.live, [first, second, ..] if first.created_at > second.created_at)
    }

    /// Puts the second value first.
    pub(crate) fn promote(&self) -> Result<Vec<Value>, ValuesError> {
        let mut entries = self.entries.clone();
        if entries.len() < LIVE_MAX {
            return Err(ValuesError::Single(self.credential.name()));
        }
        entries.swap(0, 1);
        Ok(entries)
    }

    /// The index of the value to keep: the newest, or the key that signs.
    pub(crate) fn kept(&self) -> Result<usize, ValuesError> {
        match &*self.live {
            [] | [_] => Err(ValuesError::Single(self.credential.name())),
            _ if self.credential == Credential::SigningKeys => Ok(0),
            [first, second, ..] if first.created_at == second.created_at => {
                Err(ValuesError::Undated(self.credential.name()))
            }
            live => Ok(live.iter().enumerate().max_by_key(|(_, live)| live.created_at).map_or(0, |(index, _)| index)),
        }
    }

    /// Drops all values but one.
    pub(crate) fn retire(&self) -> Result<Vec<Value>, ValuesError> {
        let kept = self.kept()?;
        Ok(self.entries.get(kept).cloned().into_iter().collect())
    }

    /// Whether the second value is newer than the first, so it is not promoted yet.
    pub(crate) fn second_is_newer(&self) -> bool {
        match &*self.live {
            [first, second, ..] => second.created_at > first.created_at,
            _ => false,
        }
    }
}

/// A new value, or one that another service gave out.
pub(crate) fn new_entry(credential: Credential, value: Option<&str>, now: Timestamp) -> Value {
    let created_at = now.whole_second().to_string();
    if credential == Credential::SigningKeys {
        let kid = random_hex().split_off(24);
        return json!({ "kid": kid, "secret": BASE64_STANDARD.encode(random_bytes::<32>()), "createdAt": created_at });
    }
    let secret = value.map_or_else(|| hex(&random_bytes::<32>()), str::to_owned);
    json!({ "secret": secret, "createdAt": created_at })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

    fn values(credential: Credential, entries: &[Value]) -> Values {
        Values::read(credential, &json!(entries).to_string()).unwrap()
    }

    #[test]
    fn a_new_value_stands_beside_the_present_one_and_a_third_has_no_room() {
        let one = Values::read(Credential::Openvidu, "the present one").unwrap();
        let both = one.rotate(None, NOW, true).unwrap();
        assert_eq!(both[1], "the present one");
        assert_eq!(both[0]["createdAt"], "2023-11-14T22:13:20Z");
        assert_eq!(both[0]["secret"].as_str().unwrap().len(), 64);
        let both = values(Credential::Openvidu, &both);
        assert_eq!(both.newest().unwrap().secret.expose_secret(), both.live()[0].secret.expose_secret());
        assert_eq!(both.rotate(None, NOW, true), Err(ValuesError::Full("openvidu")));
        assert_eq!(both.retire().unwrap()[0]["createdAt"], "2023-11-14T22:13:20Z");
        assert_eq!(one.retire(), Err(ValuesError::Single("openvidu")));
    }

    #[test]
    fn of_two_values_made_in_one_second_the_later_is_known() {
        let first = new_entry(Credential::Openvidu, None, NOW);
        let both = values(Credential::Openvidu, std::slice::from_ref(&first)).rotate(None, NOW, true).unwrap();
        assert_eq!(values(Credential::Openvidu, &both).retire().unwrap(), both[..1]);
    }

    #[test]
    fn a_key_signs_once_it_is_promoted() {
        let old = new_entry(Credential::SigningKeys, None, Timestamp::from_seconds(1));
        let keys = values(Credential::SigningKeys, std::slice::from_ref(&old));
        assert_eq!(keys.promote(), Err(ValuesError::Single("signing-keys")));
        let added = values(Credential::SigningKeys, &keys.rotate(None, NOW, false).unwrap());
        assert!(added.second_is_newer());
        let promoted = values(Credential::SigningKeys, &added.promote().unwrap());
        assert!(!promoted.second_is_newer());
        assert_eq!(promoted.live()[1].kid.as_deref(), old["kid"].as_str());
        assert_eq!(promoted.retire().unwrap()[0]["kid"].as_str(), promoted.live()[0].kid.as_deref());
    }

    #[test]
    fn the_newest_value_is_kept_wherever_it_stands() {
        let dated = json!({ "secret": "new", "createdAt": "2023-11-14T22:13:20Z" });
        let by_hand = values(Credential::Openvidu, &[json!("old"), dated.clone()]);
        assert_eq!(by_hand.retire().unwrap(), [dated]);
        let undated = values(Credential::Openvidu, &[json!("one"), json!("two")]);
        assert_eq!(undated.retire(), Err(ValuesError::Undated("openvidu")));
    }

    #[test]
    fn what_somebody_else_gave_us_is_taken_once() {
        let none = Values::none(Credential::OpentokWebhook);
        let one = values(Credential::OpentokWebhook, &none.rotate(Some("given"), NOW, true).unwrap());
        assert_eq!(one.rotate(Some("given"), NOW, true), Err(ValuesError::Known("opentok-webhook")));
        assert_eq!(one.rotate(Some("another"), NOW, true).unwrap()[0]["secret"], "another");
    }
}
