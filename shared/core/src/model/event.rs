//! Events: meetings that participants join in several languages (`docs/apis/events-api.md`).

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An event.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own on the wire")]
pub struct Event {
    /// Counts from 1.
    #[schema(example = 7)]
    pub id: u64,
    /// The name that its organisers use. Unique.
    #[schema(max_length = 255, example = "Annual meeting")]
    pub name: String,
    /// The name that its participants see.
    #[schema(max_length = 255, example = "Annual meeting 2026")]
    pub display_name: Option<String>,
    /// URL of its logo.
    #[schema(max_length = 2000, example = "https://company.example/logo.png")]
    pub logo: Option<String>,
    /// The number of the user who owns it.
    #[schema(example = 2)]
    pub owner: u64,
    /// The numbers of the users who manage it. Each of them has the role `manager`.
    #[schema(example = json!([3]))]
    pub managers: Vec<u64>,
    /// Whether nobody may join.
    #[schema(example = false)]
    pub disabled: bool,
    /// Whether participants get the floor session too.
    #[schema(example = true)]
    pub subscribers_see_floor: bool,
    /// An IPv4 address near which the media provider should put its sessions. Other texts have no effect.
    #[schema(max_length = 4000, example = "192.0.2.1")]
    pub location_hint: String,
    /// A setting for clients. Greenroom stores it.
    #[schema(example = true)]
    pub allow_source_video: bool,
    /// A setting for clients. Greenroom stores it.
    #[schema(max_length = 4000, example = "high")]
    pub quality: String,
    /// Whether mobile clients may not join.
    #[schema(example = false)]
    pub mobile_disallow: bool,
    /// A setting for mobile clients. Greenroom stores it.
    #[schema(example = false)]
    pub mobile_audience_disallow: bool,
    /// A setting for mobile clients. Greenroom stores it.
    #[schema(max_length = 4000, example = "")]
    pub mobile_data: String,
    /// A setting for mobile clients, stored by Greenroom: `phone`, `email`, `both` or nothing.
    #[schema(max_length = 4000, example = "email")]
    pub mfa: String,
}

impl Event {
    /// The largest number of managers of an event. One transaction has to be able to change all of them.
    pub const MANAGERS_MAX: usize = 40;

    /// A new event with its defaults.
    #[must_use]
    pub fn new(id: u64, name: String, owner: u64) -> Self {
        Self {
            id,
            name,
            display_name: None,
            logo: None,
            owner,
            managers: Vec::new(),
            disabled: false,
            subscribers_see_floor: false,
            location_hint: String::new(),
            allow_source_video: false,
            quality: String::new(),
            mobile_disallow: false,
            mobile_audience_disallow: false,
            mobile_data: String::new(),
            mfa: String::new(),
        }
    }

    /// The address near which the media provider should put its sessions.
    #[must_use]
    pub fn location(&self) -> Option<Ipv4Addr> {
        self.location_hint.parse().ok()
    }
}

crate::opaque!(Event);
