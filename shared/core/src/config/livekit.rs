//! Settings of a LiveKit server (`docs/apis/livekit.md`).

use std::time::Duration;

use http::Uri;
use secrecy::{ExposeSecret, SecretString};

use super::{Reader, Setting, Strictness, credential::live_values, url::public_url};

/// The shortest secret of a key, in bytes. The server takes a shorter one and only logs that it is too short.
const SECRET_MIN: usize = 32;
/// The secret of `livekit-server --dev`.
const DEVELOPMENT_SECRET: &str = "secret";

/// A LiveKit server, and the keys that it knows us by.
#[derive(Clone, Debug)]
pub struct LiveKit {
    /// The scheme and host that Greenroom calls: `http` or `https`.
    pub api_url: String,
    /// The scheme and host that clients connect to: `ws` or `wss`.
    pub client_url: String,
    /// The valid keys. The first one signs; webhooks of all of them are valid.
    pub keys: Vec<LiveKitKey>,
    /// How long a participant's token lives.
    pub token_ttl: Duration,
    /// Who makes rooms.
    pub rooms: LiveKitRooms,
}

/// Who makes the rooms of a LiveKit server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LiveKitRooms {
    /// The server, when somebody joins with a token for a room.
    #[default]
    Auto,
    /// Greenroom, before it hands out a token. The server refuses a token for a room that nobody made, so deleting a room
    /// ends its tokens.
    Made,
}

/// An API key of a LiveKit server, with its secret.
#[derive(Clone)]
pub struct LiveKitKey {
    /// The key. It is public: each token names it.
    pub id: String,
    /// The secret that signs tokens and webhooks.
    pub secret: SecretString,
}

crate::opaque!(LiveKitKey);

impl LiveKit {
    /// Reads the settings; `None` if no URL is set. If the server is `needed`, a missing setting is a problem.
    pub(super) fn read(reader: &mut Reader, needed: bool) -> Option<Self> {
        let strictness = reader.strictness;
        let url = reader.parse(Setting::LivekitUrl, |text| address(text, strictness));
        let ids = reader.parse(Setting::LivekitApiKey, live_values);
        let secrets = reader.livekit_secrets(url.as_deref().is_some_and(is_on_loopback));
        let token_ttl = reader.parse(Setting::LivekitTokenTtl, token_ttl).unwrap_or_default();
        let rooms = reader.parse(Setting::LivekitRooms, rooms).unwrap_or_default();
        for setting in [Setting::LivekitUrl, Setting::LivekitApiKey, Setting::LivekitApiSecret] {
            let is_set = reader.environment.get(setting.name()).is_some();
            let others = [Setting::LivekitApiKey, Setting::LivekitApiSecret].contains(&setting) && url.is_some();
            if (needed || others) && !is_set {
                reader.note_missing(setting);
            }
        }
        let (url, ids) = (url?, ids?);
        if ids.len() != secrets.len() {
            reader.note(Setting::LivekitApiSecret, "must have as many secrets as LIVEKIT_API_KEY has keys");
        }
        let ids = ids.into_iter().map(|id| id.secret.expose_secret().to_owned());
        let keys = ids.zip(secrets).map(|(id, secret)| LiveKitKey { id, secret }).collect();
        let client_url = url.replacen("http", "ws", 1);
        Some(Self { api_url: url, client_url, keys, token_ttl, rooms })
    }
}

impl Reader<'_> {
    /// The secrets of the keys. The secret of a server in development mode is good only on this machine.
    fn livekit_secrets(&mut self, on_loopback: bool) -> Vec<SecretString> {
        let setting = Setting::LivekitApiSecret;
        if on_loopback && self.environment.get(setting.name()) == Some(DEVELOPMENT_SECRET) {
            return self.text(setting).map(SecretString::from).into_iter().collect();
        }
        let secrets = self.secrets(setting);
        if secrets.iter().any(|secret| secret.expose_secret().len() < SECRET_MIN) {
            self.note(setting, &format!("each secret must have at least {SECRET_MIN} characters"));
        }
        secrets
    }
}

/// The address as `http` or `https`. Without TLS, participants' tokens would cross the network in clear.
fn address(text: &str, strictness: Strictness) -> Result<String, String> {
    let http = text.strip_prefix("ws").map_or_else(|| text.to_owned(), |rest| format!("http{rest}"));
    let url = public_url(&http).map_err(|_| "must be a URL like wss://livekit.example, without a path".to_owned())?;
    if url.starts_with("https") || strictness == Strictness::Local && is_on_loopback(&url) {
        return Ok(url);
    }
    Err("must be wss or https; ws and http are only for a server on the same machine".to_owned())
}

fn is_on_loopback(url: &str) -> bool {
    let url = url.parse::<Uri>().ok();
    url.as_ref().and_then(Uri::host).is_some_and(|host| matches!(host, "127.0.0.1" | "localhost" | "[::1]"))
}

fn token_ttl(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds| (60..=86_400).contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(|| "must be a number of seconds from 60 to 86400".to_owned())
}

