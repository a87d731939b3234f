//! Who is calling. One file per credential; a handler that names one of these types has been authorised.

mod authorization;
mod backend;
mod device;
pub(crate) mod hs256;
mod keys;
mod operator;
mod organiser;
mod registrar;
mod user_token;

pub use self::{
    authorization::Authorization,
    backend::Backend,
    device::{Device, DeviceToken},
    keys::{DeviceClaims, SigningKeys},
    operator::Operator,
    organiser::{Client, Organiser, Participant, credentials},
    registrar::Registrar,
    user_token::UserClaims,
};
