//! The secrets of Secrets Manager, and the settings that each holds.

use super::Setting;

/// A secret of Secrets Manager. It holds settings that the same functions read, so a role may read no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretFamily {
    /// The keys that sign tokens.
    SigningKeys,
    /// The secrets of back-ends.
    Openvidu,
    /// The keys of the media providers. Its name is that of the first one.
    Opentok,
    /// The secrets with which OpenTok and Vonage sign their callbacks.
    OpentokWebhook,
    /// The access tokens of operators of live sessions.
    StreamsToken,
    /// The secrets with which media servers sign admission webhooks.
    StreamsWebhook,
    /// The access token of a media server's API.
    StreamsApi,
    /// The mail server.
    Smtp,
}

impl SecretFamily {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::SigningKeys,
        Self::Openvidu,
        Self::Opentok,
        Self::OpentokWebhook,
        Self::StreamsToken,
        Self::StreamsWebhook,
        Self::StreamsApi,
        Self::Smtp,
    ];

    /// The name of the secret, after the prefix of a deployment.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SigningKeys => "signing-keys",
            Self::Openvidu => "openvidu",
            Self::Opentok => "opentok",
            Self::OpentokWebhook => "opentok-webhook",
            Self::StreamsToken => "streams-token",
            Self::StreamsWebhook => "streams-webhook",
            Self::StreamsApi => "streams-api",
            Self::Smtp => "smtp",
        }
    }

    /// The settings that its secret holds.
    #[must_use]
    pub const fn settings(self) -> &'static [Setting] {
        match self {
            Self::SigningKeys => &[Setting::SigningKeys],
            Self::Openvidu => &[Setting::OpenviduSecret],
            Self::Opentok => &[
                Setting::OpentokApiKey,
                Setting::OpentokApiSecret,
                Setting::VonageApplicationId,
                Setting::VonagePrivateKey,
                Setting::LivekitApiKey,
                Setting::LivekitApiSecret,
            ],
            Self::OpentokWebhook => &[Setting::OpentokWebhookSecret, Setting::VonageSignatureSecret],
            Self::StreamsToken => &[Setting::StreamsAccessToken],
            Self::StreamsWebhook => &[Setting::StreamsWebhookSecret],
            Self::StreamsApi => &[Setting::StreamsApiToken],
            Self::Smtp => &[Setting::SmtpUrl],
        }
    }

    /// The secret that holds this setting; `None` if it is in no secret.
    #[must_use]
    pub fn of(setting: Setting) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.settings().contains(&setting))
    }

    /// The secrets that hold these settings, each once.
    #[must_use]
    pub fn of_all(settings: &[Setting]) -> Vec<Self> {
        let holds = |family: &Self| family.settings().iter().any(|setting| settings.contains(setting));
        Self::ALL.into_iter().filter(holds).collect()
    }
}
