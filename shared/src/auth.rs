//! Who is calling. One file per credential; a handler that names one of these types has been authorised.

mod authorization;
mod backend;
mod device;
mod hs256;
mod keys;
mod registrar;

pub use self::{
    authorization::Authorization,
    backend::Backend,
    device::{Device, DeviceToken},
    keys::{DeviceClaims, SigningKeys},
    registrar::Registrar,
};
