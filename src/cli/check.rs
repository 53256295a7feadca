//! `sitewright check`: exactly the build that serving does, and every problem at once.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use clap::Args;

use super::{Exit, SiteOption, site_file};
use crate::config::process_environment;
use crate::diagnostic::{Diagnostics, Severity, counted, print};
use crate::site::Vocabulary;
use crate::site::credentials::Secrets;
use crate::site::live::Serving;

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  sitewright check                   the site of ./config.toml
  sitewright check . sites/*         several sites
  sitewright check --deny-warnings   for CI")]
pub struct Options {
    /// The sites: their folders or their files; default: the one of `--config`
    #[arg(value_name = "SITE")]
    sites: Vec<PathBuf>,
    /// Fail if there is a warning, too
    #[arg(long)]
    deny_warnings: bool,
}

pub fn run(
    options: &Options,
    site: &SiteOption,
    vocabulary: &Vocabulary,
    out: &mut (impl Write + IsTerminal),
) -> io::Result<Exit> {
    let mut sites: Vec<_> = options.sites.iter().map(|site| site_file(site)).collect();
    if sites.is_empty() || site.config.is_some() {
        sites.insert(0, site.file());
    }
    let environment = process_environment();
    let color = out.is_terminal();
    let mut exit = Exit::Fine;
    for file in &sites {
        let mut problems = Diagnostics::default();
        let loaded = Serving::load(file, &environment, vocabulary, Secrets::LookOnly, &mut problems);
        if problems.is_empty() {
            let routes = counted(loaded.map_or(0, |serving| serving.site.routes.len() as u64), "route");
            writeln!(out, "{}: no problems in {routes}", file.display())?;
            continue;
        }
        writeln!(out, "{}", print::to_text(&problems, color))?;
        let is_denied = options.deny_warnings && problems.count(Severity::Warning) > 0;
        if problems.has_errors() || is_denied {
            exit = Exit::Problems;
        }
    }
    Ok(exit)
}
