//! Which keys of the session each route reads and writes, worked out from what it declares; and keys
//! that are read, but that nobody writes.

use std::collections::BTreeSet;

use super::response::Response;
use super::step::Steps;
use crate::action::Effect;
use crate::diagnostic::Place;
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

/// What a route does to sessions, worked out from its declaration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SessionUse {
    /// It never asks for the session: no store call, no cookie, no `Vary`.
    None,
    /// It reads.
    Reads,
    /// It may change the session.
    Writes,
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
    pub fn of(steps: &Steps, reads: &[KeyUse], answers: &[Option<&Response>]) -> Self {
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
pub const QUEUES: &str = "_f_*";

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
