//! What the values of attributes are read as.

use super::Made;
use super::html::ReadAs;
use super::url::{InUrl, Url};

/// An attribute whose value is being read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its name, in small letters.
    pub name: String,
    /// What the value means.
    pub meaning: Meaning,
    /// Whether it begins behind a value that has no quotes and is empty, and so goes on over what is
    /// written as another attribute.
    pub behind: bool,
}

/// What a value means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Nothing that we know of.
    None,
    /// A URL, and what it is for.
    Url(Url, For),
    /// URLs, with blanks and commas between them; the one that is being read.
    Urls(Url),
    /// A script.
    Script,
    /// A script for a framework, if the page has that.
    Framework,
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
    /// It cannot be told: the name is a value, or has one in it.
    Unclear,
}

/// What a browser does with a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum For {
    /// People may follow it, or it is a picture.
    Link,
    /// A form is sent there, or the browser goes there by itself.
    Target,
    /// What is there becomes a part of the page.
    Part,
    /// One of several, pictures or addresses that are told of a click; no scripts.
    List,
}

/// Stands for a value in a name.
pub const IN_NAME: char = '\u{fffd}';

/// Attributes with a URL that a browser may follow or run.
const URLS: [&str; 9] =
    ["href", "src", "action", "formaction", "xlink:href", "poster", "background", "manifest", "codebase"];

/// Other attributes that are more than text, those that begin with `on` aside.
const OTHERS: [&str; 10] =
    ["style", "srcdoc", "http-equiv", "content", "data", "attributename", "to", "from", "by", "values"];

/// Names of attributes that frameworks run or read as code begin so (Alpine, Vue, Angular, htmx).
const FRAMEWORKS: [&str; 7] = ["x-", "v-", "@", ":", "ng-", "hx-on", "data-hx-on"];

/// Names that begin with `on`, as scripts do, and are none.
const NO_SCRIPTS: [&str; 4] = ["on", "one", "once", "only"];

/// Elements whose URL becomes a part of the page, or a page in it.
pub const EMBEDDING: [&str; 8] = ["script", "base", "object", "embed", "iframe", "frame", "link", "use"];

/// Elements that give another one's attribute its value.
pub const ANIMATING: [&str; 4] = ["animate", "set", "animatetransform", "animatemotion"];

impl Attribute {
    /// An attribute of an element; its value begins.
    pub fn new(element: &str, name: String) -> Self {
        let leads = if EMBEDDING.contains(&element) { For::Part } else { For::Link };
        let meaning = match name.as_str() {
            "style" => Meaning::Style,
            "srcdoc" => Meaning::Document,
            "http-equiv" => Meaning::HttpEquiv(String::new()),
            "content" if element == "meta" => Meaning::Content(None),
            "data" if element == "object" => Meaning::Url(Url::new(), For::Part),
            "attributename" => Meaning::Semantics,
            "to" | "from" | "by" if ANIMATING.contains(&element) => Meaning::Url(Url::new(), For::Part),
            // Each of many may be one, and a value could bring more.
            "values" if ANIMATING.contains(&element) => Meaning::Url(Url::Unclear, For::Part),
            "action" | "formaction" => Meaning::Url(Url::new(), For::Target),
            "srcset" | "imagesrcset" | "ping" => Meaning::Urls(Url::new()),
            // Hyperscript.
            "_" => Meaning::Framework,
            name if FRAMEWORKS.iter().any(|start| name.starts_with(start)) => Meaning::Framework,
            name if URLS.contains(&name) => Meaning::Url(Url::new(), leads),
            name if name.starts_with("on") && !NO_SCRIPTS.contains(&name) => Meaning::Script,
            name => match name.split_once(IN_NAME) {
                Some((start, _)) if may_mean_something(start) => Meaning::Unclear,
                _ => Meaning::None,
            },
        };
        Self { name, meaning, behind: false }
    }

    /// With one more character of the value.
    pub fn with(mut self, c: char) -> Self {
        match &mut self.meaning {
            Meaning::Url(url, _) => url.next(c),
            Meaning::Urls(url) if c.is_ascii_whitespace() || c == ',' => *url = Url::new(),
            Meaning::Urls(url) => url.next(c),
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
    pub fn put(&mut self, made: Made) -> ReadAs {
        match &mut self.meaning {
            _ if self.behind => ReadAs::Behind,
            Meaning::None => ReadAs::Text,
            Meaning::Url(url, leads) => ReadAs::Url { part: url.put(made), leads: *leads },
            Meaning::Urls(url) => {
                let part = url.put(made);
                let is_one = matches!(made, Made::Path | Made::FixedPath | Made::WebUrl | Made::Host | Made::Word);
                // It could bring more of them.
                let part = if is_one && part != InUrl::Scheme { part } else { InUrl::Host };
                ReadAs::Url { part, leads: For::List }
            }
            Meaning::Script => ReadAs::Script,
            Meaning::Framework => ReadAs::Framework,
            Meaning::Style => ReadAs::Style,
            Meaning::Document => ReadAs::Document,
            Meaning::Semantics | Meaning::HttpEquiv(_) => ReadAs::Semantics,
            // It might bring its own `url=`.
            Meaning::Content(None) => ReadAs::Url { part: InUrl::Scheme, leads: For::Target },
            Meaning::Content(Some(url)) => ReadAs::Url { part: url.put(made), leads: For::Target },
            Meaning::Unclear => ReadAs::Unclear,
        }
    }
}

/// Whether the name of an attribute that begins so may be that of one that is more than text.
fn may_mean_something(start: &str) -> bool {
    start.starts_with("on") || "on".starts_with(start) || URLS.iter().chain(&OTHERS).any(|name| name.starts_with(start))
}
