//! All templates of a site: parsed, their names resolved, checked, then made ready to render.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use handlebars::template::Template;
use handlebars::{Handlebars, no_escape};

use super::blocks::SiteNames;
use super::forms::{PlacedForm, forms};
pub use super::home::{Home, own_names, qualify};
use super::inclusion::{Inclusion, Inclusions};
use super::inspect::Contents;
use super::interpolation::Interpolation;
use super::links::{FileLink, Links, Versions};
use super::places::place_else_tags;
use super::qualify::Qualifier;
use super::registry;
use super::render::{Escaping, Needs, Templates, Way};
use super::surroundings::Surroundings;
use super::syntax;
use super::walk::Reach;
use crate::diagnostic::{Diagnostic, Diagnostics, Place, Written, did_you_mean};

/// Templates on their way in. Names are full names: `login/form` for `form` of a mounted `login`.
pub struct Library {
    pub(super) links: Arc<dyn Links>,
    named: BTreeSet<String>,
    pub(super) site: SiteNames,
    parsed: BTreeMap<String, Parsed>,
    /// The full names of all inline partials.
    inlines: BTreeSet<String>,
    /// Partials that only an inline one could be, and the error if none is.
    unresolved: Vec<(String, Diagnostic)>,
    files: Vec<FileLink>,
    forms: Vec<PlacedForm>,
}

struct Parsed {
    template: Template,
    escaping: Option<Escaping>,
    variables: Vec<Variable>,
    partials: Vec<Inclusion>,
    /// Whether `{{csrf_field}}` stands in it, which shows the token wherever it stands.
    has_csrf_field: bool,
    text: Written,
    key: String,
}

/// A name that a template shows, and where.
#[derive(Clone, Debug)]
pub struct Variable {
    /// The path from the site's names down.
    pub path: Vec<String>,
    /// Where the template shows it: its first part.
    pub place: Place,
    /// Where the second part of the path stands, if there is one.
    pub entry: Option<Place>,
    /// The key path of the template; empty for a file.
    pub key: String,
    /// Whether `(default …)` says what it is where there is none.
    pub has_default: bool,
    /// What the path goes down from.
    pub reach: Reach,
}

impl Library {
    /// A library whose named templates will be `named` (full names), whose links go to `links`, and whose
    /// templates see the names of `site`.
    pub fn new(links: Arc<dyn Links>, named: BTreeSet<String>, site: SiteNames) -> Self {
        Self {
            links,
            named,
            site,
            parsed: BTreeMap::new(),
            inlines: BTreeSet::new(),
            unresolved: Vec::new(),
            files: Vec::new(),
            forms: Vec::new(),
        }
    }

    /// The paths of the site's routes.
    pub fn links(&self) -> Arc<dyn Links> {
        Arc::clone(&self.links)
    }

    /// The full names of the templates that have one.
    pub fn names(&self) -> &BTreeSet<String> {
        &self.named
    }

    /// Parses a template and keeps it under its full name. False if it is broken.
    ///
    /// `escaping` is `None` for a named template: how it is escaped depends on who shows it.
    pub fn add(
        &mut self,
        full_name: &str,
        home: Home<'_>,
        text: &Written,
        escaping: Option<Escaping>,
        key: &str,
        problems: &mut Diagnostics,
    ) -> bool {
        let mut template = match Template::compile(&text.text) {
            Ok(template) => template,
            Err(error) => {
                problems.push(syntax::explain(&error, text, key));
                return false;
            }
        };
        template.name = Some(full_name.to_owned());
        place_else_tags(&mut template, &text.text);
        let Contents { variables, partials, inlines, unresolved, files, has_csrf_field } =
            self.look_into(&template, home, text, key, problems);
        self.inlines.extend(inlines);
        self.unresolved.extend(unresolved);
        self.files.extend(files);
        self.forms.extend(forms(&text.text).into_iter().map(|form| PlacedForm {
            place: text.place_of(form.span.clone()),
            form,
            template: full_name.to_owned(),
            site: home.site.to_owned(),
            key: key.to_owned(),
        }));
        let links = Arc::clone(&self.links);
        Qualifier { home, links: &*links }.template(&mut template);
        self.parsed.insert(
            full_name.to_owned(),
            Parsed { template, escaping, variables, partials, has_csrf_field, text: text.clone(), key: key.to_owned() },
        );
        true
    }

    /// The syntax tree of a template, its names resolved.
    pub(super) fn template(&self, full_name: &str) -> Option<&Template> {
        self.parsed.get(full_name).map(|parsed| &parsed.template)
    }

    /// How a template is written, its key path, and how it is escaped if that is known.
    pub(super) fn written(&self, full_name: &str) -> Option<(&Written, &str, Option<Escaping>)> {
        self.parsed.get(full_name).map(|parsed| (&parsed.text, parsed.key.as_str(), parsed.escaping))
    }

    /// Completes the error about a template that is not there; `None` if it is there after all, or
    /// may be in a mount whose names are not known.
    pub fn missing(&self, name: &str, home: Home<'_>, error: Diagnostic) -> Option<Diagnostic> {
        let unclear = self.links.has_unread_mounts() && name.contains('/');
        if unclear || self.named.contains(&home.qualify(name)) {
            return None;
        }
        let own = own_names(self.named.iter().map(String::as_str), home.site);
        let plain = name.strip_suffix(".hbs").filter(|plain| own.contains(plain));
        Some(match plain {
            Some(plain) => error.help(format!("a template is named without the suffix of its file: `{plain}`")),
            None if own.is_empty() => {
                error.help(format!("declare it in `[templates]`, or write a file `templates/{name}.hbs`"))
            }
            None => error.maybe_help(did_you_mean(name, own)),
        })
    }

