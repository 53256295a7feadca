//! TOML as a tree in which every value knows its place and its key path.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Number, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{foreign, keys};
use crate::diagnostic::{At, Diagnostic, Diagnostics, Place, Source, did_you_mean, nearest, nearest_help};

/// A TOML value with its place in the file and its key path, such as `routes.home.path`.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where the value is written.
    pub place: Place,
    /// The key path that leads to it.
    pub key: String,
    /// The value.
    pub tree: Tree,
}

/// What a [`Node`] holds.
#[derive(Clone, Debug)]
pub enum Tree {
    /// A string.
    Text(String),
    /// An integer, float or boolean; `null` in JSON, and where a value could not be read.
    Scalar(Value),
    /// An array.
    List(Vec<Node>),
    /// A table, in the order of the file.
    Table(Vec<Entry>),
}

/// One `key = value` of a table.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key and its place.
    pub name: At<String>,
    /// The value.
    pub node: Node,
}

/// The tree of a parsed text, whose places are in `source`.
pub fn read(table: &Spanned<DeTable<'_>>, source: &Arc<Source>, problems: &mut Diagnostics) -> Node {
    read_below("", table, source, problems)
}

/// The same, where the text itself belongs below a key.
pub fn read_below(key: &str, table: &Spanned<DeTable<'_>>, source: &Arc<Source>, problems: &mut Diagnostics) -> Node {
    let tree = table_of(table.get_ref(), source, key, problems);
    Node { place: source.place(table.span()), key: key.to_owned(), tree }
}

fn table_of(table: &DeTable<'_>, source: &Arc<Source>, key: &str, problems: &mut Diagnostics) -> Tree {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(name, value)| {
            let below = join(key, name.get_ref());
            Entry {
                name: At::new(name.get_ref().to_string(), source.place(name.span())),
                node: node_of(value, source, &below, problems),
            }
        })
        .collect();
    entries.sort_by_key(|entry| entry.name.place.span.start);
    Tree::Table(entries)
}

fn node_of(value: &Spanned<DeValue<'_>>, source: &Arc<Source>, key: &str, problems: &mut Diagnostics) -> Node {
    let place = source.place(value.span());
    let tree = match value.get_ref() {
        DeValue::String(text) => Tree::Text(text.to_string()),
        DeValue::Integer(integer) => match i64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(number) => Tree::Scalar(Value::from(number)),
            Err(_) => {
                problems.push(
                    Diagnostic::error(&place, "this integer does not fit 64 bits")
                        .key(key)
                        .help("write it in quotes to show it as it is"),
                );
                Tree::Scalar(Value::Null)
            }
        },
        DeValue::Float(float) => {
            let number = float.as_str().parse().ok().and_then(Number::from_f64);
            if number.is_none() {
                problems.push(
                    Diagnostic::error(&place, "this number cannot be used")
                        .key(key)
                        .help("sessions and pages hold JSON, which has no `inf` and no `nan`"),
                );
            }
            Tree::Scalar(number.map_or(Value::Null, Value::Number))
        }
        DeValue::Boolean(boolean) => Tree::Scalar(Value::Bool(*boolean)),
        DeValue::Datetime(datetime) => Tree::Text(datetime.to_string()),
        DeValue::Array(list) => Tree::List(
            list.iter().enumerate().map(|(i, item)| node_of(item, source, &format!("{key}[{i}]"), problems)).collect(),
        ),
        DeValue::Table(table) => table_of(table, source, key, problems),
    };
    Node { place, key: key.to_owned(), tree }
}

/// `routes` + `home` = `routes.home`; a name that TOML would quote is quoted.
pub fn join(key: &str, name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let name = if !name.is_empty() && name.chars().all(bare) { name.to_owned() } else { format!("{name:?}") };
    if key.is_empty() { name } else { format!("{key}.{name}") }
}

impl Node {
    /// The entries if this is a table, else none.
    pub fn entries(&self) -> &[Entry] {
        match &self.tree {
            Tree::Table(entries) => entries,
            _ => &[],
        }
    }

