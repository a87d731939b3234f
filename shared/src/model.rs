//! Plain data and its transitions; knows nothing of HTTP or DynamoDB.

pub mod api_token;
pub mod booking;
pub mod connection;
pub mod device;
pub mod event;
pub mod event_session;
pub mod live;
pub mod login_token;
pub mod media_session;
pub mod outbox;
pub mod permission;
mod session_mode;
pub mod user;

pub use api_token::ApiToken;
pub use booking::Booking;
pub use connection::Connection;
pub use device::{Device, DeviceSession};
pub use event::Event;
pub use event_session::EventSession;
pub use login_token::LoginToken;
pub use media_session::MediaSession;
pub use session_mode::SessionMode;
pub use user::User;
