//! The forms in templates: whether a route takes what they send, and whether it would refuse them for
//! want of a CSRF token.

use std::collections::{BTreeSet, HashMap};

use http::Method;

use super::{By, Shown, session};
use crate::config::declaration::{CsrfCheck, Declarations};
use crate::diagnostic::{Diagnostic, Diagnostics, nearest, nearest_help};
use crate::site::Target;
use crate::site::route::Route;
use crate::site::router::{Miss, Router};
use crate::template::forms::{FormAction, PlacedForm, Token};
use crate::template::library::{Library, qualify};

/// What a site answers, and what it shows.
#[derive(Clone, Copy)]
pub(in crate::site) struct Whole<'s> {
    /// The templates, with the forms in them.
    pub library: &'s Library,
    /// All routes.
    pub routes: &'s [Route],
    /// Where paths lead.
    pub router: &'s Router<Target>,
    /// Which routes show which templates.
    pub shown: &'s [Shown],
    /// The site that is served and the mounted ones.
    pub parts: &'s [&'s Declarations],
    /// `server.append_slash`.
    pub append_slash: bool,
}

/// Warns of forms that lead nowhere, and of those that a route would refuse.
pub(in crate::site) fn check(site: Whole<'_>, problems: &mut Diagnostics) {
    let forms = site.library.forms();
    if forms.iter().all(|placed| placed.form.method != Method::POST) {
        session::tokens(site.routes, site.parts, problems);
    }
    if !forms.is_empty() {
        Forms::of(site).check(problems);
    }
}

/// A site, and where to find what in it.
struct Forms<'s> {
    site: Whole<'s>,
    by_name: HashMap<&'s str, &'s Route>,
    by_path: HashMap<&'s str, Vec<&'s Route>>,
    /// The routes that show a template, by its full name.
    pages: HashMap<&'s str, Vec<&'s Route>>,
}

/// What is wrong with where a form goes.
struct Astray {
    message: String,
    help: Option<String>,
}

impl<'s> Forms<'s> {
    fn of(site: Whole<'s>) -> Self {
        let by_name: HashMap<_, _> = site.routes.iter().map(|route| (route.name.as_str(), route)).collect();
        let mut by_path: HashMap<_, Vec<_>> = HashMap::new();
        for route in site.routes {
            by_path.entry(route.pattern.text()).or_default().push(route);
        }
        let mut pages: HashMap<_, Vec<_>> = HashMap::new();
        for page in site.shown {
            let (By::Route(name) | By::Invalid(name)) = &page.by else { continue };
            let Some(route) = by_name.get(name.as_str()) else { continue };
            let mut included = BTreeSet::new();
            page.templates.iter().for_each(|template| site.library.include(template, &mut included));
            for template in included {
                pages.entry(template).or_default().push(*route);
            }
        }
        Self { site, by_name, by_path, pages }
    }

