//! Lambda entry point; the handlers are in `lib.rs`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    greenroom_lambda::serve(
        greenroom_livekit_webhook::router(),
        greenroom_livekit_webhook::paths,
        greenroom_livekit_webhook::SETTINGS,
    )
    .await
}
