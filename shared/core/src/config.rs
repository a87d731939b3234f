//! Settings: every variable that the environment may have, read once at start.
//!
//! Each function lists the [`Setting`]s that it reads. A test checks `template.yaml` against these lists.

use std::{num::NonZeroU32, time::Duration};

use http::HeaderValue;
use secrecy::SecretString;

use self::url::{origins, public_url};
use crate::model::Jid;

mod aws;
mod credential;
mod family;
mod livekit;
mod log;
mod mail;
mod provider;
mod setting;
mod streams;
mod streams_api;
mod telemetry;
mod timing;
mod url;
mod vonage;

pub use self::{
    aws::AwsEnvironment,
    credential::{LiveValue, SigningKey, live_values, signing_keys},
    family::SecretFamily,
    livekit::{LiveKit, LiveKitKey, LiveKitRooms},
    log::{check_filter, is_ours, read_filter},
    mail::{Mail, MailReader, MailTransport},
    provider::{OpenTok, OpenviduMedia, VideoProvider},
    setting::{Environment, Setting},
    streams::Streams,
    streams_api::StreamsApi,
    telemetry::Metrics,
    timing::Timing,
    vonage::{RsaPrivateKey, Vonage},
};

/// The shortest password of a user, in characters (`docs/apis/events-api.md`).
pub const PASSWORD_CHARS_MIN: usize = 8;
/// The longest password of a user, in bytes (`docs/apis/events-api.md`).
pub const PASSWORD_BYTES_MAX: usize = 1024;

/// Whether a device must show a static API token to register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceRegistration {
    /// No.
    #[default]
    Open,
    /// Yes.
    Token,
}

/// The settings of a process. A setting that it did not ask for is empty or has its default; an empty secret lets
/// nobody in.
#[derive(Clone, Debug)]
pub struct Config {
    /// The table.
    pub table_name: String,
    /// The base of links and of OpenVidu token URLs. `None`: the scheme and host of the request.
    pub public_url: Option<String>,
    /// The valid secrets of `OPENVIDUAPP`.
    pub openvidu_secrets: Vec<SecretString>,
    /// The keys that sign tokens. The first one signs; tokens of all of them are valid.
    pub signing_keys: Vec<SigningKey>,
    /// Whether a device must show a static API token to register.
    pub device_registration: DeviceRegistration,
    /// How long a device token lives.
    pub device_session_ttl: Duration,
    /// The largest number of live sessions of a device.
    pub device_sessions_max: usize,
    /// How long an OpenVidu token lives.
    pub media_token_ttl: Duration,
    /// How long a media session without a live token stays.
    pub media_session_grace: Duration,
    /// The media provider that makes sessions.
    pub video_provider: VideoProvider,
    /// The OpenTok project of session ids and tokens.
    pub opentok: OpenTok,
    /// The application of Vonage Video; `None` if there is none.
    pub vonage: Option<Vonage>,
    /// The LiveKit server; `None` if there is none.
    pub livekit: Option<LiveKit>,
    /// The media server that tokens of media sessions open.
    pub openvidu_media: OpenviduMedia,
    /// The domain of JIDs, in lower case.
    pub xmpp_domain: String,
    /// The secrets that may have signed the provider's webhooks. Without any, every webhook is refused.
    pub opentok_webhook_secrets: Vec<SecretString>,
    /// The secrets that may have signed Vonage's callbacks.
    pub vonage_signature_secrets: Vec<SecretString>,
    /// The settings of live sessions.
    pub streams: Streams,
    /// The API of a real OvenMediaEngine; `None` if there is none.
    pub streams_api: Option<StreamsApi>,
    /// The settings of booking mails; `None` if the process sends none.
    pub mail: Option<Mail>,
    /// Password of the first user of an empty local store.
    pub admin_password: Option<SecretString>,
    /// The first static API token of an empty local store.
    pub api_token: Option<SecretString>,
    /// The same for mobile clients.
    pub mobile_api_token: Option<SecretString>,
    /// The access key id that the embedded database asks for at its port; `None` if it has no port.
    pub local_dynamodb_key: Option<SecretString>,
    /// Origins that browsers may call from.
    pub cors_origins: Vec<HeaderValue>,
    /// How many of the operator's own proxies stand before Greenroom.
    pub trusted_proxies: usize,
    /// The filter of the log, as `tracing` reads it.
    pub log: String,
    /// The settings of metrics; `None` if there are none.
    pub metrics: Option<Metrics>,
    /// How long the parts of a request may take.
    pub timing: Timing,
}

