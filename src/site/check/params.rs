//! Parameters that templates and actions use, held against those that routes declare.

use std::collections::BTreeMap;

use super::{By, Shown, missing_marker};
use crate::action::Operand;
use crate::config::declaration::{Declarations, RouteDeclaration};
use crate::config::tree::join;
use crate::diagnostic::{Diagnostic, Diagnostics, Place, did_you_mean, nearest_help};
use crate::site::paths::Paths;
use crate::site::pattern::Pattern;
use crate::site::step::Steps;
use crate::site::vocabulary::Vocabulary;
use crate::template::library::{Library, Variable, qualify};

/// The names under which parameters are seen as they were sent.
const AS_SENT: [&str; 2] = ["query", "form"];

/// Whether a template's name leads to the parameter that is its first entry.
fn is_param(name: &str) -> bool {
    name == "params" || AS_SENT.contains(&name)
}

/// An entry of `errors` or of the parameters, with all pages that show it.
struct Use<'s> {
    variable: Variable,
    shown_by: Vec<&'s Shown>,
}

/// Reports every entry of `errors` that no page which shows it declares, and every parameter that a
/// route uses although it declares others.
pub fn check(library: &Library, shown: &[Shown], problems: &mut Diagnostics) {
    let mut uses: BTreeMap<(String, usize), Use<'_>> = BTreeMap::new();
    for page in shown {
        for variable in page.templates.iter().flat_map(|template| library.variables(template)) {
            let about_params = variable.path.first().is_some_and(|name| name == "errors" || is_param(name));
            if about_params && variable.path.len() > 1 {
                let spot = (variable.place.source.name().to_owned(), variable.place.span.start);
                uses.entry(spot).or_insert_with(|| Use { variable, shown_by: Vec::new() }).shown_by.push(page);
            }
        }
    }
    problems.extend(uses.values().filter_map(Use::problem));
}

impl Use<'_> {
    fn problem(&self) -> Option<Diagnostic> {
        let [name, entry, ..] = self.variable.path.as_slice() else { return None };
        let declared: Vec<_> = self.shown_by.iter().filter_map(|page| page.params.as_ref()).collect();
        if declared.iter().any(|params| params.contains(entry)) {
            return None;
        }
        let is_faulted = self.shown_by.iter().any(|page| page.faulted.contains(entry));
        if name == "errors" && is_faulted {
            return None;
        }
        let names: Vec<&str> = declared.iter().flat_map(|params| params.iter().map(String::as_str)).collect();
        let place = self.variable.entry.as_ref().unwrap_or(&self.variable.place);
        if name != "errors" {
            // A page without `params` takes whatever is sent.
            let all_declare = declared.len() == self.shown_by.len();
            return all_declare.then(|| undeclared(entry, place, &names).key(&self.variable.key));
        }
        if self.shown_by.iter().any(|page| matches!(page.by, By::ErrorPage(_))) {
            return None;
        }
        let message = format!("`errors` never has `{entry}`");
        let problem = if declared.is_empty() {
            Diagnostic::warning(place, message).help("no route that shows this declares `params`")
        } else {
            Diagnostic::error(place, message).maybe_help(did_you_mean(entry, names))
        };
        Some(problem.key(&self.variable.key))
    }
}

fn undeclared(name: &str, place: &Place, declared: &[&str]) -> Diagnostic {
    let near = nearest_help(name, declared.iter().copied());
    Diagnostic::warning(place, format!("the parameter `{name}` is not declared in `params`, so nothing checks it"))
        .help(near.unwrap_or_else(|| format!("add it to `params`: `{} = {{}}`", join("", name))))
}

/// Reports what the actions of routes take past their `params`, and what they would take from their paths.
pub fn check_actions(parts: &[&Declarations], paths: &Paths, vocabulary: &Vocabulary, problems: &mut Diagnostics) {
    for part in parts {
        for route in &part.routes {
            check_route(route, paths.pattern(&qualify(&part.name, &route.name)), vocabulary, problems);
        }
    }
}

fn check_route(
    declared: &RouteDeclaration,
    pattern: Option<&Pattern>,
    vocabulary: &Vocabulary,
    problems: &mut Diagnostics,
) {
    let names = declared.params.as_ref().map(|params| params.iter().map(|param| param.name.as_str()));
    let names: Option<Vec<&str>> = names.map(Iterator::collect);
    for action in declared.steps() {
        let verb = |name: &str| vocabulary.verb(name).filter(|verb| verb.operand == Operand::Param);
        let Some(entry) = action.entries().iter().find(|entry| verb(&entry.name).is_some()) else { continue };
        let value = entry.node.to_value();
        let from = action.get("from");
        let source = from.map_or(serde_json::Value::Null, |from| from.node.to_value());
        let Some(name) = value.as_str() else { continue };
        if source == "path" {
            let Some(pattern) = pattern.filter(|pattern| pattern.names().all(|marker| marker != name)) else {
                continue;
            };
            let page = format!("the route `{}`", declared.name.value);
            problems.push(missing_marker(&entry.node.place, name, &page, pattern.names()).key(&action.key));
            continue;
        }
        let Some(names) = &names else { continue };
        if !names.contains(&name) {
            problems.push(undeclared(name, &entry.node.place, names).key(&action.key));
        } else if let Some(from) = from.filter(|_| source != "params") {
            problems.push(
                Diagnostic::warning(
                    &from.node.place,
                    format!("this takes `{name}` as it was sent, not as `params` has it"),
                )
                .key(&action.key)
                .help("leave `from` out"),
            );
        }
    }
}

/// The fields that the steps of a route may find wrong. Warns of those that its form does not have.
pub fn faulted(declared: &RouteDeclaration, steps: &Steps, problems: &mut Diagnostics) -> Vec<String> {
    let params = declared.params.as_ref().map(|params| params.iter().map(|param| param.name.as_str()));
    let params: Option<Vec<&str>> = params.map(Iterator::collect);
    let mut faulted = Vec::new();
    for step in steps.iter() {
        let Some(field) = step.action.faults() else { continue };
        // A password need not be declared: it is set apart before anything is looked at.
        let known = step.action.password() == Some(field);
        if let Some(params) = params.as_ref().filter(|params| !known && !params.contains(&field)) {
            let near = nearest_help(field, params.iter().copied());
            problems.push(
                Diagnostic::warning(&step.place, format!("there is no parameter `{field}` to find wrong"))
                    .key(&step.key)
                    .help(near.unwrap_or_else(|| "`field` names one of the `params` of the route".to_owned())),
            );
        }
        faulted.push(field.to_owned());
    }
    faulted
}
