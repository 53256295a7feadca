//! Declarations to a [`Site`]: names first, then templates, then routes, then the checks that need
//! all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use http::Method;
use serde_json::{Map, Value};

use super::actions;
use super::check::forms::Whole;
use super::check::{self, By, Shown};
use super::methods::methods;
use super::names::{self, Names, meaning};
use super::paths::{self, Paths};
use super::pattern::Pattern;
use super::request::NAMES;
use super::response::Response;
use super::route::Route;
use super::session_keys::{self, KeyUse, SessionKeys, SessionUse};
use super::step::Steps;
use super::vocabulary::Vocabulary;
use super::{
    ErrorPage, Part, Site, cache, cors, csrf, escaping, fingerprint, params, predicates, responses, secrecy, server,
    sessions, statics, users,
};
use crate::config::Loaded;
use crate::config::declaration::{CsrfCheck, Declarations, RouteDeclaration};
use crate::config::tree::{Entry, Tree};
use crate::diagnostic::{At, Diagnostic, Diagnostics, Severity};
use crate::session::Session;
use crate::template::library::{Home, Library, qualify};
use crate::template::links::Links;
use crate::template::writing::Writing;

/// Builds the site; `None` if its file could not be read at all.
pub fn build(loaded: Loaded, vocabulary: &Vocabulary, problems: &mut Diagnostics) -> Option<Site> {
    let declarations = loaded.declarations.as_ref()?;
    let errors_before = problems.count(Severity::Error);
    let mut declared = Vec::new();
    let mut inputs = loaded.inputs.clone();
    flatten(declarations, &mut declared);

    let paths = Arc::new(Paths::of(&declared, problems));
    let links: Arc<dyn Links> = Arc::clone(&paths) as Arc<dyn Links>;
    let names = names::of_site(&declared, vocabulary);
    let mut library = Library::new(Arc::clone(&links), template_names(&declared, problems), names);
    let known: Vec<_> = declared.iter().map(|part| known_data(part)).collect();
    for (part, known) in declared.iter().zip(&known) {
        let home = Home { site: &part.name, prefix: &part.prefix, data: known };
        for template in &part.templates {
            if let Some(text) = &template.text {
                library.add(&home.qualify(&template.name), home, text, None, &template.key, problems);
            }
        }
    }

    let mut routes = Vec::new();
    let mut parts = Vec::new();
    let mut shown = Vec::new();
    let mut reads = Vec::new();
    let mut flashed = Vec::new();
    for (index, (part, known)) in declared.iter().zip(&known).enumerate() {
        let home = Home { site: &part.name, prefix: &part.prefix, data: known };
        let mut compiler = Compiler {
            part,
            home,
            index,
            vocabulary,
            csrf: loaded.settings.csrf.enabled,
            library: &mut library,
            shown: &mut shown,
            reads: &mut reads,
            flashed: &mut flashed,
        };
        for route in &part.routes {
            let pattern = paths.pattern(&home.qualify(&route.name)).cloned();
            if let Some(route) = compiler.route(route, pattern, problems) {
                routes.push(route);
            }
        }
        parts.push(compiler.finish(problems));
    }
    // What could not be read or compiled may be what is missed elsewhere.
    let is_whole = loaded.is_whole && problems.count(Severity::Error) == errors_before;
    library.check_inclusions(problems);
    check::names(&library, &shown, problems);
    check::entries(&library, &shown, problems);
    if is_whole {
        check::markers(&library, &shown, problems);
        check::comparisons::check(&library, &shown, problems);
    }
    check::params::check(&library, &shown, problems);
    check::params::check_actions(&declared, &paths, vocabulary, problems);
    escaping::check(&library, &shown, problems);
    check::open_redirect::check(&library, &routes, &parts, problems);
    let mut statics = statics::compile(&declared);
    let users: Vec<_> = declared.iter().flat_map(|part| users::compile(part, problems)).collect();
    users::check_secrecy(&declared, problems);
    secrecy::Private::of(&loaded.settings, &declared, &inputs).keep(&declared, &mut statics, problems);
    let versions = statics::link(&mut statics, library.files(), &mut inputs, problems);
    let router = paths::router(&declared, &routes, &statics, problems);
    server::check(&loaded.settings, problems);
    csrf::check(&loaded.settings, problems);
    cors::check(&loaded.settings, &routes, problems);
    sessions::check(&loaded.settings, &routes, &declared, vocabulary, problems);
    if is_whole {
        check::nothing_to_serve(&routes, &statics, declarations, problems);
        check::taken_for_granted(&routes, &declared, problems);
        check::out_of_reach(&loaded.settings, &routes, &declared, problems);
        check::session::keys(&routes, &reads, problems);
        if let Some(router) = &router {
            let append_slash = loaded.settings.server.append_slash;
            let (library, routes, shown, parts) = (&library, &routes, &shown, &declared);
            check::forms::check(Whole { library, routes, router, shown, parts, append_slash }, problems);
        }
        check::session::flash(&routes, &reads, &flashed, problems);
    }
    // Of a site that does not work yet, this would be too much to say.
    if !problems.has_errors() {
        check::session::changes_on_get(&routes, problems);
        check::session::cookie_limits(&loaded.settings, &routes, vocabulary, problems);
    }
    Some(Site {
        cors: cors::Cors::of(&loaded.settings),
        csrf: csrf::Csrf::new(&loaded.settings),
        edge: server::Edge::of(&loaded.settings.server),
        settings: loaded.settings,
        inputs,
        routes,
        parts,
        cache_limits: (declarations.cache.max_entries, declarations.cache.max_bytes),
        statics,
        users,
        router: router?,
        templates: library.finish(versions),
        links,
    })
}

