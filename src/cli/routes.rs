//! `sitewright routes`: the table that dispatches.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

use super::{Exit, load, table};
use crate::site::Vocabulary;
use crate::site::route::Route;
use crate::site::statics::StaticFiles;

pub fn run(config: &Path, vocabulary: &Vocabulary, out: &mut impl Write) -> io::Result<Exit> {
    let serving = match load(config, vocabulary) {
        Ok(serving) => serving,
        Err(exit) => return Ok(exit),
    };
    let mut rows = vec![["NAME", "METHODS", "PATH", "SESSION", "ACTIONS"].map(str::to_owned)];
    rows.extend(serving.site.routes.iter().map(row));
    rows.extend(serving.site.statics.iter().map(files));
    table::print(&rows, out)?;
    Ok(Exit::Fine)
}

/// A folder of `[static]`, which has no name of its own.
fn files(files: &StaticFiles) -> [String; 5] {
    let path = format!("{}/*", files.at);
    ["-", "GET", &path, "none", &format!("files in {}", files.directory.display())].map(str::to_owned)
}

fn row(route: &Route) -> [String; 5] {
    let methods: Vec<_> = route.methods.iter().map(http::Method::as_str).collect();
    let verbs: Vec<_> = route.steps.iter().map(|step| step.verb).collect();
    let mut path = route.pattern.text().to_owned();
    if !route.predicates.is_empty() {
        path += &format!(" if {}", route.predicates.written().join(", "));
    }
    [route.name.clone(), methods.join(","), path, session(route), verbs.join(", ")]
}

/// Such as `reads cart, user; writes cart`.
fn session(route: &Route) -> String {
    let keys = &route.keys;
    let done = [("reads", &keys.reads), ("writes", &keys.writes), ("removes", &keys.removes)];
    let done = done.into_iter().filter(|(_, keys)| !keys.is_empty());
    let mut done: Vec<String> = done.map(|(does, keys)| format!("{does} {}", list(keys))).collect();
    if keys.renews {
        done.push("renews".to_owned());
    }
    if done.is_empty() { "none".to_owned() } else { done.join("; ") }
}

fn list(keys: &BTreeSet<Vec<String>>) -> String {
    let names = keys.iter().map(|path| if path.is_empty() { "all".to_owned() } else { path.join(".") });
    names.collect::<Vec<_>>().join(", ")
}
