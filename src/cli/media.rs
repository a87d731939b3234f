//! The settings of the media providers, as a server or a deployment has them.

use std::path::Path;

use greenroom_core::config::{Config, Environment, LiveKit, SecretFamily, Setting, Strictness};

use super::{
    CliError,
    aws::Aws,
    data_dir::OpenDataDir,
    key::Keyring,
    stack::{SECRETS_PREFIX, Stack},
    target::StoreArgs,
};

/// The settings of the media providers. A deployment has those that are in none of its secrets as parameters.
const SETTINGS: [(Setting, &str); 12] = [
    (Setting::VideoProvider, "VideoProvider"),
    (Setting::OpentokApiUrl, "OpentokApiUrl"),
    (Setting::OpentokApiKey, ""),
    (Setting::OpentokApiSecret, ""),
    (Setting::VonageApiUrl, "VonageApiUrl"),
    (Setting::VonageApplicationId, ""),
    (Setting::VonagePrivateKey, ""),
    (Setting::LivekitUrl, "LivekitUrl"),
    (Setting::LivekitTokenTtl, "LivekitTokenTtl"),
    (Setting::LivekitRooms, "LivekitRooms"),
    (Setting::LivekitApiKey, ""),
    (Setting::LivekitApiSecret, ""),
];

/// The settings of a server on this machine that `livekit-server --dev` is beside. That server is for trials: everybody
/// knows its key.
pub(super) const DEVELOPMENT: [(Setting, &str); 4] = [
    (Setting::VideoProvider, "livekit"),
    (Setting::LivekitUrl, "ws://127.0.0.1:7880"),
    (Setting::LivekitApiKey, "devkey"),
    (Setting::LivekitApiSecret, DEVELOPMENT_SECRET),
];
/// The only secret of a LiveKit server that may be short.
pub(super) const DEVELOPMENT_SECRET: &str = "secret";

/// The settings of the place that a command works on. The provider of new sessions has to be named there: a default
/// might be another one than the server's.
pub(super) async fn of(place: &StoreArgs) -> Result<Config, CliError> {
    let (environment, strictness) = if let Some(name) = &place.stack {
        let aws = Aws::of_process(place.region.as_deref());
        let stack = Stack::find(&aws, name).await?;
        (of_stack(&aws, &stack).await?, Strictness::Deployed)
    } else {
        (of_process(&place.data_dir.path)?, Strictness::Local)
    };
    if environment.get(Setting::VideoProvider.name()).is_none() {
        return Err(CliError::NoVideoProvider);
    }
    read(&environment, strictness)
}

/// The settings in this environment.
pub(super) fn read(environment: &Environment, strictness: Strictness) -> Result<Config, CliError> {
    Ok(Config::read(environment, &SETTINGS.map(|(setting, _)| setting), strictness)?)
}

/// The settings of the LiveKit server in this environment; `None` if it names none.
pub(super) fn livekit(environment: &Environment, strictness: Strictness) -> Result<Option<LiveKit>, CliError> {
    let all = SETTINGS.map(|(setting, _)| setting);
    let others = [
        Setting::OpentokApiUrl,
        Setting::OpentokApiKey,
        Setting::OpentokApiSecret,
        Setting::VonageApiUrl,
        Setting::VonageApplicationId,
        Setting::VonagePrivateKey,
    ];
    let settings: Vec<_> = all.into_iter().filter(|setting| !others.contains(setting)).collect();
    Ok(Config::read(environment, &settings, strictness)?.livekit)
}

/// The settings of a stack's LiveKit server; `None` if it has none. Its secret is not read then.
pub(super) async fn livekit_of_stack(aws: &Aws, stack: &Stack) -> Result<Option<LiveKit>, CliError> {
    if stack.parameter("LivekitUrl").is_none() && stack.parameter("VideoProvider") != Some("livekit") {
        return Ok(None);
    }
    livekit(&of_stack(aws, stack).await?, Strictness::Deployed)
}

/// The environment of a local server. The data directory has the credentials of the provider that needs no network.
pub(super) fn of_process(data_dir: &Path) -> Result<Environment, CliError> {
    let mut environment = Environment::of_process();
    let is_real = environment.get(Setting::VideoProvider.name()).is_some_and(|provider| provider != "offline");
    if !is_real && let Ok(data_dir) = OpenDataDir::share(data_dir) {
        let ours = [Setting::OpentokApiKey, Setting::OpentokApiSecret].map(Setting::name);
        environment.fill(data_dir.secrets()?.into_iter().filter(|(name, _)| ours.contains(&&**name)));
    }
    Ok(environment)
}

/// The environment that a stack's functions have, from its parameters and its secret.
async fn of_stack(aws: &Aws, stack: &Stack) -> Result<Environment, CliError> {
    let no_prefix = || CliError::Aws(format!("the stack {}", stack.name), format!("it has no {SECRETS_PREFIX}"));
    let prefix = stack.parameter(SECRETS_PREFIX).ok_or_else(no_prefix)?;
    let keyring = Keyring::read(aws, prefix, &[SecretFamily::Opentok]).await?;
    let mut environment: Environment = keyring.settings().filter(|(_, value)| !value.is_empty()).collect();
    let parameters = SETTINGS.into_iter().filter_map(|(setting, parameter)| {
        let value = stack.parameter(parameter)?;
        Some((setting.name().to_owned(), value.to_owned()))
    });
    environment.fill(parameters);
    Ok(environment)
}
