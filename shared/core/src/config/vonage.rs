//! Settings of a Vonage Video application (`docs/apis/vonage.md`).

use std::sync::Arc;

use rustls_pki_types::{PrivateKeyDer, pem::PemObject};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::{Reader, Setting, credential::live_values, url::public_url};

/// The object identifier of RSA keys, in DER (RFC 8017, appendix C).
const RSA: [u8; 11] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// Where the algorithm of a PKCS#8 key ends at the latest: before it are three lengths and a version.
const ALGORITHM_END: usize = 32;

/// An application of Vonage Video, and the address of its API.
#[derive(Clone, Debug)]
pub struct Vonage {
    /// The application. Its id is public, and part of every session id.
    pub application: Uuid,
    /// The private keys of the application. The first one signs.
    pub private_keys: Vec<RsaPrivateKey>,
    /// The scheme and host of the REST API.
    pub api_url: String,
}

/// A private RSA key.
#[derive(Clone)]
pub struct RsaPrivateKey(Arc<PrivateKeyDer<'static>>);

crate::opaque!(RsaPrivateKey);

impl RsaPrivateKey {
    /// Reads a key in PEM, PKCS#8 or PKCS#1. Its lines may be separated by `\n`, written out, because not everything
    /// that sets variables can write a line break.
    ///
    /// # Errors
    /// The form that the setting has to have. The text quotes nothing of its value.
    fn parse(pem: &str) -> Result<Self, String> {
        let key = PrivateKeyDer::from_pem_slice(pem.replace("\\n", "\n").as_bytes()).ok();
        let key = key.filter(|key| match key {
            PrivateKeyDer::Pkcs1(_) => true,
            PrivateKeyDer::Pkcs8(key) => {
                let der = key.secret_pkcs8_der();
                der[..der.len().min(ALGORITHM_END)].windows(RSA.len()).any(|bytes| bytes == RSA)
            }
            _ => false,
        });
        let key = key.ok_or_else(|| "must be a private RSA key in PEM, or a JSON array of those".to_owned())?;
        Ok(Self(Arc::new(key)))
    }

    /// The key's encoding.
    #[must_use]
    pub fn der(&self) -> &PrivateKeyDer<'static> {
        &self.0
    }
}

impl Vonage {
    /// Reads the settings; `None` if no application is set. If the application is `needed`, a missing setting is a
    /// problem, and so is one of two.
    pub(super) fn read(reader: &mut Reader, needed: bool) -> Option<Self> {
        let application = reader.parse(Setting::VonageApplicationId, application);
        let private_keys = reader.rsa_private_keys(Setting::VonagePrivateKey);
        let api_url = reader.parse(Setting::VonageApiUrl, public_url).unwrap_or_default();
        let credentials = [Setting::VonageApplicationId, Setting::VonagePrivateKey];
        let is_set = credentials.map(|setting| reader.environment.get(setting.name()).is_some());
        for (setting, _) in credentials.into_iter().zip(is_set).filter(|(_, is_set)| !is_set) {
            if needed || is_set.contains(&true) {
                reader.note_missing(setting);
            }
        }
        Some(Self { application: application?, private_keys, api_url })
    }
}

impl Reader<'_> {
    /// The keys of a setting. Their owner made them, so no strength is asked of them here.
    fn rsa_private_keys(&mut self, setting: Setting) -> Vec<RsaPrivateKey> {
        let values = self.parse(setting, live_values).unwrap_or_default();
        let values: Vec<SecretString> = values.into_iter().map(|value| value.secret).collect();
        self.refuse_shared(setting, &values);
        let keys: Result<_, _> = values.iter().map(|value| RsaPrivateKey::parse(value.expose_secret())).collect();
        keys.unwrap_or_else(|problem: String| {
            self.note(setting, &problem);
            Vec::new()
        })
    }
}

