//! `cache` of a route: which region its replies are kept in, and what tells them apart.

pub mod pages;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use http::Method;
use sha2::{Digest, Sha256};

use super::request::NAMES;
use super::session_keys::{KeyUse, SessionKeys, SessionUse};
use super::step::Steps;
use super::terms::expression;
use crate::action::Scene;
use crate::config::cache::CacheDeclaration;
use crate::config::declaration::RouteDeclaration;
use crate::config::keys;
use crate::config::tree::{Node, Tree, join};
use crate::diagnostic::{Diagnostic, Diagnostics, did_you_mean};
use crate::template::expression::Expression;
use crate::template::library::Library;
use crate::template::writing::Writing;

/// The `cache` of a route, compiled.
#[derive(Debug)]
pub struct Caching {
    /// The region's name.
    pub region: String,
    /// Seconds after which a reply is made anew.
    pub lifetime: f64,
    /// What tells its replies apart: the paths that its page depends on.
    inputs: Vec<Expression>,
}

/// Stands for one page: the hash of its route and of all that it depends on.
pub type PageKey = [u8; 32];

impl Caching {
    /// The key of the page that a request asks for.
    pub fn key(&self, route: &str, scene: &Scene<'_>) -> PageKey {
        let mut hasher = Sha256::new();
        hasher.update(route);
        for input in &self.inputs {
            // What is not there is not the same as what is null. No JSON holds a line end.
            let value = input.lookup(scene).map_or_else(|| "-".to_owned(), |value| value.to_string());
            hasher.update("\n");
            hasher.update(value);
        }
        hasher.finalize().into()
    }
}

/// What `cache` says, before it is known what the route depends on.
#[derive(Debug)]
pub struct Wish {
    region: String,
    lifetime: u64,
    vary: Vec<Expression>,
}

/// Reads the `cache` of a route; `None` if there is none, or a broken one.
pub fn wish(declared: &RouteDeclaration, cache: &CacheDeclaration, writing: &mut Writing<'_>) -> Option<Wish> {
    let node = declared.cache.as_ref()?;
    match &node.tree {
        Tree::Scalar(value) if value.as_bool() == Some(false) => None,
        Tree::Text(_) => {
            named(node, cache, writing).map(|(region, lifetime)| Wish { region, lifetime, vary: Vec::new() })
        }
        Tree::Table(_) => {
            let node = node.only(&keys::names(keys::ROUTE_CACHE), writing.problems);
            let Some(region) = node.get("region") else {
                let help = "add `region`, the name of one of `[cache.regions]`";
                writing.problems.push(node.error("this `cache` names no region").help(help));
                return None;
            };
            let found = named(&region.node, cache, writing);
            let items = node.get("vary").map_or(&[][..], |vary| vary.node.list(writing.problems));
            let vary: Vec<_> = items.iter().filter_map(|item| path(item, writing)).collect();
            let (region, lifetime) = found?;
            (vary.len() == items.len()).then_some(Wish { region, lifetime, vary })
        }
        _ => {
            writing.problems.push(
                node.unlike("the name of a region or a table").help(
                    "write `\"short_term\"`, `{ region = \"short_term\", vary = [\"session.user\"] }`, or `false`",
                ),
            );
            None
        }
    }
}

/// The region that is named, with its lifetime.
fn named(node: &Node, cache: &CacheDeclaration, writing: &mut Writing<'_>) -> Option<(String, u64)> {
    let name = node.text(writing.problems)?;
    let found = cache.regions.iter().find(|(region, _)| region.value == name.value);
    if found.is_none() {
        let error = node.error(format!("there is no region `{}`", name.value));
        let help = did_you_mean(&name, cache.regions.iter().map(|(region, _)| region.as_str()));
        let none = || Some(format!("declare it: `[cache.regions]` with `{} = 60`", name.value));
        writing.problems.push(error.maybe_help(help.filter(|_| !cache.regions.is_empty()).or_else(none)));
    }
    found.map(|(region, lifetime)| (region.value.clone(), *lifetime))
}

/// Of what a page may depend on, the names whose values a request brings.
const VARYING: [&str; 5] = ["session", "params", "query", "path", "request"];

fn path(node: &Node, writing: &mut Writing<'_>) -> Option<Expression> {
    let expression = expression(node, writing)?;
    let known = expression.path().is_some_and(|path| path.first().is_some_and(|name| VARYING.contains(name)));
    if !known {
        writing.problems.push(
            node.error("this tells no two pages apart")
                .help("name a value of the request or the session: `session.user`, `query.page`, `request.host`"),
        );
    }
    known.then_some(expression)
}