fn flatten<'d>(declarations: &'d Declarations, all: &mut Vec<&'d Declarations>) {
    all.push(declarations);
    declarations.mounts.iter().for_each(|mount| flatten(mount, all));
}

/// The full names of all templates; two of the same name are an error.
fn template_names(parts: &[&Declarations], problems: &mut Diagnostics) -> BTreeSet<String> {
    let mut names: BTreeMap<String, &At<String>> = BTreeMap::new();
    for part in parts {
        for template in &part.templates {
            let full = qualify(&part.name, &template.name);
            if let Some(first) = names.get(&full) {
                problems.push(
                    Diagnostic::error(
                        &template.name.place,
                        format!("two templates are named `{}`", template.name.value),
                    )
                    .key(&template.key)
                    .related(&first.place, "the first")
                    .help("`[templates]` and the files of the template directory share their names; drop one"),
                );
            }
            names.insert(full, &template.name);
        }
    }
    names.into_keys().collect()
}

/// The values of `[data]` that mean the same on every page of a site: a name that some route gives
/// another meaning is not among them.
fn known_data(part: &Declarations) -> Map<String, Value> {
    let actions = part.routes.iter().flat_map(RouteDeclaration::steps);
    let actions: BTreeSet<String> = actions.map(|action| action.to_value().to_string()).collect();
    let hidden = |name: &str| {
        let in_data = |route: &RouteDeclaration| route.data.iter().any(|entry| *entry.name == name);
        // Whatever an action mentions might bind it.
        part.routes.iter().any(in_data) || actions.iter().any(|action| action.contains(name))
    };
    let is_unread = |entry: &Entry| matches!(entry.node.tree, Tree::Scalar(Value::Null));
    let known = part.data.iter().filter(|entry| !is_unread(entry) && !hidden(&entry.name));
    known.map(|entry| (entry.name.value.clone(), entry.node.to_value())).collect()
}

