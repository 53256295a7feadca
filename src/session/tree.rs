//! The state of a session as a tree over its own JSON text.
//!
//! A container is opened, one level at a time, only where something is
//! written; everything else stays a slice of the text it came in and goes out
//! byte for byte. Slices share the text, so a copy of a tree is cheap.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use super::json::{self, ANY_DEPTH, JsonError, Keys, Kind, Scanner, Str};

/// A piece of a checked JSON text.
#[derive(Clone)]
pub(super) struct Slice {
    text: Arc<str>,
    range: Range<usize>,
}

impl Slice {
    pub fn whole(text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        let range = 0..text.len();
        Self { text, range }
    }

    pub fn as_str(&self) -> &str {
        self.text.get(self.range.clone()).unwrap_or_default()
    }

    fn part(&self, range: Range<usize>) -> Self {
        let start = self.range.start;
        Self { text: Arc::clone(&self.text), range: start + range.start..start + range.end }
    }
}

impl fmt::Debug for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The key of an open object, in the spelling it came in.
#[derive(Clone, Debug)]
pub(super) struct Key {
    body: Slice,
    /// What the body spells, where that is not the body itself.
    decoded: Option<Arc<str>>,
}

impl Key {
    fn read(body: Slice) -> Self {
        let spelled = Str::new(body.as_str());
        let decoded = (!spelled.is_plain()).then(|| spelled.to_text().into());
        Self { body, decoded }
    }

    fn write(name: &str) -> Self {
        let mut quoted = String::with_capacity(name.len() + 2);
        json::write_string(&mut quoted, name);
        let inside = 1..quoted.len().saturating_sub(1);
        Self::read(Slice::whole(quoted).part(inside))
    }

    pub fn as_str(&self) -> &str {
        match &self.decoded {
            Some(text) => text,
            None => self.body.as_str(),
        }
    }

    fn spells(&self, name: &str) -> bool {
        Str::new(self.body.as_str()).spells(name)
    }

    fn is(&self, other: &Self) -> bool {
        Str::new(self.body.as_str()) == Str::new(other.body.as_str())
    }
}

/// A value: still text, or opened.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Text(Slice),
    Map(Map),
    List(Vec<Node>),
}

/// An open object, in the order of its keys' first appearance.
#[derive(Clone, Debug, Default)]
pub(super) struct Map {
    /// The text it came from, as long as it still says the same.
    verbatim: Option<Slice>,
    members: Vec<(Key, Node)>,
}

impl Node {
    pub fn write(value: &Value) -> Self {
        let mut text = String::new();
        json::write_value(&mut text, value);
        Self::Text(Slice::whole(text))
    }

    pub fn view(&self) -> View<'_> {
        match self {
            Self::Text(slice) => View::Text(slice.as_str()),
            Self::Map(map) => View::Map(map),
            Self::List(items) => View::List(items),
        }
    }

    /// Opens a container that is still text.
    fn open(&mut self) {
        let Self::Text(slice) = self else { return };
        match json::kind(slice.as_str()) {
            Kind::Object => {
                if let Ok(map) = Map::open(slice.clone(), ANY_DEPTH) {
                    *self = Self::Map(map);
                }
            }
            Kind::Array => {
                let mut items = Vec::new();
                let mut scanner = Scanner::new(slice.as_str(), Keys::Any);
                let read = scanner.items(ANY_DEPTH, |item| items.push(Self::Text(slice.part(item))));
                if read.is_ok() {
                    *self = Self::List(items);
                }
            }
            _ => {}
        }
    }

    /// Puts `value` at `path`, which [`View::place`] found to be possible.
    fn put(&mut self, path: &[String], value: Node) {
        let Some((part, rest)) = path.split_first() else {
            *self = value;
            return;
        };
        self.open();
        match self {
            Self::Map(map) => map.put(part, rest, value),
            Self::List(items) => {
                let item = json::index(part).and_then(|at| items.get_mut(at));
                if let Some(item) = item {
                    item.put(rest, value);
                }
            }
            Self::Text(_) => {}
        }
    }

    /// Adds an item to the list at `path`, if there is one.
    fn push(&mut self, path: &[String], item: Node) {
        self.open();
        match (self, path.split_first()) {
            (Self::List(items), None) => items.push(item),
            (Self::List(items), Some((part, rest))) => {
                if let Some(inner) = json::index(part).and_then(|at| items.get_mut(at)) {
                    inner.push(rest, item);
                }
            }
            (Self::Map(map), Some((part, rest))) => map.push(part, rest, item),
            _ => {}
        }
    }

    fn cut(&mut self, part: &str, rest: &[String]) {
        self.open();
        match self {
            Self::Map(map) => map.cut(part, rest),
            Self::List(items) => match (json::index(part), rest.split_first()) {
                (Some(at), None) if at < items.len() => drop(items.remove(at)),
                (Some(at), Some((next, rest))) => {
                    if let Some(item) = items.get_mut(at) {
                        item.cut(next, rest);
                    }
                }
                _ => {}
            },
            Self::Text(_) => {}
        }
    }
}

