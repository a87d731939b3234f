//! Lambda entry point; the handlers are in `lib.rs`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    greenroom_lambda::serve(greenroom_users::router(), greenroom_users::paths, greenroom_users::SETTINGS).await
}
