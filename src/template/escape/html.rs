//! Where in HTML a text has led to: the tokenizer of the standard ("13.2.5 Tokenization"), for texts with
//! values in them.

use super::Made;
use super::attribute::{Attribute, For};
use super::raw::{Next, RAW, Raw};
use super::script::InScript;
use super::tag::{In, Tag, push_name};
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
    /// It is the name of an element, or a part of it, and may be one with a content of its own kind.
    Element,
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
        /// What it is for.
        leads: For,
    },
    /// A script, as in `onclick`.
    Script,
    /// A script for a framework, as in `x-data`.
    Framework,
    /// A style.
    Style,
    /// A page, as in `srcdoc`.
    Document,
    /// What other attributes of the element mean.
    Semantics,
    /// It cannot be told: the name of the attribute is a value, too.
    Unclear,
    /// The attribute before, whose value has no quotes and may be empty: it goes on up to here.
    Behind,
}

/// What the text so far has led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Html {
    state: State,
    /// How deep in `<svg>` or `<math>`, where elements such as `<style>` and `<title>` may have others in
    /// them, or in `<select>` or `<frameset>`, where browsers may not know them.
    foreign: u8,
    /// Whether it is in a `<script>` or `<style>` there, read as text.
    code: ForeignCode,
    /// A value of `content` that an `http-equiv` behind it has made a URL.
    late: Option<usize>,
}

/// Whether a text is in a `<script>` or `<style>` within `<svg>`, read as text; another state reads it as
/// what it is elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ForeignCode {
    No,
    /// It is in this element, and has led to nothing else: both states read the same.
    Plain(&'static str),
    /// It is, and there were tags and the like in it, so that it may go on where the other one ends.
    Mixed(&'static str),
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

/// How deep `<svg>` is counted.
const DEEPEST: u8 = 8;

impl Html {
    /// The beginning of a page.
    pub fn new() -> Self {
        Self { state: State::Text, foreign: 0, code: ForeignCode::No, late: None }
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
            states.retain(|html| !matches!(&html.state, State::Raw(raw) if raw.is_void()));
            dedup(states);
        }
    }

    /// The state if a value that is put in now is empty, where that is another one.
    pub fn without_value(&self) -> Option<Self> {
        let State::Tag(tag, In::BeforeValue(attribute)) = &self.state else { return None };
        let attribute = Attribute { behind: true, ..attribute.clone() };
        Some(self.with(State::Tag(tag.clone(), In::BeforeValue(attribute))))
    }

    /// Puts the value with this number in; says where that is.
    pub fn put(&mut self, number: usize, made: Made) -> Place {
        let state = std::mem::replace(&mut self.state, State::Text);
        let (state, place) = match state {
            State::Text => (State::Text, Place::Text),
            State::Plaintext => (State::Plaintext, Place::Characters),
            State::Raw(mut raw) => {
                let place = raw.put();
                (State::Raw(raw), place)
            }
            State::TagOpen => (State::Tag(Tag::new("", false), In::Name), Place::Element),
            State::EndTagOpen => (State::Tag(Tag::new("", true), In::Name), Place::Element),
            State::Declaration | State::DeclarationDash => (State::BogusComment, Place::Tag),
            State::BogusComment => (State::BogusComment, Place::Comment),
            State::Comment(_) => (State::Comment(End::Value), Place::Comment),
            State::Cdata(_) => (State::Cdata(3), Place::Text),
            State::Tag(mut tag, within) => {
                let (within, place) = tag.put(within, number, made);
                (State::Tag(tag, within), place)
            }
        };
        self.state = state;
        match (place, self.code) {
            (Place::Text, ForeignCode::Mixed("script")) => Place::Script(InScript::Foreign),
            (Place::Text, ForeignCode::Mixed(_)) => Place::Style,
            (place, _) => place,
        }
    }

    /// Takes a character; there may be another state that it leads to.
    fn next(&mut self, c: char) -> Option<Self> {
        let mut fork = None;
        let state = std::mem::replace(&mut self.state, State::Text);
        self.state = match state {
            State::Text if c == '<' => State::TagOpen,
            State::Text => State::Text,
            State::Plaintext => State::Plaintext,
            State::Raw(mut raw) => match raw.next(c) {
                Next::End => return self.in_tag(Tag::new(raw.element(), true), In::Name, c),
                Next::On(other) => {
                    fork = other.map(|raw| self.with(State::Raw(raw)));
                    State::Raw(raw)
                }
            },
            State::TagOpen if matches!(c, '!' | '?') || c.is_ascii_alphabetic() => {
                self.mix();
                match c {
                    '!' => State::Declaration,
                    '?' => State::BogusComment,
                    _ => return self.in_tag(Tag::new("", false), In::Name, c),
                }
            }
            State::TagOpen => match c {
                '/' => State::EndTagOpen,
                '<' => State::TagOpen,
                _ => State::Text,
            },
            State::EndTagOpen => match c {
                '>' => State::Text,
                c if c.is_ascii_alphabetic() => return self.in_tag(Tag::new("", true), In::Name, c),
                _ => {
                    self.mix();
                    State::BogusComment
                }
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

    fn mix(&mut self) {
        if let ForeignCode::Plain(element) = self.code {
            self.code = ForeignCode::Mixed(element);
        }
    }

    fn with(&self, state: State) -> Self {
        Self { state, foreign: self.foreign, code: self.code, late: None }
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
        let is_foreign = matches!(tag.name.as_str(), "svg" | "math" | "select" | "frameset");
        self.state = State::Text;
        if tag.closing {
            self.foreign -= u8::from(is_foreign && self.foreign > 0);
            match self.code {
                ForeignCode::Plain(element) | ForeignCode::Mixed(element)
                    if element == tag.name || self.foreign == 0 =>
                {
                    self.code = ForeignCode::No;
                }
                _ => self.mix(),
            }
            return None;
        }
        if is_foreign && !self_closing {
            self.foreign = DEEPEST.min(self.foreign + 1);
        }
        if tag.name == "plaintext" {
            self.state = State::Plaintext;
        }
        let element = RAW.iter().find(|element| **element == tag.name)?;
        self.state = State::Raw(Raw::new(element, self.foreign > 0));
        // Within `<svg>` they are elements like others; so is `<noscript>` where there are no scripts.
        let mut other = self.with(State::Text);
        if matches!(*element, "script" | "style") && !self_closing {
            other.code = ForeignCode::Plain(element);
        }
        (self.foreign > 0 || *element == "noscript").then_some(other)
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
