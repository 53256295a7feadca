//! Where in HTML a text has led to: the tokenizer of the standard ("13.2.5 Tokenization"), for texts with
//! values in them.

use super::attribute::{Attribute, Meaning};
use super::raw::{RAW, Raw};
use super::script::InScript;
use super::url::InUrl;

/// Where a value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// It is text between tags.
    Text,
    /// It is the text of an element that has nothing but text, such as `<title>`.
    Characters,
    /// It is in a comment, or in `<!DOCTYPE …>`.
    Comment,
    /// It is in a tag, but not in the value of an attribute.
    Tag,
    /// It is in a `<script>`.
    Script(InScript),
    /// It is in a `<style>`.
    Style,
    /// It is in the value of an attribute.
    Value {
        /// The attribute.
        attribute: String,
        /// The quote around the value; `None` if there is none.
        quote: Option<char>,
        /// What the value is read as.
        read_as: ReadAs,
    },
}

/// What the value of an attribute is read as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadAs {
    /// Text that does nothing.
    Text,
    /// A URL.
    Url {
        /// What of it a value can choose.
        part: InUrl,
        /// Whether what is there becomes a part of the page.
        embedded: bool,
    },
    /// A script, as in `onclick`.
    Script,
    /// A style.
    Style,
    /// A page, as in `srcdoc`.
    Document,
    /// What other attributes of the element mean.
    Semantics,
}

/// What the text so far has led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Html {
    state: State,
    /// How deep in `<svg>` or `<math>`, where elements such as `<style>` and `<title>` may have others in
    /// them.
    foreign: u8,
    /// A value of `content` that an `http-equiv` behind it has made a URL.
    late: Option<usize>,
}

/// The state, named as in the standard; what is the same for us is one.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Text,
    Plaintext,
    Raw(Raw),
    TagOpen,
    EndTagOpen,
    /// `<!`
    Declaration,
    /// `<!-`
    DeclarationDash,
    BogusComment,
    Comment(End),
    /// The number of `]` so far; one more than two if a value is at the end.
    Cdata(u8),
    Tag(Tag, In),
}

/// How much of the end of a comment has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Start,
    StartDash,
    None,
    Dash,
    Dashes,
    Bang,
    /// A value is at the end: it may be any of these.
    Value,
    ValueDash,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Tag {
    /// In small letters.
    name: String,
    closing: bool,
    /// It is a `<meta>` that leads elsewhere.
    refresh: bool,
    /// A value in its `content` that would choose where.
    held: Option<usize>,
}

/// Where in a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
enum In {
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

/// How deep `<svg>` is counted.
const DEEPEST: u8 = 8;

impl Html {
    /// The beginning of a page.
    pub fn new() -> Self {
        Self { state: State::Text, foreign: 0, late: None }
    }

    /// Reads on in all the states there may be; `late` is told of values that only now turn out to be
    /// read as a URL.
    pub fn read(states: &mut Vec<Self>, text: &str, late: &mut dyn FnMut(usize)) {
        for c in text.chars() {
            for at in 0..states.len() {
                let Some(html) = states.get_mut(at) else { break };
                let fork = html.next(c);
                if let Some(value) = html.late.take() {
                    late(value);
                }
                states.extend(fork);
            }
            dedup(states);
        }
    }

    /// Puts the value with this number in; says where that is.
    pub fn put(&mut self, number: usize) -> Place {
        let state = std::mem::replace(&mut self.state, State::Text);
        let (state, place) = match state {
            State::Text => (State::Text, Place::Text),
            State::Plaintext => (State::Plaintext, Place::Characters),
            State::Raw(mut raw) => {
                let place = raw.put();
                (State::Raw(raw), place)
            }
            State::TagOpen => (State::Tag(Tag::new("", false), In::Name), Place::Tag),
            State::EndTagOpen => (State::Tag(Tag::new("", true), In::Name), Place::Tag),
            State::Declaration | State::DeclarationDash => (State::BogusComment, Place::Tag),
            State::BogusComment => (State::BogusComment, Place::Comment),
            State::Comment(_) => (State::Comment(End::Value), Place::Comment),
            State::Cdata(_) => (State::Cdata(3), Place::Text),
            State::Tag(mut tag, within) => {
                let (within, place) = tag.put(within, number);
                (State::Tag(tag, within), place)
            }
        };
        self.state = state;
        place
    }

