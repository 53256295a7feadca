//! Checks that need the whole site: names nobody provides, routes nobody reaches, and others in files of
//! their own.

pub mod comparisons;
pub mod forms;
pub mod open_redirect;
pub mod params;
pub mod session;

use std::collections::{BTreeMap, BTreeSet};

use super::paths;
use super::request::REQUEST;
use super::route::Route;
use super::statics::StaticFiles;
use super::{ERROR, ON_ERROR_PAGES};
use crate::config::declaration::Declarations;
use crate::config::settings::Settings;
use crate::diagnostic::{Diagnostic, Diagnostics, Place, nearest_help};
use crate::template::helpers::is_helper;
use crate::template::library::{Library, Variable};

/// Templates that one route or error page shows, and the names they are given.
pub struct Shown {
    /// Who shows them, for the message.
    pub by: By,
    /// The full names of the templates.
    pub templates: Vec<String>,
    /// The names they can use.
    pub provided: BTreeSet<String>,
    /// Those of them whose values are written in the site: no visitor has a part in them.
    pub fixed: BTreeSet<String>,
    /// The parameters that are declared; `None` where any may be sent.
    pub params: Option<BTreeSet<String>>,
    /// Those of them that are numbers when they hold.
    pub numbers: BTreeSet<String>,
    /// What else `errors` can have: fields that actions look at.
    pub faulted: Vec<String>,
    /// The markers of the path that leads there; `None` if it could not be read.
    pub markers: Option<BTreeSet<String>>,
}

/// Who shows a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// A route, by its full name.
    Route(String),
    /// The `invalid` of a route, by the route's full name.
    Invalid(String),
    /// One of `[errors]`, by its key path.
    ErrorPage(String),
}

/// Reports every name in a template that whoever shows it does not provide.
pub fn names(library: &Library, shown: &[Shown], problems: &mut Diagnostics) {
    let mut missing: BTreeMap<(String, usize), Missing<'_>> = BTreeMap::new();
    for page in shown {
        for variable in page.templates.iter().flat_map(|template| library.variables(template)) {
            let Some(name) = variable.path.first().filter(|name| !page.provided.contains(*name)) else { continue };
            let near = nearest_help(name, page.provided.iter().map(String::as_str));
            let entry = missing.entry(spot(&variable));
            entry.or_insert_with(|| Missing { variable, by: Vec::new(), near }).by.push(&page.by);
        }
    }
    problems.extend(missing.into_values().map(Missing::diagnostic));
}

/// Reports entries of the names with fixed ones that are none of them: parts of `request` and `error` that
/// there are not.
pub fn entries(library: &Library, shown: &[Shown], problems: &mut Diagnostics) {
    let names = |list: &[(&'static str, &str)]| list.iter().map(|(name, _)| *name).collect::<BTreeSet<_>>();
    let (of_request, of_error) = (names(REQUEST), names(ERROR));
    let mut reported = BTreeSet::new();
    for page in shown {
        let is_error_page = matches!(page.by, By::ErrorPage(_));
        for variable in page.templates.iter().flat_map(|template| library.variables(template)) {
            let [name, entry, ..] = variable.path.as_slice() else { continue };
            let valid = match name.as_str() {
                "request" if is_error_page => &BTreeSet::from(ON_ERROR_PAGES),
                "request" => &of_request,
                "error" if is_error_page => &of_error,
                _ => continue,
            };
            if variable.has_default || valid.contains(entry.as_str()) || !reported.insert(spot(&variable)) {
                continue;
            }
            let place = variable.entry.as_ref().unwrap_or(&variable.place);
            let on_which = if is_error_page { "on an error page, " } else { "" };
            let list = || format!("it has `{}`", valid.iter().copied().collect::<Vec<_>>().join("`, `"));
            let help = nearest_help(entry, valid.iter().copied()).unwrap_or_else(list);
            let message = format!("{on_which}`{name}` has no `{entry}`");
            problems.push(Diagnostic::error(place, message).key(&variable.key).help(help));
        }
    }
}

/// Reports every marker that the path of no page has which shows it.
pub fn markers(library: &Library, shown: &[Shown], problems: &mut Diagnostics) {
    let mut uses: BTreeMap<(String, usize), (Variable, Vec<&Shown>)> = BTreeMap::new();
    let pages = shown.iter().filter(|page| !matches!(page.by, By::ErrorPage(_)));
    for page in pages {
        for variable in page.templates.iter().flat_map(|template| library.variables(template)) {
            if variable.path.len() > 1 && variable.path.first().is_some_and(|name| name == "path") {
                uses.entry(spot(&variable)).or_insert_with(|| (variable, Vec::new())).1.push(page);
            }
        }
    }
    for (variable, pages) in uses.into_values().filter(|(variable, _)| !variable.has_default) {
        let Some(marker) = variable.path.get(1) else { continue };
        let Some(paths) = pages.iter().map(|page| page.markers.as_ref()).collect::<Option<Vec<_>>>() else { continue };
        if paths.iter().any(|markers| markers.contains(marker)) {
            continue;
        }
        let by = distinct(pages.iter().map(|page| &page.by));
        let place = variable.entry.as_ref().unwrap_or(&variable.place);
        let names = paths.iter().flat_map(|markers| markers.iter().map(String::as_str));
        problems.push(missing_marker(place, marker, &list(&by), names).key(&variable.key));
    }
}

/// The error that the path of a page has no such marker.
pub fn missing_marker<'n>(
    place: &Place,
    marker: &str,
    page: &str,
    markers: impl Iterator<Item = &'n str>,
) -> Diagnostic {
    let help = format!("a marker stands in the path, as in `/item/{{{marker}}}`");
    Diagnostic::error(place, format!("`path` has no `{marker}` in {page}"))
        .help(nearest_help(marker, markers).unwrap_or(help))
}

/// Tells the places of templates apart.
fn spot(variable: &Variable) -> (String, usize) {
    (variable.place.source.name().to_owned(), variable.place.span.start)
}

/// Everybody once; the `invalid` of a route that is there itself does not count.
fn distinct<'b>(all: impl Iterator<Item = &'b By>) -> Vec<By> {
    let mut distinct: Vec<By> = Vec::new();
    for by in all {
        let of_route = match by {
            By::Invalid(route) => distinct.contains(&By::Route(route.clone())),
            _ => false,
        };
        if !of_route && !distinct.contains(by) {
            distinct.push(by.clone());
        }
    }
    distinct
}

