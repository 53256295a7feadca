//! Arguments to exit code, nothing else.

use std::process::ExitCode;

use sitewright::site::Vocabulary;

fn main() -> ExitCode {
    ExitCode::from(sitewright::cli::run(std::env::args_os(), &Vocabulary::standard()) as u8)
}