fn application(text: &str) -> Result<Uuid, String> {
    // The crate also reads ids without hyphens, in braces and with a prefix, which are in no session id.
    let id = Uuid::try_parse(text).ok().filter(|id| id.to_string() == text.to_ascii_lowercase());
    id.ok_or_else(|| "must be an id like 5a4f3f1c-0d6e-4a57-9b8e-2f6f0b1c7d11".to_owned())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::config::{Config, Environment, Strictness};

    const ASKED: &[Setting] = &[
        Setting::VideoProvider,
        Setting::OpentokApiKey,
        Setting::VonageApplicationId,
        Setting::VonagePrivateKey,
        Setting::VonageApiUrl,
        Setting::VonageSignatureSecret,
    ];
    const APPLICATION: &str = "5a4f3f1c-0d6e-4a57-9b8e-2f6f0b1c7d11";
    const KEY: &str = include_str!("../../../../tests/keys/rsa.pem");
    const PKCS1: &str = include_str!("../../../../tests/keys/rsa-pkcs1.pem");
    const SECOND: &str = include_str!("../../../../tests/keys/rsa-second.pem");
    const ELLIPTIC: &str = include_str!("../../../../tests/keys/ec.pem");

    fn read(values: &[(&str, &str)]) -> Result<Config, String> {
        let environment = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let environment: Environment = environment.chain([("OPENTOK_API_KEY".to_owned(), "1".to_owned())]).collect();
        Config::read(&environment, ASKED, Strictness::Deployed).map_err(|error| error.to_string())
    }

    fn keys(pem: &str) -> Result<Vec<RsaPrivateKey>, String> {
        let config = read(&[("VONAGE_APPLICATION_ID", APPLICATION), ("VONAGE_PRIVATE_KEY", pem)]);
        config.map(|config| config.vonage.unwrap().private_keys)
    }

    #[test]
    fn a_key_is_pkcs_8_or_pkcs_1_and_may_stand_in_one_line() {
        for pem in [KEY, PKCS1, KEY.trim_end(), &KEY.replace('\n', "\\n"), &KEY.replace('\n', "\r\n")] {
            assert_eq!(keys(pem).unwrap().len(), 1, "{}", &pem[..20]);
        }
        let (PrivateKeyDer::Pkcs8(one), PrivateKeyDer::Pkcs8(other)) =
            (RsaPrivateKey::parse(KEY).unwrap().0.clone_key(), RsaPrivateKey::parse(SECOND).unwrap().0.clone_key())
        else {
            panic!("two keys")
        };
        let live = keys(&json!([KEY, { "secret": SECOND.replace('\n', "\\n"), "createdAt": null }]).to_string());
        let live: Vec<_> = live.unwrap().iter().map(|key| key.der().secret_der().to_owned()).collect();
        assert_eq!(live, [one.secret_pkcs8_der(), other.secret_pkcs8_der()]);
    }

    #[rstest]
    #[case::no_pem("secret")]
    #[case::cut_off(&KEY[..200])]
    #[case::no_base64("-----BEGIN PRIVATE KEY-----\n?\n-----END PRIVATE KEY-----\n")]
    #[case::empty("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n")]
    #[case::not_rsa(ELLIPTIC)]
    #[case::a_list_of_nothing("[]")]
    #[case::the_same_twice(&json!([KEY, KEY]).to_string())]
    #[case::one_of_two(&json!([KEY, "secret"]).to_string())]
    fn another_key_is_refused_and_not_quoted(#[case] pem: &str) {
        let error = keys(pem).unwrap_err();
        assert!(error.contains("VONAGE_PRIVATE_KEY: ") && !error.contains("MII"), "{error}");
        assert_eq!(error.lines().count(), 2, "{error}");
    }

    #[rstest]
    #[case::no_uuid("45828062")]
    #[case::no_hyphens("5a4f3f1c0d6e4a579b8e2f6f0b1c7d11")]
    #[case::in_braces("{5a4f3f1c-0d6e-4a57-9b8e-2f6f0b1c7d11}")]
    fn an_application_is_a_uuid(#[case] id: &str) {
        let error = read(&[("VONAGE_APPLICATION_ID", id), ("VONAGE_PRIVATE_KEY", KEY)]).unwrap_err();
        assert!(error.contains("VONAGE_APPLICATION_ID: must be"), "{error}");
        let upper = APPLICATION.to_ascii_uppercase();
        assert!(read(&[("VONAGE_APPLICATION_ID", &upper), ("VONAGE_PRIVATE_KEY", KEY)]).is_ok());
    }

    #[test]
    fn the_provider_needs_an_application_and_a_key_and_neither_is_of_use_alone() {
        let missing = |values: &[(&str, &str)]| {
            let error = read(values).err().unwrap_or_default();
            ["VONAGE_APPLICATION_ID", "VONAGE_PRIVATE_KEY"].map(|name| error.contains(&format!("{name}: missing")))
        };
        assert_eq!(missing(&[("VIDEO_PROVIDER", "vonage")]), [true, true]);
        assert_eq!(missing(&[("VONAGE_APPLICATION_ID", APPLICATION)]), [false, true]);
        assert_eq!(missing(&[("VONAGE_PRIVATE_KEY", KEY)]), [true, false]);
        assert!(read(&[]).unwrap().vonage.is_none());
        let all = [("VONAGE_APPLICATION_ID", APPLICATION), ("VONAGE_PRIVATE_KEY", KEY)];
        let config = read(&[&all[..], &[("VIDEO_PROVIDER", "vonage")]].concat()).unwrap();
        assert_eq!(config.vonage.unwrap().api_url, "https://video.api.vonage.com");
        let error = read(&[&all[..], &[("VONAGE_API_URL", "vonage.example")]].concat()).unwrap_err();
        assert!(error.contains("VONAGE_API_URL: must be a URL"), "{error}");
    }

    #[test]
    fn callbacks_may_be_signed_with_either_of_two_secrets() {
        let secrets = r#"["kXq7vTz2mWbR4pLd","Gy5nCj8sQw3eHb6u"]"#;
        assert_eq!(read(&[("VONAGE_SIGNATURE_SECRET", secrets)]).unwrap().vonage_signature_secrets.len(), 2);
        assert!(read(&[("VONAGE_SIGNATURE_SECRET", "short")]).is_err());
    }
}