fn rooms(text: &str) -> Result<LiveKitRooms, String> {
    match text {
        "auto" => Ok(LiveKitRooms::Auto),
        "made" => Ok(LiveKitRooms::Made),
        _ => Err("must be auto or made".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::config::{Config, Environment};

    const ASKED: &[Setting] = &[
        Setting::VideoProvider,
        Setting::OpenviduMedia,
        Setting::LivekitUrl,
        Setting::LivekitApiKey,
        Setting::LivekitApiSecret,
        Setting::LivekitTokenTtl,
    ];
    const SECRET: &str = "kXq7vTz2mWbR4pLdkXq7vTz2mWbR4pLe";

    fn read(values: &[(&str, &str)], strictness: Strictness) -> Result<Option<LiveKit>, String> {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let environment: Environment = values.collect();
        let config = Config::read(&environment, ASKED, strictness);
        config.map(|config| config.livekit).map_err(|error| error.to_string())
    }

    fn with(url: &str, key: &str, secret: &str, strictness: Strictness) -> Result<LiveKit, String> {
        let values = [("LIVEKIT_URL", url), ("LIVEKIT_API_KEY", key), ("LIVEKIT_API_SECRET", secret)];
        read(&values, strictness).map(|livekit| livekit.unwrap())
    }

    #[rstest]
    #[case::secure("wss://livekit.example/", "https://livekit.example", "wss://livekit.example")]
    #[case::https("https://livekit.example:7443", "https://livekit.example:7443", "wss://livekit.example:7443")]
    #[case::loopback("ws://127.0.0.1:7880", "http://127.0.0.1:7880", "ws://127.0.0.1:7880")]
    #[case::http("http://localhost:7880", "http://localhost:7880", "ws://localhost:7880")]
    fn clients_and_greenroom_have_the_same_server(#[case] url: &str, #[case] api: &str, #[case] client: &str) {
        let livekit = with(url, "key", SECRET, Strictness::Local).unwrap();
        assert_eq!((livekit.api_url.as_str(), livekit.client_url.as_str()), (api, client));
        assert_eq!(livekit.token_ttl, Duration::from_hours(6));
    }

    #[rstest]
    #[case::plain("ws://livekit.example", Strictness::Local)]
    #[case::plain_on_aws("http://127.0.0.1:7880", Strictness::Deployed)]
    #[case::a_path("wss://livekit.example/rtc", Strictness::Local)]
    #[case::a_query("wss://livekit.example?a=b", Strictness::Local)]
    #[case::another_scheme("ftp://livekit.example", Strictness::Local)]
    #[case::no_url("livekit.example", Strictness::Local)]
    fn an_address_that_is_not_safe_or_none_is_refused(#[case] url: &str, #[case] strictness: Strictness) {
        assert!(with(url, "key", SECRET, strictness).unwrap_err().contains("LIVEKIT_URL"));
    }

    #[test]
    fn keys_and_secrets_are_paired_by_position() {
        let other = SECRET.to_ascii_uppercase();
        let secrets = format!(r#"["{SECRET}","{other}"]"#);
        let livekit = with("wss://livekit.example", r#"["new","old"]"#, &secrets, Strictness::Deployed).unwrap();
        let pairs = livekit.keys.iter().map(|key| (key.id.as_str(), key.secret.expose_secret()));
        assert_eq!(pairs.collect::<Vec<_>>(), [("new", SECRET), ("old", other.as_str())]);
        let error = with("wss://livekit.example", "one", &secrets, Strictness::Local).unwrap_err();
        assert!(error.contains("as many secrets"), "{error}");
    }

    #[test]
    fn a_short_secret_is_refused_but_that_of_the_development_mode() {
        let short = with("wss://livekit.example", "devkey", "secret", Strictness::Local);
        assert!(short.unwrap_err().contains("at least 32 characters"));
        assert!(with("http://127.0.0.1:7880", "devkey", "secret", Strictness::Local).is_ok());
        assert!(with("http://127.0.0.1:7880", "devkey", "secret2", Strictness::Local).is_err());
    }

    #[test]
    fn the_provider_needs_all_three_settings() {
        for needing in ["VIDEO_PROVIDER", "OPENVIDU_MEDIA"] {
            let error = read(&[(needing, "livekit")], Strictness::Local).unwrap_err();
            for name in ["LIVEKIT_URL: missing", "LIVEKIT_API_KEY: missing", "LIVEKIT_API_SECRET: missing"] {
                assert!(error.contains(name), "{error}");
            }
        }
        let error = read(&[("OPENVIDU_MEDIA", "janus")], Strictness::Local).unwrap_err();
        assert!(error.contains("must be none or livekit"), "{error}");
        assert!(read(&[("OPENVIDU_MEDIA", "none")], Strictness::Local).unwrap().is_none());
        let error = read(&[("LIVEKIT_URL", "wss://livekit.example")], Strictness::Local).unwrap_err();
        assert!(error.contains("LIVEKIT_API_KEY: missing"), "{error}");
        assert!(read(&[], Strictness::Local).unwrap().is_none());
        let error = read(&[("LIVEKIT_TOKEN_TTL", "59")], Strictness::Local).unwrap_err();
        assert!(error.contains("60 to 86400"), "{error}");
    }
}
