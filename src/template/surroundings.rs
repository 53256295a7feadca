//! What is around a template where it is included: which of the names it shows are the site's.

use std::collections::BTreeSet;

use super::inclusion::Inclusion;
use super::library::Variable;
use super::walk::Reach;

/// What is around a template that is shown, or included by one that is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Surroundings<'l> {
    /// What the blocks are over, seen from the template that is shown, the innermost last; `None` for
    /// something that is not the site's names.
    blocks: Vec<Option<Reach>>,
    /// Names that mean something else: partials were given them, or blocks bind them.
    given: BTreeSet<&'l str>,
}

impl<'l> Surroundings<'l> {
    /// Those of a template that is shown itself.
    pub fn new() -> Self {
        Self { blocks: vec![Some(Reach::Outer(0))], given: BTreeSet::new() }
    }

    /// Those of what a template with these ones includes.
    pub fn of(&self, inclusion: &'l Inclusion) -> Self {
        let around = inclusion.around.iter().map(|reach| reach.and_then(|reach| self.leads(reach)));
        let blocks = self.blocks.iter().copied().chain(around.collect::<Vec<_>>()).collect();
        let given = self.given.iter().copied().chain(inclusion.given.iter().map(String::as_str)).collect();
        Self { blocks, given }
    }

    /// The variable, seen from the template that is shown; `None` if it is not the site's here.
    pub fn seen(&self, variable: &Variable) -> Option<Variable> {
        let is_given = || variable.path.first().is_some_and(|name| self.given.contains(name.as_str()));
        let reach = self.leads(variable.reach).filter(|_| variable.reach == Reach::Root || !is_given())?;
        Some(Variable { reach, ..variable.clone() })
    }

    fn leads(&self, reach: Reach) -> Option<Reach> {
        match reach {
            Reach::Root => Some(reach),
            Reach::Outer(levels) => match self.blocks.len().checked_sub(levels + 1) {
                Some(at) => self.blocks.get(at).copied().flatten(),
                // Further out than there are blocks.
                None => Some(Reach::Outer(levels + 1 - self.blocks.len())),
            },
        }
    }
}
