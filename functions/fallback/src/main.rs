//! Lambda entry point; the table of routes is in `lib.rs`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::lambda::serve_routes(fallback::routes(), fallback::table(), fallback::SETTINGS).await
}
