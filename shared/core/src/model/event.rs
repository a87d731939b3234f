//! Events: meetings that participants join in several languages (`docs/apis/events-api.md`).

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::entity::Entity;

/// An event.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, Entity)]
#[serde(rename_all = "camelCase")]
#[entity(body = NewEvent)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own on the wire")]
pub struct Event {
    /// Counts from 1.
    #[schema(example = 7)]
    pub id: u64,
    /// The name that its organisers use. Unique.
    #[schema(max_length = 255, pattern = r"\S", example = "Annual meeting")]
    #[given(required, text)]
    pub name: String,
    /// The name that its participants see.
    #[schema(max_length = 255, example = "Annual meeting 2026")]
    #[given(nullable_text)]
    pub display_name: Option<String>,
    /// URL of its logo.
    #[schema(max_length = 2000, example = "https://company.example/logo.png")]
    #[given(nullable_text)]
    pub logo: Option<String>,
    /// The number of the user who owns it. Only admins can choose it.
    #[schema(example = 2)]
    #[given(number)]
    pub owner: u64,
    /// The numbers of the users who manage it. Each of them has the role `manager`.
    // One transaction has to be able to change all of them.
    #[schema(max_items = 40, example = json!([3]))]
    #[given(numbers)]
    pub managers: Vec<u64>,
    /// Whether nobody may join.
    #[schema(example = false)]
    #[given(boolean)]
    pub disabled: bool,
    /// Whether participants get the floor session too.
    #[schema(example = true)]
    #[given(boolean)]
    pub subscribers_see_floor: bool,
    /// An IPv4 address near which the media provider should put its sessions. Other texts have no effect.
    #[schema(max_length = 4000, example = "192.0.2.1")]
    #[given(text)]
    pub location_hint: String,
    /// A setting for clients. Greenroom stores it.
    #[schema(example = true)]
    #[given(boolean)]
    pub allow_source_video: bool,
    /// A setting for clients. Greenroom stores it.
    #[schema(max_length = 4000, example = "high")]
    #[given(text)]
    pub quality: String,
    /// Whether mobile clients may not join.
    #[schema(example = false)]
    #[given(boolean)]
    pub mobile_disallow: bool,
    /// A setting for mobile clients. Greenroom stores it.
    #[schema(example = false)]
    #[given(boolean)]
    pub mobile_audience_disallow: bool,
    /// A setting for mobile clients. Greenroom stores it.
    #[schema(max_length = 4000, example = "")]
    #[given(text)]
    pub mobile_data: String,
    /// A setting for mobile clients, stored by Greenroom: `phone`, `email`, `both` or nothing.
    #[schema(max_length = 4000, example = "email")]
    #[given(text)]
    pub mfa: String,
}

impl Event {
    /// A new event with its defaults.
    #[must_use]
    pub fn new(id: u64, name: String, owner: u64) -> Self {
        Self { id, name, owner, ..Self::default() }
    }

    /// The address near which the media provider should put its sessions.
    #[must_use]
    pub fn location(&self) -> Option<Ipv4Addr> {
        self.location_hint.parse().ok()
    }
}

crate::opaque!(Event);
