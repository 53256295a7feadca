//! The names that templates of a route can show, and those that have a meaning everywhere.

use std::collections::BTreeSet;

use super::request::NAMES;
use super::session_keys::KeyUse;
use crate::template::helpers::is_helper;

/// The names that the templates of a route can show.
#[derive(Debug, Default)]
pub struct Names {
    /// Those that are known.
    pub provided: BTreeSet<String>,
    /// Whether an action is so broken that what it would have bound is not known.
    pub incomplete: bool,
    /// The keys of the session that actions read.
    pub reads: Vec<KeyUse>,
    /// The queues that actions put flash messages into.
    pub flashed: Vec<KeyUse>,
    /// The names of `[users]`, which actions can mean.
    pub users: Vec<String>,
}

/// What a name stands for in every template, if it does.
pub fn meaning(name: &str) -> Option<&'static str> {
    let known = NAMES.iter().find(|(reserved, _)| *reserved == name).map(|(_, meaning)| *meaning);
    let on_error_pages = || (name == "error").then_some("what happened, on error pages");
    known.or_else(on_error_pages).or_else(|| is_helper(name).then_some("a helper"))
}
