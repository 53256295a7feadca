//! The names that templates of a route can show, those that have a meaning everywhere, and what a site
//! says of the entries below them.

use std::collections::BTreeSet;

use super::request::{NAMES, REQUEST};
use super::session_keys::KeyUse;
use super::{ERROR, Vocabulary};
use crate::action::VERBS;
use crate::config::declaration::{Declarations, RouteDeclaration};
use crate::config::tree::{Entry, Node, Tree};
use crate::template::blocks::SiteNames;
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

/// The names of all parts of a site together, for they share the session, and the entries there may be.
pub fn of_site(parts: &[&Declarations], vocabulary: &Vocabulary) -> SiteNames {
    let mut site = SiteNames { is_open: parts.iter().any(|part| part.unread_mounts), ..SiteNames::default() };
    for (name, _) in NAMES {
        site.names.insert((*name).to_owned());
        site.entries_of.entry((*name).to_owned()).or_default();
    }
    for (name, entries) in [("request", REQUEST), ("error", ERROR), ("flash", &[("queue", ""), ("message", "")])] {
        let entries = entries.iter().map(|(entry, _)| (*entry).to_owned());
        site.entries_of.entry(name.to_owned()).or_default().extend(entries);
    }
    for part in parts {
        let data = part.routes.iter().flat_map(|route| &route.data).chain(&part.data);
        for Entry { name, node } in data {
            site.names.insert(name.value.clone());
            entries_below(node, &mut site.entries);
        }
        let users = part.users.iter().flat_map(|users| &users.users);
        users.for_each(|user| entries_below(&user.node, &mut site.entries));
        for route in &part.routes {
            add_route(route, vocabulary, &mut site);
        }
    }
    site
}

fn add_route(route: &RouteDeclaration, vocabulary: &Vocabulary, site: &mut SiteNames) {
    let params: Vec<_> = route.params.iter().flatten().map(|param| param.name.value.clone()).collect();
    let words =
        |text: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_owned).collect::<Vec<_>>();
    let markers = route.path.iter().flat_map(|path| words(path));
    for name in ["params", "query", "form", "errors", "path"] {
        site.entries_of.entry(name.to_owned()).or_default().extend(params.iter().cloned().chain(markers.clone()));
    }
    for Entry { name, node } in route.steps().flat_map(Node::entries) {
        entries_below(node, &mut site.entries);
        let Tree::Text(text) = &node.tree else { continue };
        let is_verb = vocabulary.verb(name).is_some();
        // Whatever is sent may be stored, or whatever such a verb likes.
        site.is_open |= name.value == "from" && NAMES.iter().any(|(name, _)| name == text);
        site.is_open |= is_verb && VERBS.iter().all(|verb| verb.name != name.value);
        if is_verb || matches!(name.as_str(), "key" | "as") {
            let parts: Vec<_> = text.split('.').map(str::to_owned).collect();
            let (first, below) = parts.split_first().map_or((None, &[][..]), |(first, below)| (Some(first), below));
            site.entries_of.entry("session".to_owned()).or_default().extend(first.cloned());
            site.names.extend(parts.last().cloned());
            site.entries.extend(below.iter().cloned());
        }
    }
}

/// The names of all entries of a value, and of those below.
fn entries_below(node: &Node, entries: &mut BTreeSet<String>) {
    let below = match &node.tree {
        Tree::Table(table) => table.iter().map(|entry| &entry.node).collect(),
        Tree::List(items) => items.iter().collect(),
        Tree::Text(_) | Tree::Scalar(_) => Vec::new(),
    };
    entries.extend(node.entries().iter().map(|entry| entry.name.value.clone()));
    below.into_iter().for_each(|node| entries_below(node, entries));
}
