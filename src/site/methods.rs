//! `methods` of a route.

use http::Method;

use crate::config::declaration::RouteDeclaration;
use crate::diagnostic::{Diagnostic, Diagnostics, did_you_mean, nearest};

const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

/// The methods that a route answers, each once.
pub fn methods(declared: &RouteDeclaration, problems: &mut Diagnostics) -> Vec<Method> {
    let Some(names) = &declared.methods else { return vec![Method::GET] };
    let mut methods = Vec::new();
    for name in names {
        let is_known = METHODS.contains(&name.as_str()) || is_own_method(name);
        match Method::from_bytes(name.as_bytes()).ok().filter(|_| is_known) {
            Some(method) if methods.contains(&method) => {}
            Some(method) => methods.push(method),
            None => problems.push(
                Diagnostic::error(&name.place, format!("`{}` is not a method a route can answer", name.value))
                    .key(format!("{}.methods", declared.key))
                    .maybe_help(did_you_mean(name, METHODS)),
            ),
        }
    }
    methods
}

/// Methods beyond the usual ones are allowed when nothing suggests a slip.
fn is_own_method(name: &str) -> bool {
    let is_plain = name.chars().all(|c| c.is_ascii_uppercase() || c == '-');
    is_plain && nearest(name, METHODS).is_none() && !matches!(name, "CONNECT" | "TRACE")
}
