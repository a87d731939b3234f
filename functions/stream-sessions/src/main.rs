//! Lambda entry point; the handlers are in `lib.rs`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::lambda::serve(stream_sessions::router(), stream_sessions::paths, stream_sessions::SETTINGS).await
}
