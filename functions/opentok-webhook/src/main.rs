//! Lambda entry point; the handlers are in `lib.rs`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::lambda::serve(opentok_webhook::router(), opentok_webhook::paths, opentok_webhook::SETTINGS).await
}
