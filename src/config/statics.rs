//! `[static]`: paths and the folders behind them.

use std::path::Path;

use super::declaration::StaticDeclaration;
use super::tree::{Entry, Node, Tree};
use super::{fixed_path, keys};
use crate::diagnostic::{At, Diagnostic, Diagnostics};

/// Reads every entry. What `[static]` names has to be there: a folder that appears later would be
/// served without anybody having asked for it.
pub fn statics(top: &Node, folder: &Path, problems: &mut Diagnostics) -> Vec<StaticDeclaration> {
    let Some(table) = top.get("static") else { return Vec::new() };
    table.node.table(problems).iter().filter_map(|entry| declaration(entry, folder, problems)).collect()
}

fn declaration(entry: &Entry, folder: &Path, problems: &mut Diagnostics) -> Option<StaticDeclaration> {
    let at = &entry.name;
    let good = at.value == "/" || fixed_path(at);
    if !good {
        problems.push(
            Diagnostic::error(&at.place, format!("`{}` is not a path for files to be below", at.value))
                .key(&entry.node.key)
                .help("write a fixed path that does not end with a slash, such as `\"/static\"`"),
        );
    }
    let table = match &entry.node.tree {
        Tree::Text(_) => None,
        Tree::Table(_) => Some(entry.node.only(&keys::names(keys::STATIC), problems)),
        _ => {
            let help = "write its name, or `{ directory = \"static\", cache_max_age = 3600 }`";
            problems.push(entry.node.unlike("a folder").help(help));
            return None;
        }
    };
    let directory = match &table {
        Some(table) => table.get("directory").map(|entry| &entry.node),
        None => Some(&entry.node),
    };
    let age = table.as_ref().and_then(|table| table.get("cache_max_age"));
    let cache_max_age = age.and_then(|age| seconds(&age.node, problems));
    let Some(node) = directory else {
        problems.push(
            Diagnostic::error(&at.place, format!("`{}` names no folder", at.value))
                .key(&entry.node.key)
                .help("add `directory = \"static\"`"),
        );
        return None;
    };
    let directory = folder.join(node.text(problems)?.value);
    if !directory.is_dir() {
        let message = format!("there is no folder `{}`", directory.display());
        problems.push(node.error(message).help("make it, or name one that is there, relative to this file"));
        return None;
    }
    let at = At::new(at.trim_end_matches('/').to_owned(), at.place.clone());
    good.then_some(StaticDeclaration { at, key: entry.node.key.clone(), directory, cache_max_age })
}

fn seconds(node: &Node, problems: &mut Diagnostics) -> Option<u64> {
    match &node.tree {
        Tree::Scalar(value) if value.as_u64().is_some() => value.as_u64(),
        _ => node.expected("a whole number of seconds", problems),
    }
}
