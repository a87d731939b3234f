//! Authentication of callers, with a file for each credential. A handler that takes one of these types has been
//! authorised.

mod account;
mod authorization;
mod backend;
mod caller;
mod device;
mod guess;
mod keys;
mod livekit;
mod operator;
mod organiser;
mod registrar;
mod user_token;
mod webhook;

pub use self::livekit::livekit_signer;
pub use self::webhook::{Signed, admission_signer, callback_key, callback_signer};
pub use self::{
    account::Account,
    authorization::Authorization,
    backend::Backend,
    caller::{Anyone, Arguments, Caller, Scheme, Schemes, schemes},
    device::{Device, DeviceToken},
    guess::{Claim, Tried},
    keys::{DeviceClaims, SigningKeys},
    operator::Operator,
    organiser::{ApiClient, ApiTokenManager, LoggedIn, Organiser, Participant, credentials},
    registrar::Registrar,
    user_token::UserClaims,
};
