//! Lambda entry point; the handler is in `lib.rs`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    let (router, settings) = (message_events::router(), message_events::SETTINGS);
    shared::lambda::serve_streams(router, message_events::paths, settings).await
}
