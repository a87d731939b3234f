//! Lambda entry point; the handlers are in `lib.rs`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    greenroom_lambda::serve(
        greenroom_opentok_webhook::router(),
        greenroom_opentok_webhook::paths,
        greenroom_opentok_webhook::SETTINGS,
    )
    .await
}
