//! Declarations to a [`Site`]: the router, the compiled routes, the templates, and every check.
//!
//! A site never changes. A reload builds a new one aside and swaps it in ([`live`]); building has
//! no side effects, so `sitewright check` does exactly what serving does.

mod actions;
mod build;
pub mod cache;
mod check;
pub mod cors;
pub mod credentials;
pub mod csrf;
mod error_pages;
mod escaping;
pub mod factories;
pub mod failure;
mod fingerprint;
mod headers;
pub mod live;
mod methods;
mod names;
pub mod params;
mod paths;
pub mod pattern;
pub mod policy;
pub mod predicates;
pub mod questions;
pub mod request;
pub mod response;
mod responses;
pub mod route;
pub mod router;
pub mod scope;
mod secrecy;
pub mod server;
pub mod session_keys;
pub mod sessions;
pub mod statics;
pub mod step;
mod terms;
pub mod users;
mod vocabulary;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use http::{HeaderName, Method};
use serde_json::{Map, Value};

use crate::action::Scene;
use crate::config::Loaded;
use crate::config::read::Inputs;
use crate::config::settings::Settings;
use crate::diagnostic::Diagnostics;
use crate::session::Session;
use crate::template::links::Links;
use crate::template::render::Templates;
use cache::PageKey;
use cors::Cors;
use csrf::Csrf;
use error_pages::ErrorPage;
use failure::Failure;
use predicates::{Head, Liking, Predicates};
use request::Request;
use route::{Outcome, Ran, Route, Surroundings};
use router::{Match, Miss, Param, Router};
use scope::Input;
use server::Edge;
use session_keys::SessionUse;
use statics::StaticFiles;
use users::Users;

pub use crate::config::settings::ServerSettings;
pub use error_pages::{ERROR, ErrorInfo, ON_ERROR_PAGES, title};
pub use vocabulary::Vocabulary;

/// A declared site, compiled and checked.
pub struct Site {
    /// The settings in force.
    pub settings: Settings,
    /// What of them each request is held against.
    pub edge: Edge,
    /// What it was read from.
    pub inputs: Inputs,
    /// The routes, in the order of the files.
    pub routes: Vec<Route>,
    /// The site that is served, then the mounted ones.
    pub parts: Vec<Part>,
    /// The most replies that are kept at a time, and the most bytes they take together.
    pub cache_limits: (usize, usize),
    /// `[users]` of all parts.
    pub users: Vec<Users>,
    /// `[static]` of all parts.
    pub statics: Vec<StaticFiles>,
    /// `[cors]`, if it allows anything.
    pub cors: Option<Cors>,
    router: Router<Target>,
    templates: Templates,
    links: Arc<dyn Links>,
    csrf: Csrf,
}

/// One site folder of a [`Site`].
#[derive(Debug)]
pub struct Part {
    /// Empty for the site that is served; a mounted one's name prefixes the names of its routes.
    pub name: String,
    /// The prefix of its paths.
    pub prefix: String,
    /// Where it is.
    pub folder: PathBuf,
    /// Its `[data]`.
    pub data: Map<String, Value>,
    errors: Vec<ErrorPage>,
}

impl Part {
    /// Changes with its `[errors]` and with the templates they show: for a reload, to say so.
    pub fn error_fingerprints(&self) -> impl Iterator<Item = u64> {
        self.errors.iter().map(|page| page.fingerprint)
    }
}

/// What a path leads to, as the router has it: indices into the site's lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Route(usize),
    Static(usize),
}

/// What answers a request.
#[derive(Debug)]
pub enum Found<'s> {
    /// A route, with the values of its path's markers.
    Route(&'s Route, Vec<(&'s str, Param)>),
    /// A folder of files, with the decoded segments of the path below it.
    Static(&'s StaticFiles, Vec<String>),
}

/// What answers a request, and what it was chosen by.
#[derive(Debug)]
pub struct Choice<'s> {
    /// What answers.
    pub found: Found<'s>,
    /// The headers that were looked at to choose it, for `Vary`.
    pub varies: Vec<HeaderName>,
}

/// The value of the one marker that the pattern of static files has.
fn remainder(params: Vec<(&str, Param)>) -> Vec<String> {
    let segments = params.into_iter().filter_map(|(_, param)| match param {
        Param::Rest(segments) => Some(segments),
        Param::One(_) => None,
    });
    segments.flatten().collect()
}

