//! `[routes]`, `[defaults]`, `[errors]` and responses: tables to declarations.

use std::ops::RangeInclusive;

use serde_json::Value;

use super::declaration::{CsrfCheck, ErrorDeclaration, ResponseDeclaration, RouteDeclaration};
use super::keys;
use super::param;
use super::tree::{Entry, Node, Tree};
use crate::diagnostic::{At, Diagnostic, Diagnostics, nearest, nearest_help};

/// Reads every route, `[defaults]` put in.
pub fn routes(top: &Node, problems: &mut Diagnostics) -> Vec<RouteDeclaration> {
    let defaults = top.get("defaults").map(|entry| {
        if let Some(path) = entry.node.get("path") {
            problems.push(
                Diagnostic::error(&path.name.place, "`[defaults]` cannot give a `path`")
                    .key(&path.node.key)
                    .help("every route has a path of its own"),
            );
        }
        route(&entry.name, &entry.node.only(&route_keys(), problems), problems)
    });
    let Some(table) = top.get("routes") else { return Vec::new() };
    let mut routes = Vec::new();
    if let Tree::List(_) = table.node.tree {
        problems.push(table.node.unlike("a table").help("write `[routes.NAME]`, in single brackets, for each route"));
        return routes;
    }
    for entry in table.node.table(problems) {
        if let Tree::List(_) = entry.node.tree {
            let help = format!("write `[{}]`, in single brackets", entry.node.key);
            problems.push(entry.node.unlike("a table").help(help));
            continue;
        }
        let node = without_routes_inside(entry, problems);
        if node.entries().is_empty() && !entry.node.entries().is_empty() {
            continue;
        }
        let node = node.only(&route_keys(), problems);
        let mut declared = route(&entry.name, &node, problems);
        let default_params = defaults.as_ref().is_some_and(|defaults| defaults.params.is_some());
        if let Some(invalid) = node.get("invalid").filter(|_| declared.params.is_none() && !default_params) {
            problems.push(
                Diagnostic::warning(&invalid.name.place, "without `params`, this `invalid` never answers")
                    .key(&node.key)
                    .help("declare what the form holds: `params = { user = { required = true } }`"),
            );
        }
        if let Some(defaults) = &defaults {
            declared.fill_from(defaults);
        }
        let is_table = matches!(node.tree, Tree::Table(_));
        let missing = |what: String| Diagnostic::error(&entry.name.place, what).key(&entry.node.key);
        if is_table && node.get("path").is_none() {
            problems.push(
                missing(format!("the route `{}` has no path", entry.name.value))
                    .help("give it one, such as `path = \"/\"`"),
            );
        }
        if is_table && declared.response.is_none() {
            problems.push(
                missing(format!("the route `{}` answers nothing", entry.name.value))
                    .help(format!("give it one of `{}`", keys::RESPONSE_KINDS.join("`, `"))),
            );
        }
        routes.push(declared);
    }
    routes
}

/// A route without the routes whose names begin with its own, as in `[routes.admin.users]`, which are
/// reported.
fn without_routes_inside(outer: &Entry, problems: &mut Diagnostics) -> Node {
    let valid = route_keys();
    let is_route = |entry: &&Entry| {
        let has_path = entry.node.get("path").is_some_and(|path| matches!(path.node.tree, Tree::Text(_)));
        let is_other = !valid.contains(&entry.name.as_str()) && nearest(&entry.name, valid.iter().copied()).is_none();
        has_path && is_other
    };
    let (inside, own): (Vec<&Entry>, Vec<&Entry>) = outer.node.entries().iter().partition(is_route);
    for entry in &inside {
        let (first, second) = (&outer.name.value, &entry.name.value);
        problems.push(
            Diagnostic::error(
                &entry.name.place,
                format!("the name of a route is one word, without a dot: `{first}.{second}`"),
            )
            .help(format!("write `[routes.{first}_{second}]`")),
        );
    }
    match inside.is_empty() {
        true => outer.node.clone(),
        false => Node { tree: Tree::Table(own.into_iter().cloned().collect()), ..outer.node.clone() },
    }
}

