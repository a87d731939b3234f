//! What the person at the terminal is told when a command fails.

use std::{io, path::PathBuf};

use shared::{
    config::ConfigError,
    mail::MailerError,
    password::PasswordError,
    store::{Conflict, StoreError},
};

use super::key::values::ValuesError;
use crate::{embedded::EmbeddedError, table::TableError};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Another process has the data directory.
    #[error(
        "{} is in use by another greenroom; stop it, or start it with --dynamodb-port N \
         and set AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:N here", .0.display()
    )]
    InUse(PathBuf),
    /// A file or directory cannot be read or written.
    #[error("cannot use {}: {}", .0.display(), .1)]
    File(PathBuf, io::Error),
    /// A port cannot be had.
    #[error("cannot listen on 127.0.0.1:{0}: {1}")]
    Port(u16, io::Error),
    /// The server stopped by itself.
    #[error("the server failed: {0}")]
    Server(io::Error),
    /// The configuration is not complete.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// The embedded database failed.
    #[error("{0}")]
    Embedded(#[from] EmbeddedError),
    /// The table failed.
    #[error("{}", causes(.0))]
    Store(#[from] StoreError),
    /// There is no table to use.
    #[error("the table {0} cannot be used: {1}")]
    Table(String, #[source] TableError),
    /// The database that was to be served is not ours.
    #[error("--dynamodb-port serves the embedded database, and the AWS variables name another")]
    NotEmbedded,
    /// What a command names is not there.
    #[error("there is no API token {0}")]
    NoApiToken(u64),
    /// There is no such user.
    #[error("there is no such user")]
    NoUser,
    /// Another user has this name.
    #[error("a user with that username already exists")]
    UserExists,
    /// A name is none.
    #[error("a username has 1 to 150 characters")]
    Username,
    /// A password is too short or too long.
    #[error("a password has at least 8 characters, and at most 1024 bytes")]
    Password,
    /// A password cannot be hashed.
    #[error("{0}")]
    Hash(#[from] PasswordError),
    /// Standard input cannot be read.
    #[error("cannot read standard input: {0}")]
    Stdin(io::Error),
    /// The first user has another password by now.
    #[error("the user admin cannot log in; set ADMIN_PASSWORD to their present password")]
    DemoLogin,
    /// The API did not answer as it should.
    #[error("the demo could not be made: {0}")]
    Demo(String),
    /// No mail can be sent with these settings.
    #[error("{0}")]
    Mailer(#[from] MailerError),
    /// Nobody said how mails are to be sent.
    #[error("set MAIL_TRANSPORT to file, smtp or ses, and what belongs to it, as the server has it")]
    NoMailTransport,
    /// Nothing says how mails are sent.
    #[error("there are no settings of booking mails")]
    NoMailSettings,
    /// AWS did not answer, or refused.
    #[error("{0} cannot be used: {1}")]
    Aws(String, String),
    /// Somebody else changed the secret at the same time.
    #[error("the secret has been changed since it was read; nothing is done, try again")]
    SecretChanged,
    /// The values of a credential cannot be changed so.
    #[error("{0}")]
    Values(#[from] ValuesError),
    /// A credential has no value.
    #[error("{0} has no value")]
    NoValue(&'static str),
    /// Nobody is given a signing key.
    #[error("signing keys are not shown: no client needs one")]
    NotShown,
    /// Standard input is empty.
    #[error("OpenTok makes this secret: give it on standard input, in one line")]
    NothingGiven,
    /// Some functions run with an older secret.
    #[error("these functions were deployed before the secret was changed: {0}; roll out first, or say --force")]
    NotRolledOut(String),
    /// Nothing says what functions run with.
    #[error("whether every instance has read the secret is known of a --stack only; roll out, and say --force")]
    RollOutUnknown,
    /// A new signing key does not sign yet.
    #[error("the second key is newer, and does not sign yet: `greenroom key promote` first, or drop it with --force")]
    NotPromoted,
    /// The new signing key signs already.
    #[error("the newer key stands first already: roll it out, or say --force to have the older one sign again")]
    Promoted,
    /// Nothing says what is used.
    #[error("no table says when the value was used last; name it with --stack or TABLE_NAME, or say --force")]
    UsesUnknown,
    /// Somebody uses what is to be dropped.
    #[error("the older value of {0} was used {1} ago; change its clients first and wait a day, or say --force")]
    StillUsed(&'static str, String),
    /// Nobody uses what is to stay.
    #[error("nobody has used the newer value of {0} yet; give it to the clients first, or say --force")]
    NewUnused(&'static str),
    /// A deployment is not in order.
    #[error("{0} of {1} checks failed")]
    Unhealthy(usize, usize),
    /// Some of the bookings are still unsent.
    #[error("{0} of {1} bookings could not be sent")]
    Unsent(usize, usize),
}

impl From<Conflict> for CliError {
    fn from(conflict: Conflict) -> Self {
        match conflict {
            Conflict::Taken(_) => Self::UserExists,
            Conflict::Changed => StoreError::Contended.into(),
            Conflict::Gone | Conflict::NoParent(..) | Conflict::NoManager(_) => Self::NoUser,
        }
    }
}

/// An error with what caused it, in one line.
fn causes(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