impl Map {
    /// Opens the object `slice` is, with at most so many levels. Checks all of it.
    pub fn open(slice: Slice, levels: usize) -> Result<Self, JsonError> {
        let mut members = Vec::new();
        let mut scanner = Scanner::new(slice.as_str(), Keys::Any);
        scanner.members(levels, |key, value| {
            members.push((Key::read(slice.part(key)), Node::Text(slice.part(value))));
        })?;
        scanner.end()?;
        let found = members.len();
        let members = last_of_each(members);
        let verbatim = (members.len() == found).then_some(slice);
        Ok(Self { verbatim, members })
    }

    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|(key, _)| key.as_str())
    }

    pub fn members(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.members.iter().map(|(key, node)| (key.as_str(), node))
    }

    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Whether both have the same keys in the same order.
    fn has_keys_of(&self, other: &Self) -> bool {
        let mut pairs = self.members.iter().zip(&other.members);
        self.members.len() == other.members.len() && pairs.all(|((left, _), (right, _))| left.is(right))
    }

    pub fn put(&mut self, part: &str, rest: &[String], value: Node) {
        self.verbatim = None;
        let known = self.members.iter_mut().find(|(key, _)| key.spells(part));
        if let Some((_, node)) = known {
            node.put(rest, value);
            return;
        }
        let mut node = Node::Map(Self::default());
        node.put(rest, value);
        self.members.push((Key::write(part), node));
    }

    pub fn push(&mut self, part: &str, rest: &[String], item: Node) {
        self.verbatim = None;
        if let Some((_, node)) = self.members.iter_mut().find(|(key, _)| key.spells(part)) {
            node.push(rest, item);
        }
    }

    pub fn cut(&mut self, part: &str, rest: &[String]) {
        self.verbatim = None;
        match rest.split_first() {
            None => self.members.retain(|(key, _)| !key.spells(part)),
            Some((next, rest)) => {
                if let Some((_, node)) = self.members.iter_mut().find(|(key, _)| key.spells(part)) {
                    node.cut(next, rest);
                }
            }
        }
    }
}

/// Of members with the same key, the first place and the last value, as in a
/// Python `dict`.
fn last_of_each(members: Vec<(Key, Node)>) -> Vec<(Key, Node)> {
    if members.len() < 2 {
        return members;
    }
    let mut places = std::collections::BTreeMap::new();
    let mut repeats = Vec::new();
    for (at, (key, _)) in members.iter().enumerate() {
        match places.get(&Str::new(key.body.as_str())) {
            Some(&first) => repeats.push((first, at)),
            None => drop(places.insert(Str::new(key.body.as_str()), at)),
        }
    }
    if repeats.is_empty() {
        return members;
    }
    let mut members: Vec<_> = members.into_iter().map(Some).collect();
    for (first, at) in repeats {
        let repeat = members.get_mut(at).and_then(Option::take);
        if let (Some(Some(kept)), Some((_, node))) = (members.get_mut(first), repeat) {
            kept.1 = node;
        }
    }
    members.into_iter().flatten().collect()
}

