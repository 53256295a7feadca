//! Where the values in a template come from: the site's names that each is made of.

use std::collections::BTreeSet;

use handlebars::JsonRender;
use handlebars::template::{BlockParam, HelperTemplate, Parameter, TemplateElement};
use serde_json::Value;

use super::Made;
use crate::template::names::{Start, parse};

/// What is known of a value before there is one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The names it is made of, such as `session`; empty for what is written out, for numbers and for
    /// what the engine makes.
    pub names: BTreeSet<String>,
    /// What made it.
    pub made: Made,
    /// The text, if it is written out.
    pub text: Option<String>,
}

impl Origin {
    fn plain(names: BTreeSet<String>) -> Self {
        Self { names, made: Made::Value, text: None }
    }

    fn made(made: Made, names: BTreeSet<String>) -> Self {
        Self { names, made, text: None }
    }
}

/// What names mean, from the innermost block outwards.
#[derive(Clone, Debug)]
pub struct Scopes {
    /// What `this` is.
    blocks: Vec<Scope>,
    /// Names that blocks and partials bind, the innermost last.
    bound: Vec<(String, Origin)>,
}

#[derive(Clone, Debug)]
enum Scope {
    /// All of the site's names.
    Site,
    /// A value made of these.
    Value(BTreeSet<String>),
}

/// How many blocks and bound names there are.
pub type Depth = (usize, usize);

/// What the engine has made or checked, so that nothing in it is as a visitor likes.
const ENGINES: [(&[&str], Made); 8] = [
    (&["csrf_token"], Made::Value),
    (&["csp_nonce"], Made::Value),
    (&["request", "scheme"], Made::Word),
    (&["request", "time"], Made::Word),
    // There is none on a Unix socket.
    (&["request", "remote_addr"], Made::Value),
    (&["error", "status"], Made::Word),
    (&["error", "title"], Made::Word),
    (&["error", "id"], Made::Value),
];

/// What is checked to be a part of a URL, and may have quotes and parentheses in it.
const IN_URLS: [(&str, &str, Made); 3] =
    [("error", "back", Made::Path), ("request", "path", Made::Rooted), ("request", "host", Made::Host)];

/// Helpers whose result is a number, or true or false, whatever they are given.
const WORDS: [&str; 11] = ["eq", "ne", "gt", "gte", "lt", "lte", "and", "or", "not", "in", "len"];

/// Helpers whose result is a number, or a list of them, or nothing.
const NUMBERS: [&str; 9] = ["add", "sub", "mul", "div", "round", "ceil", "floor", "sum", "range"];

impl Scopes {
    /// Outside of all blocks.
    pub fn new() -> Self {
        Self { blocks: vec![Scope::Site], bound: Vec::new() }
    }

    /// How far in we are, for [`Self::leave`].
    pub fn depth(&self) -> Depth {
        (self.blocks.len(), self.bound.len())
    }

    /// Goes back out.
    pub fn leave(&mut self, (blocks, bound): Depth) {
        self.blocks.truncate(blocks);
        self.bound.truncate(bound);
    }

    /// Goes into a block over a value.
    pub fn enter(&mut self, over: &Origin, param: Option<&BlockParam>) {
        self.blocks.push(Scope::Value(over.names.clone()));
        let (first, second) = match param {
            Some(BlockParam::Single(first)) => (Some(first), None),
            Some(BlockParam::Pair((first, second))) => (Some(first), Some(second)),
            _ => (None, None),
        };
        let names = [first, second].into_iter().flatten().filter_map(Parameter::as_name);
        self.bound.extend(names.map(|name| (name.to_owned(), Origin::plain(over.names.clone()))));
    }

    /// Goes into a partial: what it is given wins over what it finds.
    pub fn include(&mut self, context: Option<&Origin>, given: Vec<(String, Origin)>) {
        let scope = match context {
            Some(origin) => Scope::Value(origin.names.clone()),
            None => self.blocks.last().cloned().unwrap_or(Scope::Site),
        };
        self.blocks.push(scope);
        self.bound.extend(given);
    }

