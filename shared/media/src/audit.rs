//! The audit log (`docs/apis/access.md`): one line in the log for each decision about access, and on AWS a metric.
//!
//! A line has `event`, `actor`, `target`, `address` and `reason`, each if it is known. People and things are written as
//! a kind and a number or id of Greenroom's, like `user:7`. Those without one are written as a kind and a keyed hash,
//! like `account#0a1b2c3d4e5f6071`; so are addresses. The deployment has a key of its own for that. A line never has a
//! name, a value or a body. A [`Party`] that is given by its name writes only the hash.

use greenroom_core::{
    id::{ConnectionId, ConnectionName, DeviceId, DeviceKey},
    model::{
        User,
        guesses::SourceAddress,
        live::{self, LiveConnection, Stream},
    },
};
use greenroom_store::Store;
use greenroom_telemetry::{meter, metrics::Line};

use crate::Services;

/// The decisions that are logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A caller was let in with a password, or got a new token for a valid one.
    Login,
    /// A login or a refresh was refused.
    LoginRefused,
    /// One login, or all logins of a user, were ended.
    TokenRevoked,
    /// A user's password was changed.
    PasswordChanged,
    /// A user was blocked.
    UserBlocked,
    /// A user was unblocked.
    UserUnblocked,
    /// A user's role was changed.
    RoleChanged,
    /// A participant joined an event or a stream.
    Join,
    /// A participant was refused at an event or a stream.
    JoinRefused,
    /// There were too many wrong values, and further ones are refused for a while.
    GuardShut,
    /// A device got a session.
    DeviceRegistered,
    /// A device's token was presented after its successor. It was taken for stolen, and its session ended.
    DeviceTokenStolen,
    /// A connection was terminated.
    ConnectionTerminated,
    /// A static API token was made.
    ApiTokenCreated,
    /// A static API token was deleted.
    ApiTokenDeleted,
    /// A webhook was refused: its signature is wrong, or its time is too far from the present.
    WebhookRefused,
}

impl Event {
    /// The name in the log, and the name of the metric.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Login => ("login", "Logins"),
            Self::LoginRefused => ("login_refused", "LoginsRefused"),
            Self::TokenRevoked => ("token_revoked", "TokensRevoked"),
            Self::PasswordChanged => ("password_changed", "PasswordsChanged"),
            Self::UserBlocked => ("user_blocked", "UsersBlocked"),
            Self::UserUnblocked => ("user_unblocked", "UsersUnblocked"),
            Self::RoleChanged => ("role_changed", "RolesChanged"),
            Self::Join => ("join", "Joins"),
            Self::JoinRefused => ("join_refused", "JoinsRefused"),
            Self::GuardShut => ("guard_shut", "GuardsShut"),
            Self::DeviceRegistered => ("device_registered", "DevicesRegistered"),
            Self::DeviceTokenStolen => ("device_token_stolen", "DeviceTokensStolen"),
            Self::ConnectionTerminated => ("connection_terminated", "ConnectionsTerminated"),
            Self::ApiTokenCreated => ("api_token_created", "ApiTokensCreated"),
            Self::ApiTokenDeleted => ("api_token_deleted", "ApiTokensDeleted"),
            Self::WebhookRefused => ("webhook_refused", "WebhooksRefused"),
        }
    }
}

