//! Whether the values in a page stay values, whatever a visitor sends.
//!
//! Handlebars escapes the same way wherever a value stands; browsers do not read it the same way. So a
//! page is followed from its beginning, through its partials and all its branches, by the tokenizer of
//! HTML (`html`): each value has a place, and is of a making ([`Made`]). What does not go together is a
//! [`Danger`] if a visitor can choose the value.

mod attribute;
mod html;
#[cfg(test)]
mod oracle;
mod page;
mod raw;
mod script;
mod sources;
mod tag;
#[cfg(test)]
mod tests;
mod url;

use std::collections::BTreeSet;

pub use attribute::For;
use html::{Place, ReadAs};
use page::follow;
use script::InScript;
use url::InUrl;

use super::library::Library;
use super::places::locate;
use super::render::Escaping;
use crate::diagnostic::{self, Diagnostic};

/// A value in a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The full name of the template it is written in.
    pub template: String,
    /// The line and column (from 1) of its tag.
    pub spot: (usize, usize),
    /// What is written: a name such as `session.user`, or a helper's name.
    pub written: String,
    /// The names it is made of.
    pub names: BTreeSet<String>,
    /// What can come of it if one of them is a visitor's.
    pub danger: Danger,
}

/// How a value is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Made {
    /// It is escaped for HTML.
    #[default]
    Value,
    /// It is not escaped: `{{{x}}}`.
    Raw,
    /// By `json`: what could end a script, a text in single quotes or a comment is escaped.
    Json,
    /// By `url` or `static_url`: a path of this site, percent-encoded.
    Path,
    /// By `url` of a route alone: a path of this site that is always the same.
    FixedPath,
    /// By `web_url`: a URL that is no script, percent-encoded.
    WebUrl,
    /// The path of the request: with one slash at its beginning, otherwise as a visitor likes.
    Rooted,
    /// The host that the request is for: nothing that could not be in a URL.
    Host,
    /// A count, a truth value or a word of the engine's: never empty, and nothing in it ends anything.
    Word,
    /// By a helper that makes HTML: `csrf_field`.
    Html,
}

/// What can come of a value where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Danger {
    /// It is not escaped.
    Raw,
    /// It is a script, or part of one.
    Script,
    /// It is in the quotes of a script.
    Quoted,
    /// It is in the quotes of a script, where it is safe, but where entities stay what they are.
    Mangled,
    /// `json` in quotes, which its own can end.
    JsonInQuotes,
    /// It is a part of a pattern or a comment in a script.
    InsideScript,
    /// It is in a script within `<svg>`, where escaping is undone.
    ForeignScript,
    /// An attribute such as `onclick`.
    Handler(String),
    /// An attribute such as `x-data`, which frameworks take for a script.
    Framework(String),
    /// The URL in this attribute can be a script.
    Scheme(String, For),
    /// The URL in this attribute can lead anywhere.
    Host(String, For),
    /// The value of this attribute has no quotes.
    Unquoted(String),
    /// The value of this attribute, which stands before, has no quotes and may be empty.
    Behind(String),
    /// It is a tag's or an attribute's name, or in their place.
    Tag,
    /// It is the name of an element, so that what stands in it can be anything.
    Element,
    /// The name of the attribute is a value itself.
    Attribute,
    /// What the tags of the template stand around is to be here, but there are none.
    NoBody,
    /// `srcdoc`.
    Document,
    /// This attribute says what others mean.
    Semantics(String),
    /// `json` in an attribute without single quotes.
    JsonInAttribute(String),
    /// HTML where only text can be.
    Html,
    /// A style.
    Style,
    /// A comment of HTML.
    Comment,
    /// It cannot be told where it stands: too many branches leave different things open.
    Unclear,
}

impl Danger {
    /// Whether a script of a visitor could run; otherwise he could change how the page looks, or where it
    /// leads.
    pub fn is_grave(&self) -> bool {
        let is_harmless_link = matches!(self, Self::Host(_, For::Link | For::List));
        !is_harmless_link && !matches!(self, Self::Style | Self::Comment | Self::Mangled | Self::Framework(_))
    }
}

/// The values in the page that a template makes that browsers may not read as values, the grave ones
/// first; none if it is not shown as HTML.
pub fn dangers(library: &Library, template: &str) -> Vec<Shown> {
    match library.written(template) {
        Some((_, _, None | Some(Escaping::Html))) => {
            let mut shown = follow(template, &|name| library.template(name));
            shown.sort_by_key(|value| !value.danger.is_grave());
            shown
        }
        _ => Vec::new(),
    }
}

