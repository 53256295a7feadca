//! A problem in a declared site, as data: where it is, what is wrong, how to mend it.
//!
//! Everything that reads a site pushes [`Diagnostic`]s into [`Diagnostics`] and goes on, so that
//! one run shows every problem. Printing ([`mod@print`]) is the only place that knows how they look.

mod nearest;
pub mod print;
mod source;
mod written;

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};

pub use nearest::{did_you_mean, nearest, nearest_help};
pub use print::counted;
pub use source::{At, Place, Source};
pub use written::Written;

/// How much a problem matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The site cannot be served.
    Error,
    /// The site is served, but something is probably not meant this way.
    Warning,
    /// Worth knowing; never counted against the site.
    Note,
}

/// One problem: place, reason and advice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How much it matters.
    pub severity: Severity,
    /// Where it is; `None` when there is no text to point at (a file that is not there).
    pub place: Option<Place>,
    /// The key path in the configuration, such as `routes.home.actions[0]`; may be empty.
    pub key: String,
    /// What is wrong, in one sentence.
    pub message: String,
    /// How to mend it; each entry is one sentence.
    pub help: Vec<String>,
    /// Other places that belong to the problem, each with what it has to do with it.
    pub related: Vec<(Place, String)>,
}

impl Diagnostic {
    /// An error at `place`.
    pub fn error(place: &Place, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, Some(place.clone()), message)
    }

    /// A warning at `place`.
    pub fn warning(place: &Place, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, Some(place.clone()), message)
    }

    /// A note at `place`.
    pub fn note(place: &Place, message: impl Into<String>) -> Self {
        Self::new(Severity::Note, Some(place.clone()), message)
    }

    /// An error that has no text to point at.
    pub fn nowhere(message: impl Into<String>) -> Self {
        Self::new(Severity::Error, None, message)
    }

    fn new(severity: Severity, place: Option<Place>, message: impl Into<String>) -> Self {
        Self { severity, place, key: String::new(), message: message.into(), help: Vec::new(), related: Vec::new() }
    }

    /// Names the key path the problem belongs to.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = key.into();
        self
    }

    /// Adds one sentence of advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Adds one sentence of advice if there is one.
    #[must_use]
    pub fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help.extend(help);
        self
    }

    /// Points at a second place that belongs to the problem.
    #[must_use]
    pub fn related(mut self, place: &Place, what: impl Into<String>) -> Self {
        self.related.push((place.clone(), what.into()));
        self
    }

    /// What tells problems apart, in the order of a reader: by file, then by place.
    fn identity(&self) -> impl Ord + Hash {
        let spot = self.place.as_ref().map(|place| (place.source.name(), place.span.start));
        (spot, self.severity, self.message.as_str())
    }
}

/// All problems found in one run.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    /// Where in the list they are, by the hash of what tells them apart.
    places: HashMap<u64, Vec<usize>>,
    hashes: RandomState,
}

impl Diagnostics {
    /// Records a problem, the same one only once: what `[defaults]` gets wrong, every route gets
    /// wrong.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        let alike = self.places.entry(self.hashes.hash_one(diagnostic.identity())).or_default();
        let mut alike_in_list = alike.iter().filter_map(|&at| self.list.get(at));
        if alike_in_list.all(|known| known.identity() != diagnostic.identity()) {
            alike.push(self.list.len());
            self.list.push(diagnostic);
        }
    }

    /// Records problems.
    pub fn extend(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        diagnostics.into_iter().for_each(|diagnostic| self.push(diagnostic));
    }

    /// Errors and warnings: what a server says. Notes are for `sitewright check`.
    #[must_use]
    pub fn without_notes(&self) -> Self {
        let matters = |diagnostic: &&Diagnostic| diagnostic.severity != Severity::Note;
        self.list.iter().filter(matters).cloned().collect()
    }

    /// Whether the site cannot be served.
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// How many there are of one severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.list.iter().filter(|d| d.severity == severity).count()
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The problems in the order of a reader: by file, then by place.
    pub fn sorted(&self) -> Vec<&Diagnostic> {
        let mut sorted: Vec<_> = self.list.iter().collect();
        sorted.sort_by(|a, b| a.identity().cmp(&b.identity()));
        sorted
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(diagnostics: I) -> Self {
        let mut all = Self::default();
        all.extend(diagnostics);
        all
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        [diagnostic].into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_told_once() {
        let source = Source::file("a.toml", "text");
        let at = |start: usize, message: &str| Diagnostic::error(&source.place(start..4), message);
        let mut problems = Diagnostics::default();
        for problem in [at(1, "x"), at(0, "x"), at(0, "x").help("once more"), at(0, "y"), Diagnostic::nowhere("x")] {
            problems.push(problem.clone());
            problems.push(problem);
        }
        problems.push(Diagnostic { severity: Severity::Note, ..at(0, "x") });
        let told: Vec<_> = problems.sorted().into_iter().map(|d| (d.severity, d.message.as_str())).collect();
        let error = Severity::Error;
        assert_eq!(told, [(error, "x"), (error, "x"), (error, "y"), (Severity::Note, "x"), (error, "x")]);
        assert_eq!(problems.without_notes().sorted().len(), 4);
    }
}
