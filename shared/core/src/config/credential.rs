//! The live values of a credential, and which values are refused as secrets.

use std::collections::BTreeSet;

use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, de::Error};

use super::{Reader, Setting, Strictness, VideoProvider};
use crate::clock::Timestamp;

/// The shortest secret with which a deployed function starts, in bytes.
const SECRET_MIN: usize = 16;
/// The shortest signing key, in bytes. HS256 needs 256 bits (RFC 7518, 3.2).
const KEY_MIN: usize = 32;
/// The least number of different bytes in a secret. 16 random hexadecimal digits have fewer in one of ten million
/// cases.
const DISTINCT_MIN: usize = 6;
/// Placeholders for secrets in Greenroom's and others' examples, in lower case.
const PLACEHOLDERS: &[&str] = &[
    "my_secret",
    "my-secret",
    "mysecret",
    "your_secret",
    "your-secret",
    "yoursecret",
    "changeme",
    "change-me",
    "change_me",
    "change me",
    "replaceme",
    "replace-me",
    "replace_me",
    "placeholder",
    "example",
    "default",
    "insecure",
    "password",
    "openviduapp",
    "ome-access-token",
    "dummy",
    "foobar",
    "qwert",
    "letmein",
];

/// A signing key: its id in token headers and its secret bytes, base64 in the environment.
#[derive(Clone, Deserialize)]
pub struct SigningKey {
    /// The key's id in a token's header.
    pub kid: String,
    /// At least 256 bits, in base64.
    pub secret: SecretString,
    /// When it was made, if that is known.
    #[serde(default, rename = "createdAt", deserialize_with = "instant")]
    pub created_at: Option<Timestamp>,
}

crate::opaque!(SigningKey);

/// A valid value of a credential.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LiveValue {
    /// The value.
    pub secret: SecretString,
    /// When it was made, if that is known.
    #[serde(default, deserialize_with = "instant")]
    pub created_at: Option<Timestamp>,
}

crate::opaque!(LiveValue);

/// An entry of a list: the value alone, or an object that also says when it was made.
#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Bare(SecretString),
    Dated(LiveValue),
}

/// Reads an instant in the form of RFC 3339.
pub(super) fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| Timestamp::parse(&text).ok_or_else(|| D::Error::custom("no instant"))).transpose()
}

/// Reads one secret, or a JSON array of the valid ones. Each entry is a text, or an object that also says when the
/// secret was made.
///
/// # Errors
/// The form that the setting has to have. The text quotes nothing of its value.
pub fn live_values(text: &str) -> Result<Vec<LiveValue>, String> {
    let entries: Vec<Entry> = if text.starts_with('[') {
        serde_json::from_str(text).unwrap_or_default()
    } else {
        vec![Entry::Bare(text.to_owned().into())]
    };
    let value = |entry| match entry {
        Entry::Bare(secret) => LiveValue { secret, created_at: None },
        Entry::Dated(value) => value,
    };
    let values: Vec<_> = entries.into_iter().map(value).collect();
    // Clients disagree on how other characters are encoded in Basic credentials.
    match values.iter().all(|value| value.secret.expose_secret().is_ascii()) {
        _ if values.is_empty() => {
            Err(r#"must be a secret, or a JSON array of secrets or of {"secret":"…","createdAt":"…"}"#.to_owned())
        }
        true => Ok(values),
        false => Err("must be ASCII".to_owned()),
    }
}

/// Reads the signing keys of a JSON array.
///
/// # Errors
/// The form that the setting has to have. The text quotes nothing of its value.
pub fn signing_keys(text: &str) -> Result<Vec<SigningKey>, String> {
    let form = r#"must be JSON like [{"kid":"…","secret":"…"}]"#;
    // The parser's own message may quote what it could not read.
    let keys: Vec<SigningKey> = serde_json::from_str(text).map_err(|_| form.to_owned())?;
    if keys.is_empty() || !keys.iter().all(|key| bytes(key).is_some_and(|secret| secret.len() >= KEY_MIN)) {
        return Err(format!("{form}, each secret at least {KEY_MIN} bytes in base64"));
    }
    let repeats = (1..keys.len()).any(|index| keys[..index].iter().any(|key| key.kid == keys[index].kid));
    if repeats { Err("each kid must stand there once".to_owned()) } else { Ok(keys) }
}

fn bytes(key: &SigningKey) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(key.secret.expose_secret()).ok()
}

