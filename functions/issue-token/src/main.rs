//! Lambda entry point; the handlers are in `lib.rs`.

/// A request allocates some hundred times. With the C library's allocator that is a quarter of its work.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    greenroom_lambda::serve(
        greenroom_issue_token::router(),
        greenroom_issue_token::paths,
        greenroom_issue_token::SETTINGS,
    )
    .await
}
