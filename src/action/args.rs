//! What an action is made from.

use std::collections::BTreeMap;

use crate::template::expression::{Expression, Key, Term, Text};

/// The operand and the options of one action, checked against its [`super::Verb`].
#[derive(Debug, Default)]
pub struct Args {
    /// The key of a verb that takes one.
    pub key: Option<Key>,
    /// The parameter of a verb that takes one.
    pub param: Option<String>,
    /// The expression of a verb that takes one.
    pub operand: Option<Expression>,
    /// The value of a verb that takes one.
    pub given: Option<Term>,
    /// The full name of the users of a verb that takes some.
    pub users: Option<String>,
    /// The options that were given.
    pub options: BTreeMap<&'static str, Arg>,
}

/// The value of an option, of the kind its [`super::Takes`] says.
#[derive(Debug)]
pub enum Arg {
    /// For `Takes::Value`.
    Value(Term),
    /// For `Takes::Expression`.
    Expression(Expression),
    /// For `Takes::Number`.
    Number(Term),
    /// For `Takes::Boolean`.
    Boolean(bool),
    /// For `Takes::Key`.
    Key(Key),
    /// For `Takes::Name` and `Takes::Word`.
    Word(String),
    /// For `Takes::Text`.
    Text(Text),
}

impl Args {
    /// The key of a verb that takes one.
    pub fn key(&mut self) -> Result<Key, String> {
        self.key.take().ok_or_else(|| "it needs a key".to_owned())
    }

    /// An option that takes a value.
    pub fn value(&mut self, name: &str) -> Option<Term> {
        match self.options.remove(name)? {
            Arg::Value(term) => Some(term),
            _ => None,
        }
    }

    /// An option that takes an expression.
    pub fn expression(&mut self, name: &str) -> Option<Expression> {
        match self.options.remove(name)? {
            Arg::Expression(expression) => Some(expression),
            _ => None,
        }
    }

    /// An option that takes a number, or an expression that gives one.
    pub fn number(&mut self, name: &str) -> Option<Term> {
        match self.options.remove(name)? {
            Arg::Number(number) => Some(number),
            _ => None,
        }
    }

    /// An option that takes `true` or `false`.
    pub fn boolean(&mut self, name: &str) -> Option<bool> {
        match self.options.remove(name)? {
            Arg::Boolean(boolean) => Some(boolean),
            _ => None,
        }
    }

    /// An option that takes a key.
    pub fn other_key(&mut self, name: &str) -> Option<Key> {
        match self.options.remove(name)? {
            Arg::Key(key) => Some(key),
            _ => None,
        }
    }

    /// An option that takes a text, with braces or without.
    pub fn text(&mut self, name: &str) -> Option<Text> {
        match self.options.remove(name)? {
            Arg::Text(text) => Some(text),
            _ => None,
        }
    }

    /// An option that takes a name or a word.
    pub fn word(&mut self, name: &str) -> Option<String> {
        match self.options.remove(name)? {
            Arg::Word(word) => Some(word),
            _ => None,
        }
    }

    /// `value` or `from`, exactly one: what `set` and its kin store.
    pub fn value_or_from(&mut self) -> Result<Term, String> {
        match (self.value("value"), self.expression("from")) {
            (Some(value), None) => Ok(value),
            (None, Some(from)) => Ok(Term::Expression(from)),
            (None, None) => Err("it needs either `value` or `from`".to_owned()),
            (Some(_), Some(_)) => Err("it takes either `value` or `from`, not both".to_owned()),
        }
    }
}
