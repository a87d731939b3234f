//! Lambda entry point; the duties are in `lib.rs`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    greenroom_lambda::serve_job(greenroom_housekeeping::SETTINGS, greenroom_housekeeping::run).await
}
