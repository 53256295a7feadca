//! `sitewright actions`: the verbs, from the same list the parser uses.

use std::io::{self, Write};

use clap::Args;

use super::{Exit, complain};
use crate::action::{Operand, Verb};
use crate::config::{foreign, keys};
use crate::diagnostic::did_you_mean;
use crate::site::Vocabulary;

#[derive(Args, Debug)]
pub struct Options {
    /// One verb, to see all about it
    verb: Option<String>,
}

pub fn run(options: &Options, vocabulary: &Vocabulary, out: &mut impl Write) -> io::Result<Exit> {
    let Some(name) = &options.verb else {
        for verb in vocabulary.verbs() {
            writeln!(out, "{:18} {}", verb.name, verb.summary)?;
        }
        writeln!(out, "\n`sitewright actions VERB` shows one with its options and an example.")?;
        return Ok(Exit::Fine);
    };
    match vocabulary.verbs().iter().find(|verb| verb.name == name) {
        Some(verb) => describe(verb, out).map(|()| Exit::Fine),
        None => {
            let names: Vec<_> = vocabulary.verbs().iter().map(|verb| verb.name).collect();
            let help = foreign::verb(name).map(foreign::help).or_else(|| did_you_mean(name, names.iter().copied()));
            let help = help.unwrap_or_default();
            complain(&format!("unknown verb `{name}`: {help}"));
            Ok(Exit::Usage)
        }
    }
}

fn describe(verb: &Verb, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{{ {} = {} }}\n\n{}\n", verb.name, verb.operand.written(), verb.summary)?;
    for option in verb.options {
        writeln!(out, "  {:16} {}", option.name, option.summary)?;
    }
    let has_name = matches!(verb.operand, Operand::Key | Operand::Param | Operand::Users);
    for (name, _, summary) in keys::ACTION {
        let summary = match *name {
            "as" if verb.yields.is_none() => continue,
            "or" if verb.cannot.is_none() => continue,
            "as" if !has_name => "The name its value is bound to for templates.",
            _ => summary,
        };
        writeln!(out, "  {name:16} {summary}")?;
    }
    let value = verb.yields.map(|value| format!("Its value: {value}."));
    let cannot = verb.cannot.map(|cannot| format!("`or` answers if {cannot}."));
    for (at, sentence) in value.into_iter().chain(cannot).enumerate() {
        writeln!(out, "{}{sentence}", if at == 0 { "\n" } else { "" })?;
    }
    writeln!(out, "\nExample: actions = [{}]", verb.example)
}