/// Everything that is missing or malformed, in one message.
#[derive(Debug, thiserror::Error)]
#[error("the configuration is not complete:\n{}", .0.join("\n"))]
pub struct ConfigError(Vec<String>);

/// Whether secrets that suit only a trial are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// They are accepted, on one's own machine.
    Local,
    /// They are refused, wherever others can call.
    Deployed,
}

impl Config {
    /// Reads these settings, for a process that sends no mails.
    ///
    /// # Errors
    /// One error that names every setting that is missing or malformed, and no value of any.
    pub fn read(environment: &Environment, settings: &[Setting], strictness: Strictness) -> Result<Self, ConfigError> {
        Self::read_with_mail(environment, settings, strictness, |_| None)
    }

    /// Reads these settings, those of mails with `mail`. Only the crate that sends mails can check them, and only the
    /// processes that send mails link it.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn read_with_mail(
        environment: &Environment,
        settings: &[Setting],
        strictness: Strictness,
        mail: MailReader,
    ) -> Result<Self, ConfigError> {
        let mut reader = Reader { environment, settings, strictness, seen: Vec::new(), problems: Vec::new() };
        let video_provider = reader.parse(Setting::VideoProvider, VideoProvider::parse).unwrap_or_default();
        let openvidu_media = reader.parse(Setting::OpenviduMedia, OpenviduMedia::parse).unwrap_or_default();
        let needs_livekit = video_provider == VideoProvider::LiveKit || openvidu_media == OpenviduMedia::LiveKit;
        let config = Self {
            table_name: reader.text(Setting::TableName).unwrap_or_default(),
            public_url: reader.parse(Setting::PublicUrl, public_url),
            openvidu_secrets: reader.secrets(Setting::OpenviduSecret),
            signing_keys: reader.signing_keys(),
            device_registration: reader.parse(Setting::DeviceRegistration, registration).unwrap_or_default(),
            device_session_ttl: reader.seconds(Setting::DeviceSessionTtl),
            device_sessions_max: reader.parse(Setting::DeviceSessionsMax, sessions_max).unwrap_or(1),
            media_token_ttl: reader.seconds(Setting::MediaTokenTtl),
            media_session_grace: reader.seconds(Setting::MediaSessionGrace),
            video_provider,
            opentok: OpenTok::read(&mut reader, video_provider),
            vonage: Vonage::read(&mut reader, video_provider == VideoProvider::Vonage),
            livekit: LiveKit::read(&mut reader, needs_livekit),
            openvidu_media,
            xmpp_domain: reader.parse(Setting::XmppDomain, domain).unwrap_or_default(),
            opentok_webhook_secrets: reader.secrets(Setting::OpentokWebhookSecret),
            vonage_signature_secrets: reader.secrets(Setting::VonageSignatureSecret),
            streams: Streams::read(&mut reader),
            streams_api: StreamsApi::read(&mut reader),
            mail: mail(&mut reader),
            admin_password: reader.parse(Setting::AdminPassword, password),
            api_token: reader.parse(Setting::ApiToken, api_token),
            mobile_api_token: reader.parse(Setting::MobileApiToken, api_token),
            local_dynamodb_key: reader.parse(Setting::LocalDynamodbKey, access_key_id),
            cors_origins: reader.parse(Setting::CorsOrigins, origins).unwrap_or_default(),
            trusted_proxies: reader.parse(Setting::TrustedProxies, proxies).unwrap_or_default(),
            log: reader.parse(Setting::Log, log::check_filter).unwrap_or_default(),
            metrics: Metrics::read(&mut reader),
            timing: Timing::default(),
        };
        if reader.problems.is_empty() { Ok(config) } else { Err(ConfigError(reader.problems)) }
    }
}

