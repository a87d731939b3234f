//! Plain data and its transitions; knows nothing of HTTP or DynamoDB.

pub mod api_token;
pub mod connection;
pub mod device;
pub mod media_session;

pub use api_token::ApiToken;
pub use connection::Connection;
pub use device::{Device, DeviceSession};
pub use media_session::MediaSession;
