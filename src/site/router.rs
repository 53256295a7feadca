//! From method and path to route: the most specific one, whatever the order of declaration.
//!
//! Paths are compared segment by segment from the left. A literal segment is more specific than
//! one that mixes text and markers or holds a regex (more literal characters first), that more
//! than a plain `{name}`, and that more than a remainder. If the best route for the path does not
//! take the method, the next best that does answers. Of routes for one path and method, those with
//! predicates come first; a leaf without any never looks for them.
//!
//! The routes form a tree of segments, so the cost of finding one is that of the path's own
//! segments, however many routes there are.

mod trie;

use std::collections::HashMap;
use std::fmt;

use http::Method;

pub use super::pattern::Param;
pub use super::pattern::path::Malformed;
use super::pattern::{Pattern, path};
use super::predicates::Predicates;
pub use trie::Choose;
use trie::{Leaf, Node};

/// An immutable table of routes, each a pattern, its methods and a `T`.
///
/// ```
/// # use sitewright::site::{pattern::Pattern, router::{Param, Router}};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use http::Method;
///
/// let any = (Pattern::parse("/{page}")?, vec![Method::GET], "any page");
/// let home = (Pattern::parse("/home")?, vec![Method::GET, Method::POST], "home");
/// let router = Router::build(vec![any, home]).map_err(|clashes| clashes[0].to_string())?;
///
/// let found = router.find(&Method::HEAD, "/caf%C3%A9").map_err(|_| "no route")?;
/// assert_eq!(*found.route, "any page");
/// assert_eq!(found.params, [("page", Param::One("café".into()))]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Router<T> {
    routes: Vec<(Pattern, T)>,
    root: Node,
    /// Patterns without markers by their percent-encoded path. Nothing is more specific, so what
    /// is found here needs no decoding and no walk.
    literal: HashMap<String, Leaf>,
}

/// A route that answers, with the values of its markers from left to right.
#[derive(Debug)]
pub struct Match<'r, T> {
    /// What the route was declared with.
    pub route: &'r T,
    /// Names and decoded values.
    pub params: Vec<(&'r str, Param)>,
}

/// Why no route answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Miss {
    /// No pattern matches the path: 404.
    NotFound,
    /// Patterns match, but take only these methods, as in [`Router::allowed`]: 405.
    MethodNotAllowed(Vec<Method>),
    /// The path means nothing: 400.
    Malformed(Malformed),
}

/// Two routes that cannot be told apart: patterns equal but for the names of their markers, a method
/// in common, and no predicates that decide. Of several equal routes each is reported against the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    /// The index of the route declared first.
    pub first: usize,
    /// The index of the other.
    pub second: usize,
    /// The methods that both take.
    pub methods: Vec<Method>,
}

impl fmt::Display for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let methods: Vec<_> = self.methods.iter().map(Method::as_str).collect();
        let (first, second, methods) = (self.first, self.second, methods.join(", "));
        write!(f, "routes {first} and {second} cannot be told apart ({methods})")
    }
}

/// A route on its way into the table. A triple is one without predicates.
#[derive(Debug)]
pub struct Declared<T> {
    /// The paths it answers.
    pub pattern: Pattern,
    /// The methods it answers.
    pub methods: Vec<Method>,
    /// What else must hold.
    pub predicates: Predicates,
    /// What it is.
    pub route: T,
}

impl<T> From<(Pattern, Vec<Method>, T)> for Declared<T> {
    fn from((pattern, methods, route): (Pattern, Vec<Method>, T)) -> Self {
        Self { pattern, methods, predicates: Predicates::default(), route }
    }
}

impl<T> Router<T> {
    /// Builds the table. A route answers the given methods only, and HEAD where it answers GET.
    ///
    /// # Errors
    /// Every [`Clash`], by the order of the second route.
    pub fn build(routes: Vec<impl Into<Declared<T>>>) -> Result<Self, Vec<Clash>> {
        let mut router =
            Self { routes: Vec::with_capacity(routes.len()), root: Node::default(), literal: HashMap::new() };
        let mut clashes = Vec::new();
        let mut known = Vec::with_capacity(routes.len());
        for (index, declared) in routes.into_iter().enumerate() {
            let Declared { pattern, methods, predicates, route } = declared.into();
            known.push(predicates);
            clashes.extend(router.root.leaf(&pattern).claim(index, &methods, &known));
            // Without markers there is a path without values.
            if let Ok(path) = pattern.path_for(|_| None) {
                router.literal.entry(path).or_default().claim(index, &methods, &known);
            }
            router.routes.push((pattern, route));
        }
        if clashes.is_empty() { Ok(router) } else { Err(clashes) }
    }

    /// The most specific route for a raw path (percent-encoded, without the query) that takes the
    /// method and has no predicates. HEAD is answered by GET where it is not declared itself; OPTIONS
    /// only where it is declared, otherwise [`Router::allowed`] has the answer.
    ///
    /// # Errors
    /// A [`Miss`] says why there is none.
    pub fn find(&self, method: &Method, raw_path: &str) -> Result<Match<'_, T>, Miss> {
        self.find_by(method, raw_path, &mut |_| None)
    }

    /// As [`Router::find`], with predicates: `choose` is given the routes of one pattern and method
    /// that have some, by their place in the table, and says which of them answers, if one does.
    ///
    /// # Errors
    /// As [`Router::find`]: not found where there are routes for the method, but none is chosen. A
    /// method is allowed where a route of it would be chosen.
    pub fn find_by(&self, method: &Method, raw_path: &str, choose: &mut Choose<'_>) -> Result<Match<'_, T>, Miss> {
        let mut tried = false;
        let choose_here: &mut Choose<'_> = &mut |group| {
            tried |= !group.is_empty();
            choose(group)
        };
        let literal = self.literal.get(raw_path);
        if let Some(index) = literal.and_then(|leaf| leaf.answer(method, choose_here))
            && let Some((_, route)) = self.routes.get(index)
        {
            let params = Vec::new();
            return Ok(Match { route, params });
        }
        let path = path::decode(raw_path).map_err(Miss::Malformed)?;
        let path = path.ok_or(Miss::NotFound)?;
        let found = self.root.leaves(&path, &mut |leaf| leaf.answer(method, choose_here));
        if let Some((pattern, route)) = found.and_then(|index| self.routes.get(index)) {
            let params = pattern.captures(&path);
            return Ok(Match { route, params });
        }
        // It was not the method that kept it from an answer.
        let allowed = if tried { Vec::new() } else { self.root.methods(&path, choose) };
        Err(if allowed.is_empty() { Miss::NotFound } else { Miss::MethodNotAllowed(allowed) })
    }

    /// The methods for a raw path, in alphabetical order: those declared by any route that matches
    /// it, HEAD where there is GET, and OPTIONS. Routes with predicates are left aside. Empty when
    /// there is no such path.
    pub fn allowed(&self, raw_path: &str) -> Vec<Method> {
        self.allowed_by(raw_path, &mut |_| None)
    }

    /// As [`Router::allowed`], with the routes with predicates that `choose` chooses.
    pub fn allowed_by(&self, raw_path: &str, choose: &mut Choose<'_>) -> Vec<Method> {
        match path::decode(raw_path) {
            Ok(Some(path)) => self.root.methods(&path, choose),
            Ok(None) | Err(_) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
