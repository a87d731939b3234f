//! Lambda entry point; the handlers are in `lib.rs`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::lambda::serve(create_session::router(), create_session::paths, create_session::SETTINGS).await
}