/// What a route is and does, as far as its cache cares.
pub struct Facts<'f> {
    /// How it was declared.
    pub declared: &'f RouteDeclaration,
    /// The methods it answers.
    pub methods: &'f [Method],
    /// Its steps.
    pub steps: &'f Steps,
    /// Its templates and expressions, by full name.
    pub shown: &'f [String],
    /// Where it reads which keys of the session.
    pub reads: &'f [KeyUse],
    /// What it does to the session.
    pub keys: &'f SessionKeys,
    /// All templates.
    pub library: &'f Library,
}

/// Puts together what tells the pages of a route apart; what cannot be kept is reported.
pub fn caching(wish: Wish, facts: &Facts<'_>, problems: &mut Diagnostics) -> Option<Caching> {
    let node = facts.declared.cache.as_ref()?;
    let name = &facts.declared.name.value;
    let is_inherited = node.key != join(&facts.declared.key, "cache");
    let error = |message: String| {
        let error = Diagnostic::error(&node.place, message).key(&node.key);
        if !is_inherited {
            return error;
        }
        let help = format!("to keep those of the other routes, write `cache = false` in `[{}]`", facts.declared.key);
        error.related(&facts.declared.name.place, "this route").help(help)
    };
    if !facts.methods.iter().any(|method| matches!(*method, Method::GET | Method::HEAD)) {
        // It is meant for the other routes.
        if is_inherited {
            return None;
        }
        let help = "only replies to GET and HEAD are kept; take `cache` away";
        problems.push(error(format!("`{name}` does not answer GET, so nothing of it can be kept")).help(help));
        return None;
    }
    if facts.shown.iter().any(|template| facts.library.shows_token(template)) {
        let help = "take `cache` away, or put the form on a page of its own";
        problems.push(error(format!("`{name}` shows the CSRF token of one visitor, so it cannot be kept")).help(help));
        return None;
    }
    if facts.keys.session_use() == SessionUse::Writes {
        let help = "a kept page runs no actions; take `cache` away, or let another route change the session";
        problems.push(error(format!("`{name}` changes the session, so it cannot be kept")).help(help));
        return None;
    }
    if let Some(step) = facts.steps.iter().find(|step| !step.action.follows_from_arguments()) {
        let message = format!("what `{}` looks at is not known, so `{name}` cannot be kept", step.verb);
        problems.push(error(message).help(
            "take `cache` away; a verb of your own says by `follows_from_arguments` that it goes together with it",
        ));
        return None;
    }
    let varied: Vec<Vec<String>> = wish.vary.iter().filter_map(owned_path).collect();
    let is_covered = |read: &KeyUse| {
        let covers = |path: &Vec<String>| {
            path.split_first().is_some_and(|(name, below)| name == "session" && read.path.starts_with(below))
        };
        varied.iter().any(covers)
    };
    if let Some(read) = facts.reads.iter().find(|read| !is_covered(read)) {
        let key = ["session"].into_iter().chain(read.path.iter().map(String::as_str)).collect::<Vec<_>>().join(".");
        problems.push(
            error(format!("`{name}` depends on `{key}`, so one visitor would see the page of another"))
                .related(&read.place, "read here")
                .help(format!(
                    "keep a page for each: `cache = {{ region = \"{}\", vary = [\"{key}\"] }}`",
                    wish.region
                )),
        );
        return None;
    }
    let mut inputs: BTreeSet<Vec<String>> = varied.into_iter().collect();
    inputs.insert(vec!["path".to_owned()]);
    for variable in facts.shown.iter().flat_map(|template| facts.library.variables(template)) {
        let depth = match variable.path.first().map(String::as_str) {
            Some("params" | "query") => 2,
            Some("request") => 3,
            // The path is among them anyway, the session has been looked at, the others are empty.
            Some("path" | "session" | "form" | "errors") => continue,
            Some(name) if NAMES.iter().all(|(known, _)| *known != name) => continue,
            other => {
                let shown = other.unwrap_or("this");
                let help = match shown {
                    "csp_nonce" => "take `cache` away: a nonce is for one answer alone",
                    _ => "take `cache` away, or show single values of the request and the session",
                };
                problems.push(
                    error(format!("`{name}` shows `{shown}`, so it cannot be kept"))
                        .related(&variable.place, "shown here")
                        .help(help),
                );
                return None;
            }
        };
        if variable.path.starts_with(&["request".to_owned(), "time".to_owned()]) {
            problems.push(
                Diagnostic::warning(
                    &variable.place,
                    format!("with the time in it, no reply of `{name}` is used again"),
                )
                .key(&variable.key)
                .help("every second has another; take it out, or take `cache` away"),
            );
        }
        inputs.insert(variable.path.into_iter().take(depth).collect());
    }
    let inputs = inputs.into_iter().filter_map(Expression::of_parts).collect();
    Some(Caching { region: wish.region, lifetime: wish.lifetime as f64, inputs })
}

fn owned_path(expression: &Expression) -> Option<Vec<String>> {
    expression.path().map(|path| path.into_iter().map(str::to_owned).collect())
}
