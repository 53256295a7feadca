//! The paths of a site's routes: their patterns, the links to them, and whether they can be told
//! apart.

use std::collections::BTreeMap;

use http::Method;

use super::Target;
use super::pattern::Pattern;
use super::route::Route;
use super::router::{Declared, Router};
use super::statics::StaticFiles;
use crate::config::declaration::{Declarations, RouteDeclaration};
use crate::diagnostic::{Diagnostic, Diagnostics, Written};
use crate::template::library::qualify;
use crate::template::links::Links;

/// The paths of all routes, for links and redirects.
#[derive(Clone)]
pub struct Paths {
    /// By full name; `None` for a route whose path is broken.
    patterns: BTreeMap<String, Option<Pattern>>,
    unread_mounts: bool,
}

impl Paths {
    /// Reads the path of every route.
    pub fn of(parts: &[&Declarations], problems: &mut Diagnostics) -> Self {
        let mut patterns = BTreeMap::new();
        for part in parts {
            for route in &part.routes {
                patterns.insert(qualify(&part.name, &route.name), pattern(route, &part.prefix, problems));
            }
        }
        Self { patterns, unread_mounts: parts.iter().any(|part| part.unread_mounts) }
    }

    /// The pattern of a route, by its full name, if it is a good one.
    pub fn pattern(&self, route: &str) -> Option<&Pattern> {
        self.patterns.get(route)?.as_ref()
    }
}

fn pattern(route: &RouteDeclaration, prefix: &str, problems: &mut Diagnostics) -> Option<Pattern> {
    let path = route.path.as_ref()?;
    let key = format!("{}.path", route.key);
    let pattern = match Pattern::parse(path) {
        Ok(pattern) => pattern,
        Err(error) => {
            let place = Written::quoted(path.value.clone(), &path.place).place_of(error.span);
            let message = format!("bad path: {}", error.message);
            problems.push(Diagnostic::error(&place, message).key(key).maybe_help(error.help));
            return None;
        }
    };
    match pattern.with_prefix(prefix) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            let message = format!("bad path when mounted at `{prefix}`: {}", error.message);
            problems.push(Diagnostic::error(&path.place, message).key(key).maybe_help(error.help));
            None
        }
    }
}

impl Links for Paths {
    fn path(&self, route: &str, value: &mut dyn FnMut(&str) -> Option<String>) -> Result<String, String> {
        let pattern = self.pattern(route).ok_or_else(|| format!("there is no route `{route}`"))?;
        pattern.path_for(value).map_err(|error| format!("no path for the route `{route}`: {error}"))
    }
    fn names(&self) -> Vec<&str> {
        self.patterns.keys().map(String::as_str).collect()
    }
    fn markers(&self, route: &str) -> Option<Vec<&str>> {
        self.pattern(route).map(|pattern| pattern.names().collect())
    }
    fn has_unread_mounts(&self) -> bool {
        self.unread_mounts
    }
}

/// The router; routes that cannot be told apart are reported.
pub(super) fn router(
    parts: &[&Declarations],
    routes: &[Route],
    statics: &[StaticFiles],
    problems: &mut Diagnostics,
) -> Option<Router<Target>> {
    let declared = routes.iter().enumerate();
    let declared = declared.map(|(i, route)| Declared {
        pattern: route.pattern.clone(),
        methods: route.methods.clone(),
        predicates: route.predicates.clone(),
        route: Target::Route(i),
    });
    let files = statics.iter().enumerate();
    let files = files.filter_map(|(i, files)| Some((files.pattern()?, vec![Method::GET], Target::Static(i)).into()));
    let clashes = match Router::build(declared.chain(files).collect()) {
        Ok(router) => return Some(router),
        Err(clashes) => clashes,
    };
    let written = |index: usize| match routes.get(index) {
        Some(route) => {
            let declared = declaration(parts, route)?;
            Some((format!("`{}`", route.name), &declared.path.as_ref()?.place, format!("{}.path", declared.key)))
        }
        None => {
            let files = statics.get(index.checked_sub(routes.len())?)?;
            let declared = parts.iter().flat_map(|part| part.statics.iter().map(move |entry| (part, entry)));
            let (_, entry) = declared.into_iter().find(|(part, entry)| files.is(part, entry))?;
            Some((format!("the files below `{}`", files.at), &entry.at.place, entry.key.clone()))
        }
    };
    for clash in clashes {
        let (Some((first, first_path, _)), Some((second, second_path, key))) =
            (written(clash.first), written(clash.second))
        else {
            continue;
        };
        let noun = if clash.second < routes.len() { "the routes" } else { "the route" };
        let is_guarded = |index: usize| routes.get(index).is_some_and(|route| !route.predicates.is_empty());
        let help = if is_guarded(clash.first) {
            "give one of them more predicates in `match`, or some that exclude those of the other"
        } else {
            "give one of them another path, other `methods` or a `match`"
        };
        let methods: Vec<_> = clash.methods.iter().map(Method::as_str).collect();
        problems.push(
            Diagnostic::error(second_path, format!("{noun} {first} and {second} cannot be told apart"))
                .key(key)
                .related(first_path, format!("{first} answers the same {} requests", methods.join(", ")))
                .help(help),
        );
    }
    None
}

/// The declaration of a compiled route.
pub fn declaration<'d>(parts: &[&'d Declarations], route: &Route) -> Option<&'d RouteDeclaration> {
    let part = parts.get(route.part)?;
    part.routes.iter().find(|declared| qualify(&part.name, &declared.name) == route.name)
}
