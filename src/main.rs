//! Arguments to exit code, nothing else.

use std::process::ExitCode;

use sitewright::site::Vocabulary;

/// A request makes many small values, which glibc's allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    sitewright::cli::run(std::env::args_os(), &Vocabulary::standard()).into()
}
