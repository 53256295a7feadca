//! Sessions: what a site remembers about one visitor.
//!
//! ```text
//! Session       the value a route reads and writes; knows no store   (this file)
//!   tree        its state, a tree over the JSON text it came in
//!   json        that text: the JSON of Python's `json` module
//!   flash       the messages in it that wait to be shown
//!   csrf        the token in it that forms send back
//! cookie        the Cookie and Set-Cookie header fields (RFC 6265)
//! secret        key material that does not show itself
//!   derive      from the one secret to a key for each purpose
//! lifetimes     when a session is too old
//! private       files and folders for their owner alone
//! factory       where sessions live: the contract, and one file per kind
//! store         sessions on the server: one factory over any store, and the stores
//! transaction   load, run, commit, and again on a conflict: the only such loop
//! ```
//!
//! A request goes through `transaction::transact`, which asks a factory for
//! the visitor's session, hands a copy to the route and commits what came of it.

pub mod cookie;
mod csrf;
mod derive;
pub mod factory;
mod flash;
pub mod json;
pub mod lifetimes;
pub(crate) mod private;
pub mod secret;
pub mod store;
pub mod transaction;
mod tree;

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use json::{JsonError, MAX_DEPTH};
use tree::{Blocked, Map, Node, Slice, View};

/// One visitor's session: a plain value that never talks to a store.
///
/// Its state is a JSON object, addressed by paths: each part is the key of a
/// map or the number of an item in a list. Values nobody wrote keep their
/// spelling byte for byte, whatever they are (`NaN`, a number of 400 digits, a
/// lone surrogate); reading shows them as near as JSON can. A copy is cheap.
///
/// After Pyramid's `ISession`. That it changed is not a flag: see
/// [`differs_from`](Self::differs_from).
#[derive(Clone, Debug)]
pub struct Session {
    root: Arc<Map>,
    created: f64,
    is_new: bool,
    identity: Identity,
}

/// What becomes of the name a browser knows the session by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Identity {
    Kept,
    Renewed,
    Ended,
}

/// A value has no place where it should go: something on the way there is
/// neither a map nor an item of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAMap {
    /// The path to what is in the way, its parts joined with dots.
    pub key: String,
}

impl fmt::Display for NotAMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is in the session, but is not a map", self.key)
    }
}

impl std::error::Error for NotAMap {}

impl Session {
    /// An empty session that begins at `now`.
    #[must_use]
    pub fn new(now: f64) -> Self {
        Self { root: Arc::default(), created: now, is_new: true, identity: Identity::Kept }
    }

    /// A session as it was stored: begun at `created`, with the JSON object
    /// `state` for its data. Of equal keys the last one counts.
    ///
    /// # Errors
    /// If `state` is not the text of a JSON object (see [`json`]).
    pub fn restore(created: f64, state: &str) -> Result<Self, JsonError> {
        let root = Map::open(Slice::whole(state), MAX_DEPTH)?;
        Ok(Self { root: Arc::new(root), created, is_new: false, identity: Identity::Kept })
    }

    /// When the session began.
    #[must_use]
    pub fn created(&self) -> f64 {
        self.created
    }

