//! Whose a room of a LiveKit server is.

/// What is known of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoomStanding {
    /// A session has it, or had it before its mode changed.
    Ours,
    /// Its session was deleted.
    Gone,
    /// No session of this deployment has ever had it.
    Foreign,
}