impl Reader<'_> {
    pub(super) fn secrets(&mut self, setting: Setting) -> Vec<SecretString> {
        let values = self.parse(setting, live_values).unwrap_or_default();
        let secrets: Vec<_> = values.into_iter().map(|value| value.secret).collect();
        self.refuse(setting, &secrets, weakness_of_secret);
        self.refuse_shared(setting, &secrets);
        secrets
    }

    pub(super) fn signing_keys(&mut self) -> Vec<SigningKey> {
        let keys = self.parse(Setting::SigningKeys, signing_keys).unwrap_or_default();
        self.refuse(Setting::SigningKeys, &keys, weakness_of_key);
        self.refuse_shared(Setting::SigningKeys, keys.iter().map(|key| &key.secret));
        keys
    }

    /// The secret that signs the media provider's tokens. Without a provider it has to be a secret of one's own;
    /// otherwise the provider chooses it.
    pub(super) fn provider_secret(&mut self, provider: VideoProvider) -> SecretString {
        let setting = Setting::OpentokApiSecret;
        let Some(secret) = self.text(setting).map(SecretString::from) else { return SecretString::default() };
        if provider == VideoProvider::Offline {
            self.refuse(setting, std::slice::from_ref(&secret), shortness);
        }
        secret
    }

    /// Refuses values that suit only a trial, wherever others can call.
    fn refuse<T>(&mut self, setting: Setting, values: &[T], weakness: impl Fn(&T) -> Option<String>) {
        let problem = values.iter().find_map(weakness).filter(|_| self.strictness == Strictness::Deployed);
        self.problems.extend(problem.map(|problem| format!("  {}: {problem}", setting.name())));
    }

    /// Refuses a value that occurs twice, because knowing one credential would mean knowing the other.
    pub(super) fn refuse_shared<'a>(&mut self, setting: Setting, secrets: impl IntoIterator<Item = &'a SecretString>) {
        for secret in secrets {
            let other = self.seen.iter().find(|(_, seen)| seen.expose_secret() == secret.expose_secret());
            if let Some((other, _)) = other.filter(|_| self.strictness == Strictness::Deployed) {
                let problem = if *other == setting {
                    "two values are the same".to_owned()
                } else {
                    format!("must not be that of {}", other.name())
                };
                self.problems.push(format!("  {}: {problem}", setting.name()));
            }
            self.seen.push((setting, secret.clone()));
        }
    }
}

fn shortness(secret: &SecretString) -> Option<String> {
    let short = secret.expose_secret().len() < SECRET_MIN;
    short.then(|| format!("must be a secret of one's own of at least {SECRET_MIN} characters"))
}

/// Why a secret is refused where others can call; `None` if it is not.
fn weakness_of_secret(secret: &SecretString) -> Option<String> {
    let lower = secret.expose_secret().to_ascii_lowercase();
    let documented = PLACEHOLDERS.iter().any(|placeholder| lower.contains(placeholder));
    let by_hand = documented || is_regular(secret.expose_secret().as_bytes());
    let problem = || "must be a secret of one's own, made at random, not one of an example".to_owned();
    shortness(secret).or_else(|| by_hand.then(problem))
}

/// Why a signing key is refused where others can call; `None` if it is not.
fn weakness_of_key(key: &SigningKey) -> Option<String> {
    let regular = bytes(key).is_none_or(|secret| is_regular(&secret));
    regular.then(|| "each secret must be made at random, not be one of an example".to_owned())
}

/// Whether bytes were typed by hand: few different ones, a short piece again and again, or a run like `0123…`.
fn is_regular(bytes: &[u8]) -> bool {
    let few = bytes.iter().collect::<BTreeSet<_>>().len() < DISTINCT_MIN;
    let repeated = (1..=bytes.len() / 2).any(|length| bytes.chunks(length).all(|chunk| bytes.starts_with(chunk)));
    let step = |pair: &[u8]| pair[1].wrapping_sub(pair[0]);
    let steps = bytes.windows(2).map(step).filter(|step| matches!(step, 0 | 1 | 255)).count();
    few || repeated || 2 * steps > bytes.len()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::hexadecimal("9f86d081884c7d659a2feaa0c55ad015", false)]
    #[case::sixteen_random_letters("kXq7vTz2mWbR4pLd", false)]
    #[case::a_sentence("secret-of-the-functions-under-test", false)]
    #[case::short("kXq7vTz2mWbR4pL", true)]
    #[case::a_placeholder("CHANGEME-CHANGE-ME-1", true)]
    #[case::of_a_document("MY_SECRET_of_openvidu", true)]
    #[case::one_character("aaaaaaaaaaaaaaaaaaaa", true)]
    #[case::few_characters("abababababababababab", true)]
    #[case::a_piece_again_and_again("kXq7vTzkXq7vTzkXq7vTz", true)]
    #[case::a_run("0123456789abcdef0", true)]
    #[case::a_run_down("zyxwvutsrqponmlkji", true)]
    fn what_was_made_by_hand_is_no_secret(#[case] secret: &str, #[case] weak: bool) {
        assert_eq!(weakness_of_secret(&secret.to_owned().into()).is_some(), weak);
    }

    #[rstest]
    #[case::random("x/Ny63SJJFAhRIRsCcGh7U2W0ak4Y0SVhwjvhrVqUgE=", false)]
    #[case::random_hexadecimal_digits("ODU2ZTQ0NmI0ZDE5YzU4ODM1ZjM4ZTQ3YWQwNGIwZjY1Mg==", false)]
    #[case::counted_up("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", true)]
    #[case::one_byte("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=", true)]
    fn a_key_that_anybody_could_think_of_is_none(#[case] secret: &str, #[case] weak: bool) {
        let key = SigningKey { kid: "1".to_owned(), secret: secret.to_owned().into(), created_at: None };
        assert_eq!(weakness_of_key(&key).is_some(), weak);
    }

    #[test]
    fn values_are_texts_or_have_a_date() {
        let values = live_values(r#"[{"secret":"one","createdAt":"2026-11-22T10:00:00Z"},"two",{"secret":"three"}]"#);
        let dates = values.unwrap().into_iter().map(|value| value.created_at.map(Timestamp::seconds));
        assert_eq!(dates.collect::<Vec<_>>(), [Some(1_795_341_600), None, None]);
        for malformed in
            [r#"[{"secret":"one","createdAt":"lately"}]"#, r#"[{"createdAt":"2026-11-22T10:00:00Z"}]"#, "[]", "[1]"]
        {
            assert!(live_values(malformed).is_err(), "{malformed}");
        }
    }
}