    /// Where the value of a parameter comes from.
    pub fn of(&self, parameter: &Parameter) -> Origin {
        match parameter {
            Parameter::Literal(Value::String(text)) => Origin { text: Some(text.clone()), ..Origin::default() },
            Parameter::Literal(literal) => Origin { text: Some(literal.render()), ..Origin::default() },
            Parameter::Subexpression(inner) => match inner.as_element() {
                TemplateElement::Expression(tag) => self.of_call(inner.name(), tag),
                _ => Origin::default(),
            },
            name => name.as_name().map(|name| self.of_path(name)).unwrap_or_default(),
        }
    }

    /// Where the result of a helper comes from.
    pub fn of_call(&self, helper: &str, tag: &HelperTemplate) -> Origin {
        let of_all = || tag.params.iter().chain(tag.hash.values()).flat_map(|parameter| self.of(parameter).names);
        let of_first = || tag.params.first().map(|first| self.of(first).names).unwrap_or_default();
        match helper {
            helper if WORDS.contains(&helper) => Origin::made(Made::Word, BTreeSet::new()),
            helper if NUMBERS.contains(&helper) => Origin::plain(BTreeSet::new()),
            "lookup" | "slice" => Origin::plain(of_first()),
            "markdown" => Origin::made(Made::Html, of_first()),
            "json" => Origin::made(Made::Json, of_first()),
            "url" if tag.hash.is_empty() => Origin::made(Made::FixedPath, of_first()),
            "url" | "static_url" => Origin::made(Made::Path, of_all().collect()),
            "web_url" => Origin::made(Made::WebUrl, of_first()),
            "csrf_field" => Origin::made(Made::Html, BTreeSet::new()),
            _ => Origin::plain(of_all().collect()),
        }
    }

    /// Where the value of a path comes from.
    pub fn of_path(&self, raw: &str) -> Origin {
        let (start, parts) = parse(raw);
        let bound = || self.bound.iter().rev().filter(|(name, _)| parts.first().is_some_and(|first| first == name));
        let (top, outer) = match self.blocks.split_last() {
            Some((top, outer)) => (top, outer),
            None => (&Scope::Site, &[][..]),
        };
        match start {
            Start::Local if raw.ends_with("key") => {
                let names = self.blocks.iter().filter_map(|scope| match scope {
                    Scope::Site => None,
                    Scope::Value(names) => Some(names.clone()),
                });
                Origin::plain(names.flatten().collect())
            }
            // Numbers and truth values, or nothing: `@index` outside of `{{#each}}`.
            Start::Local => Origin::plain(BTreeSet::new()),
            Start::Root => Scope::Site.of(&parts),
            // Which of them it is, partials in between decide.
            Start::Up(_) => {
                let outer = outer.iter().flat_map(|scope| scope.of(&parts).names);
                Origin::plain(outer.chain(bound().flat_map(|(_, origin)| origin.names.clone())).collect())
            }
            Start::Here => match bound().next() {
                Some((_, origin)) if parts.len() == 1 => origin.clone(),
                Some((_, origin)) => Origin::plain(origin.names.clone()),
                None => top.of(&parts),
            },
        }
    }
}

impl Scope {
    fn of(&self, parts: &[String]) -> Origin {
        let entry = parts.first().zip(parts.get(1)).map(|(first, second)| (first.as_str(), second.as_str()));
        let engines = ENGINES.iter().find(|(path, _)| parts.iter().map(String::as_str).eq(path.iter().copied()));
        match (self, parts.first()) {
            (Self::Value(names), _) => Origin::plain(names.clone()),
            (Self::Site, _) if let Some((_, made)) = engines => Origin::made(*made, BTreeSet::new()),
            (Self::Site, None) => Origin::plain(BTreeSet::from(["this".to_owned()])),
            (Self::Site, Some(first)) => {
                let known = IN_URLS.iter().find(|(first, second, _)| entry == Some((*first, *second)));
                Origin::made(known.map_or(Made::Value, |(.., made)| *made), BTreeSet::from([first.clone()]))
            }
        }
    }
}
