//! Lambda entry point; the handlers are in `lib.rs`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    greenroom_lambda::serve(greenroom_token_auth::router(), greenroom_token_auth::paths, greenroom_token_auth::SETTINGS)
        .await
}
