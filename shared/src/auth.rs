//! Who is calling. One file per credential; a handler that names one of these types has been authorised.

mod account;
mod authorization;
mod backend;
mod device;
pub(crate) mod hs256;
mod keys;
mod operator;
mod organiser;
mod registrar;
mod user_token;
#[cfg(feature = "webhooks")]
mod webhook;

#[cfg(feature = "webhooks")]
pub use self::webhook::{admission_signer, callback_signer};
pub use self::{
    account::Account,
    authorization::Authorization,
    backend::Backend,
    device::{Device, DeviceToken},
    keys::{DeviceClaims, SigningKeys},
    operator::Operator,
    organiser::{Client, Organiser, Participant, credentials},
    registrar::Registrar,
    user_token::UserClaims,
};
