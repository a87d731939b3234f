//! Lambda entry point; the duties are in `lib.rs`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::lambda::serve_job(housekeeping::SETTINGS, housekeeping::run).await
}
