//! Lambda entry point; the handlers are in `lib.rs`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    greenroom_lambda::serve_with_mail(
        greenroom_bookingemails::router(),
        greenroom_bookingemails::paths,
        greenroom_bookingemails::SETTINGS,
        greenroom_mail::settings,
    )
    .await
}