/// A name that nobody provides.
struct Missing<'s> {
    variable: Variable,
    by: Vec<&'s By>,
    near: Option<String>,
}

impl Missing<'_> {
    fn diagnostic(self) -> Diagnostic {
        let by = distinct(self.by.into_iter());
        let name = self.variable.path.first().map_or("", String::as_str);
        let advice = if is_helper(name) {
            format!("it is a helper: write `({name} …)`, with its values behind it")
        } else if by.iter().any(|by| matches!(by, By::Route(_))) {
            format!("give it in `data`, or let an action bind it: `as = \"{name}\"`")
        } else if by.iter().any(|by| matches!(by, By::Invalid(_))) {
            "no action has run yet: take it from `session`, or give it in `data`".to_owned()
        } else {
            "an error page sees `error`, `request` and what is in `[data]`".to_owned()
        };
        Diagnostic::error(&self.variable.place, format!("`{name}` has no value in {}", list(&by)))
            .key(&self.variable.key)
            .help(self.near.unwrap_or(advice))
    }
}

/// Such as `the routes home and hello`; of many, the first few.
fn list(by: &[By]) -> String {
    const SHOWN: usize = 3;
    let names: Vec<_> = by
        .iter()
        .take(SHOWN)
        .map(|(By::Route(name) | By::Invalid(name) | By::ErrorPage(name))| format!("`{name}`"))
        .collect();
    let mut list = names.join(if by.len() == 2 { " and " } else { ", " });
    if by.len() > SHOWN {
        list = format!("{list} and {} more", by.len() - SHOWN);
    }
    match by {
        [By::Route(_)] => format!("the route {list}"),
        [By::Invalid(_)] => format!("`invalid` of the route {list}"),
        _ if by.iter().all(|by| matches!(by, By::Invalid(_))) => format!("`invalid` of the routes {list}"),
        _ if by.iter().all(|by| matches!(by, By::Route(_))) => format!("the routes {list}"),
        _ => list,
    }
}

/// Warns of a site that answers nothing: most likely its file is not written yet.
pub fn nothing_to_serve(
    routes: &[Route],
    statics: &[StaticFiles],
    declarations: &Declarations,
    problems: &mut Diagnostics,
) {
    if routes.is_empty() && statics.is_empty() {
        problems.push(
            Diagnostic::warning(&declarations.source.place(0..0), "this site declares no routes")
                .help("every address is a 404; a route is a table such as `[routes.home]` with `path = \"/\"`"),
        );
    }
}

/// Warns where a browser would be answered with something else than the page that is there for it: it
/// takes any type, if with less liking.
pub fn taken_for_granted(routes: &[Route], parts: &[&Declarations], problems: &mut Diagnostics) {
    for page in routes.iter().filter(|route| route.predicates.is_empty() && route.response.is_html()) {
        let beside = |other: &&Route| {
            other.pattern.text() == page.pattern.text()
                && other.methods.iter().any(|method| page.methods.contains(method))
        };
        let chosen: Vec<_> =
            routes.iter().filter(beside).filter_map(|route| Some((route, route.predicates.by_accept()?))).collect();
        let Some((other, _)) = chosen.first().filter(|_| chosen.iter().all(|(_, takes_html)| !takes_html)) else {
            continue;
        };
        let Some(declared) = paths::declaration(parts, other) else { continue };
        let Some(node) = declared.predicates.as_ref().and_then(|node| node.get("accept")) else { continue };
        problems.push(
            Diagnostic::warning(
                &node.name.place,
                format!("browsers take any type, so they get `{}`, not `{}`", other.name, page.name),
            )
            .key(&node.node.key)
            .help(format!("say in `{}` what it is for: `match = {{ accept = \"text/html\" }}`", page.name)),
        );
    }
}

/// Warns of routes that nobody reaches: they are for hosts that the server does not answer for.
pub fn out_of_reach(settings: &Settings, routes: &[Route], parts: &[&Declarations], problems: &mut Diagnostics) {
    let allowed = &settings.server.allowed_hosts;
    for route in routes.iter().filter(|route| !route.predicates.within_hosts(allowed)) {
        let node = paths::declaration(parts, route).and_then(|declared| declared.predicates.as_ref());
        let Some(host) = node.and_then(|node| node.get("host")) else { continue };
        let message = format!("nobody reaches `{}`: the server answers for other hosts only", route.name);
        let warning = Diagnostic::warning(&host.node.place, message).key(&host.node.key);
        let warning = warning.help("add the host to `server.allowed_hosts`, or take it away here");
        problems.push(match settings.place("server.allowed_hosts") {
            Some(place) => warning.related(place, "the hosts it answers for"),
            None => warning,
        });
    }
}
