//! Lambda entry point; the handlers are in `lib.rs`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::lambda::serve(networktestsessions::router(), networktestsessions::paths, networktestsessions::SETTINGS)
        .await
}
