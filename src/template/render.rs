//! Templates at run time: they see only the values they use.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use handlebars::{Context, Handlebars};
use serde_json::{Map, Value};

use super::interpolation::Interpolation;
use super::links::{Links, Versions};
use super::registry::Unfit;

/// How values are made safe for what they are put into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escaping {
    /// HTML text and quoted attributes: `& < > " ' = \`` become entities.
    Html,
    /// Nothing is changed: plain text, headers, keys, query values.
    Plain,
}

/// The values a template or an expression can name.
pub trait Scope {
    /// The value of `name`, if it has one now. `entries` says which entries of it are wanted; a
    /// scope may give more of them, and must give all if it is `None`.
    fn get(&self, name: &str, entries: Option<&BTreeSet<String>>) -> Option<Cow<'_, Value>>;
}

/// Which names a template uses, and which entries of each; `None` means all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    names: BTreeMap<String, Option<BTreeSet<String>>>,
}

impl Needs {
    /// Adds a path from the site's names down. An empty path adds nothing: `{{this}}` shows all
    /// names, which no page wants.
    pub fn add(&mut self, path: &[String]) {
        let Some((name, below)) = path.split_first() else { return };
        let entries = self.names.entry(name.clone()).or_insert_with(|| Some(BTreeSet::new()));
        match (below.first(), entries) {
            (Some(entry), Some(entries)) => {
                entries.insert(entry.clone());
            }
            (None, entries) => *entries = None,
            (Some(_), None) => {}
        }
    }

    fn context(&self, scope: &dyn Scope) -> Context {
        let mut values = Map::with_capacity(self.names.len());
        for (name, entries) in &self.names {
            if let Some(value) = scope.get(name, entries.as_ref()) {
                values.insert(name.clone(), owned(value, entries.as_ref()));
            }
        }
        Context::from(Value::Object(values))
    }
}

/// A value for Handlebars, which wants its own; of a map no more than is used.
fn owned(value: Cow<'_, Value>, entries: Option<&BTreeSet<String>>) -> Value {
    match (value, entries) {
        (Cow::Borrowed(Value::Object(map)), Some(entries)) => map
            .iter()
            .filter(|(name, _)| entries.contains(*name))
            .map(|(name, entry)| (name.clone(), entry.clone()))
            .collect(),
        (value, _) => value.into_owned(),
    }
}

/// The templates of a site, ready to render.
pub struct Templates {
    html: Handlebars<'static>,
    plain: Handlebars<'static>,
    ways: BTreeMap<String, Way>,
    links: Arc<dyn Links>,
    versions: Arc<Versions>,
}

/// How a template is rendered.
pub(super) enum Way {
    /// Piece by piece: it has no logic.
    Interpolate(Interpolation),
    /// By Handlebars, from a context of just these names.
    Handlebars(Needs),
}

impl fmt::Debug for Templates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.ways.keys()).finish()
    }
}

/// Why a template could not be rendered: for the log, never for a visitor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RenderFailure {
    /// A value cannot stand where it is put: an empty name, say, in a path. Visitors cause it.
    Unfit(String),
    /// The template is at fault.
    Broken(String),
}

impl Templates {
    pub(super) fn new(
        html: Handlebars<'static>,
        plain: Handlebars<'static>,
        ways: BTreeMap<String, Way>,
        links: Arc<dyn Links>,
        versions: Arc<Versions>,
    ) -> Self {
        Self { html, plain, ways, links, versions }
    }

    /// The paths of the site's routes.
    pub(super) fn versions(&self) -> &Versions {
        &self.versions
    }

    pub(super) fn links(&self) -> &dyn Links {
        &*self.links
    }

    /// Renders the template with this full name.
    pub fn render(&self, name: &str, escaping: Escaping, scope: &dyn Scope) -> Result<String, RenderFailure> {
        let context = match self.ways.get(name) {
            Some(Way::Interpolate(text)) => return Ok(text.render(escaping, scope)),
            Some(Way::Handlebars(needs)) => needs.context(scope),
            None => return Err(RenderFailure::Broken(format!("there is no template `{name}`"))),
        };
        let registry = match escaping {
            Escaping::Html => &self.html,
            Escaping::Plain => &self.plain,
        };
        // Handlebars' own string output begins with 8 KiB, which takes the allocator's slow way.
        let mut page = Vec::with_capacity(512);
        registry.render_with_context_to_write(name, &context, &mut page).map_err(|error| {
            let text = format!("template `{name}`: {error}");
            if Unfit::caused(&error) { RenderFailure::Unfit(text) } else { RenderFailure::Broken(text) }
        })?;
        String::from_utf8(page).map_err(|error| RenderFailure::Broken(error.to_string()))
    }
}
