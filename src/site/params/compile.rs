//! Declarations to [`Params`]: every rule read, and checked against the others.

use std::cmp::Ordering;

use serde_json::Value;

use super::ascii::with_ascii_classes;
use super::messages::of_site;
use super::rules::{RULES, Rule, Rules, TODAY, compare};
use super::sentence::sentence;
use super::{Messages, Param, Params};
use crate::config::declaration::{Declarations, RouteDeclaration};
use crate::config::messages::Message;
use crate::config::param::{ParamDeclaration, ParamType};
use crate::config::tree::{Entry, Node, Tree};
use crate::diagnostic::{At, Diagnostic, Diagnostics, Written};
use crate::site::pattern::regex_pool;

/// The most items of a list that does not say.
const MAX_ITEMS: usize = 100;

/// Compiles the parameters of a route of a site.
pub fn params(route: &RouteDeclaration, site: &Declarations, problems: &mut Diagnostics) -> Params {
    // Its own entries come before the site's.
    let data = &[route.data.as_slice(), &site.data];
    let compile = |declared: &ParamDeclaration| {
        let kind = declared.kind?;
        Some(Reader { declared, data, sentences: &site.messages, problems: &mut *problems }.param(kind))
    };
    Params(route.params.iter().flatten().filter_map(compile).collect())
}

/// Reads the rules of one parameter.
pub(super) struct Reader<'r> {
    pub declared: &'r ParamDeclaration,
    pub data: &'r [&'r [Entry]],
    sentences: &'r [Message],
    pub problems: &'r mut Diagnostics,
}

