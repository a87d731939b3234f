//! The ways to send a mail: a directory, a mail server, Amazon SES.
//!
//! Only processes that send mails link this crate, with the protocol of mail servers. What a mail and a mailer are is in
//! [`greenroom_media::mail`].

mod file;
mod message;
mod ses;
mod settings;
mod smtp;
mod transport;

#[cfg(test)]
mod tests;

pub use self::{settings::settings, transport::mailer};
