//! `sitewright test`: snapshot tests of declared sites.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::in_process::InProcess;
use super::{Exit, FILE, SiteOption, block_on, complain, load};
use crate::site::Vocabulary;
use crate::snapshot;

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  sitewright test                      the tests of ./config.toml and of every site under sites/
  sitewright test sites/login --update accept what is new
  sitewright test --format junit       for CI")]
pub struct Options {
    /// Sites, by their folders or their files, or single `.http` files; default: the one of `--config`,
    /// else this folder and sites/*
    paths: Vec<PathBuf>,
    /// Write what the site answers now as the snapshot
    #[arg(long)]
    update: bool,
    /// How to report
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Junit,
}

/// One site and the files that test it.
struct Suite {
    config: PathBuf,
    files: Vec<PathBuf>,
}

pub fn run(
    options: &Options,
    site: &SiteOption,
    vocabulary: &Vocabulary,
    out: &mut (impl Write + IsTerminal),
) -> io::Result<Exit> {
    let suites = match suites(&options.paths, site) {
        Ok(suites) => suites,
        Err(message) => {
            complain(&message);
            return Ok(Exit::Usage);
        }
    };
    let settings = snapshot::Options { update: options.update, color: out.is_terminal() };
    let mut report = snapshot::Report { files: Vec::new(), color: settings.color };
    for suite in suites {
        let serving = match load(&suite.config, vocabulary) {
            Ok(serving) => InProcess::new(Arc::new(serving)),
            Err(exit) => return Ok(exit),
        };
        match block_on(snapshot::run(&suite.files, &serving, &settings)) {
            Ok(done) => report.files.extend(done.files),
            Err(exit) => return Ok(exit),
        }
    }
    match options.format {
        Format::Text => writeln!(out, "{report}")?,
        Format::Junit => writeln!(out, "{}", report.junit())?,
    }
    if report.files.is_empty() {
        complain("there are no tests; put `.http` files into the folder `tests` of a site");
        return Ok(Exit::Problems);
    }
    Ok(if report.failed() > 0 { Exit::Problems } else { Exit::Fine })
}

/// Which files test which site.
fn suites(paths: &[PathBuf], site: &SiteOption) -> Result<Vec<Suite>, String> {
    if paths.is_empty() && site.config.is_some() {
        return of_path(&site.file()).map(|suite| vec![suite]);
    }
    if paths.is_empty() {
        let mut folders = vec![PathBuf::from(".")];
        if let Ok(entries) = std::fs::read_dir("sites") {
            let mut sites: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
            sites.sort();
            folders.extend(sites.into_iter().filter(|site| site.join(FILE).is_file()));
        }
        let suites = folders.iter().map(|folder| of_folder(folder)).collect::<Result<Vec<_>, _>>()?;
        return Ok(suites.into_iter().filter(|suite| !suite.files.is_empty()).collect());
    }
    let suite = |path: &PathBuf| {
        let is_file_of_requests = path.extension().is_some_and(|extension| extension == "http");
        match &site.config {
            // They may be played to another site than the one they are beside.
            Some(_) if is_file_of_requests => Ok(Suite { config: site.file(), files: vec![path.clone()] }),
            _ => of_path(path),
        }
    };
    paths.iter().map(suite).collect()
}

fn of_path(path: &Path) -> Result<Suite, String> {
    if path.is_dir() {
        return of_folder(path);
    }
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("toml") => {
            of_folder(path.parent().unwrap_or(Path::new(""))).map(|suite| Suite { config: path.to_owned(), ..suite })
        }
        Some("http") => {
            // The site is the nearest folder above that has a `config.toml`.
            let site = path.ancestors().skip(1).find(|folder| folder.join(FILE).is_file());
            let site = site.ok_or_else(|| {
                format!("`{}` belongs to no site: no folder above it has a `config.toml`", path.display())
            })?;
            Ok(Suite { config: site.join(FILE), files: vec![path.to_owned()] })
        }
        _ => {
            Err(format!("`{}` is neither a site's folder, nor its `config.toml`, nor an `.http` file", path.display()))
        }
    }
}

fn of_folder(folder: &Path) -> Result<Suite, String> {
    let folder = folder.strip_prefix(".").unwrap_or(folder);
    let files = snapshot::discover(folder)
        .map_err(|error| format!("cannot read `{}`: {error}", folder.join("tests").display()))?;
    Ok(Suite { config: folder.join(FILE), files })
}
