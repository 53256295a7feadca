//! `sitewright routes`: the table that dispatches.

use std::io::{self, Write};

use clap::Args;

use super::{ConfigOption, Exit, load};
use crate::site::Vocabulary;
use crate::site::route::{Route, SessionUse};

#[derive(Args, Debug)]
pub struct Options {
    #[command(flatten)]
    config: ConfigOption,
}

pub fn run(options: &Options, vocabulary: &Vocabulary, out: &mut impl Write) -> io::Result<Exit> {
    let serving = match load(&options.config, vocabulary) {
        Ok(serving) => serving,
        Err(exit) => return Ok(exit),
    };
    let mut rows = vec![["NAME", "METHODS", "PATH", "SESSION", "ACTIONS"].map(str::to_owned)];
    rows.extend(serving.site.routes.iter().map(row));
    let widths: Vec<usize> =
        (0..5).map(|column| rows.iter().map(|row| width(row, column)).max().unwrap_or(0)).collect();
    for row in &rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(Exit::Fine)
}

fn width(row: &[String; 5], column: usize) -> usize {
    row.get(column).map_or(0, |cell| cell.chars().count())
}

fn row(route: &Route) -> [String; 5] {
    let methods: Vec<_> = route.methods.iter().map(http::Method::as_str).collect();
    let session = match route.session_use {
        SessionUse::None => "none",
        SessionUse::Reads => "reads",
        SessionUse::Writes => "writes",
    };
    let verbs: Vec<_> = route.steps.iter().map(|step| step.verb).collect();
    [route.name.clone(), methods.join(","), route.pattern.text().to_owned(), session.to_owned(), verbs.join(", ")]
}
