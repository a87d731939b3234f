//! Lambda entry point; the handler is in `lib.rs`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    let (router, settings) = (greenroom_message_events::router(), greenroom_message_events::SETTINGS);
    greenroom_lambda::serve_streams(router, greenroom_message_events::paths, settings).await
}