/// An actor or a target.
#[derive(Clone, Copy)]
pub enum Party<'a> {
    /// A user, by their number.
    User(u64),
    /// An event, by its number.
    Event(u64),
    /// A login token, by its number.
    LoginToken(u64),
    /// A static API token, by its number.
    ApiToken(u64),
    /// A device, by the keyed hash in its item's key.
    Device(&'a DeviceId),
    /// A connection of a media session.
    MediaConnection(&'a ConnectionId),
    /// A connection whose name Greenroom made.
    Connection(&'a ConnectionName),
    /// An account that does not exist, by a hash of the name that was given, without regard to case.
    Account(&'a str),
    /// A login token that does not exist, by a hash of the text that was given.
    UnknownLoginToken(&'a str),
    /// A participant whose client chose its own name, by a hash of the name.
    Guest(&'a str),
    /// A stream, by a hash of its names, because its operator chose them.
    Stream(&'a Stream),
    /// An operator of live sessions. Operators share the access token, so they cannot be told apart.
    Operator,
    /// A back-end. Back-ends share the secret.
    Backend,
    /// A media server.
    MediaServer,
    /// The media provider.
    MediaProvider,
    /// The person who ran the command.
    Command,
}

impl<'a> From<&'a LiveConnection> for Party<'a> {
    fn from(connection: &'a LiveConnection) -> Self {
        match connection.source {
            live::Source::Admission(_) => Self::Guest(connection.name.as_str()),
            live::Source::Event { .. } | live::Source::Media | live::Source::MediaRoom { .. } => {
                Self::Connection(&connection.name)
            }
        }
    }
}

impl Party<'_> {
    /// The party as the log writes it. `None` if it has to be hashed and there is no key.
    fn written(self, key: Option<&DeviceKey>) -> Option<String> {
        let hashed = |kind: &str, value: &str| Some(format!("{kind}#{}", key?.pseudonym(kind, value)));
        match self {
            Self::User(number) => Some(format!("user:{number}")),
            Self::Event(number) => Some(format!("event:{number}")),
            Self::LoginToken(number) => Some(format!("login_token:{number}")),
            Self::ApiToken(number) => Some(format!("api_token:{number}")),
            Self::Device(id) => Some(format!("device#{id}")),
            Self::MediaConnection(id) => Some(format!("connection:{id}")),
            Self::Connection(name) => Some(format!("connection:{name}")),
            Self::Account(name) => hashed("account", &User::folded(name)),
            Self::Guest(name) => hashed("guest", name),
            Self::Stream(Stream { vhost, app, stream }) => hashed("stream", &format!("{vhost}/{app}/{stream}")),
            Self::UnknownLoginToken(given) => hashed("login_token", given),
            Self::Operator => Some("operator".to_owned()),
            Self::Backend => Some("backend".to_owned()),
            Self::MediaServer => Some("media_server".to_owned()),
            Self::MediaProvider => Some("media_provider".to_owned()),
            Self::Command => Some("command".to_owned()),
        }
    }
}

/// A decision about access, which is logged when it takes effect.
#[must_use]
pub struct Decision<'a> {
    event: Event,
    actor: Option<Party<'a>>,
    target: Option<Party<'a>>,
    reason: Option<&'static str>,
}

impl<'a> Decision<'a> {
    /// A decision with this event.
    pub const fn new(event: Event) -> Self {
        Self { event, actor: None, target: None, reason: None }
    }

    /// Sets the actor.
    pub const fn by(self, actor: Party<'a>) -> Self {
        Self { actor: Some(actor), ..self }
    }

    /// Sets the target.
    pub const fn of(self, target: Party<'a>) -> Self {
        Self { target: Some(target), ..self }
    }

    /// Sets the reason, in Greenroom's own words. Nothing that a caller sent can be one.
    pub const fn because(self, reason: &'static str) -> Self {
        Self { reason: Some(reason), ..self }
    }

    /// Logs the decision for the running request. Costs a request to the table if the process has not read the Settings
    /// item yet.
    pub async fn record(self, services: &Services) {
        // A party that cannot be hashed is left out of the line. The line is written all the same.
        let key = services.store.device_key().await.ok();
        let entry = self.entry(key, meter::origin().source);
        match &services.config.metrics {
            Some(metrics) => entry.line().print(metrics, services.clock.now()),
            None => entry.log(),
        }
    }

    /// Logs the decision for a command, which has no request.
    pub async fn record_of_command(self, store: &Store) {
        self.by(Party::Command).entry(store.device_key().await.ok(), SourceAddress(None)).log();
    }

    fn entry(self, key: Option<&DeviceKey>, source: SourceAddress) -> Entry {
        let address = source.0.and_then(|_| Some(key?.pseudonym("address", &source.counted())));
        let written = |party: Option<Party<'_>>| party.and_then(|party| party.written(key));
        Entry {
            event: self.event,
            actor: written(self.actor),
            target: written(self.target),
            address,
            reason: self.reason,
        }
    }
}

/// The content of the line.
#[derive(Clone, Debug)]
struct Entry {
    event: Event,
    actor: Option<String>,
    target: Option<String>,
    address: Option<String>,
    reason: Option<&'static str>,
}

impl Entry {
    fn log(&self) {
        let Self { actor, target, address, reason, .. } = self;
        let (event, _) = self.event.names();
        tracing::info!(event, actor, target, address, reason, "access");
    }

    fn line(&self) -> Line {
        let (event, metric) = self.event.names();
        let known = [
            ("actor", self.actor.as_deref()),
            ("target", self.target.as_deref()),
            ("address", self.address.as_deref()),
            ("reason", self.reason),
        ];
        let known = known.into_iter().filter_map(|(name, value)| Some((name, value?)));
        known.fold(Line::of_decision(event, metric), |line, (name, value)| line.with(name, value.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_number_is_the_same_hash_whenever_one_key_makes_it() {
        let (key, another) = (DeviceKey::random(), DeviceKey::random());
        let written = |party: Party<'_>, key| party.written(Some(key)).unwrap();
        let ada = written(Party::Account("Ada"), &key);
        assert_eq!(ada, written(Party::Account("ada"), &key));
        assert_ne!(ada, written(Party::Account("ada"), &another));
        assert_ne!(ada.split_once('#').unwrap().1, written(Party::Guest("ada"), &key).split_once('#').unwrap().1);
        assert!(!ada.contains("ada"), "{ada}");
        assert_eq!(Party::Account("ada").written(None), None);
        assert_eq!(Party::User(7).written(None).as_deref(), Some("user:7"));
    }

    #[test]
    fn an_address_is_hashed_as_it_is_counted() {
        let key = DeviceKey::random();
        let address = |text: &str| {
            let source = SourceAddress(Some(text.parse().unwrap()));
            Decision::new(Event::Login).entry(Some(&key), source).address.unwrap()
        };
        assert_eq!(address("2001:db8:1:2::1"), address("2001:db8:1:2::2"));
        assert_ne!(address("192.0.2.1"), address("192.0.2.2"));
        assert_eq!(Decision::new(Event::Login).entry(Some(&key), SourceAddress(None)).address, None);
    }
}
