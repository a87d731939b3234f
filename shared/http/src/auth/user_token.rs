//! The tokens of users' logins (`docs/apis/events-api.md`).

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use greenroom_core::{clock::Timestamp, model::User};
use greenroom_store::Credential;
use jsonwebtoken::{Algorithm, Validation};
use serde::{Deserialize, Serialize, de::IgnoredAny};

use super::SigningKeys;
use crate::dialect::events::Unauthenticated;

/// How long a token lives.
const TTL: Duration = Duration::from_hours(7 * 24);
/// How long after its end a token is still accepted.
const LEEWAY: Duration = Duration::from_hours(1);
/// How long after the first token of a login its tokens can be refreshed.
const REFRESHABLE: Duration = Duration::from_hours(30 * 24);

/// Comes before a cursor's text where its tag is computed. It is longer than a number, so no tag fits both.
const TEXT: &[u8] = b"cursor of text ";

/// The claims of a user's token. It has no audience; tokens of every other family have one.
#[derive(Clone, Serialize, Deserialize)]
pub struct UserClaims {
    /// The user's number.
    pub user_id: u64,
    /// The user's name at the login.
    pub username: String,
    /// The user's mail address at the login.
    pub email: String,
    exp: i64,
    /// When the first token of the login was issued.
    orig_iat: i64,
    /// The user's login epoch at the time. Ending all logins raises it (`docs/apis/access.md`).
    #[serde(default)]
    epoch: u64,
}

greenroom_core::opaque!(UserClaims);

impl UserClaims {
    /// The claims of a user who has just logged in.
    #[must_use]
    pub fn first(user: &User, now: Timestamp) -> Self {
        Self::of(user, now, now.seconds())
    }

    /// The claims of the next token. `None` if the first one was issued too long ago.
    #[must_use]
    pub fn next(&self, user: &User, now: Timestamp) -> Option<Self> {
        let refreshable = now <= Timestamp::from_seconds(self.orig_iat) + REFRESHABLE;
        refreshable.then(|| Self::of(user, now, self.orig_iat))
    }

    fn of(user: &User, now: Timestamp, orig_iat: i64) -> Self {
        let User { id, username, email, token_epoch, .. } = user.clone();
        Self { user_id: id, username, email, exp: (now + TTL).seconds(), orig_iat, epoch: token_epoch }
    }

    /// Whether the user's logins have not been ended since.
    #[must_use]
    pub fn is_of_epoch(&self, user: &User) -> bool {
        self.user_id == user.id && self.epoch == user.token_epoch
    }

    /// The credential that a stream of events checks again and again.
    #[must_use]
    pub fn credential(&self) -> Credential {
        Credential::Token { epoch: self.epoch, until: self.good_until() }
    }

    /// The last instant at which the token is accepted.
    fn good_until(&self) -> Timestamp {
        Timestamp::from_seconds(self.exp) + LEEWAY
    }
}

/// Claims with an audience, which tokens of other families have.
#[derive(Deserialize)]
struct AnyClaims {
    aud: Option<IgnoredAny>,
    #[serde(flatten)]
    claims: UserClaims,
}

impl SigningKeys {
    /// The token of these claims, signed with the first key; `None` if there is no key.
    #[must_use]
    pub fn sign_user(&self, claims: &UserClaims) -> Option<String> {
        self.encode(claims, self.signing()?)
    }

    /// The claims of a user's token.
    ///
    /// # Errors
    /// [`Unauthenticated::Expired`], or [`Unauthenticated::Undecodable`] for any other reason.
    pub fn verify_user(&self, token: &str, now: Timestamp) -> Result<UserClaims, Unauthenticated> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_required_spec_claims(&["exp"]);
        validation.validate_aud = false;
        let AnyClaims { aud, claims } = self.decode(token, validation).ok_or(Unauthenticated::Undecodable)?;
        if aud.is_some() {
            return Err(Unauthenticated::Undecodable);
        }
        let good = now <= claims.good_until();
        good.then_some(claims).ok_or(Unauthenticated::Expired)
    }

    /// The cursor of a list, signed: the number that a page ended with.
    #[must_use]
    pub fn seal_cursor(&self, last: u64) -> Option<String> {
        let number = last.to_be_bytes();
        let tag = self.tags(&number).next()?;
        Some(BASE64_URL_SAFE_NO_PAD.encode([&number[..], &tag].concat()))
    }

    /// The cursor of a list that needs a text in place of a number, signed.
    #[must_use]
    pub fn seal_text(&self, text: &str) -> Option<String> {
        let tag = self.tags(&[TEXT, text.as_bytes()].concat()).next()?;
        Some(BASE64_URL_SAFE_NO_PAD.encode([&tag[..], text.as_bytes()].concat()))
    }

    /// The text of such a cursor. `None` if Greenroom did not sign it.
    #[must_use]
    pub fn open_text(&self, cursor: &str) -> Option<String> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (given, text) = bytes.split_first_chunk::<16>()?;
        let ours = self.is_tag(given, &[TEXT, text].concat());
        String::from_utf8(text.to_vec()).ok().filter(|_| ours)
    }

    /// The number that a page ended with. `None` if Greenroom did not sign the cursor.
    #[must_use]
    pub fn open_cursor(&self, cursor: &str) -> Option<u64> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (number, given) = bytes.split_first_chunk::<8>()?;
        self.is_tag(given, number).then(|| u64::from_be_bytes(*number))
    }
}

