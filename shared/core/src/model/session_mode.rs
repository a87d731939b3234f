//! The mode of an event's session (`docs/apis/events-api.md`).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whether an event's streams pass through a media server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SessionMode {
    /// They go from participant to participant. Such a session cannot be archived.
    Relayed,
    /// They pass through a media server.
    #[default]
    Routed,
}
