//! Lambda entry point; the handlers are in `lib.rs`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    greenroom_lambda::serve(greenroom_api_root::router(), greenroom_api_root::paths, greenroom_api_root::SETTINGS).await
}
