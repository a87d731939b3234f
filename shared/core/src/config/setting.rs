//! The names of the settings, and their values in the environment.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
};

macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $variant:ident $name:literal $default:expr, $need:ident;)*) => {
        /// A variable of the environment. It has the same name locally, in `template.yaml` and in the deployed secret.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Setting {
            $($(#[doc = $doc])+ $variant,)*
        }

        impl Setting {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name of the variable.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The value if the environment has none.
            #[must_use]
            pub const fn default(self) -> Option<&'static str> {
                match self { $(Self::$variant => $default,)* }
            }

            /// Its description.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim(),)* }
            }

            const fn need(self) -> Need {
                match self { $(Self::$variant => Need::$need,)* }
            }
        }
    };
}

#[derive(PartialEq, Eq)]
enum Need {
    /// The process cannot start without it.
    Required,
    /// Required, and never in `template.yaml` in clear.
    Secret,
    /// Optional, and never in `template.yaml` in clear.
    OptionalSecret,
    /// It has a default, or being unset has a meaning.
    Optional,
}

settings! {
    /// the table
    TableName "TABLE_NAME" None, Required;
    /// base of links and of OpenVidu token URLs; where it is https, browsers are told to use nothing else
    PublicUrl "PUBLIC_URL" None, Optional;
    /// secret of OPENVIDUAPP, or a JSON array of the secrets good at present
    OpenviduSecret "OPENVIDU_SECRET" None, Secret;
    /// keys that tokens are signed with, the first signs
    SigningKeys "SIGNING_KEYS" None, Secret;
    /// `open`, or `token`: devices show a static API token to register
    DeviceRegistration "DEVICE_REGISTRATION" Some("open"), Optional;
    /// how long a device token lives, in seconds
    DeviceSessionTtl "DEVICE_SESSION_TTL" Some("2592000"), Optional;
    /// how many live sessions a device may have
    DeviceSessionsMax "DEVICE_SESSIONS_MAX" Some("10"), Optional;
    /// how long an OpenVidu token lives, in seconds
    MediaTokenTtl "MEDIA_TOKEN_TTL" Some("86400"), Optional;
    /// how long a media session without a live token stays, in seconds
    MediaSessionGrace "MEDIA_SESSION_GRACE" Some("3600"), Optional;
    /// media provider of new sessions: `offline`, which only makes ids and tokens, `opentok`, `vonage` or `livekit`
    VideoProvider "VIDEO_PROVIDER" Some("offline"), Optional;
    /// key of the OpenTok project; needed with the media providers `offline` and `opentok`
    OpentokApiKey "OPENTOK_API_KEY" None, OptionalSecret;
    /// secret of the OpenTok project, which its tokens are signed with; needed with the same media providers
    OpentokApiSecret "OPENTOK_API_SECRET" None, OptionalSecret;
    /// where OpenTok is
    OpentokApiUrl "OPENTOK_API_URL" Some("https://api.opentok.com"), Optional;
    /// id of the Vonage Video application; needed with the media provider `vonage`
    VonageApplicationId "VONAGE_APPLICATION_ID" None, OptionalSecret;
    /// private RSA key of that application, in PEM, or a JSON array of those good at present; the first signs
    VonagePrivateKey "VONAGE_PRIVATE_KEY" None, OptionalSecret;
    /// where Vonage Video is
    VonageApiUrl "VONAGE_API_URL" Some("https://video.api.vonage.com"), Optional;
    /// address of the LiveKit server, like `wss://livekit.example`; needed with the media provider `livekit`
    LivekitUrl "LIVEKIT_URL" None, Optional;
    /// API key of the LiveKit server, or a JSON array of those good at present; the first signs
    LivekitApiKey "LIVEKIT_API_KEY" None, OptionalSecret;
    /// secret of that key, at least 32 characters, or a JSON array in the order of the keys
    LivekitApiSecret "LIVEKIT_API_SECRET" None, OptionalSecret;
    /// how long a LiveKit token lives, in seconds, 60 to 86400
    LivekitTokenTtl "LIVEKIT_TOKEN_TTL" Some("21600"), Optional;
    /// what makes a room at LiveKit: joining it (`auto`), or Greenroom beforehand (`made`), for a server with `room.auto_create: false`
    LivekitRooms "LIVEKIT_ROOMS" Some("auto"), Optional;
    /// media server that OpenVidu's tokens open: `none`, or `livekit`, which needs the LiveKit server's address and key
    OpenviduMedia "OPENVIDU_MEDIA" Some("none"), Optional;
    /// domain of JIDs: the JID of a user is their name, `@` and this domain
    XmppDomain "XMPP_DOMAIN" Some("localhost"), Optional;
    /// secret that the provider signs its webhooks with, or a JSON array of those good at present; unset refuses them all
    OpentokWebhookSecret "OPENTOK_WEBHOOK_SECRET" None, OptionalSecret;
    /// secret that Vonage signs its callbacks with, or a JSON array of those good at present; unset refuses them all
    VonageSignatureSecret "VONAGE_SIGNATURE_SECRET" None, OptionalSecret;
    /// access token of the operators of live sessions, or a JSON array of the tokens good at present
    StreamsAccessToken "STREAMS_ACCESS_TOKEN" None, Secret;
    /// secret that media servers sign admission webhooks with, or a JSON array of those good at present
    StreamsWebhookSecret "STREAMS_WEBHOOK_SECRET" None, Secret;
    /// virtual hosts of playback URLs by host name, like `live.example=edge`, separated by commas; others are of `default`
    StreamsVhosts "STREAMS_VHOSTS" None, Optional;
    /// how long a terminated live session's name is refused, in seconds
    StreamsHold "STREAMS_HOLD" Some("60"), Optional;
    /// after how many seconds an admitted viewer whose closing never came leaves the list
    StreamsSessionTtl "STREAMS_SESSION_TTL" Some("86400"), Optional;
    /// after how many seconds, 60 or more, the media server cuts a WebRTC viewer off, who then asks again; unset: never
    StreamsLifetime "STREAMS_LIFETIME" None, Optional;
    /// `true`: viewers come and go without regard to publishers, for edge servers, which have no publishers
    StreamsKeepViewers "STREAMS_KEEP_VIEWERS" Some("false"), Optional;
    /// address of a real OvenMediaEngine's API, which is told of terminations
    StreamsApiUrl "STREAMS_API_URL" None, Optional;
    /// access token of that API
    StreamsApiToken "STREAMS_API_TOKEN" None, OptionalSecret;
    /// how booking mails are sent: `file`, an .eml file for each, `smtp` or `ses`
    MailTransport "MAIL_TRANSPORT" Some("file"), Optional;
    /// where mails are written with `file`
    MailDir "MAIL_DIR" None, Optional;
    /// mail server with `smtp`, like `smtps://user:password@mail.example`
    SmtpUrl "SMTP_URL" None, OptionalSecret;
    /// sender of booking mails
    MailFrom "MAIL_FROM" Some("greenroom@localhost"), Optional;
    /// receiver of booking mails
    BookingMailTo "BOOKING_MAIL_TO" Some("bookings@localhost"), Optional;
    /// password of the user `admin` of an empty local store
    AdminPassword "ADMIN_PASSWORD" None, OptionalSecret;
    /// static API token of an empty local store
    ApiToken "API_TOKEN" None, OptionalSecret;
    /// mobile clients' static API token of an empty local store
    MobileApiToken "MOBILE_API_TOKEN" None, OptionalSecret;
    /// access key id that `--dynamodb-port` asks for
    LocalDynamodbKey "LOCAL_DYNAMODB_KEY" None, OptionalSecret;
    /// origins that browsers may call from, separated by commas
    CorsOrigins "CORS_ORIGINS" None, Optional;
    /// how many proxies of your own stand before Greenroom; the caller's address is the one that the outermost of them puts into `X-Forwarded-For`
    TrustedProxies "TRUSTED_PROXIES" Some("0"), Optional;
    /// what is logged, a tracing filter
    Log "LOG" Some("info"), Optional;
    /// the name of the stack in the metrics; unset: no metrics
    StackName "STACK_NAME" None, Optional;
    /// which metrics there are: `route`, of each route and of the whole service, `service`, of the whole service only, or `off`
    Metrics "METRICS" Some("route"), Optional;
}

