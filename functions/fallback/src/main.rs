//! Lambda entry point; the table of routes is in `lib.rs`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    greenroom_lambda::serve_routes(
        greenroom_fallback::routes(),
        greenroom_fallback::table(),
        greenroom_fallback::SETTINGS,
    )
    .await
}
