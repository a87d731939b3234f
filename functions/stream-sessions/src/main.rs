//! Lambda entry point; the handlers are in `lib.rs`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    greenroom_lambda::serve(
        greenroom_stream_sessions::router(),
        greenroom_stream_sessions::paths,
        greenroom_stream_sessions::SETTINGS,
    )
    .await
}
