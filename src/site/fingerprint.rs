//! Fingerprints: what a reload compares to say which routes have changed.
//!
//! They cover what is written, `[defaults]` and prefixes put in, and not where it is written:
//! moving a route to the end of the file changes nothing. Good within one process only.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::config::declaration::{ErrorDeclaration, ResponseDeclaration, RouteDeclaration};
use crate::config::param::{ParamDeclaration, ParamType};
use crate::config::tree::{Entry, Node};
use crate::template::library::Library;

/// Of a route and the templates it shows, those they include among them.
pub fn route(declared: &RouteDeclaration, prefix: &str, shown: &[String], library: &Library) -> u64 {
    // Taken apart by name, so that no key that is added can be forgotten here.
    let RouteDeclaration {
        name: _,
        key: _,
        path,
        methods,
        predicates,
        guards,
        params,
        invalid,
        actions,
        data,
        response,
        status,
        headers,
        cache,
        csrf,
        keepalive,
    } = declared;
    let mut hasher = DefaultHasher::new();
    prefix.hash(&mut hasher);
    path.as_ref().map(|path| &path.value).hash(&mut hasher);
    let methods = methods.iter().flatten().map(|method| &method.value);
    methods.collect::<Vec<_>>().hash(&mut hasher);
    predicates.iter().for_each(|predicates| node(predicates, &mut hasher));
    guards.iter().flatten().for_each(|guard| node(guard, &mut hasher));
    // What ends the one list begins the other.
    guards.is_some().hash(&mut hasher);
    for ParamDeclaration { name, kind, node } in params.iter().flatten() {
        (&name.value, kind.map(ParamType::name)).hash(&mut hasher);
        self::node(node, &mut hasher);
    }
    invalid.iter().for_each(|response| self::response(response, &mut hasher));
    actions.iter().flatten().for_each(|action| node(action, &mut hasher));
    entries(data, &mut hasher);
    response.iter().for_each(|response| self::response(response, &mut hasher));
    status.as_ref().map(|status| status.value).hash(&mut hasher);
    entries(headers, &mut hasher);
    cache.iter().for_each(|cache| node(cache, &mut hasher));
    (csrf, keepalive).hash(&mut hasher);
    templates(shown, library, &mut hasher);
    hasher.finish()
}

/// Of one of `[errors]` and the templates it shows.
pub fn error_page(declared: &ErrorDeclaration, shown: &[String], library: &Library) -> u64 {
    let ErrorDeclaration { statuses, key: _, response } = declared;
    let mut hasher = DefaultHasher::new();
    statuses.hash(&mut hasher);
    self::response(response, &mut hasher);
    templates(shown, library, &mut hasher);
    hasher.finish()
}

fn response(declared: &ResponseDeclaration, hasher: &mut DefaultHasher) {
    let ResponseDeclaration { kind, body, status, headers } = declared;
    kind.value.hash(hasher);
    node(body, hasher);
    status.as_ref().map(|status| status.value).hash(hasher);
    entries(headers, hasher);
}

fn entries(entries: &[Entry], hasher: &mut DefaultHasher) {
    entries.len().hash(hasher);
    for entry in entries {
        entry.name.value.hash(hasher);
        node(&entry.node, hasher);
    }
}

fn node(node: &Node, hasher: &mut DefaultHasher) {
    node.to_value().to_string().hash(hasher);
}

fn templates(shown: &[String], library: &Library, hasher: &mut DefaultHasher) {
    shown.iter().for_each(|name| library.fingerprint(name).hash(hasher));
}