impl Shown {
    /// Where the value is written, and the key path of its template.
    pub fn place<'l>(&self, library: &'l Library) -> Option<(diagnostic::Place, &'l str)> {
        let (text, key, _) = library.written(&self.template)?;
        Some((locate(text, self.spot, &self.written, 0..self.written.len()), key))
    }

    /// What is wrong with it even if no visitor has a part in it.
    pub fn always(&self) -> Option<Danger> {
        match self.danger {
            Danger::Html | Danger::Element | Danger::NoBody | Danger::Mangled => Some(self.danger.clone()),
            Danger::Quoted if !self.names.is_empty() => Some(Danger::Mangled),
            _ => None,
        }
    }

    /// The problem with the value, at its place.
    pub fn diagnostic(&self, library: &Library, message: String) -> Option<Diagnostic> {
        let (place, key) = self.place(library)?;
        let problem = if self.danger.is_grave() { Diagnostic::error } else { Diagnostic::warning };
        Some(problem(&place, message).key(key))
    }
}

/// What can come of a value of this making at this place.
fn danger(made: Made, place: &Place) -> Option<Danger> {
    match (made, place) {
        (_, Place::Element) => Some(Danger::Element),
        (Made::Html, Place::Text) => None,
        (Made::Html, _) => Some(Danger::Html),
        (_, Place::Tag) => Some(Danger::Tag),
        // It can end what it stands in.
        (Made::Raw, Place::Text | Place::Characters | Place::Comment | Place::Style) => Some(Danger::Raw),
        (_, Place::Comment) => Some(Danger::Comment),
        (_, Place::Style) => Some(Danger::Style),
        (_, Place::Script(InScript::Foreign)) => Some(Danger::ForeignScript),
        (Made::Json, Place::Script(InScript::Code | InScript::Comment)) => None,
        (Made::Json, Place::Script(InScript::Quoted(_))) => Some(Danger::JsonInQuotes),
        (_, Place::Script(InScript::Pattern | InScript::Comment)) => Some(Danger::InsideScript),
        (Made::FixedPath, Place::Script(InScript::Quoted(_))) => None,
        (Made::Path, Place::Script(InScript::Quoted(_))) => Some(Danger::Mangled),
        (Made::Value | Made::WebUrl | Made::Rooted | Made::Host, Place::Script(InScript::Quoted(_))) => {
            Some(Danger::Quoted)
        }
        (_, Place::Script(_)) => Some(Danger::Script),
        (_, Place::Text | Place::Characters) => None,
        (made, Place::Value { attribute, quote, read_as }) => in_value(made, attribute, *quote, read_as),
    }
}

fn in_value(made: Made, attribute: &str, quote: Option<char>, read_as: &ReadAs) -> Option<Danger> {
    let attribute = attribute.to_owned();
    match (read_as, made) {
        (ReadAs::Behind, _) => Some(Danger::Behind(attribute)),
        (ReadAs::Script, _) => Some(Danger::Handler(attribute)),
        (ReadAs::Document, _) => Some(Danger::Document),
        (_, Made::Raw) => Some(Danger::Raw),
        (_, Made::Json) if quote != Some('\'') => Some(Danger::JsonInAttribute(attribute)),
        (ReadAs::Framework, Made::Json) => None,
        (ReadAs::Framework, _) if quote.is_some() => Some(Danger::Framework(attribute)),
        (ReadAs::Unclear, _) => Some(Danger::Attribute),
        (ReadAs::Text, Made::Path | Made::FixedPath | Made::WebUrl) => None,
        (ReadAs::Url { part: InUrl::Further, .. }, Made::Path | Made::FixedPath | Made::WebUrl) => None,
        (ReadAs::Url { part: InUrl::Web, leads: For::Link | For::List }, _) => None,
        (ReadAs::Url { part: InUrl::Web | InUrl::Host, leads }, Made::Path | Made::FixedPath | Made::WebUrl) => {
            Some(Danger::Host(attribute, *leads))
        }
        _ if quote.is_none() => Some(Danger::Unquoted(attribute)),
        (ReadAs::Style, _) => Some(Danger::Style),
        (ReadAs::Semantics, _) => Some(Danger::Semantics(attribute)),
        (ReadAs::Url { part: InUrl::Scheme, leads }, _) => Some(Danger::Scheme(attribute, *leads)),
        (ReadAs::Url { part: InUrl::Host | InUrl::Web, leads }, _) => Some(Danger::Host(attribute, *leads)),
        (ReadAs::Url { part: InUrl::Further, .. } | ReadAs::Text | ReadAs::Framework, _) => None,
    }
}
