//! Lambda entry point; the handlers are in `lib.rs`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    greenroom_lambda::serve(
        greenroom_networktestsessions::router(),
        greenroom_networktestsessions::paths,
        greenroom_networktestsessions::SETTINGS,
    )
    .await
}
