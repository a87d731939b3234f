//! Lambda entry point; the handlers are in `lib.rs`.

/// A request allocates some hundred times, at a quarter of its work with the C library's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    shared::lambda::serve(rtcsessions::router(), rtcsessions::paths, rtcsessions::SETTINGS).await
}
