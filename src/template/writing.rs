//! Strings on their way in: each becomes a text, an expression or a key, and what it holds of a template
//! goes to the library.

use std::ops::Range;
use std::path::Path;

use handlebars::template::Template;
use serde_json::Value;

use super::computed::{self, NoExpression};
use super::expression::{Expression, Key, Text};
use super::library::{Home, Library};
use super::names::is_path;
use super::render::Escaping;
use super::syntax::not_an_expression;
use crate::diagnostic::{Diagnostic, Diagnostics, Written};

/// What compiling a string needs: the library it goes to, whose names it means, its key path.
pub struct Writing<'w> {
    /// Where templates go.
    pub library: &'w mut Library,
    /// The site the string is written in.
    pub home: Home<'w>,
    /// The prefix that site is mounted at.
    pub prefix: &'w str,
    /// The folder that it is in.
    pub folder: &'w Path,
    /// Where problems go.
    pub problems: &'w mut Diagnostics,
    /// The templates that were added, by full name, so that their names can be checked.
    pub added: Vec<String>,
}

impl Writing<'_> {
    /// A string; `key` is its key path and, with the site's name, its template's name.
    pub fn text(&mut self, written: &Written, escaping: Escaping, key: &str) -> Option<Text> {
        if !written.text.contains("{{") {
            return Some(Text::Fixed(written.text.clone()));
        }
        let name = self.add(written, escaping, key)?;
        Some(Text::Template(name, escaping))
    }

    fn add(&mut self, written: &Written, escaping: Escaping, key: &str) -> Option<String> {
        // Key paths hold dots, template names of authors do not start with one.
        let name = self.home.qualify(&format!(".{key}"));
        let good = self.library.add(&name, self.home, written, Some(escaping), key, self.problems);
        good.then(|| {
            self.added.push(name.clone());
            name
        })
    }

    /// An expression. It is checked like a template that shows it.
    pub fn expression(&mut self, written: &Written, key: &str) -> Option<Expression> {
        let text = written.text.trim();
        let start = written.text.len() - written.text.trim_start().len();
        let tag = written.part("{{", start..start + text.len(), "}}");
        let is_literal = serde_json::from_str::<Value>(text).is_ok();
        let is_call = text.starts_with('(') && text.ends_with(')');
        let read =
            Template::compile(&tag.text).map_or(Err(NoExpression::Shape), |template| computed::expression(&template));
        if is_literal || !(is_call || is_path(text)) || matches!(read, Err(NoExpression::Shape)) {
            let error = Diagnostic::error(&written.place, format!("`{text}` is not an expression")).key(key);
            self.problems.push(not_an_expression(text).into_iter().fold(error, Diagnostic::help));
            return None;
        }
        let name = self.add(&tag, Escaping::Plain, key)?;
        computed::expression(self.library.template(&name)?).ok()
    }

    /// A key path into the session.
    pub fn key(&mut self, written: &Written, key: &str) -> Option<Key> {
        let mut parts = Vec::new();
        for (i, range) in split_parts(&written.text).into_iter().enumerate() {
            let part = written.part("", range, "");
            if part.text.is_empty() {
                let message = if written.text.is_empty() {
                    "this key is empty".to_owned()
                } else {
                    format!("a part of the key `{}` is empty", written.text)
                };
                self.problems.push(
                    Diagnostic::error(&written.place, message)
                        .key(key)
                        .help("a key is a name, or names with dots between them: `user`, `cart.tea`"),
                );
                return None;
            }
            if i == 0 && part.text.starts_with('_') {
                self.problems.push(
                    Diagnostic::error(&written.place, format!("the key `{}` starts with an underscore", written.text))
                        .key(key)
                        .help("such keys are the engine's own; choose a name that starts with a letter"),
                );
                return None;
            }
            parts.push(self.text(&part, Escaping::Plain, &format!("{key}/{i}"))?);
        }
        Some(Key::new(parts))
    }
}

/// What is between the dots that are not inside braces.
fn split_parts(text: &str) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("{{") {
            at += rest.find("}}").map_or(rest.len(), |end| end + 2);
        } else if rest.starts_with('.') {
            parts.push(start..at);
            at += 1;
            start = at;
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    parts.push(start..text.len());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_split_at_dots_outside_braces() {
        let parts = |text: &'static str| split_parts(text).into_iter().map(|part| &text[part]).collect::<Vec<_>>();
        assert_eq!(parts("cart.{{path.sku}}.n"), ["cart", "{{path.sku}}", "n"]);
        assert_eq!(parts("user"), ["user"]);
        assert_eq!(parts("a..b"), ["a", "", "b"]);
        assert_eq!(parts("a.{{x"), ["a", "{{x"]);
    }
}
