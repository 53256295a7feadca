//! What routes do with the session: keys nobody writes, messages and tokens nobody sees, what looking
//! changes, and what a cookie cannot promise.

use std::collections::BTreeSet;

use http::Method;

use crate::action::Effect;
use crate::config::declaration::{CsrfCheck, Declarations};
use crate::config::settings::Settings;
use crate::diagnostic::{Diagnostic, Diagnostics, nearest};
use crate::session::Session;
use crate::site::factories::HeldBy;
use crate::site::paths;
use crate::site::route::Route;
use crate::site::session_keys::{KeyUse, QUEUES};
use crate::site::step::Step;
use crate::site::vocabulary::Vocabulary;

/// Warns of keys that are read where nothing is said for their absence, though no route writes them.
pub fn keys(routes: &[Route], reads: &[KeyUse], problems: &mut Diagnostics) {
    let written: BTreeSet<&Vec<String>> = routes.iter().flat_map(|route| &route.keys.writes).collect();
    let names: BTreeSet<String> = written.iter().map(|path| path.join(".")).collect();
    // What shows all of the session, whatever is in it, asks for no key.
    for read in reads.iter().filter(|read| !read.has_default && !read.path.is_empty()) {
        let is_written = written.iter().any(|path| path.starts_with(&read.path) || read.path.starts_with(path));
        // Keys with an underscore are the engine's own.
        let is_own = read.path.first().is_some_and(|name| name.starts_with('_'));
        if is_written || is_own {
            continue;
        }
        let name = read.path.join(".");
        let help = match nearest(&name, names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "if another program writes it, say what it is without: with `default` or `or`".to_owned(),
        };
        problems.push(
            Diagnostic::warning(&read.place, format!("no route ever writes `{name}`, so the session does not have it"))
                .key(&read.key)
                .help(help),
        );
    }
}

/// Warns of flash messages that nobody ever sees, and notes where there is never one to be seen.
pub fn flash(routes: &[Route], reads: &[KeyUse], flashed: &[KeyUse], problems: &mut Diagnostics) {
    let all = [QUEUES.to_owned()];
    let shown = reads.iter().find(|read| read.path == all);
    // Without an answer to show it, a message may still be worked with.
    let is_read = |message: &&KeyUse| {
        // A queue that only the request decides may be any of them.
        let is_it = |path: &Vec<String>| match message.path.first() {
            Some(_) => *path == message.path,
            None => path.first().is_some_and(|key| key.starts_with(&Session::flash_key(""))),
        };
        shown.is_some() || routes.iter().any(|route| route.keys.reads.iter().chain(&route.keys.removes).any(is_it))
    };
    for message in flashed.iter().filter(|message| !is_read(message)) {
        problems.push(
            Diagnostic::warning(&message.place, "no page ever shows this message")
                .key(&message.key)
                .help("show it in a template: `{{#each flash}}<p class=\"{{queue}}\">{{message}}</p>{{/each}}`"),
        );
    }
    if let (Some(shown), []) = (shown, flashed) {
        problems.push(
            Diagnostic::note(&shown.place, "no action makes a message for `flash` to show")
                .key(&shown.key)
                .help("`{ flash = \"Saved.\" }` makes one; so may another program that shares the session"),
        );
    }
}

/// Warns of the routes of a site without forms that refuse whatever they are sent: no page shows the token
/// that they want.
pub fn tokens(routes: &[Route], parts: &[&Declarations], problems: &mut Diagnostics) {
    if routes.iter().any(|route| route.responses().any(|response| response.shows_token)) {
        return;
    }
    let wanting: Vec<&Route> = routes.iter().filter(|route| route.csrf == CsrfCheck::Token).collect();
    let Some(declared) = wanting.first().and_then(|route| paths::declaration(parts, route)) else { return };
    let names: Vec<_> = wanting.iter().map(|route| format!("`{}`", route.name)).collect();
    let refuse = if names.len() > 1 { "refuse" } else { "refuses" };
    let message = format!("{} {refuse} whatever is sent: no page shows a CSRF token", names.join(", "));
    problems.push(
        Diagnostic::warning(&declared.name.place, message)
            .key(&declared.key)
            .help("for programs and scripts alone, do without: `[defaults]` with `csrf = \"origin\"`")
            .help("else show it: `{{csrf_field}}` in a form, or `{{csrf_token}}` for the header `X-CSRF-Token`"),
    );
}

/// Notes what looking at a page changes: whoever looks changes it.
pub fn changes_on_get(routes: &[Route], problems: &mut Diagnostics) {
    let mut names = Vec::new();
    let mut changed = Vec::new();
    let mut first = None;
    for route in routes.iter().filter(|route| route.methods.contains(&Method::GET)) {
        let steps = route.steps.iter().filter(|step| step.condition.is_none());
        for (step, what) in steps.filter_map(|step| Some((step, changes(step)?))) {
            first.get_or_insert(step);
            for (list, name) in [(&mut names, format!("`{}`", route.name)), (&mut changed, what)] {
                if !list.contains(&name) {
                    list.push(name);
                }
            }
        }
    }
    let Some(step) = first else { return };
    let message =
        format!("GET requests to {} change {}, so reloads and crawlers do, too", names.join(", "), changed.join(", "));
    problems.push(
        Diagnostic::note(&step.place, message)
            .key(&step.key)
            .help("for what people do, rather than look at, send a form: `methods = [\"POST\"]`"),
    );
}

/// What a step changes of the session, beside what is there to be shown once.
fn changes(step: &Step) -> Option<String> {
    step.action.effects().into_iter().find_map(|effect| match effect {
        Effect::Writes(key) if key == [Session::CSRF_KEY] => None,
        Effect::Writes(key) | Effect::Changes(key) | Effect::Removes(key) if !key.is_empty() => {
            Some(format!("`{}`", key.join(".")))
        }
        Effect::Reads(_) | Effect::Takes(_) | Effect::Flashes(_) => None,
        Effect::Writes(_) | Effect::Changes(_) | Effect::Removes(_) | Effect::Clears | Effect::Renews => {
            Some("the session".to_owned())
        }
    })
}

/// Notes what a session in a cookie cannot promise, where a route counts on it.
pub fn cookie_limits(settings: &Settings, routes: &[Route], vocabulary: &Vocabulary, problems: &mut Diagnostics) {
    let kind = settings.session.factory.as_deref().and_then(|name| vocabulary.factory(name));
    let in_cookie = kind.is_some_and(|kind| kind.held_by == HeldBy::Browser);
    let Some(place) = settings.place("session.factory").filter(|_| in_cookie) else { return };
    let relies = |effect: &Effect| matches!(effect, Effect::Changes(_) | Effect::Takes(_));
    let exact =
        |route: &&Route| route.steps.iter().flat_map(|step| step.action.effects()).any(|effect| relies(&effect));
    let names: Vec<_> = routes.iter().filter(exact).map(|route| format!("`{}`", route.name)).collect();
    if !names.is_empty() {
        let message = format!(
            "the session lives in the cookie, so {} can lose an update when two tabs ask at once",
            names.join(", ")
        );
        problems.push(
            Diagnostic::note(place, message)
                .key("session.factory")
                .help("the browser is the store here; only a server-side factory can count exactly"),
        );
    }
}
