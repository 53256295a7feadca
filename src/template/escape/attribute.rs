//! What the values of attributes are read as.

use super::html::ReadAs;
use super::url::{InUrl, Url};

/// An attribute whose value is being read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its name, in small letters.
    pub name: String,
    /// What the value means.
    pub meaning: Meaning,
}

/// What a value means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Nothing that we know of.
    None,
    /// A URL; whether what is there becomes a part of the page.
    Url(Url, bool),
    /// A script.
    Script,
    /// A style.
    Style,
    /// A page.
    Document,
    /// Which attribute another one is about.
    Semantics,
    /// `http-equiv`, as far as it has been read.
    HttpEquiv(String),
    /// `content` of a `<meta>`: a URL behind an equals sign, if it is one that leads elsewhere.
    Content(Option<Url>),
}

/// Attributes with a URL that a browser may follow or run.
const URLS: [&str; 9] =
    ["href", "src", "action", "formaction", "xlink:href", "poster", "background", "manifest", "codebase"];

/// Elements whose URL becomes a part of the page, or a page in it.
const EMBEDDING: [&str; 7] = ["script", "base", "object", "embed", "iframe", "frame", "link"];

/// Elements that give another one's attribute its value.
const ANIMATING: [&str; 4] = ["animate", "set", "animatetransform", "animatemotion"];

impl Attribute {
    /// An attribute of an element; its value begins.
    pub fn new(element: &str, name: String) -> Self {
        let embedding = EMBEDDING.contains(&element);
        let meaning = match name.as_str() {
            "style" => Meaning::Style,
            "srcdoc" => Meaning::Document,
            "http-equiv" => Meaning::HttpEquiv(String::new()),
            "content" if element == "meta" => Meaning::Content(None),
            "data" if element == "object" => Meaning::Url(Url::new(), embedding),
            "attributename" => Meaning::Semantics,
            "to" | "from" | "by" | "values" if ANIMATING.contains(&element) => Meaning::Url(Url::new(), false),
            name if URLS.contains(&name) => Meaning::Url(Url::new(), embedding),
            name if name.starts_with("on") => Meaning::Script,
            _ => Meaning::None,
        };
        Self { name, meaning }
    }

    /// With one more character of the value.
    pub fn with(mut self, c: char) -> Self {
        match &mut self.meaning {
            Meaning::Url(url, _) => url.next(c),
            Meaning::HttpEquiv(value) if value.len() < 16 => value.push(c.to_ascii_lowercase()),
            // `0; url='/path'`: a quote is skipped.
            Meaning::Content(Some(url)) if !matches!(c, '"' | '\'') => url.next(c),
            Meaning::Content(url @ None) if c == '=' => *url = Some(Url::new()),
            _ => {}
        }
        self
    }

    /// Whether it says that the page leads elsewhere.
    pub fn is_refresh(&self) -> bool {
        matches!(&self.meaning, Meaning::HttpEquiv(value) if value.trim() == "refresh")
    }

    /// Puts a value in; says what it is read as.
    pub fn put(&mut self) -> ReadAs {
        match &mut self.meaning {
            Meaning::None => ReadAs::Text,
            Meaning::Url(url, embedded) => ReadAs::Url { part: url.put(), embedded: *embedded },
            Meaning::Script => ReadAs::Script,
            Meaning::Style => ReadAs::Style,
            Meaning::Document => ReadAs::Document,
            Meaning::Semantics | Meaning::HttpEquiv(_) => ReadAs::Semantics,
            // It might bring its own `url=`.
            Meaning::Content(None) => ReadAs::Url { part: InUrl::Scheme, embedded: false },
            Meaning::Content(Some(url)) => ReadAs::Url { part: url.put(), embedded: false },
        }
    }
}
