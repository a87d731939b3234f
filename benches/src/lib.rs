//! What the benchmarks share: building what they measure, starting it, and reading the machine.

pub mod build;
pub mod client;
pub mod machine;
pub mod process;
pub mod record;
pub mod samples;
pub mod server;

/// A benchmark has nobody to recover for: whatever fails ends it with its own words.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The secret every measured process is started with.
pub const OPENVIDU_SECRET: &str = "benchmark-secret-of-openvidu";

/// What a back-end sends in `Authorization`.
#[must_use]
pub fn openvidu_authorization() -> String {
    use base64::{Engine, prelude::BASE64_STANDARD};
    format!("Basic {}", BASE64_STANDARD.encode(format!("OPENVIDUAPP:{OPENVIDU_SECRET}")))
}
