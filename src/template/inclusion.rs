//! Which templates include which, and that none includes itself.

use std::collections::{BTreeMap, BTreeSet};

use super::blocks::SiteNames;
use super::library::Variable;
use super::walk::{Block, Reach};
use crate::diagnostic::{Diagnostic, Diagnostics, Place, nearest_help};

/// One `{{> name}}`.
#[derive(Clone, Debug)]
pub struct Inclusion {
    /// The full name of what is included: a template, or an inline partial.
    pub name: String,
    /// What is around it, from the outermost block of the including template to what it sees itself.
    pub around: Vec<Option<Reach>>,
    /// The entries that it sees, if it sees a value that is known.
    pub sees: Option<Vec<String>>,
    /// The block whose item it sees, if that is not known before a request.
    pub block: Option<Block>,
    /// The names it is given, and those that blocks bind.
    pub given: Vec<String>,
    /// The full name of the inline partial in whose body this stands.
    pub inside: Option<String>,
    /// Where it stands.
    pub place: Place,
    /// The key path of what it stands in; empty for a file.
    pub key: String,
}

impl Inclusion {
    /// Warns of names that what is included shows, and that the block it is included in does not have.
    pub fn unseen(&self, variables: &[Variable], site: &SiteNames) -> Vec<Diagnostic> {
        let is_unseen = |variable: &&Variable| match (variable.path.first(), &self.sees, &self.block) {
            (Some(name), _, _) if self.given.contains(name) => false,
            (Some(name), Some(sees), _) => !sees.contains(name),
            (_, None, Some(block)) => site.is_meant(&variable.path, block),
            _ => false,
        };
        let mut names = BTreeMap::new();
        let from_here = variables.iter().filter(|variable| variable.reach == Reach::Outer(0) && !variable.has_default);
        for variable in from_here.filter(is_unseen) {
            names.entry(variable.path.first().map_or("", String::as_str)).or_insert(&variable.place);
        }
        let message = |name: &str| match &self.block {
            Some(block) => format!("what is included here sees {block}, not the site's `{name}`"),
            None => format!("what is included here sees an item, which has no `{name}`"),
        };
        let seen = || self.sees.iter().flatten().chain(&self.given).map(String::as_str);
        let warn = |(name, place): (&str, &Place)| {
            Diagnostic::warning(&self.place, message(name)).key(&self.key).related(place, "shown here").help(
                nearest_help(name, seen())
                    .unwrap_or_else(|| format!("write `@root.{name}` there, or give it here: `{name}=@root.{name}`")),
            )
        };
        names.into_iter().map(warn).collect()
    }
}

/// Who includes whom. Inline partials are told apart by name alone: what one of them includes, any
/// of the same name might.
#[derive(Debug, Default)]
pub struct Inclusions<'l> {
    by: BTreeMap<&'l str, Vec<&'l Inclusion>>,
}

impl<'l> Inclusions<'l> {
    /// Adds what a template includes.
    pub fn add(&mut self, template: &'l str, inclusions: &'l [Inclusion]) {
        for inclusion in inclusions {
            let by = inclusion.inside.as_deref().unwrap_or(template);
            self.by.entry(by).or_default().push(inclusion);
        }
    }

    /// Refuses whatever includes itself, by whatever way round: Handlebars would not stop before
    /// the stack is full.
    pub fn refuse_cycles(&self, problems: &mut Diagnostics) {
        let mut reported = BTreeSet::new();
        for name in self.by.keys() {
            let mut path = vec![*name];
            if let Some(last) = self.find_cycle(name, &mut path, &mut BTreeSet::new())
                && !path.iter().any(|name| reported.contains(name))
            {
                let way = path.join("` → `");
                problems.push(
                    Diagnostic::error(&last.place, format!("the template `{name}` includes itself: `{way}`"))
                        .key(&last.key)
                        .help("this would recurse forever; drop one of these `{{> …}}`"),
                );
                reported.extend(path);
            }
        }
    }

    fn find_cycle(&self, start: &str, path: &mut Vec<&'l str>, seen: &mut BTreeSet<&'l str>) -> Option<&'l Inclusion> {
        let last = path.last()?;
        for inclusion in self.by.get(last).into_iter().flatten() {
            let next = inclusion.name.as_str();
            path.push(next);
            if next == start {
                return Some(inclusion);
            }
            if seen.insert(next)
                && let Some(last) = self.find_cycle(start, path, seen)
            {
                return Some(last);
            }
            path.pop();
        }
        None
    }
}