    /// Takes a character; there may be another state that it leads to.
    fn next(&mut self, c: char) -> Option<Self> {
        let mut fork = None;
        let state = std::mem::replace(&mut self.state, State::Text);
        self.state = match state {
            State::Text if c == '<' => State::TagOpen,
            State::Text => State::Text,
            State::Plaintext => State::Plaintext,
            State::Raw(mut raw) => {
                if raw.next(c) {
                    return self.in_tag(Tag::new(raw.element(), true), In::Name, c);
                }
                State::Raw(raw)
            }
            State::TagOpen => match c {
                '!' => State::Declaration,
                '/' => State::EndTagOpen,
                '?' => State::BogusComment,
                '<' => State::TagOpen,
                c if c.is_ascii_alphabetic() => return self.in_tag(Tag::new("", false), In::Name, c),
                _ => State::Text,
            },
            State::EndTagOpen => match c {
                '>' => State::Text,
                c if c.is_ascii_alphabetic() => return self.in_tag(Tag::new("", true), In::Name, c),
                _ => State::BogusComment,
            },
            State::Declaration => match c {
                '-' => State::DeclarationDash,
                '>' => State::Text,
                '[' if self.foreign > 0 => {
                    fork = Some(self.with(State::Cdata(0)));
                    State::BogusComment
                }
                _ => State::BogusComment,
            },
            State::DeclarationDash => match c {
                '-' => State::Comment(End::Start),
                '>' => State::Text,
                _ => State::BogusComment,
            },
            State::BogusComment if c == '>' => State::Text,
            State::BogusComment => State::BogusComment,
            State::Comment(end) => match end.next(c) {
                Ended::No(end) => State::Comment(end),
                Ended::Yes => State::Text,
                Ended::Perhaps => {
                    fork = Some(self.with(State::Comment(End::None)));
                    State::Text
                }
            },
            State::Cdata(brackets) => match (c, brackets) {
                (']', 0..2) => State::Cdata(brackets + 1),
                (']', _) => State::Cdata(brackets),
                ('>', 2) => State::Text,
                ('>', 3) => {
                    fork = Some(self.with(State::Cdata(0)));
                    State::Text
                }
                _ => State::Cdata(0),
            },
            State::Tag(tag, within) => return self.in_tag(tag, within, c),
        };
        fork
    }

    fn with(&self, state: State) -> Self {
        Self { state, foreign: self.foreign, late: None }
    }

    fn in_tag(&mut self, mut tag: Tag, within: In, c: char) -> Option<Self> {
        let blank = matches!(c, '\t' | '\n' | '\x0c' | '\r' | ' ');
        let slash = matches!(within, In::Slash);
        let within = match within {
            In::BeforeValue(attribute) => match c {
                _ if blank => In::BeforeValue(attribute),
                '>' => return self.end_tag(tag, false),
                '"' | '\'' => In::Value(attribute, Some(c)),
                _ => In::Value(attribute.with(c), None),
            },
            In::Value(attribute, Some(quote)) if c == quote => {
                tag.learn(&attribute);
                In::Between
            }
            In::Value(attribute, Some(quote)) => In::Value(attribute.with(c), Some(quote)),
            In::Value(attribute, None) if blank || c == '>' => {
                tag.learn(&attribute);
                if c == '>' {
                    return self.end_tag(tag, false);
                }
                In::Between
            }
            In::Value(attribute, None) => In::Value(attribute.with(c), None),
            _ if c == '>' => return self.end_tag(tag, slash),
            _ if c == '/' => In::Slash,
            In::Name if blank => In::Between,
            In::Name => {
                push_name(&mut tag.name, c);
                In::Name
            }
            In::AttributeName(name) | In::AfterName(name) if c == '=' => {
                In::BeforeValue(Attribute::new(&tag.name, name))
            }
            In::AttributeName(name) if blank => In::AfterName(name),
            In::AttributeName(mut name) => {
                push_name(&mut name, c);
                In::AttributeName(name)
            }
            In::AfterName(name) if blank => In::AfterName(name),
            In::Between | In::Slash if blank => In::Between,
            In::AfterName(_) | In::Between | In::Slash => {
                let mut name = String::new();
                push_name(&mut name, c);
                In::AttributeName(name)
            }
        };
        self.state = State::Tag(tag, within);
        None
    }

