//! `[cache]`: named lifetimes, and how much is kept.

use super::keys;
use super::tree::{Node, Tree};
use crate::diagnostic::{At, Diagnostics};

/// `[cache]`.
#[derive(Debug)]
pub struct CacheDeclaration {
    /// The names of `regions`, each with its lifetime in seconds.
    pub regions: Vec<(At<String>, u64)>,
    /// The most replies that are kept at a time.
    pub max_entries: usize,
    /// The most bytes that they take together.
    pub max_bytes: usize,
}

impl Default for CacheDeclaration {
    fn default() -> Self {
        Self { regions: Vec::new(), max_entries: 1000, max_bytes: 16 * 1024 * 1024 }
    }
}

/// Reads `[cache]`.
pub fn cache(top: &Node, problems: &mut Diagnostics) -> CacheDeclaration {
    let mut cache = CacheDeclaration::default();
    let Some(entry) = top.get("cache") else { return cache };
    for entry in entry.node.only(&keys::names(keys::CACHE), problems).entries() {
        match entry.name.as_str() {
            "max_entries" => cache.max_entries = count(&entry.node, problems).unwrap_or(cache.max_entries),
            "max_bytes" => cache.max_bytes = count(&entry.node, problems).unwrap_or(cache.max_bytes),
            _ => {
                for region in entry.node.table(problems) {
                    // A lifetime that is none is reported here, and not once more by whoever names it.
                    let seconds = seconds(&region.node, problems).unwrap_or(1);
                    cache.regions.push((region.name.clone(), seconds));
                }
            }
        }
    }
    cache
}

fn positive(node: &Node) -> Option<u64> {
    match &node.tree {
        Tree::Scalar(value) => value.as_u64().filter(|number| *number > 0),
        _ => None,
    }
}

/// A whole number of seconds, or an error that says so.
pub(super) fn seconds(node: &Node, problems: &mut Diagnostics) -> Option<u64> {
    let seconds = positive(node);
    if seconds.is_none() {
        let found = node.to_value();
        problems.push(node.error(format!("`{}` must be a whole number of seconds, 1 or more, not {found}", node.key)));
    }
    seconds
}

/// A whole number of things, or an error that says so.
pub(super) fn count(node: &Node, problems: &mut Diagnostics) -> Option<usize> {
    let count = positive(node).and_then(|number| usize::try_from(number).ok());
    if count.is_none() {
        let found = node.to_value();
        problems.push(node.error(format!("`{}` must be a whole number, 1 or more, not {found}", node.key)));
    }
    count
}
