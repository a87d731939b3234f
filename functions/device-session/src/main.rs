//! Lambda entry point; the handlers are in `lib.rs`.

/// A request allocates some hundred times. With the C library's allocator that is a quarter of its work.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    greenroom_lambda::serve(
        greenroom_device_session::router(),
        greenroom_device_session::paths,
        greenroom_device_session::SETTINGS,
    )
    .await
}