impl Site {
    /// Builds a site from what was read.
    ///
    /// All problems go to `problems`; there is a site exactly if none of them is an error.
    pub fn build(loaded: Loaded, vocabulary: &Vocabulary, problems: &mut Diagnostics) -> Option<Site> {
        build::build(loaded, vocabulary, problems).filter(|_| !problems.has_errors())
    }

    /// What answers a request.
    ///
    /// # Errors
    /// A [`Miss`] says why nothing does.
    pub fn find(&self, head: &Head<'_>) -> Result<Choice<'_>, Miss> {
        let mut varies = Vec::new();
        let mut choose = |group: &[usize]| self.choose(group, head, &mut varies);
        let Match { route: target, params } = self.router.find_by(head.method, head.path, &mut choose)?;
        let found = match *target {
            Target::Route(index) => self.routes.get(index).map(|route| Found::Route(route, params)),
            Target::Static(index) => self.statics.get(index).map(|files| Found::Static(files, remainder(params))),
        };
        Ok(Choice { found: found.ok_or(Miss::NotFound)?, varies })
    }

    /// The most specific of some routes whose predicates hold. Routes come first in the router's table.
    fn choose(&self, group: &[usize], head: &Head<'_>, varies: &mut Vec<HeaderName>) -> Option<usize> {
        let mut best: Option<(usize, &Predicates, Liking)> = None;
        for &index in group {
            let predicates = &self.routes.get(index)?.predicates;
            for name in predicates.varies() {
                if !varies.contains(&name) {
                    varies.push(name);
                }
            }
            let Some(liking) = predicates.liking(head) else { continue };
            if best.as_ref().is_none_or(|(_, other, others)| predicates.beats(&liking, other, others)) {
                best = Some((index, predicates, liking));
            }
        }
        best.map(|(index, ..)| index)
    }

    /// The methods that any path answers: what `OPTIONS *` asks for (RFC 9110 section 9.3.7).
    pub fn methods(&self) -> Vec<Method> {
        let declared = self.routes.iter().flat_map(|route| route.methods.iter().cloned());
        let files = self.statics.iter().map(|_| Method::GET);
        let mut methods: Vec<Method> = declared.chain(files).chain([Method::OPTIONS]).collect();
        if methods.contains(&Method::GET) {
            methods.push(Method::HEAD);
        }
        methods.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        methods.dedup();
        methods
    }

    /// The methods that a path answers, whatever else its routes ask of a request; none if there is no such
    /// path.
    pub fn methods_of(&self, path: &str) -> Vec<Method> {
        self.router.allowed_by(path, &mut |group| group.first().copied())
    }

    /// Runs a route; see [`Route::run`].
    pub fn run(
        &self,
        route: &Route,
        request: &Request<'_>,
        session: &mut Session,
        outcomes: &mut Vec<Outcome>,
    ) -> Result<Ran, Failure> {
        let Some(part) = self.parts.get(route.part) else {
            return Err(Failure::internal(format!("the route `{}` is of another site", route.name)));
        };
        let around =
            Surroundings { templates: &self.templates, links: &self.links, data: &part.data, csrf: &self.csrf };
        route.run(&around, request, session, outcomes)
    }

    /// What tells the page that a request asks for from all others; `None` if it is not to be kept.
    pub fn page_key(&self, route: &Route, request: &Request<'_>, session: &mut Session) -> Option<PageKey> {
        let caching = route.caching.as_ref().filter(|_| matches!(*request.method, Method::GET | Method::HEAD))?;
        if !request.checked.faults().is_empty() {
            return None;
        }
        let site = &self.parts.get(route.part)?.data;
        let input = Input { request, route: &route.data, site };
        let scene = Scene {
            session,
            now: request.now,
            token: &request.token,
            bound: &[],
            input: &input,
            templates: &self.templates,
            verdicts: &[],
        };
        Some(caching.key(&route.name, &scene))
    }

    /// Whether any route asks for the session.
    pub fn uses_sessions(&self) -> bool {
        self.routes.iter().any(|route| route.session_use != SessionUse::None)
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site").field("routes", &self.routes.len()).field("parts", &self.parts).finish_non_exhaustive()
    }
}
