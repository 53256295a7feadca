//! `params` of a route: what was sent, checked before any action runs, and what it means.

mod ascii;
mod compile;
pub mod formats;
mod messages;
mod options;
pub mod rules;
mod sentence;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::request::{Fields, Request};
use crate::config::param::ParamType;
pub use compile::params;
use rules::{Rule, Rules};

/// What is wrong with a request's parameters: a sentence for each that does not hold, by its name.
pub type Faults = Vec<(String, String)>;

/// The declared parameters of a route, in the order of the file.
#[derive(Debug, Default)]
pub struct Params(Vec<Param>);

/// A declared parameter.
#[derive(Debug)]
struct Param {
    name: String,
    rules: Rules,
    required: bool,
    /// The most items there may be if it is a list.
    many: Option<usize>,
    /// What it is when nothing was entered.
    default: Value,
    messages: Messages,
}

/// The author's own sentences.
#[derive(Debug, Default)]
struct Messages {
    all: Option<String>,
    by_rule: Vec<(Rule, String)>,
}

/// What came of checking a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    values: Vec<(String, Value)>,
    faults: Faults,
}

impl Checked {
    /// What `params` has for a declared name instead of what was sent.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.values.iter().find(|(checked, _)| checked == name).map(|(_, value)| value)
    }

    /// Leaves no value of these names.
    pub fn forget(&mut self, names: &[String]) {
        self.values.retain(|(name, _)| !names.contains(name));
    }

    /// All of these values.
    pub fn values(&self) -> &[(String, Value)] {
        &self.values
    }

    /// What is wrong; none if the route may run.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The sentences by name, as templates see them.
    pub fn errors(&self) -> Value {
        errors(&self.faults)
    }
}

/// Sentences by name, as templates and JSON clients see them.
pub fn errors(faults: &Faults) -> Value {
    Value::Object(
        faults.iter().map(|(name, sentence)| (name.clone(), Value::from(sentence.as_str()))).collect::<Map<_, _>>(),
    )
}

impl Params {
    /// The declared names; `None` if the route declares no parameters.
    pub fn names(&self) -> Option<BTreeSet<String>> {
        let names: BTreeSet<String> = self.0.iter().map(|param| param.name.clone()).collect();
        (!names.is_empty()).then_some(names)
    }

    /// The names of those that must be given.
    pub fn required(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|param| param.required).map(|param| param.name.as_str())
    }

    /// The names of those that are numbers when they hold.
    pub fn numbers(&self) -> impl Iterator<Item = &str> {
        let is_number = |param: &&Param| matches!(param.rules.kind, ParamType::Integer | ParamType::Number);
        self.0.iter().filter(is_number).map(|param| param.name.as_str())
    }

    /// Checks all parameters of a request.
    ///
    /// If all of them hold, every declared one has a value of its type. If not, all keep what was
    /// sent, for the form to show again.
    pub fn check(&self, request: &Request<'_>) -> Checked {
        let mut checked = Checked::default();
        let asks = self.0.iter().any(|param| param.rules.ask_for_today());
        let today = asks.then(|| Value::from(formats::day(request.now)));
        for param in &self.0 {
            let sent = param.sent(request);
            match param.read(&sent, request.files.contains(&param.name), today.as_ref()) {
                Ok(value) => checked.values.push((param.name.clone(), value)),
                Err(rule) => checked.faults.push((param.name.clone(), param.sentence(rule))),
            }
        }
        if !checked.faults.is_empty() {
            let lists = self.0.iter().filter(|param| param.many.is_some());
            let lists = lists.map(|param| (param.name.clone(), param.sent(request).into_iter().cloned().collect()));
            checked.values = lists.collect();
        }
        checked
    }
}

impl Param {
    /// Every value that counts: those of the query, else those of the form.
    fn sent<'r>(&self, request: &'r Request<'_>) -> Vec<&'r Value> {
        let of = |fields: &'r Fields| fields.iter().filter(|(name, _)| *name == self.name).map(|(_, value)| value);
        let mut sent: Vec<&Value> = of(&request.query).collect();
        if sent.is_empty() {
            sent = of(&request.form).collect();
        }
        match (self.many, sent.as_slice()) {
            (None, [.., last]) => vec![last],
            // A JSON body has the list as one value.
            (Some(_), [Value::Array(items)]) => items.iter().collect(),
            _ => sent,
        }
    }

    fn read(&self, sent: &[&Value], is_file: bool, today: Option<&Value>) -> Result<Value, Rule> {
        if is_file {
            return Err(Rule::Type);
        }
        let mut values = Vec::new();
        for value in sent {
            values.extend(self.rules.read_on(today, value)?);
        }
        let refused = self.rules.kind == ParamType::Boolean && values == [Value::Bool(false)];
        if self.required && (values.is_empty() || refused) {
            return Err(Rule::Required);
        }
        match self.many {
            _ if values.is_empty() => Ok(self.default.clone()),
            Some(most) if values.len() > most => Err(Rule::MaxItems),
            Some(_) => Ok(Value::Array(values)),
            None => Ok(values.pop().unwrap_or_default()),
        }
    }

    fn sentence(&self, rule: Rule) -> String {
        let own = self.messages.by_rule.iter().find(|(about, _)| *about == rule).map(|(_, sentence)| sentence);
        let own = own.or(self.messages.all.as_ref()).cloned();
        own.unwrap_or_else(|| sentence::sentence(rule, &self.rules, self.many))
    }
}
