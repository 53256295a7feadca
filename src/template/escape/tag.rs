//! A tag, up to its `>`.

use super::Made;
use super::attribute::{ANIMATING, Attribute, EMBEDDING, IN_NAME, Meaning};
use super::html::{Place, ReadAs};
use super::raw::RAW;
use super::url::InUrl;

/// A tag that is being read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// In small letters.
    pub name: String,
    /// It is an end tag.
    pub closing: bool,
    /// It is a `<meta>` that leads elsewhere.
    pub refresh: bool,
    /// A value in its `content` that would choose where.
    pub held: Option<usize>,
}

/// Where in a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum In {
    Name,
    Between,
    Slash,
    AttributeName(String),
    AfterName(String),
    BeforeValue(Attribute),
    Value(Attribute, Option<char>),
}

/// Longer names are no others than those that are cut here.
const LONGEST_NAME: usize = 32;

impl Tag {
    /// A tag of this name, or with a name that begins so.
    pub fn new(name: &str, closing: bool) -> Self {
        Self { name: name.to_owned(), closing, refresh: false, held: None }
    }

    /// Takes note of an attribute that says what others mean.
    pub fn learn(&mut self, attribute: &Attribute) {
        self.refresh |= self.name == "meta" && attribute.is_refresh();
    }

    /// Puts the value with this number in; says where that is.
    pub fn put(&mut self, within: In, number: usize, made: Made) -> (In, Place) {
        let (mut attribute, quote) = match within {
            In::Name if may_be_special(&self.name) => return (In::Name, Place::Element),
            In::Name => return (In::Name, Place::Tag),
            In::AttributeName(mut name) => {
                name.push(IN_NAME);
                return (In::AttributeName(name), Place::Tag);
            }
            In::Between | In::Slash | In::AfterName(_) => {
                return (In::AttributeName(IN_NAME.to_string()), Place::Tag);
            }
            In::BeforeValue(attribute) => (attribute, None),
            In::Value(attribute, quote) => (attribute, quote),
        };
        let mut read_as = attribute.put(made);
        if let (Meaning::Content(..), ReadAs::Url { part, .. }) = (&attribute.meaning, &read_as)
            && !self.refresh
        {
            // Most often it is a description.
            if *part != InUrl::Further {
                self.held = Some(number);
            }
            read_as = ReadAs::Text;
        }
        let place = Place::Value { attribute: attribute.name.clone(), quote, read_as };
        (In::Value(attribute, quote), place)
    }
}

/// Whether a name that begins so, and goes on with a value, may be that of an element with a content or
/// with attributes of its own kind.
fn may_be_special(start: &str) -> bool {
    const OTHERS: [&str; 4] = ["plaintext", "svg", "math", "meta"];
    let all = RAW.iter().chain(&EMBEDDING).chain(&ANIMATING).chain(&OTHERS);
    all.into_iter().any(|name| name.starts_with(start))
}

/// Adds a character to a name.
pub fn push_name(name: &mut String, c: char) {
    if name.len() < LONGEST_NAME {
        name.push(c.to_ascii_lowercase());
    }
}
