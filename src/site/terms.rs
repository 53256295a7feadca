//! Values of the configuration, compiled: texts with templates in them, expressions, numbers.

use serde_json::{Number, Value};

use super::request::NAMES;
use crate::action::Verb;
use crate::config::tree::{Node, Tree, join};
use crate::diagnostic::{Diagnostic, Written};
use crate::template::expression::{Expression, Term};
use crate::template::names::is_path;
use crate::template::render::Escaping;
use crate::template::writing::Writing;

/// A string with its place.
pub fn written(node: &Node, writing: &mut Writing<'_>) -> Option<Written> {
    let text = node.text(writing.problems)?;
    Some(Written::quoted(text.value, &text.place))
}

/// An expression.
pub fn expression(node: &Node, writing: &mut Writing<'_>) -> Option<Expression> {
    let text = written(node, writing)?;
    writing.expression(&text, &node.key)
}

/// A value whose strings are inline templates.
pub fn term(node: &Node, writing: &mut Writing<'_>) -> Option<Term> {
    Some(match &node.tree {
        Tree::Text(_) => {
            let text = written(node, writing)?;
            Term::Text(writing.text(&text, Escaping::Plain, &node.key)?)
        }
        Tree::Scalar(value) => Term::Fixed(value.clone()),
        Tree::List(items) => Term::List(all(items, |item| term(item, writing))?),
        Tree::Table(entries) => {
            Term::Map(all(entries, |entry| Some((entry.name.value.clone(), term(&entry.node, writing)?)))?)
        }
    })
}

/// A number, or an expression that gives one.
pub fn number(node: &Node, writing: &mut Writing<'_>) -> Option<Term> {
    match &node.tree {
        Tree::Scalar(Value::Number(number)) => Some(Term::Fixed(Value::Number(number.clone()))),
        Tree::Text(text) if text.parse::<Number>().is_ok() => {
            let help = format!("write `{}`, without quotes", text.trim());
            writing.problems.push(node.unlike("a number or an expression").help(help));
            None
        }
        Tree::Text(_) => expression(node, writing).map(Term::Expression),
        _ => node.expected("a number or an expression", writing.problems),
    }
}

/// Warns of text that is written like a path to a value, and is stored as it stands. `key` is that of the
/// action.
pub fn warn_of_paths(verb: &Verb, option: &str, value: &Node, key: &str, writing: &mut Writing<'_>) {
    match &value.tree {
        Tree::Text(text) => {
            let name = text.split_once('.').map(|(name, _)| name).filter(|_| is_path(text));
            if !name.is_some_and(|name| NAMES.iter().any(|(known, _)| *known == name)) {
                return;
            }
            let takes_from = option == "value" && verb.options.iter().any(|opt| opt.name == "from");
            let help = if takes_from && value.key == join(key, option) {
                format!("for the value that it leads to, write `from = {text:?}`")
            } else {
                format!("for the value that it leads to, write `\"{{{{{text}}}}}\"`")
            };
            writing.problems.push(
                Diagnostic::warning(&value.place, format!("this is the text `{text}`, not what it leads to"))
                    .key(key)
                    .help(help),
            );
        }
        Tree::Scalar(_) => {}
        Tree::List(items) => items.iter().for_each(|item| warn_of_paths(verb, option, item, key, writing)),
        Tree::Table(entries) => {
            entries.iter().for_each(|entry| warn_of_paths(verb, option, &entry.node, key, writing));
        }
    }
}

/// What all the items become if all of them are good; the problems of all are reported.
pub fn all<I, T>(items: &[I], compile: impl FnMut(&I) -> Option<T>) -> Option<Vec<T>> {
    let compiled: Vec<Option<T>> = items.iter().map(compile).collect();
    compiled.into_iter().collect()
}
