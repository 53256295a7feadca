//! `params` of a route: names, types, and which rule goes with which type.

use serde_json::Value;

use super::keys;
use super::tree::{Entry, Node, Tree};
use crate::diagnostic::{At, Diagnostic, Diagnostics, did_you_mean};

/// The type of a parameter: what its text must be, and what becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamType {
    /// Any text.
    String,
    /// A whole number of 64 bits.
    Integer,
    /// A number of double precision.
    Number,
    /// Yes or no, as a checkbox says it.
    Boolean,
    /// A day of the calendar (ISO 8601).
    Date,
    /// A time of day (HTML, "Valid time string").
    Time,
    /// An address as `<input type="email">` takes it (HTML, "Valid e-mail address").
    Email,
    /// The address of a page of the web.
    Url,
}

/// Every type: its name, what a parameter of it takes, and what it is then.
pub const PARAM_TYPES: &[(&str, ParamType, &str, &str)] = &[
    ("string", ParamType::String, "any text", "a string"),
    ("integer", ParamType::Integer, "digits, with a sign or without, within 64 bits", "a number"),
    ("number", ParamType::Number, "the same, or with a decimal point or an exponent: `2.5`, `1e-3`", "a number"),
    (
        "boolean",
        ParamType::Boolean,
        "what a checkbox sends: `on`, `true`, `yes` or `1`, and nothing when it is not ticked; also `off`, `false`, `no`, `0`",
        "`true` or `false`",
    ),
    ("date", ParamType::Date, "a day of the calendar: `2026-11-21` (ISO 8601)", "a string"),
    ("time", ParamType::Time, "a time of day: `08:30` or `08:30:15` (ISO 8601)", "a string"),
    ("email", ParamType::Email, "an address as browsers take it in `<input type=\"email\">`", "a string"),
    ("url", ParamType::Url, "an address of the web, with `http://` or `https://` in front", "a string"),
];

/// One of a route's `params`.
#[derive(Clone, Debug)]
pub struct ParamDeclaration {
    /// Its name.
    pub name: At<String>,
    /// `type`; `None` if there is no such type.
    pub kind: Option<ParamType>,
    /// The table of its rules, which all go with the type; empty in the short form.
    pub node: Node,
}

impl ParamType {
    /// How it is written.
    pub fn name(self) -> &'static str {
        PARAM_TYPES.iter().find(|(_, kind, ..)| *kind == self).map_or("", |(name, ..)| name)
    }

    /// Why a rule says nothing about parameters of this type, with what to write instead.
    fn refuses(self, rule: &str) -> Option<&'static str> {
        let is_text = matches!(self, Self::String | Self::Email | Self::Url);
        match (rule, self) {
            ("min" | "max", Self::String | Self::Email | Self::Url) => Some(
                "for a number, give it `type = \"integer\"`; characters are limited by `min_length` and `max_length`",
            ),
            ("default", Self::Boolean) => Some("a box that is not ticked sends nothing, and that is `false`"),
            ("min" | "max" | "one_of" | "many" | "min_length" | "max_length" | "pattern", Self::Boolean) => {
                Some("a box is ticked or it is not; `required` is for one that must be")
            }
            ("min_length" | "max_length", _) if !is_text => Some("limit it by `min` and `max`"),
            ("pattern", _) if !is_text => Some("the type says already how it is written; limit it by `min` and `max`"),
            ("trim", kind) if kind != Self::String => Some("blanks around it never count; leave `trim` out"),
            _ => None,
        }
    }
}

/// Reads the `params` of a route.
pub fn params(node: &Node, problems: &mut Diagnostics) -> Vec<ParamDeclaration> {
    node.table(problems).iter().map(|entry| param(entry, problems)).collect()
}

fn param(entry: &Entry, problems: &mut Diagnostics) -> ParamDeclaration {
    let name = entry.name.clone();
    if name.is_empty() {
        problems.push(Diagnostic::error(&name.place, "a parameter needs a name").key(&entry.node.key));
    }
    match &entry.node.tree {
        Tree::Text(_) => {
            let kind = kind(&entry.node, problems);
            ParamDeclaration { name, kind, node: Node { tree: Tree::Table(Vec::new()), ..entry.node.clone() } }
        }
        Tree::Table(_) => {
            let node = entry.node.only(&keys::names(keys::PARAM), problems).into_owned();
            let kind = node.get("type").map_or(Some(ParamType::String), |entry| kind(&entry.node, problems));
            let node = kind.map_or(node.clone(), |kind| fitting(&node, kind, problems));
            ParamDeclaration { name, kind, node }
        }
        _ => {
            let unlike = entry.node.unlike("a table or the name of a type");
            problems.push(unlike.help("write `{ type = \"integer\", min = 0 }`, or `{}` for any text"));
            ParamDeclaration { name, kind: None, node: entry.node.clone() }
        }
    }
}

/// Words for types in other languages.
const ELSEWHERE: [(&str, &str); 10] = [
    ("int", "integer"),
    ("float", "number"),
    ("decimal", "number"),
    ("bool", "boolean"),
    ("checkbox", "boolean"),
    ("str", "string"),
    ("text", "string"),
    ("mail", "email"),
    ("uri", "url"),
    ("link", "url"),
];

fn kind(node: &Node, problems: &mut Diagnostics) -> Option<ParamType> {
    let word = node.text(problems)?;
    if let Some((_, kind, ..)) = PARAM_TYPES.iter().find(|(name, ..)| *name == word.value) {
        return Some(*kind);
    }
    let elsewhere = ELSEWHERE.iter().find(|(other, _)| *other == word.value);
    let help = elsewhere.map(|(_, ours)| format!("it is called `{ours}` here"));
    let help = help.or_else(|| did_you_mean(&word, PARAM_TYPES.iter().map(|(name, ..)| *name)));
    problems.push(node.error(format!("there is no type `{}`", word.value)).maybe_help(help));
    None
}

/// The table without the rules that do not go with the type, which are reported.
fn fitting(node: &Node, kind: ParamType, problems: &mut Diagnostics) -> Node {
    let is_many = node.get("many").is_some_and(|many| matches!(many.node.tree, Tree::Scalar(Value::Bool(true))));
    let mut fitting = Vec::new();
    for entry in node.entries() {
        if is_many && entry.name.value == "default" {
            problems.push(
                Diagnostic::error(&entry.name.place, "`default` does not go with `many`")
                    .key(&node.key)
                    .help("boxes of which none is ticked send nothing, and that is `[]`"),
            );
            continue;
        }
        match kind.refuses(&entry.name) {
            None => fitting.push(entry.clone()),
            Some(help) => problems.push(
                Diagnostic::error(
                    &entry.name.place,
                    format!("`{}` does not go with the type `{}`", entry.name.value, kind.name()),
                )
                .key(&node.key)
                .help(help),
            ),
        }
    }
    Node { tree: Tree::Table(fitting), ..node.clone() }
}
