//! The work below the handlers that reaches beyond the table: media providers, media servers and mails.
//!
//! What belongs here is done with or without a request: a handler begins it, housekeeping finishes it. It knows the
//! table and nothing of HTTP requests to Greenroom.
//!
//! - [`Services`]: the table, the time, the settings, and the servers that are told of changes.
//! - [`provider`]: the media provider, its sessions and tokens; [`media_server`]: the media server of live sessions.
//! - [`media_token`]: the tokens of media sessions.
//! - [`rooms`]: what a LiveKit server reports; [`reconcile`]: comparing the live connections with its lists.
//! - [`delivery`]: outbox messages to both; [`termination`]: ending connections; [`jobs`]: finishing changes.
//! - [`mail`]: mails, without the ways to send them, which are `greenroom-mail`.
//! - [`audit`]: the log of decisions about access.

pub mod audit;
mod cut;
pub mod delivery;
pub mod jobs;
pub mod mail;
pub mod media_server;
pub mod media_token;
pub mod outgoing;
pub mod provider;
pub mod reconcile;
pub mod rooms;
mod services;
pub mod termination;

pub use services::Services;