/// A value to look at, whatever it is held in.
#[derive(Clone, Copy)]
pub(super) enum View<'a> {
    Text(&'a str),
    Map(&'a Map),
    List(&'a [Node]),
}

/// What stands in the way of a value: so many parts of its path are fine, and
/// the value they lead to has no place for the next.
pub(super) struct Blocked(pub usize);

impl<'a> View<'a> {
    pub fn at(self, path: &[String]) -> Option<Self> {
        path.iter().try_fold(self, |view, part| view.child(part))
    }

    fn child(self, part: &str) -> Option<Self> {
        match self {
            Self::Text(text) => json::child(text, part).map(Self::Text),
            Self::Map(map) => {
                let mut members = map.members.iter();
                members.find(|(key, _)| key.spells(part)).map(|(_, node)| node.view())
            }
            Self::List(items) => items.get(json::index(part)?).map(Node::view),
        }
    }

    /// Whether a value can be put at `path`: through maps, which may be
    /// missing, and items of lists, which may not.
    pub fn place(self, path: &[String]) -> Result<(), Blocked> {
        let mut view = self;
        for (done, part) in path.iter().enumerate() {
            match view.child(part) {
                Some(child) => view = child,
                None if view.is_map() => return Ok(()),
                None => return Err(Blocked(done)),
            }
        }
        Ok(())
    }

    fn is_map(self) -> bool {
        match self {
            Self::Text(text) => json::kind(text) == Kind::Object,
            Self::Map(_) => true,
            Self::List(_) => false,
        }
    }

    pub fn to_value(self) -> Value {
        match self {
            Self::Text(text) => json::to_value(text),
            Self::Map(map) => {
                let members = map.members.iter();
                let member = |(key, node): &(Key, Node)| (key.as_str().to_owned(), node.view().to_value());
                Value::Object(members.map(member).collect())
            }
            Self::List(items) => Value::Array(items.iter().map(|item| item.view().to_value()).collect()),
        }
    }

    /// Whether both mean the same: spelling and the order of keys aside, as
    /// in [`json::same`].
    pub fn same(self, other: Self) -> bool {
        match (self, other) {
            (Self::Text(left), Self::Text(right)) => json::same(left, right),
            // A copy that was written to mostly has the keys of the original.
            (Self::Map(left), Self::Map(right)) if left.has_keys_of(right) => {
                let mut pairs = left.members.iter().zip(&right.members);
                pairs.all(|((_, left), (_, right))| left.view().same(right.view()))
            }
            _ => json::same(&self.to_text(), &other.to_text()),
        }
    }

    fn to_text(self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    /// How many containers are inside each other.
    pub fn depth(self) -> usize {
        let deepest =
            |nodes: &mut dyn Iterator<Item = &Node>| 1 + nodes.map(|node| node.view().depth()).max().unwrap_or(0);
        match self {
            Self::Text(text) => json::depth(text),
            Self::Map(map) => deepest(&mut map.members.iter().map(|(_, node)| node)),
            Self::List(items) => deepest(&mut items.iter()),
        }
    }

    /// Appends it in Python's spelling, or in its own where it is untouched.
    pub fn write(self, out: &mut String) {
        match self {
            Self::Text(text) => out.push_str(text),
            Self::Map(Map { verbatim: Some(slice), .. }) => out.push_str(slice.as_str()),
            Self::Map(map) => {
                out.push('{');
                for (at, (key, node)) in map.members.iter().enumerate() {
                    json::separate(out, at);
                    out.push('"');
                    out.push_str(key.body.as_str());
                    out.push_str("\": ");
                    node.view().write(out);
                }
                out.push('}');
            }
            Self::List(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    json::separate(out, at);
                    item.view().write(out);
                }
                out.push(']');
            }
        }
    }
}