fn route_keys() -> Vec<&'static str> {
    [keys::names(keys::ROUTE), keys::names(keys::RESPONSE)].concat()
}

fn route(name: &At<String>, node: &Node, problems: &mut Diagnostics) -> RouteDeclaration {
    let get = |name: &str| node.get(name).map(|entry| &entry.node);
    RouteDeclaration {
        name: name.clone(),
        key: node.key.clone(),
        path: get("path").and_then(|path| path.text(problems)),
        methods: get("methods").map(|methods| {
            let names = methods.list(problems).iter().filter_map(|name| name.text(problems)).collect::<Vec<_>>();
            if matches!(&methods.tree, Tree::List(items) if items.is_empty()) {
                problems
                    .push(methods.error("a route needs at least one method").help("without `methods`, it answers GET"));
            }
            names
        }),
        predicates: get("match").cloned(),
        guards: get("guards").map(|guards| guards.list(problems).to_vec()),
        params: get("params").map(|params| param::params(params, problems)),
        invalid: get("invalid").and_then(|invalid| response(invalid, "template", problems)),
        actions: get("actions").map(|actions| actions.list(problems).to_vec()),
        data: get("data").map_or_else(Vec::new, |data| data.table(problems).to_vec()),
        response: response_in(node, problems),
        status: get("status").and_then(|node| status(node, problems)),
        headers: get("headers").map_or_else(Vec::new, |headers| headers.table(problems).to_vec()),
        cache: get("cache").cloned(),
        csrf: get("csrf").and_then(|node| csrf(node, problems)),
        keepalive: get("keepalive").and_then(|keepalive| keepalive.boolean(problems)),
    }
}

fn csrf(node: &Node, problems: &mut Diagnostics) -> Option<CsrfCheck> {
    match &node.tree {
        Tree::Scalar(Value::Bool(true)) => Some(CsrfCheck::Token),
        Tree::Scalar(Value::Bool(false)) => Some(CsrfCheck::Nothing),
        Tree::Text(text) if text == "origin" => Some(CsrfCheck::Origin),
        _ => node.expected("true, false or `\"origin\"`", problems),
    }
}

impl RouteDeclaration {
    /// Its guards and its actions.
    pub fn steps(&self) -> impl Iterator<Item = &Node> {
        self.guards.iter().chain(&self.actions).flatten()
    }

    /// Takes from `[defaults]` what the route itself does not say.
    fn fill_from(&mut self, defaults: &Self) {
        fn merge(own: &mut Vec<Entry>, defaults: &[Entry]) {
            for entry in defaults {
                if own.iter().all(|other| other.name.value != entry.name.value) {
                    own.push(entry.clone());
                }
            }
        }
        self.methods = self.methods.take().or_else(|| defaults.methods.clone());
        self.predicates = self.predicates.take().or_else(|| defaults.predicates.clone());
        self.guards = self.guards.take().or_else(|| defaults.guards.clone());
        self.params = self.params.take().or_else(|| defaults.params.clone());
        self.invalid = self.invalid.take().or_else(|| defaults.invalid.clone());
        self.actions = self.actions.take().or_else(|| defaults.actions.clone());
        self.cache = self.cache.take().or_else(|| defaults.cache.clone());
        self.csrf = self.csrf.or(defaults.csrf);
        self.keepalive = self.keepalive.or(defaults.keepalive);
        self.status = self.status.take().or_else(|| defaults.status.clone());
        merge(&mut self.data, &defaults.data);
        merge(&mut self.headers, &defaults.headers);
        self.response = self.response.take().or_else(|| defaults.response.clone());
        if let Some(response) = &mut self.response {
            response.status = response.status.take().or_else(|| self.status.clone());
            merge(&mut response.headers, &self.headers);
        }
    }
}

