//! Lambda entry point; the handlers are in `lib.rs`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    greenroom_lambda::serve(greenroom_contacts::router(), greenroom_contacts::paths, greenroom_contacts::SETTINGS).await
}
