//! What a site may use: verbs and session factories, built-in and your own.

use super::factories::{FACTORIES, FactoryKind};
use crate::action::{VERBS, Verb};

/// The verbs and session factories that declarations can name.
///
/// ```
/// use sitewright::site::Vocabulary;
/// let vocabulary = Vocabulary::standard();
/// assert!(vocabulary.verbs().iter().any(|verb| verb.name == "increment-counter"));
/// ```
#[derive(Clone, Debug)]
pub struct Vocabulary {
    verbs: Vec<&'static Verb>,
    factories: Vec<&'static FactoryKind>,
}

impl Vocabulary {
    /// What Sitewright brings.
    pub fn standard() -> Self {
        Self { verbs: VERBS.to_vec(), factories: FACTORIES.to_vec() }
    }

    /// Adds a verb of your own; one of the same name is replaced.
    #[must_use]
    pub fn with_verb(mut self, verb: &'static Verb) -> Self {
        self.verbs.retain(|other| other.name != verb.name);
        self.verbs.push(verb);
        self
    }

    /// Adds a session factory of your own; one of the same name is replaced.
    #[must_use]
    pub fn with_factory(mut self, factory: &'static FactoryKind) -> Self {
        self.factories.retain(|other| other.name != factory.name);
        self.factories.push(factory);
        self
    }

    /// All verbs.
    pub fn verbs(&self) -> &[&'static Verb] {
        &self.verbs
    }

    /// All kinds of session factory.
    pub fn factories(&self) -> &[&'static FactoryKind] {
        &self.factories
    }

    /// The kind of session factory with this name.
    pub fn factory(&self, name: &str) -> Option<&'static FactoryKind> {
        self.factories.iter().find(|kind| kind.name == name).copied()
    }

    pub(super) fn verb(&self, name: &str) -> Option<&'static Verb> {
        self.verbs.iter().find(|verb| verb.name == name).copied()
    }

    pub(super) fn verb_names(&self) -> Vec<&'static str> {
        self.verbs.iter().map(|verb| verb.name).collect()
    }
}