#[cfg(test)]
mod tests {
    use base64::prelude::BASE64_STANDARD;
    use hmac::{Hmac, KeyInit, Mac};
    use serde_json::{Value, json};
    use sha2::{Sha256, Sha512};

    use super::*;
    use greenroom_core::config::SigningKey;

    const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

    fn keys() -> SigningKeys {
        SigningKeys::new(&[SigningKey {
            kid: "k".to_owned(),
            secret: BASE64_STANDARD.encode([1; 32]).into(),
            created_at: None,
        }])
    }

    /// A token of these parts, signed with the right key.
    fn signed<M: Mac + KeyInit>(algorithm: &str, claims: &Value) -> String {
        let header = json!({ "typ": "JWT", "alg": algorithm, "kid": "k" });
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let input = format!("{}.{}", part(&header), part(claims));
        let mac = <M as KeyInit>::new_from_slice(&[1; 32]).unwrap().chain_update(&input);
        format!("{input}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }

    fn claims() -> Value {
        json!({ "user_id": 1, "username": "ada", "email": "", "exp": 1_700_000_000, "orig_iat": 1_700_000_000 })
    }

    #[test]
    fn a_users_token_is_signed_with_hs256_and_has_all_its_claims_and_no_audience() {
        let verify = |token: &str| keys().verify_user(token, NOW).map(|claims| claims.user_id);
        assert_eq!(verify(&signed::<Hmac<Sha256>>("HS256", &claims())), Ok(1));
        assert_eq!(verify(&signed::<Hmac<Sha512>>("HS512", &claims())), Err(Unauthenticated::Undecodable));
        for claim in ["user_id", "username", "email", "exp", "orig_iat"] {
            let mut without = claims();
            without[claim] = Value::Null;
            let token = signed::<Hmac<Sha256>>("HS256", &without);
            assert_eq!(verify(&token), Err(Unauthenticated::Undecodable), "{claim}");
        }
        for audience in [json!("device"), json!(["device"]), json!("")] {
            let mut with = claims();
            with["aud"] = audience;
            assert_eq!(verify(&signed::<Hmac<Sha256>>("HS256", &with)), Err(Unauthenticated::Undecodable));
        }
    }

    #[test]
    fn claims_at_the_ends_of_time_do_no_harm() {
        let ends = [
            (i64::MAX, Ok(1)),
            (0, Err(Unauthenticated::Expired)),
            // There were no tokens before 1970.
            (i64::MIN, Err(Unauthenticated::Undecodable)),
        ];
        for (at, outcome) in ends {
            let mut claims = claims();
            (claims["exp"], claims["orig_iat"]) = (json!(at), json!(at));
            let token = signed::<Hmac<Sha256>>("HS256", &claims);
            assert_eq!(keys().verify_user(&token, NOW).map(|claims| claims.user_id), outcome);
        }
    }

    #[test]
    fn a_cursor_of_text_is_ours_or_none() {
        let cursor = keys().seal_text("é").unwrap();
        assert_eq!(keys().open_text(&cursor).as_deref(), Some("é"));
        assert_eq!(keys().open_cursor(&cursor), None);
        let first = if cursor.starts_with('A') { 'B' } else { 'A' };
        for other in ["", "x", &cursor[1..], &format!("{first}{}", &cursor[1..]), &keys().seal_cursor(7).unwrap()] {
            assert_eq!(keys().open_text(other), None);
        }
    }

    #[test]
    fn a_cursor_is_ours_or_none() {
        let cursor = keys().seal_cursor(7).unwrap();
        assert_eq!(keys().open_cursor(&cursor), Some(7));
        for other in ["", "x", &cursor[1..], &format!("A{}", &cursor[1..cursor.len() - 1])] {
            assert_eq!(keys().open_cursor(other), None);
        }
    }
}
