//! `sitewright completions`: for bash, zsh, fish and others.

use std::io::{self, Write};

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, Exit};

#[derive(Args, Debug)]
pub struct Options {
    /// The shell
    shell: Shell,
}

pub fn run(options: &Options, out: &mut impl Write) -> io::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Cli::command(), "sitewright", &mut script);
    out.write_all(&script).map(|()| Exit::Fine)
}
