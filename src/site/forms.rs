//! The forms in templates: whether a route takes what they send, and whether it would refuse them for
//! want of a CSRF token.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;

use super::Target;
use super::check::{By, Shown};
use super::route::Route;
use super::router::{Miss, Router};
use crate::config::declaration::CsrfCheck;
use crate::diagnostic::{Diagnostic, Diagnostics, nearest_help};
use crate::template::forms::{FormAction, PlacedForm, Token};
use crate::template::library::{Library, qualify};

/// What a site answers, and what it shows.
pub(super) struct Forms<'s> {
    /// The templates, with the forms in them.
    pub library: &'s Library,
    /// All routes.
    pub routes: &'s [Route],
    /// Where paths lead.
    pub router: &'s Router<Target>,
    /// Which routes show which templates.
    pub shown: &'s [Shown],
    /// The prefixes of the sites, by their names.
    pub prefixes: BTreeMap<&'s str, &'s str>,
    /// `server.append_slash`.
    pub append_slash: bool,
}

/// What is wrong with where a form goes.
struct Astray {
    message: String,
    help: Option<String>,
}

impl Forms<'_> {
    /// Warns of forms that lead nowhere, and of those that a route would refuse.
    pub fn check(&self, problems: &mut Diagnostics) {
        // A form is told once that it has no token, whichever of its buttons needs one.
        let mut told = BTreeSet::new();
        for placed in self.library.forms() {
            match self.takers(placed) {
                Ok(takers) => {
                    let warning = self.without_token(placed, &takers);
                    problems.extend(warning.filter(|_| told.insert((&placed.template, placed.form.form))));
                }
                Err(Astray { message, help }) => {
                    let warning = Diagnostic::warning(&placed.place, message).key(&placed.key);
                    problems.push(warning.maybe_help(help));
                }
            }
        }
    }

    /// The routes that take what a form sends; none where that cannot be told.
    fn takers(&self, placed: &PlacedForm) -> Result<Vec<&Route>, Astray> {
        match &placed.form.action {
            FormAction::Route(name) => {
                let full = qualify(&placed.site, name);
                let Some(route) = self.routes.iter().find(|route| route.name == full) else { return Ok(Vec::new()) };
                self.beside(route, placed).map_err(|answered| wrong(placed, &format!("to `{name}`"), &answered))
            }
            FormAction::Path(path) => self.at(path, placed),
            FormAction::Page => self.on_its_page(placed),
        }
    }

    /// The routes with the path of this one that take what a form sends; if there is none, the methods
    /// that they do take.
    fn beside(&self, route: &Route, placed: &PlacedForm) -> Result<Vec<&Route>, Vec<Method>> {
        let beside = || self.routes.iter().filter(|other| other.pattern.text() == route.pattern.text());
        let takers: Vec<_> = beside().filter(|other| other.methods.contains(&placed.form.method)).collect();
        if takers.is_empty() { Err(beside().flat_map(|other| other.methods.clone()).collect()) } else { Ok(takers) }
    }

    fn find(&self, method: &Method, path: &str) -> Result<Option<&Route>, Miss> {
        let found = self.router.find_by(method, path, &mut |group| group.first().copied())?;
        Ok(match *found.route {
            Target::Route(at) => self.routes.get(at),
            Target::Static(_) => None,
        })
    }

    fn at(&self, path: &str, placed: &PlacedForm) -> Result<Vec<&Route>, Astray> {
        let method = &placed.form.method;
        match self.find(method, path) {
            Ok(route) => Ok(route.into_iter().collect()),
            Err(Miss::MethodNotAllowed(answered)) => Err(wrong(placed, &format!("to `{path}`"), &answered)),
            Err(Miss::NotFound) if self.append_slash && self.find(method, &format!("{path}/")).is_ok() => {
                Ok(Vec::new())
            }
            Err(_) => {
                let message = format!("this form sends {method} to `{path}`, where there is no route");
                let own = self.prefixes.get(placed.site.as_str()).map(|prefix| format!("{prefix}{path}"));
                let meant = own.and_then(|own| self.find(method, &own).ok().flatten());
                let paths = self.routes.iter().filter(|route| route.methods.contains(method));
                let near = nearest_help(path, paths.map(|route| route.pattern.text()));
                let help = match meant {
                    Some(route) => {
                        let name = route.name.strip_prefix(&qualify(&placed.site, "")).unwrap_or(&route.name);
                        Some(format!("the site is mounted at a prefix; write `{{{{url \"{name}\"}}}}`"))
                    }
                    None => near,
                };
                Err(Astray { message, help })
            }
        }
    }

    /// What is sent to the page itself is taken by a route with the path of each page that has the form.
    fn on_its_page(&self, placed: &PlacedForm) -> Result<Vec<&Route>, Astray> {
        let mut takers = Vec::new();
        // Whoever asked for the page with GET can ask so again.
        for page in self.pages(placed).filter(|_| placed.form.method == Method::POST) {
            let found = self.beside(page, placed);
            let to = format!("to its own page, `{}`", page.name);
            takers.extend(found.map_err(|answered| wrong(placed, &to, &answered))?);
        }
        Ok(takers)
    }

    /// The routes that show a form.
    fn pages(&self, placed: &PlacedForm) -> impl Iterator<Item = &Route> {
        let has_it = |page: &&Shown| page.templates.iter().any(|name| self.library.includes(name, &placed.template));
        let names = self.shown.iter().filter(has_it).filter_map(|page| match &page.by {
            By::Route(name) | By::Invalid(name) => Some(name),
            By::ErrorPage(_) => None,
        });
        names.filter_map(|name| self.routes.iter().find(|route| route.name == *name))
    }

    fn without_token(&self, placed: &PlacedForm, takers: &[&Route]) -> Option<Diagnostic> {
        let Token::In(partials) = &placed.form.token else { return None };
        let may_have_it = |name: &String| {
            let full = qualify(&placed.site, name);
            // What is not a template of its own is an inline partial, whoever fills it.
            !self.library.names().contains(&full) || self.library.shows_token(&full)
        };
        let refuses = |route: &&&Route| route.csrf == CsrfCheck::Token && placed.form.method == Method::POST;
        let route = takers.iter().find(refuses).filter(|_| !partials.iter().any(may_have_it))?;
        let message = format!("this form sends no CSRF token, and the route `{}` will refuse it", route.name);
        let warning = Diagnostic::warning(&placed.place, message).key(&placed.key);
        Some(warning.help("put `{{csrf_field}}` into the form"))
    }
}

/// A form that sends what is not taken.
fn wrong(placed: &PlacedForm, to: &str, answered: &[Method]) -> Astray {
    let mut answered: Vec<&str> = answered.iter().map(Method::as_str).collect();
    // They go without saying.
    answered.retain(|method| !matches!(*method, "HEAD" | "OPTIONS"));
    answered.sort_unstable();
    answered.dedup();
    let sent = &placed.form.method;
    let message = format!("this form sends {sent} {to}, which answers {}", answered.join(", "));
    let help = if *sent == Method::GET && answered.contains(&"POST") {
        "write `method=\"post\"` into its tag".to_owned()
    } else {
        format!("name the route that takes it in the form's `action`, or give that one `methods = [\"{sent}\"]`")
    };
    Astray { message, help: Some(help) }
}
