//! The `greenroom` command.

use std::process::ExitCode;

use clap::Parser;
use greenroom::cli::Cli;

/// A request allocates some hundred times. With the C library's allocator that is a fifth of its work.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::parse().run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("greenroom: {error}");
            ExitCode::FAILURE
        }
    }
}