/// Reads a response that is a table of its own, as in `or = { … }`; `usual` is the kind that is
/// meant when somebody writes no more than a name.
pub fn response(node: &Node, usual: &str, problems: &mut Diagnostics) -> Option<ResponseDeclaration> {
    if !matches!(node.tree, Tree::Table(_)) {
        let name = match &node.tree {
            Tree::Text(name) => name,
            _ => "NAME",
        };
        problems.push(node.unlike("a response").help(format!("write `{{ {usual} = {name:?} }}`")));
        return None;
    }
    let node = node.only(&keys::names(keys::RESPONSE), problems);
    if let Some(entry) = node.get("status") {
        status(&entry.node, problems);
    }
    if let Some(entry) = node.get("headers") {
        entry.node.table(problems);
    }
    let response = response_in(&node, problems);
    if response.is_none() {
        problems.push(
            node.error(format!("`{}` answers nothing", node.key))
                .help(format!("give it one of `{}`", keys::RESPONSE_KINDS.join("`, `"))),
        );
    }
    response
}

/// The one response among the keys of a table, if there is one.
fn response_in(node: &Node, problems: &mut Diagnostics) -> Option<ResponseDeclaration> {
    let mut found: Option<ResponseDeclaration> = None;
    for entry in node.entries() {
        let Some(kind) = keys::RESPONSE_KINDS.iter().find(|kind| **kind == entry.name.value) else { continue };
        if let Some(first) = &found {
            problems.push(
                Diagnostic::error(&entry.name.place, format!("`{}` has two responses", node.key))
                    .key(&node.key)
                    .related(&first.kind.place, "the first")
                    .help(format!("keep one of `{}` and `{}`", first.kind.value, entry.name.value)),
            );
            continue;
        }
        found = Some(ResponseDeclaration {
            kind: At::new(kind, entry.name.place.clone()),
            body: entry.node.clone(),
            status: node.get("status").and_then(|entry| status(&entry.node, &mut Diagnostics::default())),
            headers: node.get("headers").map_or_else(Vec::new, |entry| entry.node.entries().to_vec()),
        });
    }
    found
}

fn status(node: &Node, problems: &mut Diagnostics) -> Option<At<u16>> {
    let code = node.integer(problems)?;
    match u16::try_from(code) {
        Ok(code @ 200..=599) => Some(At::new(code, node.place.clone())),
        _ => {
            problems.push(node.error(format!("{code} is not a status a response can have")).help("use 200 to 599"));
            None
        }
    }
}

/// Reads `[errors]`: `404`, `4xx`, `5xx`.
pub fn errors(top: &Node, problems: &mut Diagnostics) -> Vec<ErrorDeclaration> {
    let Some(table) = top.get("errors") else { return Vec::new() };
    let mut errors = Vec::new();
    for entry in table.node.table(problems) {
        let Some(statuses) = statuses(&entry.name) else {
            let help = "use a status from 400 to 599, such as `404`, or all of a kind: `4xx`, `5xx`".to_owned();
            problems.push(
                Diagnostic::error(&entry.name.place, format!("`{}` is not the status of an error", entry.name.value))
                    .key("errors")
                    .help(nearest_help(&entry.name, ["4xx", "5xx"]).unwrap_or(help)),
            );
            continue;
        };
        if let Some(response) = response(&entry.node, "template", problems) {
            let why = match response.kind.value {
                "redirect" => Some("the client would never learn that something failed"),
                "file" => Some("a page can say what happened"),
                _ => None,
            };
            if let Some(why) = why {
                problems.push(
                    Diagnostic::error(
                        &response.kind.place,
                        format!("an error page cannot be a {}", response.kind.value),
                    )
                    .key(&response.body.key)
                    .help(format!("{why}; use `template` or `html`")),
                );
            }
            errors.push(ErrorDeclaration { statuses, key: entry.node.key.clone(), response });
        }
    }
    // The exact status wins over its class, whatever the order in the file.
    errors.sort_by_key(|error| error.statuses.end() - error.statuses.start());
    errors
}

fn statuses(name: &str) -> Option<RangeInclusive<u16>> {
    match name {
        "4xx" => Some(400..=499),
        "5xx" => Some(500..=599),
        exact => {
            let code: u16 = exact.parse().ok()?;
            (400..=599).contains(&code).then_some(code..=code)
        }
    }
}
