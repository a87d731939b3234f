//! The credentials that have live values, and their names on the command line.

mod values;

use clap::ValueEnum;
use greenroom_core::config::{SecretFamily, Setting};

pub(crate) use self::values::{Values, ValuesError, new_entry};

/// A credential of which several values may be live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Credential {
    /// What tokens are signed with
    SigningKeys,
    /// The secret of OPENVIDUAPP
    Openvidu,
    /// The access token of operators of live sessions
    StreamsToken,
    /// What media servers sign admission webhooks with
    StreamsWebhook,
    /// What OpenTok signs its webhooks with
    OpentokWebhook,
}

impl Credential {
    /// The name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::SigningKeys => "signing-keys",
            Self::Openvidu => "openvidu",
            Self::StreamsToken => "streams-token",
            Self::StreamsWebhook => "streams-webhook",
            Self::OpentokWebhook => "opentok-webhook",
        }
    }

    /// The setting of the credential.
    pub(crate) fn setting(self) -> Setting {
        match self {
            Self::SigningKeys => Setting::SigningKeys,
            Self::Openvidu => Setting::OpenviduSecret,
            Self::StreamsToken => Setting::StreamsAccessToken,
            Self::StreamsWebhook => Setting::StreamsWebhookSecret,
            Self::OpentokWebhook => Setting::OpentokWebhookSecret,
        }
    }

    /// The secret of a deployment that holds the credential.
    pub(super) fn family(self) -> SecretFamily {
        match self {
            Self::SigningKeys => SecretFamily::SigningKeys,
            Self::Openvidu => SecretFamily::Openvidu,
            Self::StreamsToken => SecretFamily::StreamsToken,
            Self::StreamsWebhook => SecretFamily::StreamsWebhook,
            Self::OpentokWebhook => SecretFamily::OpentokWebhook,
        }
    }

    /// The credential of a setting; `None` if it has none.
    pub(crate) fn of(setting: Setting) -> Option<Self> {
        Self::value_variants().iter().copied().find(|credential| credential.setting() == setting)
    }

    /// The clients that have to be given a new value; `None` if there are none.
    pub(super) fn clients(self) -> Option<&'static str> {
        match self {
            Self::SigningKeys => None,
            Self::Openvidu => Some("the back-ends"),
            Self::StreamsToken => Some("the operators"),
            Self::StreamsWebhook => Some("the media servers"),
            Self::OpentokWebhook => Some("OpenTok"),
        }
    }
}
