//! Names inside of blocks: which of them are most likely meant to be the site's.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::names::parse;
use super::walk::Block;
use crate::diagnostic::did_you_mean;

/// The names of a site, and the entries that its values may have, as far as its declarations say.
#[derive(Debug, Default)]
pub struct SiteNames {
    /// The names that pages see.
    pub names: BTreeSet<String>,
    /// The entries of the values that some of the names stand for.
    pub entries_of: BTreeMap<String, BTreeSet<String>>,
    /// The entries that other values may have: in `data`, and in what actions store.
    pub entries: BTreeSet<String>,
    /// Whether there may be any others.
    pub is_open: bool,
}

impl SiteNames {
    /// Whether a path inside a block most likely means the site's name, though it is an entry of the
    /// item there. A single word that is a name of `data` may be either.
    pub fn is_meant(&self, path: &[String], block: &Block) -> bool {
        let Some((name, below)) = path.split_first().filter(|(name, _)| self.names.contains(*name)) else {
            return false;
        };
        let has_name = |entries: &BTreeSet<String>| entries.contains(name);
        let may_be_entry = match block.over.as_deref().map(|over| parse(over).1).as_deref() {
            None | Some([]) => self.entries_of.values().any(has_name),
            Some([over]) => self.entries_of.get(over).is_some_and(has_name),
            Some(_) => false,
        };
        let is_clear = !below.is_empty() || self.entries_of.contains_key(name);
        is_clear && !self.is_open && !may_be_entry && !self.entries.contains(name)
    }

    /// What to warn of where a path inside a block is an entry of the item, and how to mend it.
    pub fn mistaken(&self, path: &[String], block: &Block, written: &str) -> Option<(String, String)> {
        let name = path.first().filter(|_| self.is_meant(path, block))?;
        let message = format!("`{name}` is looked for in {block} here, not among the site's names");
        Some((message, format!("{}; for an entry, write `this.{written}`", of_site(written))))
    }

    /// Advice for an entry that the item of a block does not have.
    pub fn advice(&self, name: &str, valid: &[String], written: &str) -> Option<String> {
        let is_first =
            written.strip_prefix(name).is_some_and(|below| below.is_empty() || below.starts_with(['.', '/']));
        if is_first && self.names.contains(name) {
            return Some(of_site(written));
        }
        did_you_mean(name, valid.iter().map(String::as_str))
    }
}

fn of_site(written: &str) -> String {
    format!("inside of a block, the site's names begin with `@root.`: `@root.{written}`")
}

impl fmt::Display for Block {
    /// What a name in it is looked up in.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let over = self.over.as_ref().map_or_else(|| "what the helper gives".to_owned(), |over| format!("`{over}`"));
        if self.is_each { write!(f, "an item of {over}") } else { f.write_str(&over) }
    }
}