    fn check(&self, problems: &mut Diagnostics) {
        // A form is told once that it has no token, whichever of its buttons needs one.
        let mut told = BTreeSet::new();
        for placed in self.site.library.forms() {
            match self.takers(placed) {
                Ok(takers) => {
                    problems.extend(incomplete(placed, &takers));
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
                let Some(route) = self.by_name.get(full.as_str()) else { return Ok(Vec::new()) };
                self.beside(route, placed).map_err(|answered| wrong(placed, &format!("to `{name}`"), &answered))
            }
            FormAction::Path(path) => self.at(path, placed),
            FormAction::Page => self.on_its_page(placed),
        }
    }

    /// The routes with the path of this one that take what a form sends; if there is none, the methods
    /// that they do take.
    fn beside(&self, route: &Route, placed: &PlacedForm) -> Result<Vec<&Route>, Vec<Method>> {
        let beside = self.by_path.get(route.pattern.text()).map(Vec::as_slice).unwrap_or_default();
        let takes = |other: &&&Route| other.methods.contains(&placed.form.method);
        let takers: Vec<_> = beside.iter().filter(takes).copied().collect();
        let answered = || beside.iter().flat_map(|other| other.methods.clone()).collect();
        if takers.is_empty() { Err(answered()) } else { Ok(takers) }
    }

    fn find(&self, method: &Method, path: &str) -> Result<Option<&Route>, Miss> {
        let found = self.site.router.find_by(method, path, &mut |group| group.first().copied())?;
        Ok(match *found.route {
            Target::Route(at) => self.site.routes.get(at),
            Target::Static(_) => None,
        })
    }

    fn at(&self, path: &str, placed: &PlacedForm) -> Result<Vec<&Route>, Astray> {
        let method = &placed.form.method;
        match self.find(method, path) {
            Ok(route) => Ok(route.into_iter().collect()),
            Err(Miss::MethodNotAllowed(answered)) => Err(wrong(placed, &format!("to `{path}`"), &answered)),
            Err(Miss::NotFound) if self.site.append_slash && self.find(method, &format!("{path}/")).is_ok() => {
                Ok(Vec::new())
            }
            Err(_) => {
                let message = format!("this form sends {method} to `{path}`, where there is no route");
                let own = self.site.parts.iter().find(|part| part.name == placed.site);
                let own = own.map(|part| format!("{}{path}", part.prefix));
                let meant = own.and_then(|own| self.find(method, &own).ok().flatten());
                let paths = self.site.routes.iter().filter(|route| route.methods.contains(method));
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
        let pages = self.pages.get(placed.template.as_str()).filter(|_| placed.form.method == Method::POST);
        for page in pages.into_iter().flatten() {
            let found = self.beside(page, placed);
            let to = format!("to its own page, `{}`", page.name);
            takers.extend(found.map_err(|answered| wrong(placed, &to, &answered))?);
        }
        Ok(takers)
    }

    fn without_token(&self, placed: &PlacedForm, takers: &[&Route]) -> Option<Diagnostic> {
        let Token::In(partials) = &placed.form.token else { return None };
        let may_have_it = |name: &String| {
            let full = qualify(&placed.site, name);
            // What is not a template of its own is an inline partial, whoever fills it.
            !self.site.library.names().contains(&full) || self.site.library.shows_token(&full)
        };
        let refuses = |route: &&&Route| route.csrf == CsrfCheck::Token && placed.form.method == Method::POST;
        let route = takers.iter().find(refuses).filter(|_| !partials.iter().any(may_have_it))?;
        let message = format!("this form sends no CSRF token, and the route `{}` will refuse it", route.name);
        let warning = Diagnostic::warning(&placed.place, message).key(&placed.key);
        Some(warning.help("put `{{csrf_field}}` into the form"))
    }
}

/// A form that can never be sent: no route takes it without a field that it does not have.
fn incomplete(placed: &PlacedForm, takers: &[&Route]) -> Option<Diagnostic> {
    let controls = placed.form.controls.as_ref()?;
    let missing = |route: &Route| -> Vec<String> {
        let missing = route.params.required().filter(|name| !controls.contains(*name));
        missing.map(|name| format!("`{name}`")).collect()
    };
    let all: Vec<Vec<String>> = takers.iter().map(|route| missing(route)).collect();
    let (route, names) = takers.first().zip(all.first()).filter(|_| all.iter().all(|names| !names.is_empty()))?;
    let near = |name: &String| nearest(name.trim_matches('`'), controls.iter().map(String::as_str));
    let help = match names.iter().find_map(|name| Some((name, near(name)?))) {
        Some((name, control)) => format!("did you mean {name} where it says `{control}`?"),
        // What is in the address of the page is sent, too.
        None if placed.form.action == FormAction::Page => return None,
        None => "add the field to the form, or take `required` away".to_owned(),
    };
    let message = format!("this form has no field {}, which the route `{}` requires", names.join(", "), route.name);
    Some(Diagnostic::warning(&placed.place, message).key(&placed.key).help(help))
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
