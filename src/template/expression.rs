//! The small language inside strings: inline templates, expressions, key paths.
//!
//! A string with `{{…}}` is a template; an expression is a dotted path or a Handlebars
//! sub-expression in parentheses. There is no second language.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::computed::Call;
use super::render::{Escaping, RenderFailure, Scope, Templates};

/// A string: fixed, or a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text {
    /// It is what it is.
    Fixed(String),
    /// The full name of a template in the library.
    Template(String, Escaping),
}

/// An expression: what `if`, `from` and `json` name.
#[derive(Clone, Debug)]
pub enum Expression {
    /// A dotted path: its first name, and the entries below.
    Path {
        /// The first name, such as `session`.
        name: String,
        /// What is wanted of it; `None` for all.
        entries: Option<BTreeSet<String>>,
        /// The parts after the first.
        below: Vec<String>,
    },
    /// What a helper makes of other expressions.
    Call(Call),
    /// A literal in a call.
    Fixed(Value),
}

/// A key path into the session, such as `cart.{{path.sku}}`: whatever a visitor puts into a braced
/// part stays one part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    parts: Vec<Text>,
    fixed: Option<Vec<String>>,
}

/// A value with templates in it.
#[derive(Clone, Debug)]
pub enum Term {
    /// It is what it is.
    Fixed(Value),
    /// A string with templates in it.
    Text(Text),
    /// The value of an expression.
    Expression(Expression),
    /// A list.
    List(Vec<Term>),
    /// A map.
    Map(Vec<(String, Term)>),
}

impl Text {
    /// The string, templates rendered.
    pub fn render(&self, templates: &Templates, scope: &dyn Scope) -> Result<String, RenderFailure> {
        match self {
            Self::Fixed(text) => Ok(text.clone()),
            Self::Template(name, escaping) => templates.render(name, *escaping, scope),
        }
    }
}

impl Expression {
    /// The path with these parts; `None` for the empty one.
    pub fn of_parts(mut parts: Vec<String>) -> Option<Self> {
        let name = if parts.is_empty() { return None } else { parts.remove(0) };
        let entries = parts.first().map(|entry| BTreeSet::from([entry.clone()]));
        Some(Self::Path { name, entries, below: parts })
    }

    /// The path `name.entry`, for a name and an entry that need no check.
    pub fn entry(name: &str, entry: &str) -> Self {
        Self::Path {
            name: name.to_owned(),
            entries: Some(BTreeSet::from([entry.to_owned()])),
            below: vec![entry.to_owned()],
        }
    }

    /// The value of a path, if it is there; other expressions have none.
    pub fn lookup<'s>(&self, scope: &'s dyn Scope) -> Option<Cow<'s, Value>> {
        match self {
            Self::Path { name, entries, below } => descend(scope.get(name, entries.as_ref())?, below),
            Self::Call(_) | Self::Fixed(_) => None,
        }
    }

    /// The value; `null` for what is not there.
    pub fn value(&self, templates: &Templates, scope: &dyn Scope) -> Result<Value, RenderFailure> {
        self.borrowed(templates, scope).map(Cow::into_owned)
    }

    /// The value, one that is there already as it stands.
    pub(super) fn borrowed<'v>(
        &'v self,
        templates: &Templates,
        scope: &'v dyn Scope,
    ) -> Result<Cow<'v, Value>, RenderFailure> {
        Ok(match self {
            Self::Path { .. } => self.lookup(scope).unwrap_or_default(),
            Self::Call(call) => Cow::Owned(call.value(templates, scope)?),
            Self::Fixed(value) => Cow::Borrowed(value),
        })
    }

    /// The path from the site's names down, if it is one.
    pub fn path(&self) -> Option<Vec<&str>> {
        match self {
            Self::Path { name, below, .. } => {
                Some(std::iter::once(name.as_str()).chain(below.iter().map(String::as_str)).collect())
            }
            Self::Call(_) | Self::Fixed(_) => None,
        }
    }
}

