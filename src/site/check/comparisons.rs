//! Comparisons that never hold: what a request brings is text, unless `params` makes a number of it.

use std::collections::{BTreeMap, BTreeSet};

use super::{By, Shown};
use crate::config::tree::join;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::template::comparisons::{Comparison, comparisons};
use crate::template::library::Library;

/// Warns of comparisons of text with a number on every page that makes them.
pub fn check(library: &Library, shown: &[Shown], problems: &mut Diagnostics) {
    let mut of_template: BTreeMap<&str, Vec<Comparison>> = BTreeMap::new();
    let mut found: BTreeMap<(String, usize), (Comparison, bool)> = BTreeMap::new();
    for page in shown.iter().filter(|page| !matches!(page.by, By::ErrorPage(_))) {
        let mut included = BTreeSet::new();
        page.templates.iter().for_each(|template| library.include(template, &mut included));
        let variables: Vec<_> = page.templates.iter().flat_map(|template| library.variables(template)).collect();
        for template in included {
            for comparison in of_template.entry(template).or_insert_with(|| comparisons(library, template)) {
                // In a block over something else, `path` may be an entry of that.
                let is_the_sites = |place| {
                    variables.iter().any(|variable| variable.path == comparison.path && variable.place == place)
                };
                if is_the_sites(comparison.place.clone()) {
                    let spot = (comparison.place.source.name().to_owned(), comparison.place.span.start);
                    let never = is_text(&comparison.path, page);
                    found.entry(spot).or_insert_with(|| (comparison.clone(), true)).1 &= never;
                }
            }
        }
    }
    problems.extend(found.into_values().filter(|(_, never)| *never).map(|(comparison, _)| warning(&comparison)));
}

/// Whether a value of the request is text on this page.
fn is_text(path: &[String], page: &Shown) -> bool {
    match path {
        [name, _] if matches!(name.as_str(), "path" | "query" | "form") => true,
        // Of one that is missing among those that are declared, something else is said.
        [name, param] if name == "params" => {
            page.params.as_ref().is_none_or(|params| params.contains(param)) && !page.numbers.contains(param)
        }
        _ => false,
    }
}

fn warning(comparison: &Comparison) -> Diagnostic {
    let Comparison { helper, path, number, .. } = comparison;
    let (name, written) = (path.last().map_or("", String::as_str), path.join("."));
    let always = if *helper == "ne" { "always" } else { "never" };
    let message = format!("`{written}` is text, so its comparison with the number {number} {always} holds");
    let help = if path.first().is_some_and(|name| name == "path") {
        format!("make a number of it: `({helper} (add {written} 0) {number})`")
    } else {
        format!("make it a number: `params = {{ {} = \"integer\" }}`, and compare `params.{name}`", join("", name))
    };
    Diagnostic::warning(&comparison.place, message).key(&comparison.key).help(help)
}
