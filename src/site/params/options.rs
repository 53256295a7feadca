//! `one_of` of a parameter: the values there are to choose from, written out or from `data`.

use serde_json::Value;

use super::compile::{Reader, literal};
use super::rules::Rules;
use super::sentence::sentence;
use crate::config::tree::{Entry, Node, Tree};
use crate::diagnostic::{Diagnostic, did_you_mean};

impl Reader<'_> {
    /// The values to choose from, which hold the other `rules`.
    pub fn one_of(&mut self, rules: &Rules) -> Option<Vec<Value>> {
        let node = &self.declared.node.get("one_of")?.node;
        let items = match &node.tree {
            Tree::List(items) => items,
            Tree::Text(path) => return self.options_in_data(node, path, rules),
            _ => return node.expected("an array of values, or the name of one in `data`", self.problems),
        };
        if items.is_empty() {
            self.problems.push(nothing(node));
        }
        let mut values = Vec::new();
        for item in items {
            match literal(item, rules.kind).and_then(|value| self.option(item, &value, rules)) {
                Ok(value) => values.push(value),
                Err(problem) => self.problems.push(*problem),
            }
        }
        Some(values)
    }

    /// What `data` has under a path to choose from. One thing wrong with it is told, not each.
    fn options_in_data(&mut self, node: &Node, path: &str, rules: &Rules) -> Option<Vec<Value>> {
        let found = self.found(node, path)?;
        let is_column = path.contains('.');
        let items: Vec<Node> = match found.tree {
            // It has a file with mistakes of its own.
            Tree::Scalar(Value::Null) => return None,
            Tree::List(items) => items,
            Tree::Table(entries) => entries.iter().map(key).collect(),
            _ => {
                let error = node.error(format!("`{}` is {}, not a list or a table", found.key, found.kind()));
                self.problems.push(
                    error
                        .related(&found.place, "it is this")
                        .help("name what holds the values, such as `sizes = [\"S\", \"M\"]`"),
                );
                return None;
            }
        };
        if items.is_empty() {
            self.problems.push(nothing(node));
        }
        if let Some(row) = items.first().filter(|item| matches!(item.tree, Tree::Table(_))) {
            let column = row.entries().first().map_or("NAME", |entry| entry.name.as_str());
            let error = node.error(format!("`{path}` is a list of tables, which cannot be chosen"));
            self.problems.push(error.help(format!("name the entry that is: `one_of = \"{path}.{column}\"`")));
            return None;
        }
        let mut values = Vec::new();
        for item in &items {
            // What is in a spreadsheet is text, whatever it stands for.
            let value = if is_column { Ok(item.to_value()) } else { literal(item, rules.kind) };
            match value.and_then(|value| self.option(item, &value, rules)) {
                Ok(value) => values.push(value),
                Err(problem) => {
                    let by = format!("`{}` chooses from it", self.declared.name.value);
                    self.problems.push(problem.related(&node.place, by));
                    return None;
                }
            }
        }
        Some(values)
    }

    /// One of the values to choose from.
    fn option(&self, item: &Node, value: &Value, rules: &Rules) -> Result<Value, Box<Diagnostic>> {
        let problem = match rules.read(value) {
            Ok(Some(value)) => return Ok(value),
            Ok(None) => {
                let help = "left empty, a parameter counts as not given; leave this out";
                item.error("an empty value cannot be chosen").help(help)
            }
            Err(rule) => {
                let said = sentence(rule, rules, None);
                item.error("this can never be chosen").help(format!("`{}` says: {said}", self.declared.name.value))
            }
        };
        Err(problem.into())
    }

    /// What `data` has under a path. An entry of a list of tables, or of the tables in a table, is that of all
    /// of them: a column.
    fn found(&mut self, node: &Node, path: &str) -> Option<Node> {
        let all = || self.data.iter().flat_map(|data| data.iter());
        let named = |name: &str| all().find(|entry| entry.name.value == name);
        if let Some(entry) = named(path) {
            return Some(entry.node.clone());
        }
        let (name, below) = path.split_once('.').map_or((path, None), |(name, below)| (name, Some(below)));
        let Some(mut found) = named(name).map(|entry| entry.node.clone()) else {
            let help = match did_you_mean(name, all().map(|entry| entry.name.as_str())) {
                Some(help) => help,
                None => format!("write the values themselves: `[{name:?}, …]`"),
            };
            self.problems.push(node.error(format!("there is nothing called `{name}` in `[data]`")).help(help));
            return None;
        };
        for part in below.into_iter().flat_map(|below| below.split('.')) {
            if matches!(found.tree, Tree::Scalar(Value::Null)) {
                return None;
            }
            if let Some(entry) = found.get(part) {
                found = entry.node.clone();
                continue;
            }
            let rows: Vec<&Node> = match &found.tree {
                Tree::List(items) => items.iter().collect(),
                _ => found.entries().iter().map(|entry| &entry.node).collect(),
            };
            let column: Vec<Node> = rows.iter().filter_map(|row| Some(row.get(part)?.node.clone())).collect();
            if column.is_empty() {
                let names: Vec<&str> = match &found.tree {
                    Tree::Table(entries) if rows.iter().all(|row| row.entries().is_empty()) => {
                        entries.iter().map(|entry| entry.name.as_str()).collect()
                    }
                    _ => rows.iter().flat_map(|row| row.entries()).map(|entry| entry.name.as_str()).collect(),
                };
                let error = node.error(format!("`{}` has no entry `{part}`", found.key));
                self.problems.push(error.related(&found.place, "it is this").maybe_help(did_you_mean(part, names)));
                return None;
            }
            found = Node { tree: Tree::List(column), place: found.place.clone(), key: format!("{}.{part}", found.key) };
        }
        Some(found)
    }
}

fn nothing(node: &Node) -> Diagnostic {
    node.error("there is nothing to choose from").help("give it values, or leave `one_of` out")
}

/// The key of an entry as a value.
fn key(entry: &Entry) -> Node {
    let Entry { name, node } = entry;
    Node { place: name.place.clone(), key: node.key.clone(), tree: Tree::Text(name.value.clone()) }
}
