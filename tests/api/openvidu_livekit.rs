//! Tokens of media sessions that open rooms of a LiveKit server (`docs/apis/livekit.md`).

mod ends;
mod reports;
mod room;
mod tokens;