/// Reads the settings that a process asks for, and notes every problem.
pub struct Reader<'a> {
    /// The environment.
    pub environment: &'a Environment,
    settings: &'a [Setting],
    strictness: Strictness,
    /// The secrets read so far.
    seen: Vec<(Setting, SecretString)>,
    problems: Vec<String>,
}

impl Reader<'_> {
    /// The setting's value or default. `None` if it is not asked for or has neither. If it is required, having neither
    /// is a problem.
    pub fn text(&mut self, setting: Setting) -> Option<String> {
        if !self.settings.contains(&setting) {
            return None;
        }
        if self.environment.is_unreadable(setting.name()) {
            self.problems.push(format!("  {}: must be UTF-8", setting.name()));
            return None;
        }
        let value = self.environment.get(setting.name()).or(setting.default()).map(str::to_owned);
        if value.is_none() && setting.is_required() {
            self.problems.push(format!("  {}: missing ({})", setting.name(), setting.meaning()));
        }
        value
    }

    /// The setting as `parse` reads it. `None` if [`Reader::text`] has none, or `parse` refuses it, which is a problem.
    pub fn parse<T>(&mut self, setting: Setting, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let text = self.text(setting)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(problem) => {
                self.problems.push(format!("  {}: {problem}", setting.name()));
                None
            }
        }
    }

    /// Notes what is wrong with a setting.
    fn note(&mut self, setting: Setting, problem: &str) {
        self.problems.push(format!("  {}: {problem}", setting.name()));
    }

    /// Notes that a setting is missing which another one makes necessary, if the process asks for it.
    fn note_missing(&mut self, setting: Setting) {
        if self.settings.contains(&setting) {
            self.problems.push(format!("  {}: missing ({})", setting.name(), setting.meaning()));
        }
    }

    fn seconds(&mut self, setting: Setting) -> Duration {
        let seconds = self.parse(setting, |text| {
            let seconds = text.parse::<NonZeroU32>();
            seconds.map_err(|_| "must be a number of seconds, from 1 on".to_owned())
        });
        Duration::from_secs(seconds.map_or(0, |seconds| seconds.get().into()))
    }
}

fn password(text: &str) -> Result<SecretString, String> {
    let long = PASSWORD_CHARS_MIN <= text.chars().count() && text.len() <= PASSWORD_BYTES_MAX;
    let problem =
        || format!("must have {PASSWORD_CHARS_MIN} characters or more, and {PASSWORD_BYTES_MAX} bytes at most");
    if long { Ok(text.to_owned().into()) } else { Err(problem()) }
}

fn domain(text: &str) -> Result<String, String> {
    let domain = Jid::of("user", text).map(|jid| jid.domain().to_owned());
    domain.ok_or_else(|| "must be a domain like chat.example".to_owned())
}

fn api_token(text: &str) -> Result<SecretString, String> {
    let hexadecimal = text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'));
    if hexadecimal { Ok(text.to_owned().into()) } else { Err("must be 40 hexadecimal digits".to_owned()) }
}

/// AWS spells access key ids like this, so every SDK takes it.
fn access_key_id(text: &str) -> Result<SecretString, String> {
    let spelt =
        (16..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if spelt { Ok(text.to_owned().into()) } else { Err("must be 16 to 128 letters, digits and underscores".to_owned()) }
}

fn registration(text: &str) -> Result<DeviceRegistration, String> {
    match text {
        "open" => Ok(DeviceRegistration::Open),
        "token" => Ok(DeviceRegistration::Token),
        _ => Err("must be open or token".to_owned()),
    }
}

fn proxies(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|proxies| *proxies <= 10).ok_or_else(|| "must be a number from 0 to 10".to_owned())
}

fn sessions_max(text: &str) -> Result<usize, String> {
    // The sessions of a device share one item, and DynamoDB takes items of at most 400 KB.
    let max = text.parse().ok().filter(|max| (1..=100).contains(max));
    max.ok_or_else(|| "must be a number from 1 to 100".to_owned())
}

#[cfg(test)]
mod tests;
