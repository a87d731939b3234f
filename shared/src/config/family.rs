//! Which secret of Secrets Manager holds which settings.

use super::Setting;

/// A secret of Secrets Manager: settings that the same functions read, so that a role is given no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretFamily {
    /// What tokens are signed with.
    SigningKeys,
    /// What back-ends show.
    Openvidu,
    /// The project at the media provider.
    Opentok,
    /// What the media provider signs its callbacks with.
    OpentokWebhook,
    /// What operators of live sessions show.
    StreamsToken,
    /// What media servers sign admission webhooks with.
    StreamsWebhook,
    /// What the API of a media server is called with.
    StreamsApi,
    /// The mail server.
    Smtp,
}

impl SecretFamily {
    /// Each of them.
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

    /// What its secret is called, behind the prefix of a deployment.
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
            Self::Opentok => &[Setting::OpentokApiKey, Setting::OpentokApiSecret],
            Self::OpentokWebhook => &[Setting::OpentokWebhookSecret],
            Self::StreamsToken => &[Setting::StreamsAccessToken],
            Self::StreamsWebhook => &[Setting::StreamsWebhookSecret],
            Self::StreamsApi => &[Setting::StreamsApiToken],
            Self::Smtp => &[Setting::SmtpUrl],
        }
    }

    /// The secret that holds this setting; `None` where no deployment has it.
    #[must_use]
    pub fn of(setting: Setting) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.settings().contains(&setting))
    }

    /// The secrets that hold what is asked for here, each once.
    #[must_use]
    pub fn of_all(settings: &[Setting]) -> Vec<Self> {
        let holds = |family: &Self| family.settings().iter().any(|setting| settings.contains(setting));
        Self::ALL.into_iter().filter(holds).collect()
    }
}