    /// After a tag comes text, or what the element has instead.
    fn end_tag(&mut self, tag: Tag, self_closing: bool) -> Option<Self> {
        if tag.refresh {
            self.late = tag.held;
        }
        let is_foreign = matches!(tag.name.as_str(), "svg" | "math");
        self.state = State::Text;
        if tag.closing {
            self.foreign -= u8::from(is_foreign && self.foreign > 0);
            return None;
        }
        if is_foreign && !self_closing {
            self.foreign = DEEPEST.min(self.foreign + 1);
        }
        if tag.name == "plaintext" {
            self.state = State::Plaintext;
        }
        let element = RAW.iter().find(|element| **element == tag.name)?;
        self.state = State::Raw(Raw::new(element));
        // Within `<svg>` they are elements like others; so is `<noscript>` where there are no scripts.
        (self.foreign > 0 || *element == "noscript").then(|| self.with(State::Text))
    }
}

/// Drops states that are there twice.
pub fn dedup(states: &mut Vec<Html>) {
    if states.len() > 1 {
        let all = std::mem::take(states);
        for state in all {
            if !states.contains(&state) {
                states.push(state);
            }
        }
    }
}

fn push_name(name: &mut String, c: char) {
    if name.len() < LONGEST_NAME {
        name.push(c.to_ascii_lowercase());
    }
}

enum Ended {
    No(End),
    Yes,
    Perhaps,
}

impl End {
    fn next(self, c: char) -> Ended {
        match (self, c) {
            (Self::Start | Self::StartDash | Self::Dashes | Self::Bang, '>') => Ended::Yes,
            (Self::Value | Self::ValueDash, '>') => Ended::Perhaps,
            (Self::Value | Self::ValueDash, '!') => Ended::No(Self::Value),
            (Self::Dashes, '!') => Ended::No(Self::Bang),
            (Self::Start, '-') => Ended::No(Self::StartDash),
            (Self::None | Self::Bang, '-') => Ended::No(Self::Dash),
            (Self::Value, '-') => Ended::No(Self::ValueDash),
            (Self::StartDash | Self::Dash | Self::Dashes | Self::ValueDash, '-') => Ended::No(Self::Dashes),
            _ => Ended::No(Self::None),
        }
    }
}

impl Tag {
    fn new(name: &str, closing: bool) -> Self {
        Self { name: name.to_owned(), closing, refresh: false, held: None }
    }

    /// Takes note of an attribute that says what others mean.
    fn learn(&mut self, attribute: &Attribute) {
        self.refresh |= self.name == "meta" && attribute.is_refresh();
    }

    fn put(&mut self, within: In, number: usize) -> (In, Place) {
        let name = |name: &str| if name.is_empty() { "\u{fffd}".to_owned() } else { name.to_owned() };
        let (mut attribute, quote) = match within {
            In::Name => return (In::Name, Place::Tag),
            In::AttributeName(before) => return (In::AttributeName(name(&before)), Place::Tag),
            In::Between | In::Slash | In::AfterName(_) => return (In::AttributeName(name("")), Place::Tag),
            In::BeforeValue(attribute) => (attribute, None),
            In::Value(attribute, quote) => (attribute, quote),
        };
        let mut read_as = attribute.put();
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
