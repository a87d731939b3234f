//! The dialects of the APIs. Each API's file says how it answers an event and a refused request.

pub mod conversation;
pub mod device;
pub mod events;
pub mod openvidu;
pub mod streams;

use axum::response::{IntoResponse, Response};

use crate::error::Error;

/// The API that a path belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// `docs/apis/device-sessions.md`, and all paths that belong to no other API.
    Device,
    /// `docs/apis/openvidu.md`, `docs/apis/openvidu-2.32.md`
    OpenVidu,
    /// `docs/apis/events-api.md`
    Events,
    /// `docs/apis/mongooseim.md`
    Conversation,
    /// `docs/apis/ovenmediaengine.md`
    Streams,
}

impl Api {
    /// The API that this path belongs to.
    #[must_use]
    pub fn of(path: &str) -> Self {
        if openvidu::owns(path) {
            Self::OpenVidu
        } else if events::owns(path) {
            Self::Events
        } else if conversation::owns(path) {
            Self::Conversation
        } else if streams::owns(path) {
            Self::Streams
        } else {
            Self::Device
        }
    }

    /// The answer to an event that all APIs have in common.
    #[must_use]
    pub fn refuse(self, error: Error) -> Response {
        match self {
            Self::Device => device::Error::from(error).into_response(),
            Self::OpenVidu => openvidu::Error::from(error).into_response(),
            Self::Events => events::Error::from(error).into_response(),
            Self::Conversation => conversation::Error::from(error).into_response(),
            Self::Streams => streams::Error::from(error).into_response(),
        }
    }
}