fn descend<'v>(value: Cow<'v, Value>, below: &[String]) -> Option<Cow<'v, Value>> {
    let index = |part: &String| part.parse::<usize>().ok();
    below.iter().try_fold(value, |value, part| match value {
        Cow::Borrowed(Value::Object(map)) => map.get(part).map(Cow::Borrowed),
        Cow::Borrowed(Value::Array(list)) => list.get(index(part)?).map(Cow::Borrowed),
        Cow::Owned(Value::Object(mut map)) => map.remove(part).map(Cow::Owned),
        Cow::Owned(Value::Array(mut list)) => {
            let at = index(part)?;
            (at < list.len()).then(|| Cow::Owned(list.swap_remove(at)))
        }
        _ => None,
    })
}

/// Why a key path could not be worked out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyFailure {
    /// A braced part came out empty.
    Empty,
    /// A braced first part would reach a key of the engine's own.
    Reserved(String),
    /// A template failed.
    Render(RenderFailure),
}

impl Key {
    /// A key of these parts, one at least.
    pub(super) fn new(parts: Vec<Text>) -> Self {
        let fixed = parts.iter().map(|part| match part {
            Text::Fixed(text) => Some(text.clone()),
            Text::Template(..) => None,
        });
        let fixed = fixed.collect();
        Self { parts, fixed }
    }

    /// The parts, if none of them is a template.
    pub fn fixed(&self) -> Option<&[String]> {
        self.fixed.as_deref()
    }

    /// The fixed parts before the first template: all that is known before a request.
    pub fn known_parts(&self) -> Vec<String> {
        self.parts
            .iter()
            .map_while(|part| match part {
                Text::Fixed(text) => Some(text.clone()),
                Text::Template(..) => None,
            })
            .collect()
    }

    /// The last part if it is fixed: what a value is bound under.
    pub fn last_name(&self) -> Option<&str> {
        match self.parts.last() {
            Some(Text::Fixed(text)) => Some(text),
            _ => None,
        }
    }

    /// The parts, templates rendered.
    pub fn parts(&self, templates: &Templates, scope: &dyn Scope) -> Result<Cow<'_, [String]>, KeyFailure> {
        if let Some(fixed) = &self.fixed {
            return Ok(Cow::Borrowed(fixed));
        }
        let mut parts = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            let part = part.render(templates, scope).map_err(KeyFailure::Render)?;
            if part.is_empty() {
                return Err(KeyFailure::Empty);
            }
            if parts.is_empty() && part.starts_with('_') {
                return Err(KeyFailure::Reserved(part));
            }
            parts.push(part);
        }
        Ok(Cow::Owned(parts))
    }
}

impl Term {
    /// The value, templates rendered and expressions worked out.
    pub fn value(&self, templates: &Templates, scope: &dyn Scope) -> Result<Value, RenderFailure> {
        Ok(match self {
            Self::Fixed(value) => value.clone(),
            Self::Text(text) => Value::String(text.render(templates, scope)?),
            Self::Expression(expression) => expression.value(templates, scope)?,
            Self::List(items) => {
                let items = items.iter().map(|item| item.value(templates, scope));
                Value::Array(items.collect::<Result<_, _>>()?)
            }
            Self::Map(entries) => {
                let mut map = Map::with_capacity(entries.len());
                for (name, term) in entries {
                    map.insert(name.clone(), term.value(templates, scope)?);
                }
                Value::Object(map)
            }
        })
    }

    /// Folds what is fixed all the way down into one value.
    #[must_use]
    pub fn fold(self) -> Self {
        match self {
            Self::Text(Text::Fixed(text)) => Self::Fixed(Value::String(text)),
            Self::List(items) => {
                let items: Vec<_> = items.into_iter().map(Self::fold).collect();
                let fixed: Option<Vec<_>> = items.iter().map(Self::as_fixed).collect();
                fixed.map_or(Self::List(items), |list| Self::Fixed(Value::Array(list)))
            }
            Self::Map(entries) => {
                let entries: Vec<_> = entries.into_iter().map(|(name, term)| (name, term.fold())).collect();
                let fixed: Option<Map<_, _>> =
                    entries.iter().map(|(name, term)| Some((name.clone(), term.as_fixed()?))).collect();
                fixed.map_or(Self::Map(entries), |map| Self::Fixed(Value::Object(map)))
            }
            other => other,
        }
    }

    fn as_fixed(&self) -> Option<Value> {
        match self {
            Self::Fixed(value) => Some(value.clone()),
            _ => None,
        }
    }
}
