//! `sitewright cookie`: what a session cookie says, and whether it would be believed.

use std::io::{self, BufRead, Write};
use std::path::Path;

use clap::Args;

use super::{Exit, complain, load, now};
use crate::site::Vocabulary;

#[derive(Args, Debug)]
pub struct Options {
    /// The cookie's value, or the whole `name=value`; `-` reads it from standard input, which
    /// keeps it out of the shell's history
    // One in sixty-four begins with a dash.
    #[arg(allow_hyphen_values = true)]
    value: String,
}

pub fn run(options: &Options, config: &Path, vocabulary: &Vocabulary, out: &mut impl Write) -> io::Result<Exit> {
    let serving = match load(config, vocabulary) {
        Ok(serving) => serving,
        Err(exit) => return Ok(exit),
    };
    let Some(factory) = &serving.sessions else {
        complain("this site declares no sessions");
        return Ok(Exit::Problems);
    };
    let mut value = options.value.clone();
    if value == "-" {
        value.clear();
        io::stdin().lock().read_line(&mut value)?;
    }
    let value = value.trim();
    let name = format!("{}=", factory.cookie_name());
    let value = value.strip_prefix(&name).unwrap_or(value);
    let value = value.split(';').next().unwrap_or_default();
    match factory.explain(value.as_bytes(), now()) {
        Some(explanation) => {
            writeln!(out, "{explanation}")?;
            Ok(Exit::Fine)
        }
        None => {
            complain(&format!("cookies of `{}` cannot be explained", factory.kind()));
            Ok(Exit::Problems)
        }
    }
}
