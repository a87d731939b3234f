//! Lambda entry point; the handlers are in `lib.rs`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::lambda::serve(api_root::router(), api_root::paths, api_root::SETTINGS).await
}