impl Setting {
    /// The settings that every function reads.
    pub const EVERYWHERE: &[Self] = &[Self::PublicUrl, Self::StackName, Self::Metrics, Self::TrustedProxies];

    /// Whether a process that asks for it cannot start without it.
    #[must_use]
    pub fn is_required(self) -> bool {
        matches!(self.need(), Need::Required | Need::Secret)
    }

    /// Whether its value is a secret.
    #[must_use]
    pub fn is_secret(self) -> bool {
        matches!(self.need(), Need::Secret | Need::OptionalSecret)
    }
}

/// The variables of a process. A variable with an empty value counts as unset, because a template cannot leave one out.
#[derive(Clone, Default)]
pub struct Environment {
    values: BTreeMap<String, String>,
    /// The names of variables whose values are not text.
    unreadable: BTreeSet<String>,
}

impl Environment {
    /// The environment of this process.
    #[must_use]
    pub fn of_process() -> Self {
        // `vars` panics where a name or a value is not UTF-8.
        std::env::vars_os().collect()
    }

    /// The value of a variable that is set.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether a variable's value is not text.
    #[must_use]
    pub fn is_unreadable(&self, name: &str) -> bool {
        self.unreadable.contains(name)
    }

    /// Adds values for variables that are not set. The environment wins.
    pub fn fill(&mut self, values: impl IntoIterator<Item = (String, String)>) {
        for (name, value) in values {
            if self.get(&name).is_none() && !self.is_unreadable(&name) {
                self.values.insert(name, value);
            }
        }
    }
}

impl Environment {
    /// Adds the variables that another environment sets and this one does not.
    pub fn add(&mut self, other: Self) {
        self.unreadable.extend(other.unreadable.into_iter().filter(|name| !self.values.contains_key(name)));
        self.fill(other.values);
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(values: I) -> Self {
        Self { values: values.into_iter().collect(), unreadable: BTreeSet::new() }
    }
}

impl FromIterator<(OsString, OsString)> for Environment {
    fn from_iter<I: IntoIterator<Item = (OsString, OsString)>>(values: I) -> Self {
        let mut environment = Self::default();
        for (name, value) in values {
            // A name that is not text is none of ours.
            let Ok(name) = name.into_string() else { continue };
            match value.into_string() {
                Ok(value) => _ = environment.values.insert(name, value),
                Err(_) => _ = environment.unreadable.insert(name),
            }
        }
        environment
    }
}

crate::opaque!(Environment);
