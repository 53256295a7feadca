//! Environment variables that look as if they were meant for Sitewright, and do nothing.

use super::Environment;
use super::layer::{PREFIX, TABLES};
use super::tree::{Node, Tree};
use crate::diagnostic::{Diagnostic, Diagnostics, Source, nearest};

/// How much is logged, and of what.
const LOG: &str = "SITEWRIGHT_LOG";

/// What the project's own tests are told.
const TESTS: &str = "SITEWRIGHT_TEST_";

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Warns of variables that set nothing, though they begin with the program's name, and of a level of the
/// log that there is not. `files` may name variables for secrets: those are in use.
pub fn check(environment: &Environment, files: &[&Node], problems: &mut Diagnostics) {
    for (variable, value) in environment {
        let place = || Source::variable(variable).place(0..0);
        if variable == LOG {
            let unknown = value.split(',').map(str::trim).find(|part| !is_directive(part));
            problems.extend(unknown.map(|word| {
                let help = match nearest(word, LEVELS) {
                    Some(level) => format!("did you mean `{level}`?"),
                    None => format!("use one of `{}`; for a part of the log, `access=warn`", LEVELS.join("`, `")),
                };
                Diagnostic::warning(&place(), format!("`{word}` is no level of the log")).help(help)
            }));
            continue;
        }
        let Some(rest) = variable.strip_prefix("SITEWRIGHT_").filter(|rest| !rest.starts_with('_')) else { continue };
        if variable.starts_with(TESTS) || files.iter().any(|file| names(file, variable)) {
            continue;
        }
        let help = match meant(rest) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => {
                format!("a setting is `{PREFIX}TABLE__KEY`, such as `{PREFIX}SESSION__TIMEOUT`; the log is `{LOG}`")
            }
        };
        problems.push(Diagnostic::warning(&place(), "this variable does nothing").help(help));
    }
}

/// Whether this is a level, or a part of the log with its level, as the log reads it.
fn is_directive(part: &str) -> bool {
    let is_level = |word: &str| LEVELS.contains(&word.to_ascii_lowercase().as_str()) || word.parse::<u8>().is_ok();
    // What else there may be, such as spans, is written with brackets.
    part.is_empty()
        || part.contains('[')
        || part.rsplit_once('=').map_or_else(|| is_level(part), |(_, level)| is_level(level))
}

/// The variable that is meant by one of which the part behind the program's name is `rest`: with single
/// underscores, or without the table.
pub fn meant(rest: &str) -> Option<String> {
    let words = rest.to_lowercase().replace("__", "_");
    let settings = || TABLES.iter().flat_map(|(table, keys)| keys.iter().map(move |key| (*table, key.name)));
    let variable = |(table, key): (&str, &str)| format!("{PREFIX}{}__{}", table.to_uppercase(), key.to_uppercase());
    let joined: Vec<String> = settings().map(|(table, key)| format!("{table}_{key}")).collect();
    let is_near = |near: &str| joined.iter().position(|joined| joined == near);
    let at = joined.iter().position(|joined| *joined == words);
    let at = at.or_else(|| settings().position(|(_, key)| key == words));
    let at = at.or_else(|| is_near(nearest(&words, joined.iter().map(String::as_str))?));
    if at.is_none() && nearest(rest, ["LOG"]).is_some() {
        return Some(LOG.to_owned());
    }
    settings().nth(at?).map(variable)
}

/// Whether something in a file is taken from this variable: `{ env = "NAME" }`.
fn names(node: &Node, variable: &str) -> bool {
    match &node.tree {
        Tree::List(items) => items.iter().any(|item| names(item, variable)),
        Tree::Table(entries) => entries.iter().any(|entry| {
            let is_named =
                matches!(&entry.node.tree, Tree::Text(text) if entry.name.value == "env" && text == variable);
            is_named || names(&entry.node, variable)
        }),
        _ => false,
    }
}