    /// Whether the session begins with this request.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// Whether there is no data.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.root.is_empty()
    }

    /// The keys of the state, in the order they were first set.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.root.keys()
    }

    /// Whether there is a value at `path`.
    #[must_use]
    pub fn contains(&self, path: &[String]) -> bool {
        self.view().at(path).is_some()
    }

    /// The value at `path`; the whole state at the empty path.
    ///
    /// `NaN` and the infinities read as null, lone surrogates as U+FFFD.
    #[must_use]
    pub fn get(&self, path: &[String]) -> Option<Value> {
        self.view().at(path).map(View::to_value)
    }

    /// Puts `value` at `path`, creating maps on the way.
    ///
    /// # Errors
    /// [`NotAMap`] if a part on the way is there and has no such place, or
    /// the path is empty. Nothing has changed then.
    pub fn set(&mut self, path: &[String], value: Value) -> Result<(), NotAMap> {
        let blocked = |parts: &[String]| NotAMap { key: parts.join(".") };
        let (part, rest) = path.split_first().ok_or_else(|| blocked(path))?;
        let place = self.view().place(path);
        place.map_err(|Blocked(at)| blocked(path.get(..at).unwrap_or(path)))?;
        Arc::make_mut(&mut self.root).put(part, rest, Node::write(&value));
        Ok(())
    }

    /// Adds `item` to the end of the list at `path`; the items before it keep
    /// their spelling. Nothing is added if there is no list.
    pub fn push(&mut self, path: &[String], item: Value) {
        if let Some((part, rest)) = path.split_first() {
            Arc::make_mut(&mut self.root).push(part, rest, Node::write(&item));
        }
    }

    /// Removes the value at `path` and returns it. The items of a list move
    /// up; a map that becomes empty stays.
    pub fn remove(&mut self, path: &[String]) -> Option<Value> {
        let (part, rest) = path.split_first()?;
        let value = self.get(path)?;
        Arc::make_mut(&mut self.root).cut(part, rest);
        Some(value)
    }

    /// Drops all data. It stays the same session.
    pub fn clear(&mut self) {
        self.root = Arc::default();
    }

    /// Ends the session: the data is gone and the old name is worth nothing.
    /// What is set afterwards begins another session at `now`.
    pub fn invalidate(&mut self, now: f64) {
        *self = Self { identity: Identity::Ended, ..Self::new(now) };
    }

    /// Whether the session was ended.
    #[must_use]
    pub fn is_invalidated(&self) -> bool {
        self.identity == Identity::Ended
    }

    /// Keeps the data under a new identity, so that whoever knew the old one
    /// is left out (session fixation).
    pub fn renew(&mut self) {
        if self.identity == Identity::Kept {
            self.identity = Identity::Renewed;
        }
    }

    /// Whether a new identity was asked for.
    #[must_use]
    pub fn is_renewed(&self) -> bool {
        self.identity == Identity::Renewed
    }

    /// The whole state, read as [`get`](Self::get) reads.
    #[must_use]
    pub fn to_value(&self) -> Value {
        self.view().to_value()
    }

    /// The whole state as a store keeps it: a JSON object in the spelling of
    /// Python's `json.dumps`, untouched parts in their own.
    #[must_use]
    pub fn to_state_text(&self) -> String {
        let mut text = String::new();
        self.write_state(&mut text);
        text
    }

    /// Appends [`to_state_text`](Self::to_state_text) to `out`.
    pub fn write_state(&self, out: &mut String) {
        self.view().write(out);
    }

    /// Whether the data is not the same. Values are compared, not spellings;
    /// the order of keys does not matter.
    #[must_use]
    pub fn differs_from(&self, other: &Session) -> bool {
        !Arc::ptr_eq(&self.root, &other.root) && !self.view().same(other.view())
    }

    /// Whether the state is nested deeper than [`restore`](Self::restore) reads.
    #[must_use]
    pub fn is_too_deep(&self) -> bool {
        self.view().depth() > MAX_DEPTH
    }

    /// The `count` keys that take most room, largest first, with the bytes
    /// that key and value take in the state text.
    #[must_use]
    pub fn largest(&self, count: usize) -> Vec<(String, usize)> {
        let size = |(key, node): (&str, &Node)| {
            let mut text = String::new();
            json::write_string(&mut text, key);
            node.view().write(&mut text);
            (key.to_owned(), text.len() + ": ".len())
        };
        let mut sizes: Vec<_> = self.root.members().map(size).collect();
        sizes.sort_by_key(|&(_, bytes)| std::cmp::Reverse(bytes));
        sizes.truncate(count);
        sizes
    }

    fn view(&self) -> View<'_> {
        View::Map(&self.root)
    }
}

#[cfg(test)]
mod tests;