/// Compiles the routes and error pages of one site folder.
struct Compiler<'c> {
    part: &'c Declarations,
    home: Home<'c>,
    index: usize,
    vocabulary: &'c Vocabulary,
    /// `csrf.enabled`.
    csrf: bool,
    library: &'c mut Library,
    shown: &'c mut Vec<Shown>,
    reads: &'c mut Vec<KeyUse>,
    flashed: &'c mut Vec<KeyUse>,
}

impl Compiler<'_> {
    fn route(
        &mut self,
        declared: &RouteDeclaration,
        pattern: Option<Pattern>,
        problems: &mut Diagnostics,
    ) -> Option<Route> {
        let methods = methods(declared, problems);
        let predicates = declared.predicates.as_ref();
        let predicates = predicates.map(|node| predicates::compile::predicates(node, problems)).unwrap_or_default();
        let data = data(&declared.data, problems);
        let params = params::params(declared, self.part, problems);
        let mut writing = Writing {
            library: self.library,
            home: self.home,
            prefix: &self.part.prefix,
            folder: &self.part.folder,
            problems,
            added: Vec::new(),
        };
        let mut names = Names::default();
        names.provided.extend(NAMES.iter().map(|(name, _)| (*name).to_owned()));
        let in_data: BTreeSet<String> =
            self.part.data.iter().chain(&declared.data).map(|entry| entry.name.value.clone()).collect();
        names.provided.extend(in_data.iter().cloned());
        names.users = self.part.users.iter().map(|users| users.name.value.clone()).collect();
        let guards = declared.guards.as_deref().unwrap_or_default();
        let guards = actions::guards(guards, self.vocabulary, &mut names, &mut writing);
        let (before_actions, guards_known) = (names.provided.clone(), !names.incomplete);
        let actions = declared.actions.as_deref().unwrap_or_default();
        let actions = actions::steps(actions, self.vocabulary, &mut names, &mut writing);
        let steps = Steps { guards, actions };
        let response = declared.response.as_ref().and_then(|declared| responses::response(declared, &mut writing));
        let in_answers = writing.added.len();
        // Without parameters it never answers: it may be one of `[defaults]`.
        let invalid = declared.invalid.as_ref().filter(|_| declared.params.is_some());
        let invalid = invalid.map(|declared| responses::invalid(declared, &mut writing));
        let wish = cache::wish(declared, &self.part.cache, &mut writing);
        let added = writing.added;
        let mut reads = names.reads;
        reads.extend(added.iter().flat_map(|name| session_keys::named_in(self.library, name)));
        let answers = [response.as_ref(), invalid.as_ref().and_then(Option::as_ref)];
        let mut keys = SessionKeys::of(&steps, &reads, &answers);
        let facts = cache::Facts {
            declared,
            methods: &methods,
            steps: &steps,
            shown: &added,
            reads: &reads,
            keys: &keys,
            library: self.library,
        };
        let passwords = users::passwords(&methods, &steps, &added, self.library, problems);
        let faulted = check::params::faulted(declared, &steps, problems);
        let caching = wish.and_then(|wish| cache::caching(wish, &facts, problems));
        let csrf = self.csrf_check(declared, &methods, keys.session_use());
        let token = vec![Session::CSRF_KEY.to_owned()];
        if csrf == CsrfCheck::Token {
            keys.reads.insert(token.clone());
        }
        let wants_token = keys.renews || keys.writes.contains(&token);
        self.reads.extend(reads);
        self.flashed.extend(names.flashed);
        let fingerprint = fingerprint::route(declared, &self.part.prefix, &added, self.library);
        let by = self.home.qualify(&declared.name);
        let (in_answers, in_invalid) = added.split_at(in_answers);
        let declares = declared.params.as_ref();
        let declares = declares.map(|params| params.iter().map(|param| param.name.value.clone()).collect());
        let markers: Option<BTreeSet<String>> =
            pattern.as_ref().map(|pattern| pattern.names().map(str::to_owned).collect());
        let page = |by, templates: &[String], provided, fixed| Shown {
            by,
            templates: templates.to_vec(),
            provided,
            fixed,
            params: declares.clone(),
            numbers: params.numbers().map(str::to_owned).collect(),
            faulted: faulted.clone(),
            markers: markers.clone(),
        };
        let before = escaping::unbound(&in_data, &steps.guards);
        if !names.incomplete {
            let fixed = escaping::unbound(&before, &steps.actions);
            self.shown.push(page(By::Route(by.clone()), in_answers, names.provided, fixed));
        }
        if guards_known {
            self.shown.push(page(By::Invalid(by), in_invalid, before_actions, before));
        }
        Some(Route {
            name: self.home.qualify(&declared.name),
            pattern: pattern?,
            methods,
            predicates,
            part: self.index,
            params,
            invalid: invalid.map_or(Some(None), |invalid| invalid.map(Some))?,
            steps,
            passwords,
            response: response?,
            data,
            session_use: keys.session_use(),
            keys,
            caching,
            csrf,
            wants_token,
            wants_nonce: added.iter().any(|template| self.library.shows(template, "csp_nonce")),
            keepalive: declared.keepalive.unwrap_or(true),
            fingerprint,
        })
    }

    /// What does not use the session cannot do anything in a visitor's name.
    fn csrf_check(&self, declared: &RouteDeclaration, methods: &[Method], session_use: SessionUse) -> CsrfCheck {
        if !methods.iter().any(csrf::is_unsafe) {
            return CsrfCheck::Nothing;
        }
        let is_needed = self.csrf && session_use != SessionUse::None;
        declared.csrf.unwrap_or(if is_needed { CsrfCheck::Token } else { CsrfCheck::Nothing })
    }

    fn finish(mut self, problems: &mut Diagnostics) -> Part {
        Part {
            errors: self.errors(problems),
            data: data(&self.part.data, problems),
            name: self.part.name.clone(),
            prefix: self.part.prefix.clone(),
            folder: self.part.folder.clone(),
        }
    }

    fn errors(&mut self, problems: &mut Diagnostics) -> Vec<ErrorPage> {
        let mut pages = Vec::new();
        for declared in &self.part.errors {
            let mut writing = Writing {
                library: self.library,
                home: self.home,
                prefix: &self.part.prefix,
                folder: &self.part.folder,
                problems,
                added: Vec::new(),
            };
            let response: Option<Response> = responses::response(&declared.response, &mut writing);
            let mut provided: BTreeSet<String> = ["error", "flash", "request", "csp_nonce"].map(str::to_owned).into();
            let fixed: BTreeSet<String> = self.part.data.iter().map(|entry| entry.name.value.clone()).collect();
            provided.extend(fixed.iter().cloned());
            let shown = writing.added;
            if shown.iter().any(|template| self.library.shows_token(template)) {
                problems.push(
                    declared
                        .response
                        .body
                        .error("an error page has no session, and so no CSRF token")
                        .help("leave the form out, or link to the page that has it"),
                );
            }
            if let Some(response) = response {
                let fingerprint = fingerprint::error_page(declared, &shown, self.library);
                pages.push(ErrorPage { statuses: declared.statuses.clone(), response, fingerprint });
            }
            self.shown.push(Shown {
                by: By::ErrorPage(declared.key.clone()),
                templates: shown,
                provided,
                fixed,
                params: None,
                numbers: BTreeSet::new(),
                faulted: Vec::new(),
                markers: None,
            });
        }
        pages
    }
}

fn data(entries: &[Entry], problems: &mut Diagnostics) -> Map<String, Value> {
    for entry in entries {
        if let Some(meaning) = meaning(&entry.name) {
            problems.push(
                Diagnostic::error(
                    &entry.name.place,
                    format!("`{}` already has a meaning in templates", entry.name.value),
                )
                .key(&entry.node.key)
                .help(format!("it is {meaning}; choose another name")),
            );
        }
    }
    entries.iter().map(|entry| (entry.name.value.clone(), entry.node.to_value())).collect()
}