    /// Checks what only all templates together can tell: that every partial is there, and that
    /// none includes itself.
    pub fn check_inclusions(&self, problems: &mut Diagnostics) {
        for (name, error) in &self.unresolved {
            if !self.inlines.contains(name) {
                problems.push(error.clone());
            }
        }
        let mut inclusions = Inclusions::default();
        for (name, parsed) in &self.parsed {
            inclusions.add(name, &parsed.partials);
            for inclusion in &parsed.partials {
                problems.extend(inclusion.unseen(&self.variables(&inclusion.name), &self.site));
            }
        }
        inclusions.refuse_cycles(problems);
    }

    /// The static files that templates link to.
    pub fn files(&self) -> &[FileLink] {
        &self.files
    }

    /// The forms in all templates.
    pub fn forms(&self) -> &[PlacedForm] {
        &self.forms
    }

    /// The names a template takes from the site, those of its partials included.
    pub fn variables<'l>(&'l self, name: &'l str) -> Vec<Variable> {
        let mut all = Vec::new();
        self.gather(name, Surroundings::new(), &mut Vec::new(), &mut BTreeSet::new(), &mut all);
        all
    }

    /// Whether a template shows a name of the site's, itself or in a partial.
    pub fn shows(&self, template: &str, name: &str) -> bool {
        self.variables(template).iter().any(|variable| variable.path.first().is_some_and(|first| first == name))
    }

    /// Whether a template shows the CSRF token, itself or in a partial.
    pub fn shows_token(&self, template: &str) -> bool {
        let mut included = BTreeSet::new();
        self.include(template, &mut included);
        let has_field = |name: &&str| self.parsed.get(*name).is_some_and(|parsed| parsed.has_csrf_field);
        included.iter().any(has_field) || self.shows(template, "csrf_token")
    }

    /// Adds a template and those that it includes, however deep.
    pub fn include<'l>(&'l self, template: &str, included: &mut BTreeSet<&'l str>) {
        let Some((name, parsed)) = self.parsed.get_key_value(template) else { return };
        if included.insert(name) {
            parsed.partials.iter().for_each(|partial| self.include(&partial.name, included));
        }
    }

    /// `way` leads from the template that is shown to this one; it keeps a cycle from going on.
    fn gather<'l>(
        &'l self,
        name: &'l str,
        around: Surroundings<'l>,
        way: &mut Vec<&'l str>,
        seen: &mut BTreeSet<(&'l str, Surroundings<'l>)>,
        all: &mut Vec<Variable>,
    ) {
        let Some(parsed) = self.parsed.get(name).filter(|_| !way.contains(&name)) else { return };
        if !seen.insert((name, around.clone())) {
            return;
        }
        all.extend(parsed.variables.iter().filter_map(|variable| around.seen(variable)));
        way.push(name);
        for inclusion in &parsed.partials {
            self.gather(&inclusion.name, around.of(inclusion), way, seen, all);
        }
        way.pop();
    }

    fn needs(&self, name: &str, seen: &mut BTreeSet<String>, needs: &mut Needs) {
        let Some(parsed) = self.parsed.get(name) else { return };
        if !seen.insert(name.to_owned()) {
            return;
        }
        for variable in &parsed.variables {
            needs.add(&variable.path);
        }
        if parsed.has_csrf_field {
            needs.add(&["csrf_token".to_owned()]);
        }
        for inclusion in &parsed.partials {
            self.needs(&inclusion.name, seen, needs);
        }
    }

    /// Changes with the text of a template and of those it includes.
    pub fn fingerprint(&self, name: &str) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(name, &mut BTreeSet::new(), &mut hasher);
        hasher.finish()
    }

    fn hash(&self, name: &str, seen: &mut BTreeSet<String>, hasher: &mut DefaultHasher) {
        let Some(parsed) = self.parsed.get(name) else { return };
        if !seen.insert(name.to_owned()) {
            return;
        }
        (name, &parsed.text.text).hash(hasher);
        for inclusion in &parsed.partials {
            self.hash(&inclusion.name, seen, hasher);
        }
    }

    fn way(&self, name: &str, parsed: &Parsed) -> Way {
        if let Some(text) = Interpolation::of(&parsed.template) {
            return Way::Interpolate(text);
        }
        let mut needs = Needs::default();
        self.needs(name, &mut BTreeSet::new(), &mut needs);
        Way::Handlebars(needs)
    }

    /// Makes the templates ready to render, with the versions of the static files they link to.
    pub fn finish(self, versions: Versions) -> Templates {
        let versions = Arc::new(versions);
        let mut html = Handlebars::new();
        let mut plain = Handlebars::new();
        plain.register_escape_fn(no_escape);
        for registry in [&mut html, &mut plain] {
            registry::register(registry, &self.links, &versions);
        }
        let ways = self.parsed.iter().map(|(name, parsed)| (name.clone(), self.way(name, parsed))).collect();
        for (name, parsed) in self.parsed {
            if parsed.escaping != Some(Escaping::Plain) {
                html.register_template(&name, parsed.template.clone());
            }
            if parsed.escaping != Some(Escaping::Html) {
                plain.register_template(&name, parsed.template);
            }
        }
        Templates::new(html, plain, ways, self.links, versions)
    }
}
