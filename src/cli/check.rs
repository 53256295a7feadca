//! `sitewright check`: exactly the build that serving does, and every problem at once.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use clap::Args;

use super::Exit;
use crate::config::process_environment;
use crate::diagnostic::{Diagnostics, print};
use crate::site::Vocabulary;
use crate::site::credentials::Secrets;
use crate::site::live::Serving;

#[derive(Args, Debug)]
pub struct Options {
    /// The files of the sites
    #[arg(value_name = "FILE", default_value = "config.toml")]
    files: Vec<PathBuf>,
}

pub fn run(options: &Options, vocabulary: &Vocabulary, out: &mut (impl Write + IsTerminal)) -> io::Result<Exit> {
    let environment = process_environment();
    let color = out.is_terminal();
    let mut exit = Exit::Fine;
    for file in &options.files {
        let mut problems = Diagnostics::default();
        let loaded = Serving::load(file, &environment, vocabulary, Secrets::LookOnly, &mut problems);
        if problems.is_empty() {
            let routes = match loaded.map_or(0, |serving| serving.site.routes.len()) {
                1 => "1 route".to_owned(),
                many => format!("{many} routes"),
            };
            writeln!(out, "{}: no problems in {routes}", file.display())?;
            continue;
        }
        writeln!(out, "{}", print::to_text(&problems, color))?;
        if problems.has_errors() {
            exit = Exit::Problems;
        }
    }
    Ok(exit)
}
