//! The error messages for the person at the terminal.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use greenroom_core::{config::ConfigError, password::PasswordError};
use greenroom_media::{mail::MailerError, provider::ProviderError};
use greenroom_store::{Conflict, StoreError};

use super::credential::ValuesError;
use crate::{
    embedded::{EmbeddedError, FileError},
    table::TableError,
};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Another process is using the data directory.
    #[error("{} is in use by another greenroom; stop it first", .0.display())]
    InUse(PathBuf),
    /// There is no store, and commands do not make one.
    #[error(
        "there is no store in {}: `greenroom serve` makes one; \
         name another with --data-dir, or a deployed one with --stack", .0.display()
    )]
    NoStore(PathBuf),
    /// Others could change what is in the data directory.
    #[error("{} can be written to by other users; close it first: chmod go-w {}", .0.display(), quoted(.0))]
    Writable(PathBuf),
    /// The credentials of a store are gone.
    #[error(
        "{} has lost {lost}, which the store beside it was used with; put the file back, or make new ones with \
         `greenroom key recover --data-dir {}`", file.display(), quoted(dir)
    )]
    Lost {
        /// The file that they were stored in.
        file: PathBuf,
        /// Their names.
        lost: String,
        /// The data directory.
        dir: PathBuf,
    },
    /// The database's file cannot be used.
    #[error("{0}")]
    StoreFile(#[from] FileError),
    /// The target of a backup exists already.
    #[error("{} is there already; a backup is a new directory", .0.display())]
    BackupExists(PathBuf),
    /// A store would be overwritten by a backup.
    #[error("{} is not empty; --force puts the backup in its place, and what is there is lost", .0.display())]
    NotEmpty(PathBuf),
    /// A file or directory cannot be read or written.
    #[error("cannot use {}: {}", .0.display(), .1)]
    File(PathBuf, io::Error),
    /// An address cannot be listened on.
    #[error("cannot listen on {0}: {1}")]
    Address(SocketAddr, io::Error),
    /// A background job of the server has ended.
    #[error("{0} came to an end, which it should not, and the server with it")]
    JobEnded(&'static str),
    /// The server cannot start.
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
    /// The database to serve is not the embedded one.
    #[error("--dynamodb-port serves the embedded database, and the AWS variables name another")]
    NotEmbedded,
    /// There is no such API token.
    #[error("there is no API token {0}")]
    NoApiToken(u64),
    /// Another API token has this name.
    #[error("an API token with that name already exists")]
    ApiTokenName,
    /// There is no such user.
    #[error("there is no such user")]
    NoUser,
    /// There is no such live connection.
    #[error("there is no such live connection")]
    NoConnection,
    /// There is no such event.
    #[error("there is no event {0}")]
    NoEvent(u64),
    /// The environment does not say which media provider makes sessions.
    #[error("set VIDEO_PROVIDER, and the settings of that media provider, as the server has them")]
    NoVideoProvider,
    /// The media provider made no session, and would make none of the others.
    #[error("{0}; what was moved stays moved, and running this again goes on")]
    Provider(#[from] ProviderError),
    /// Some sessions are still at another media provider.
    #[error("{0} of {1} sessions were not moved; running this again tries them again")]
    NotMoved(usize, usize),
    /// The user owns events.
    #[error("the user owns events; delete those, or give them another owner, first")]
    OwnsEvents,
    /// Another user has this name.
    #[error("a user with that username already exists")]
    UserExists,
    /// A username is too long or empty.
    #[error("a username has 1 to 150 characters")]
    Username,
    /// A password is too short or too long.
    #[error("a password has at least 8 characters, and at most 1024 bytes")]
    Password,
    /// A password is one of the most common ones.
    #[error("this password is too common")]
    CommonPassword,
    /// A password cannot be hashed.
    #[error("{0}")]
    Hash(#[from] PasswordError),
    /// Standard input cannot be read.
    #[error("cannot read standard input: {0}")]
    Stdin(io::Error),
    /// The first user's password is not the configured one.
    #[error("the user admin cannot log in; set ADMIN_PASSWORD to their present password")]
    DemoLogin,
    /// The API did not answer as expected.
    #[error("the demo could not be made: {0}")]
    Demo(String),
    /// No mail can be sent with these settings.
    #[error("{0}")]
    Mailer(#[from] MailerError),
    /// The environment does not say how mails are sent.
    #[error("set MAIL_TRANSPORT to file, smtp or ses, and what belongs to it, as the server has it")]
    NoMailTransport,
    /// There are no settings of mails.
    #[error("there are no settings of booking mails")]
    NoMailSettings,
    /// AWS did not answer, or refused.
    #[error("{0} cannot be used: {1}")]
    Aws(String, String),
    /// Another process changed the secret at the same time.
    #[error("the secret has been changed since it was read; nothing is done, try again")]
    SecretChanged,
    /// The values of a credential do not allow this change.
    #[error("{0}")]
    Values(#[from] ValuesError),
    /// A credential has no value.
    #[error("{0} has no value")]
    NoValue(&'static str),
    /// Signing keys are not shown.
    #[error("signing keys are not shown: no client needs one")]
    NotShown,
    /// Standard input is empty.
    #[error("OpenTok makes this secret: give it on standard input, in one line")]
    NothingGiven,
    /// Some functions run with an older secret.
    #[error("these functions were deployed before the secret was changed: {0}; roll out first, or say --force")]
    NotRolledOut(String),
    /// It is not known what functions run with.
    #[error("whether every instance has read the secret is known of a --stack only; roll out, and say --force")]
    RollOutUnknown,
    /// A new signing key does not sign yet.
    #[error("the second key is newer, and does not sign yet: `greenroom key promote` first, or drop it with --force")]
    NotPromoted,
    /// The new signing key signs already.
    #[error("the newer key stands first already: roll it out, or say --force to have the older one sign again")]
    Promoted,
    /// The last uses are not known.
    #[error("no table says when the value was used last; name it with --stack or TABLE_NAME, or say --force")]
    UsesUnknown,
    /// The value to drop is still used.
    #[error("the older value of {0} was used {1} ago; change its clients first and wait a day, or say --force")]
    StillUsed(&'static str, String),
    /// The value to keep is not used yet.
    #[error("nobody has used the newer value of {0} yet; give it to the clients first, or say --force")]
    NewUnused(&'static str),
    /// Some checks failed.
    #[error("{0} of {1} checks failed")]
    Unhealthy(usize, usize),
    /// Some bookings are still unsent.
    #[error("{0} of {1} bookings could not be sent")]
    Unsent(usize, usize),
}

impl From<Conflict> for CliError {
    fn from(conflict: Conflict) -> Self {
        match conflict {
            Conflict::Taken(_) => Self::UserExists,
            Conflict::OwnsEvents => Self::OwnsEvents,
            Conflict::Changed | Conflict::PasswordChanged => StoreError::Contended.into(),
            Conflict::Gone | Conflict::NoParent(..) | Conflict::NoManager(_) => Self::NoUser,
        }
    }
}

/// A path, quoted for a shell.
pub(super) fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// An error and its causes in one line.
fn causes(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
