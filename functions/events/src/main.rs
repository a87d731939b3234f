//! Lambda entry point; the handlers are in `lib.rs`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    greenroom_lambda::serve(greenroom_events::router(), greenroom_events::paths, greenroom_events::SETTINGS).await
}