    /// The value under `name` if this is a table that has it.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| *entry.name == name)
    }

    /// The value as plain JSON, places left behind.
    pub fn to_value(&self) -> Value {
        match &self.tree {
            Tree::Text(text) => Value::String(text.clone()),
            Tree::Scalar(value) => value.clone(),
            Tree::List(items) => items.iter().map(Node::to_value).collect(),
            Tree::Table(entries) => Value::Object(
                entries.iter().map(|entry| (entry.name.value.clone(), entry.node.to_value())).collect::<Map<_, _>>(),
            ),
        }
    }

    /// What a person calls this kind of value.
    pub fn kind(&self) -> &'static str {
        match &self.tree {
            Tree::Text(_) => "a string",
            Tree::Scalar(Value::Bool(_)) => "a boolean",
            Tree::Scalar(Value::Null) => "null",
            Tree::Scalar(value) if value.is_i64() => "an integer",
            Tree::Scalar(_) => "a number",
            Tree::List(_) => "an array",
            Tree::Table(_) => "a table",
        }
    }

    /// An error about this value.
    pub fn error(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(&self.place, message).key(&self.key)
    }

    /// The string, or an error that says what is expected.
    pub fn text(&self, problems: &mut Diagnostics) -> Option<At<String>> {
        match &self.tree {
            Tree::Text(text) => Some(At::new(text.clone(), self.place.clone())),
            _ => self.expected("a string", problems),
        }
    }

    /// The boolean, or an error that says what is expected.
    pub fn boolean(&self, problems: &mut Diagnostics) -> Option<bool> {
        match &self.tree {
            Tree::Scalar(Value::Bool(boolean)) => Some(*boolean),
            _ => self.expected("true or false", problems),
        }
    }

    /// The integer, or an error that says what is expected.
    pub fn integer(&self, problems: &mut Diagnostics) -> Option<i64> {
        match &self.tree {
            Tree::Scalar(value) if value.is_i64() => value.as_i64(),
            _ => self.expected("an integer", problems),
        }
    }

    /// The items, or an error that says what is expected. A table by itself is taken for the one item.
    pub fn list(&self, problems: &mut Diagnostics) -> &[Node] {
        if let Tree::List(items) = &self.tree {
            return items;
        }
        problems.push(self.unlike("an array").help(self.in_brackets()));
        if matches!(self.tree, Tree::Table(_)) { std::slice::from_ref(self) } else { &[] }
    }

    /// The entries, or an error that says what is expected.
    pub fn table(&self, problems: &mut Diagnostics) -> &[Entry] {
        match &self.tree {
            Tree::Table(entries) => entries,
            _ => {
                self.expected::<()>("a table", problems);
                &[]
            }
        }
    }

    /// How to make an array of this.
    pub fn in_brackets(&self) -> String {
        match &self.tree {
            Tree::Text(text) => format!("write `[{text:?}]`"),
            _ => "put it into brackets: `[…]`".to_owned(),
        }
    }

    /// The error that this is not what it must be.
    pub fn unlike(&self, what: &str) -> Diagnostic {
        self.error(format!("`{}` must be {what}, not {}", self.key, self.kind()))
    }

    /// Reports that something else was expected here.
    pub fn expected<T>(&self, what: &str, problems: &mut Diagnostics) -> Option<T> {
        problems.push(self.unlike(what));
        None
    }

    /// Refuses every key of this table that is not in `valid`, with the nearest name.
    ///
    /// What comes back has only valid keys. One that is misspelt is among them as if it were spelt
    /// right, so that one slip is one error and everything behind it is checked all the same.
    pub fn only(&self, valid: &[&str], problems: &mut Diagnostics) -> Cow<'_, Node> {
        self.table(problems);
        self.corrected(valid, &mut |entry| problems.push(self.unknown_key(entry, valid)))
    }

    /// Like [`Node::only`], where `refuse` reports what is not valid.
    pub fn corrected(&self, valid: &[&str], refuse: &mut dyn FnMut(&Entry)) -> Cow<'_, Node> {
        let is_valid = |entry: &Entry| valid.contains(&entry.name.as_str());
        if self.entries().iter().all(is_valid) {
            return Cow::Borrowed(self);
        }
        let (mut good, bad): (Vec<Entry>, Vec<Entry>) = self.entries().iter().cloned().partition(is_valid);
        for mut entry in bad {
            refuse(&entry);
            let meant = match foreign::key(&entry.name, &self.key) {
                Some(foreign) => foreign.ours,
                None => nearest(&entry.name, valid.iter().copied()),
            };
            if let Some(meant) = meant {
                entry.name.value = meant.to_owned();
                adopt(&mut good, entry);
            }
        }
        Cow::Owned(Node { tree: Tree::Table(good), ..self.clone() })
    }

    /// The error for an entry of this table whose key is not in `valid`.
    fn unknown_key(&self, entry: &Entry, valid: &[&str]) -> Diagnostic {
        let name = &entry.name;
        let foreign = foreign::key(name, &self.key).map(|foreign| foreign.help.to_owned());
        let help = foreign
            .or_else(|| nearest_help(name, valid.iter().copied()))
            .or_else(|| keys::elsewhere(name, &self.key))
            .or_else(|| did_you_mean(name, valid.iter().copied()));
        Diagnostic::error(&name.place, format!("unknown key `{}`", name.value)).key(&self.key).maybe_help(help)
    }
}

/// Adds an entry unless there is one of its name; what two tables or lists hold is put together.
fn adopt(entries: &mut Vec<Entry>, new: Entry) {
    let Some(known) = entries.iter_mut().find(|known| known.name.value == new.name.value) else {
        return entries.push(new);
    };
    match (&mut known.node.tree, new.node.tree) {
        (Tree::Table(known), Tree::Table(new)) => new.into_iter().for_each(|entry| adopt(known, entry)),
        (Tree::List(known), Tree::List(new)) => known.extend(new),
        _ => {}
    }
}
