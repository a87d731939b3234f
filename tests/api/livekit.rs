//! LiveKit as the media provider (`docs/apis/livekit.md`).

mod bad_input;
mod deletion;
mod holds;
mod log;
mod order;
mod reconciling;
mod returning;
mod server;
mod sessions;
mod sharing;
mod stage;
mod tokens;
mod webhooks;
