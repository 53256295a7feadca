//! Which keys of the session each route reads and writes, worked out from what it declares; and keys
//! that are read, but that nobody writes.

use std::collections::BTreeSet;

use super::response::Response;
use super::route::{Route, SessionUse, Step};
use crate::action::Effect;
use crate::diagnostic::{Diagnostic, Diagnostics, Place, nearest};
use crate::session::Session;
use crate::template::library::Library;

/// A place where a key of the session is read, or a message is made.
#[derive(Clone, Debug)]
pub struct KeyUse {
    /// The key, as far as it is known before a request.
    pub path: Vec<String>,
    /// Where it is named.
    pub place: Place,
    /// The key path of what names it.
    pub key: String,
    /// Whether it is said what happens if the session does not have it, or nothing is to be said.
    pub has_default: bool,
}

/// What a route does with which keys of the session, each known as far as it is before a request;
/// the empty one stands for all of it.
#[derive(Clone, Debug, Default)]
pub struct SessionKeys {
    /// Read by actions, expressions and templates.
    pub reads: BTreeSet<Vec<String>>,
    /// Stored or changed.
    pub writes: BTreeSet<Vec<String>>,
    /// Removed.
    pub removes: BTreeSet<Vec<String>>,
    /// Whether the session gets a new identity.
    pub renews: bool,
}

impl SessionKeys {
    /// The keys of a route: `reads` as its templates and expressions name them, `answers` what it
    /// answers beside what its steps do.
    pub fn of(steps: &[Step], reads: &[KeyUse], answers: &[Option<&Response>]) -> Self {
        let mut keys = Self { reads: reads.iter().map(|read| read.path.clone()).collect(), ..Self::default() };
        for effect in steps.iter().flat_map(|step| step.action.effects()) {
            match effect {
                Effect::Reads(path) => keys.reads.insert(path),
                Effect::Writes(path) | Effect::Changes(path) => keys.writes.insert(path),
                Effect::Flashes(path) if path.is_empty() => keys.writes.insert(vec![QUEUES.to_owned()]),
                Effect::Flashes(path) => keys.writes.insert(path),
                Effect::Removes(path) => keys.removes.insert(path),
                Effect::Takes(path) => keys.reads.insert(path.clone()) | keys.removes.insert(path),
                Effect::Clears => keys.removes.insert(Vec::new()),
                Effect::Renews => !std::mem::replace(&mut keys.renews, true),
            };
        }
        let answers = answers.iter().copied().chain(steps.iter().map(|step| step.otherwise.as_ref()));
        for response in answers.flatten() {
            if response.shows_flash {
                keys.removes.insert(vec![QUEUES.to_owned()]);
            }
            if response.shows_token {
                keys.writes.insert(vec![Session::CSRF_KEY.to_owned()]);
            }
        }
        keys
    }

    /// What the route does to the session, all in all.
    pub fn session_use(&self) -> SessionUse {
        if self.renews || !self.writes.is_empty() || !self.removes.is_empty() {
            SessionUse::Writes
        } else if self.reads.is_empty() {
            SessionUse::None
        } else {
            SessionUse::Reads
        }
    }
}

/// Stands for the queues of flash messages, whatever they are called.
const QUEUES: &str = "_f_*";

/// The keys that a template or an expression names: `session.user`, or all of `session`; for `flash`,
/// the queues.
pub fn named_in(library: &Library, template: &str) -> Vec<KeyUse> {
    let named = library.variables(template).into_iter().filter_map(|variable| {
        let (name, path) = variable.path.split_first()?;
        let path = match name.as_str() {
            "session" => path.to_vec(),
            "flash" => vec![QUEUES.to_owned()],
            "csrf_token" => vec![Session::CSRF_KEY.to_owned()],
            _ => return None,
        };
        Some(KeyUse {
            path,
            place: variable.entry.as_ref().unwrap_or(&variable.place).clone(),
            key: variable.key.clone(),
            has_default: variable.has_default,
        })
    });
    named.collect()
}

/// Warns of keys that are read where nothing is said for their absence, though no route writes them.
pub fn check(routes: &[Route], reads: &[KeyUse], problems: &mut Diagnostics) {
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
pub fn check_flash(routes: &[Route], reads: &[KeyUse], flashed: &[KeyUse], problems: &mut Diagnostics) {
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
