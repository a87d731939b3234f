//! Lambda entry point; the handlers are in `lib.rs`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::lambda::serve(media_sessions::router(), media_sessions::paths, media_sessions::SETTINGS).await
}
