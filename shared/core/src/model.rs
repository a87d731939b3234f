//! Plain data and its transitions. Nothing here knows of HTTP or DynamoDB.

pub mod api_token;
pub mod booking;
pub mod connection;
pub mod contact;
pub mod device;
pub mod event;
pub mod event_session;
pub mod guesses;
mod jid;
pub mod job;
pub mod live;
pub mod login_token;
pub mod media_session;
pub mod message;
mod notice;
pub mod permission;
mod position;
pub mod room;
mod session_mode;
pub mod user;

pub use api_token::ApiToken;
pub use booking::Booking;
pub use connection::Connection;
pub use contact::Contact;
pub use device::{Device, DeviceSession};
pub use event::Event;
pub use event_session::EventSession;
pub use jid::{Jid, NotAJid};
pub use login_token::LoginToken;
pub use media_session::MediaSession;
pub use message::Message;
pub use notice::Notice;
pub use position::{ArchiveTag, Position};
pub use room::Room;
pub use session_mode::SessionMode;
pub use user::User;