impl Reader<'_> {
    fn param(mut self, kind: ParamType) -> Param {
        let mut rules = Rules {
            trim: self.boolean("trim").unwrap_or(true),
            min_length: self.count("min_length", 0),
            max_length: self.count("max_length", 1),
            min: self.bound("min", kind),
            max: self.bound("max", kind),
            pattern: None,
            one_of: None,
            ..Rules::of(kind)
        };
        let upside_down = match (&rules.min, &rules.max) {
            // Which day that is, is known with the request.
            (Some(min), Some(max)) if [min, max].iter().any(|bound| **bound == TODAY) => false,
            (Some(min), Some(max)) => compare(min, max) == Some(Ordering::Greater),
            _ => false,
        };
        if upside_down {
            self.exclude("min", "max", "`min` is more than `max`", "nothing could ever hold; swap the two");
        }
        if rules.min_length.is_some_and(|least| rules.max_length.is_some_and(|most| least > most)) {
            let message = "`min_length` is more than `max_length`";
            self.exclude("min_length", "max_length", message, "nothing could ever hold; swap the two");
        }
        rules.pattern = self.pattern();
        rules.one_of = self.one_of(&rules);
        let many = self.many();
        let required = self.boolean("required").unwrap_or(false);
        let default = self.default(&rules);
        if required && default.is_some() {
            let message = "`required` and `default` exclude each other";
            self.exclude("required", "default", message, "what has a default is never missing; keep one of them");
        }
        let mut messages = self.messages(required, many);
        let label = self.get("label").cloned().and_then(|entry| entry.node.text(self.problems));
        let label = label.as_ref().map_or(self.declared.name.as_str(), |label| label.as_str());
        // The parameter's own come first.
        if messages.all.is_none() {
            messages.by_rule.extend(of_site(self.sentences, label, &rules, many));
        }
        let empty = match kind {
            _ if many.is_some() => Value::Array(Vec::new()),
            ParamType::Integer | ParamType::Number => Value::Null,
            ParamType::Boolean => Value::Bool(false),
            ParamType::String | ParamType::Date | ParamType::Time | ParamType::Email | ParamType::Url => {
                Value::from("")
            }
        };
        let name = self.declared.name.value.clone();
        Param { name, rules, required, many, default: default.unwrap_or(empty), messages }
    }

    fn get(&self, rule: &str) -> Option<&'_ Entry> {
        self.declared.node.get(rule)
    }

    /// Reports that two rules do not go together.
    fn exclude(&mut self, one: &str, other: &str, message: &str, help: &str) {
        let (Some(one), Some(other)) = (self.declared.node.get(one), self.declared.node.get(other)) else { return };
        let error = Diagnostic::error(&one.name.place, message).key(&self.declared.node.key);
        self.problems.push(error.related(&other.name.place, "the other").help(help));
    }

    fn boolean(&mut self, rule: &str) -> Option<bool> {
        self.declared.node.get(rule)?.node.boolean(self.problems)
    }

    fn count(&mut self, rule: &str, least: usize) -> Option<usize> {
        let node = &self.declared.node.get(rule)?.node;
        let number = node.integer(self.problems)?;
        let count = usize::try_from(number).ok().filter(|count| *count >= least);
        if count.is_none() {
            self.problems.push(node.error(format!("`{rule}` is {least} or more, not {number}")));
        }
        count
    }

    fn bound(&mut self, rule: &str, kind: ParamType) -> Option<Value> {
        let node = &self.declared.node.get(rule)?.node;
        if kind == ParamType::Date && matches!(&node.tree, Tree::Text(text) if text == TODAY) {
            return Some(Value::from(TODAY));
        }
        let value = literal(node, kind);
        self.reported(value)
    }

    fn reported<T>(&mut self, result: Result<T, Box<Diagnostic>>) -> Option<T> {
        result.map_err(|problem| self.problems.push(*problem)).ok()
    }

    fn pattern(&mut self) -> Option<std::sync::Arc<regex::Regex>> {
        let node = &self.declared.node.get("pattern")?.node;
        let text = node.text(self.problems)?;
        if let Err((span, message)) = regex_pool::check(&text) {
            let place = Written::quoted(text.value, &text.place).place_of(span);
            self.problems.push(
                Diagnostic::error(&place, format!("bad pattern: {message}")).key(&node.key).help(regex_pool::SYNTAX),
            );
            return None;
        }
        match regex_pool::compile(&format!(r"\A(?:{})\z", with_ascii_classes(&text))) {
            Ok(regex) => Some(regex),
            Err(regex::Error::CompiledTooBig(limit)) => {
                let message = format!("compiled, this pattern takes more than {limit} bytes");
                self.problems.push(node.error(message).help(regex_pool::SMALLER));
                None
            }
            Err(_) => {
                let message = "this pattern cannot be matched from end to end";
                self.problems.push(node.error(message).help("do not use the `x` flag of regular expressions"));
                None
            }
        }
    }

    /// The most items if this is a list.
    fn many(&mut self) -> Option<usize> {
        let many = self.boolean("many").unwrap_or(false);
        let most = self.count("max_items", 1);
        if let Some(entry) = self.declared.node.get("max_items").filter(|_| !many) {
            self.problems.push(
                Diagnostic::error(&entry.name.place, "`max_items` is for lists")
                    .key(&self.declared.node.key)
                    .help("add `many = true`, or leave it out"),
            );
        }
        many.then_some(most.unwrap_or(MAX_ITEMS))
    }

    fn default(&mut self, rules: &Rules) -> Option<Value> {
        let node = &self.declared.node.get("default")?.node;
        let value = literal(node, rules.kind);
        let value = self.reported(value)?;
        match rules.read(&value) {
            Ok(read) => Some(read.unwrap_or(value)),
            Err(rule) => {
                let said = sentence(rule, rules, None);
                let error = node.error("this default could not be entered");
                self.problems.push(error.help(format!("`{}` says: {said}", self.declared.name.value)));
                None
            }
        }
    }

    fn messages(&mut self, required: bool, many: Option<usize>) -> Messages {
        let Some(entry) = self.get("message").cloned() else { return Messages::default() };
        if !matches!(entry.node.tree, Tree::Table(_)) {
            return Messages { all: self.own_sentence(&entry.node), by_rule: Vec::new() };
        }
        let node = entry.node.only(&RULES.map(|(name, _)| name), self.problems);
        let mut by_rule = Vec::new();
        for entry in node.entries() {
            let Some((name, rule)) = RULES.iter().find(|(name, _)| *name == entry.name.value) else { continue };
            let asked = match rule {
                Rule::Required => required,
                Rule::MaxItems => many.is_some(),
                Rule::Type => true,
                _ => self.get(name).is_some(),
            };
            if !asked {
                self.never_shown(&entry.name);
            }
            by_rule.extend(self.own_sentence(&entry.node).map(|sentence| (*rule, sentence)));
        }
        Messages { all: None, by_rule }
    }

    fn never_shown(&mut self, rule: &At<String>) {
        let name = &self.declared.name.value;
        self.problems.push(
            Diagnostic::warning(&rule.place, format!("`{name}` has no `{}`, so this is never shown", rule.value))
                .key(&self.declared.node.key)
                .help(format!("add `{}` to it, or leave this sentence out", rule.value)),
        );
    }

    fn own_sentence(&mut self, node: &Node) -> Option<String> {
        let text = node.text(self.problems)?;
        if text.contains("{{") {
            let help = "a template can say more where it shows `errors`";
            self.problems.push(node.error("a message is fixed text, without braces").help(help));
        }
        Some(text.value)
    }
}

/// A value of the type as TOML writes it.
pub(super) fn literal(node: &Node, kind: ParamType) -> Result<Value, Box<Diagnostic>> {
    let fits = match (&node.tree, kind) {
        (Tree::Text(_), ParamType::String | ParamType::Date | ParamType::Time | ParamType::Email | ParamType::Url)
        | (Tree::Scalar(Value::Number(_)), ParamType::Number)
        | (Tree::Scalar(Value::Bool(_)), ParamType::Boolean) => true,
        (Tree::Scalar(value), ParamType::Integer) => value.is_i64(),
        _ => false,
    };
    let what = match kind {
        ParamType::String => "a string",
        ParamType::Integer => "an integer",
        ParamType::Number => "a number",
        ParamType::Boolean => "true or false",
        ParamType::Date => "a date such as `2026-11-21`",
        ParamType::Time => "a time such as `08:30`",
        ParamType::Email => "an e-mail address",
        ParamType::Url => "an address such as `https://example.org/`",
    };
    if !fits {
        return Err(node.unlike(what).into());
    }
    let exact = Rules { trim: false, ..Rules::of(kind) };
    match exact.read(&node.to_value()) {
        Ok(value) => Ok(value.unwrap_or_else(|| Value::from(""))),
        Err(_) => Err(node.error(format!("{} is not {what}", node.to_value())).into()),
    }
}
